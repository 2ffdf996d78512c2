/* SPDX-License-Identifier: GPL-2.0 */
/* Records every SIGBUS, with or without a touch to blame. */
#ifndef DAXRMAP_TEST_SIGNALS_H
#define DAXRMAP_TEST_SIGNALS_H

#include <stdbool.h>

struct dr_sig {
	int signo, code, lsb;
	char *addr;
};

struct dr_touch {
	struct dr_sig sig;		/* signo 0: it worked */
	unsigned char byte;
};

void dr_catch_sigbus(void);
struct dr_touch dr_load(const char *addr);
/*
 * Loads from there over and over, without a system call and with the address in
 * a register, until a SIGBUS ends it.
 */
struct dr_touch dr_load_until_told(const char *addr);
struct dr_touch dr_store(char *addr, unsigned char byte);
/* A SIGBUS, just so (lsb 0: none is expected); says what it is if not. */
bool dr_sig_is(struct dr_sig s, int code, const void *addr, int lsb);
/* Signals that came without a touch, and forgets them. */
int dr_signals(struct dr_sig *sigs, int max);

#define EXPECT_SIG(s, want_code, want_addr, want_lsb) do {		\
	EXPECT_TRUE(dr_sig_is(s, want_code, want_addr, want_lsb));	\
} while (0)

/* A touch of poison: SIGBUS that says so, at the very byte. */
#define EXPECT_POISON(t, a) EXPECT_SIG((t).sig, BUS_MCEERR_AR, a, 12)

/* A touch that worked, and what it saw. */
#define EXPECT_BYTE(t, b) do {						\
	struct dr_touch _t = (t);					\
	EXPECT_EQ(0, _t.sig.signo);					\
	EXPECT_EQ(b, _t.byte);						\
} while (0)

#endif
