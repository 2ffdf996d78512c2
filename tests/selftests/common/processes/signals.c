// SPDX-License-Identifier: GPL-2.0
/* Records every SIGBUS, with or without a touch to blame. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "signals.h"

static __thread sigjmp_buf jump;
static __thread volatile sig_atomic_t armed;
static __thread struct dr_sig caught;
static struct dr_sig stray[64];
static volatile sig_atomic_t strays;

static void on_sigbus(int signo, siginfo_t *si, void *uc)
{
	struct dr_sig s = { signo, si->si_code, si->si_addr_lsb, si->si_addr };

	(void)uc;
	/* An advice (AO) may come while a touch is under way: not its fault. */
	if (armed && si->si_code != BUS_MCEERR_AO) {
		armed = 0;
		caught = s;
		siglongjmp(jump, 1);
	}
	if (strays == 64)
		_exit(99);	/* a touch that nobody guarded, over and over */
	stray[strays++] = s;
}

void dr_catch_sigbus(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER };

	sigaction(SIGBUS, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);	/* a peer that died is an error */
	strays = 0;
}

struct dr_touch dr_load(const char *addr)
{
	struct dr_touch t = { 0 };

	if (sigsetjmp(jump, 0)) {
		t.sig = caught;
		return t;
	}
	armed = 1;
	t.byte = *(const volatile unsigned char *)addr;
	armed = 0;
	return t;
}

/* A function, so that its argument stays in its register. */
static void __attribute__((noinline, noreturn)) load_forever(const char *addr)
{
	for (;;)
		(void)*(const volatile unsigned char *)addr;
}

struct dr_touch dr_load_until_told(const char *addr)
{
	struct dr_touch t = { 0 };

	if (sigsetjmp(jump, 0)) {
		t.sig = caught;
		return t;
	}
	armed = 1;
	load_forever(addr);
}

struct dr_touch dr_store(char *addr, unsigned char byte)
{
	struct dr_touch t = { .byte = byte };

	if (sigsetjmp(jump, 0)) {
		t.sig = caught;
		return t;
	}
	armed = 1;
	*(volatile unsigned char *)addr = byte;
	armed = 0;
	return t;
}

bool dr_sig_is(struct dr_sig s, int code, const void *addr, int lsb)
{
	if (s.signo == SIGBUS && s.code == code && s.addr == addr &&
	    (!lsb || s.lsb == lsb))
		return true;
	fprintf(stderr, "# signal %d code %d addr %p lsb %d; expected %d %d %p %d\n",
		s.signo, s.code, (void *)s.addr, s.lsb, SIGBUS, code, addr, lsb);
	return false;
}

int dr_signals(struct dr_sig *sigs, int max)
{
	int n = strays;

	memcpy(sigs, stray, (n < max ? n : max) * sizeof(*sigs));
	strays = 0;
	return n;
}
