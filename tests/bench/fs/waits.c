// SPDX-License-Identifier: GPL-2.0
/*
 * How long somebody waits while another process works. There may be one CPU only: whoever is measured
 * goes before the worker (SCHED_FIFO) as soon as it wakes up, so what it waits for is a lock that the
 * worker has, or that the worker does in the kernel without a break; not its share of the CPU.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "bench.h"
#include "common/basics/text.h"
#include "common/processes/children.h"

void go_first(bool on)
{
	struct sched_param p = { .sched_priority = on };

	must(sched_setscheduler(0, on ? SCHED_FIFO : SCHED_OTHER, &p) ? dr_errno() : 0, "scheduler");
}

void pause_a_bit(long i)
{
	struct timespec a_bit = { .tv_nsec = 100000 + i * 7919 % 300 * 1000 };

	nanosleep(&a_bit, NULL);
}

static int be_worker(void *arg)
{
	const struct worker *w = arg;

	/* Who is measured goes first, its child does not. */
	go_first(false);
	for (long i = 0; i < LONG_MAX; i++)
		w->work(i);
	return 0;
}

pid_t start_worker(const struct worker *w)
{
	pid_t pid;

	if (w->prepare)
		w->prepare();
	pid = dr_spawn(be_worker, (void *)w);
	must(pid < 0 ? dr_errno() : 0, "fork");
	/* Until it is at it. */
	usleep(20000);
	must(waitpid(pid, NULL, WNOHANG) ? -ECHILD : 0, w->name);
	return pid;
}

/* It must still have been at it, or what was measured is nothing. */
void stop_worker(pid_t pid)
{
	must(waitpid(pid, NULL, WNOHANG) ? -ECHILD : 0, "the worker has ended");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
