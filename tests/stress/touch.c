// SPDX-License-Identifier: GPL-2.0
/* Touches of mapped pages, and the signals that come of them and by themselves. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>
#include <sys/syscall.h>
#include "stress.h"

static sigjmp_buf jump;
static volatile sig_atomic_t armed;
static struct sig caught;

static void on_sigbus(int signo, siginfo_t *si, void *uc)
{
	struct sig s = { .addr = si->si_addr, .code = si->si_code,
		.lsb = si->si_addr_lsb };
	unsigned int n;

	(void)signo;
	(void)uc;
	/* An advice (AO) may come while a touch is under way: not its fault. */
	if (armed && s.code != BUS_MCEERR_AO) {
		armed = 0;
		caught = s;
		siglongjmp(jump, 1);
	}
	s.quiet = me->quiet;
	s.at = tick();
	n = me->sigs;
	me->sig[n % SIGS] = s;
	__atomic_store_n(&me->sigs, n + 1, __ATOMIC_RELEASE);
	if (n - me->judged > 100 * SIGS)
		_exit(96);	/* a touch that nobody guarded, over and over */
}

/* See unstick.c: it is enough that it comes. */
static void on_nudge(int signo)
{
	(void)signo;
}

void catch_signals(void)
{
	struct sigaction nudge = { .sa_handler = on_nudge, .sa_flags = SA_RESTART };

	/* No SA_NODEFER: the handler is not interrupted by itself. */
	struct sigaction sa = { .sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO | SA_RESTART };

	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGUSR1, &nudge, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* On its way back from a system call a process gets what was sent before. */
void all_signals_are_here(void)
{
	syscall(SYS_getppid);
	judge_signals(me);
	me->quiet = tick();
}

/* With the signal mask: the handler leaves SIGBUS blocked when it jumps. */
struct sig load_word(const char *at, uint64_t *word)
{
	if (sigsetjmp(jump, 1))
		return caught;
	armed = 1;
	*word = *(const volatile uint64_t *)at;
	armed = 0;
	return (struct sig){ 0 };
}

struct sig store_word(char *at, uint64_t word)
{
	if (sigsetjmp(jump, 1))
		return caught;
	armed = 1;
	*(volatile uint64_t *)at = word;
	armed = 0;
	return (struct sig){ 0 };
}

bool is_refusal(const struct sig *s, const char *at, const char *how)
{
	if (s->code == BUS_MCEERR_AR) {
		if (s->addr != at || s->lsb != 12)
			fault(WRONG, "the signal of a %s at %p is for %p, lsb %d", how,
			      (void *)at, (void *)s->addr, s->lsb);
		return true;
	}
	if (s->code != BUS_ADRERR)
		fault(WRONG, "the signal of a %s at %p has code %d", how, (void *)at,
		      s->code);
	return false;
}
