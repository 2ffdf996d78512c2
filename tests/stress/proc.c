// SPDX-License-Identifier: GPL-2.0
/* The processes: workers, which do as they like until told to stop, and watchers, which do as they are told. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "stress.h"

static struct slot *any_slot(void)
{
	return &me->slot[dr_pick(SLOTS)];
}

static void step(void)
{
	struct slot *s = any_slot();
	unsigned int x = dr_pick(100);

	all_signals_are_here();
	if (s->file < 0)
		open_something(s, -1);
	else if (x < 55)
		look_somewhere(s);
	else if (x < 90)
		change_something(s);
	else if (x < 94)
		change_names();
	else if (x < 96)
		close_slot(s);
	else if (x < 98)
		poison_own_page(s);
	else
		madvise(s->base + dr_pick(s->count) * BLK, BLK * (1 + dr_pick(4)),
			MADV_DONTNEED);
	if (!dr_pick(2000))
		dr_put("/proc/sys/vm/drop_caches", "2");
	all_signals_are_here();
}

static long obey(const struct command *c)
{
	struct slot *s = &me->slot[c->slot];
	uint64_t word;

	switch (c->order) {
	case RUN:
		while (w->running)
			step();
		return 0;
	case VERIFY:
		look_everywhere();
		return 0;
	case POISON:
		return poison_here(s->base + (c->page - s->first) * BLK,
				   now_of(s->file, c->page).block);
	case WATCH:
		s->fd = dr_open(name_of(c->file), O_RDWR);
		if (s->fd < 0)
			return s->fd;
		s->base = mmap(NULL, BLK, PROT_READ | PROT_WRITE, MAP_SHARED,
			       s->fd, c->page * BLK);
		if (s->base == MAP_FAILED)
			return -ENOMEM;
		s->first = c->page;
		s->count = 1;
		s->file = c->file;
		return load_word(s->base, &word).code ? -EFAULT : 0;
	case TOUCH:
		look_at(s, c->page);
		return 0;
	case CHANGE:
		move_page(s, c->page);
		return 0;
	case INJECT:
		inject(&c->page, 1, dr_pick(2));
		return 0;
	case UNWATCH:
		unmap_slot(s);
		return 0;
	case PING:
	case QUIT:
		break;
	}
	return 0;
}

static void __attribute__((noreturn)) proc_main(int in, int out)
{
	struct command c;
	long r;

	catch_signals();
	dr_seed(w->seed * 1000 + me->nr);
	if (me->early && prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0))
		_exit(94);
	while (read(in, &c, sizeof(c)) == sizeof(c)) {
		r = obey(&c);
		all_signals_are_here();
		if (c.order == QUIT)
			for (int i = 0; i < SLOTS; i++)
				if (me->slot[i].file >= 0)
					close_slot(&me->slot[i]);
		if (write(out, &r, sizeof(r)) != sizeof(r) || c.order == QUIT)
			break;
	}
	_exit(0);
}

int start_procs(void)
{
	pid_t leader = getpid();

	for (int i = 0; i < PROCS; i++) {
		struct proc *p = &w->proc[i];
		int to[2], from[2];
		pid_t pid;

		/* Not to be inherited by those that come later. */
		if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
			return dr_errno();
		p->nr = i;
		p->early = i >= WORKERS || i % 2;
		pid = fork();
		if (pid < 0)
			return dr_errno();
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != leader)
				_exit(93);
			me = p;
			for (int k = 0; k < i; k++) {
				close(w->proc[k].to);
				close(w->proc[k].from);
			}
			close(to[1]);
			close(from[0]);
			proc_main(to[0], from[1]);
		}
		close(to[0]);
		close(from[1]);
		p->pid = pid;
		p->to = to[1];
		p->from = from[0];
	}
	return 0;
}

int tell(struct proc *p, struct command c)
{
	return write(p->to, &c, sizeof(c)) == sizeof(c) ? 0 : -EPIPE;
}

long answer(struct proc *p)
{
	int status = 0;
	long r;

	if (read(p->from, &r, sizeof(r)) == sizeof(r))
		return r;
	waitpid(p->pid, &status, 0);
	/* Its locks may be taken, and nothing that follows would be worth much. */
	report(0);
	printf("Bail out! process %d has died, status %#x\n", p->nr, status);
	fflush(stdout);
	_exit(1);
}

long ask(struct proc *p, struct command c)
{
	tell(p, c);
	return answer(p);
}

static bool stopped;

/* RUN is answered when they have stopped. */
void ask_all(enum order order)
{
	int n = stopped ? 0 : order == RUN || order == VERIFY ? WORKERS : PROCS;

	for (int i = 0; i < n; i++)
		tell(&w->proc[i], (struct command){ .order = order });
	for (int i = 0; order != RUN && i < n; i++)
		answer(&w->proc[i]);
}

void stop_procs(void)
{
	ask_all(QUIT);
	for (int i = 0; i < PROCS; i++)
		waitpid(w->proc[i].pid, NULL, 0);
	stopped = true;
}
