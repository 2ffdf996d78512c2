// SPDX-License-Identifier: GPL-2.0
/* Functions that run in a child. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "children.h"
#include "signals.h"
#include "common/basics/clock.h"

pid_t dr_spawn(int (*fn)(void *), void *arg)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	dr_catch_sigbus();
	_exit(fn(arg));
}

int dr_wait(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

int dr_wait_for(pid_t pid, int ms)
{
	siginfo_t si = { 0 };

	for (ms = dr_patience(ms); ms > 0; ms -= 10) {
		if (waitid(P_PID, pid, &si, WEXITED | WNOHANG | WNOWAIT))
			return -1;
		if (si.si_pid)
			return dr_wait(pid);
		usleep(10000);
	}
	return -ETIMEDOUT;
}

void *dr_shared_mem(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

long dr_faults(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return ru.ru_minflt;
}
