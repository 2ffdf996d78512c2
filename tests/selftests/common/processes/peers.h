/* SPDX-License-Identifier: GPL-2.0 */
/* Processes that map a file and do as they are told over a pipe. */
#ifndef DAXRMAP_TEST_PEERS_H
#define DAXRMAP_TEST_PEERS_H

#include <stdbool.h>
#include <sys/types.h>
#include "signals.h"

struct peer {
	pid_t pid;
	int to, from;		/* pipes */
	char *base;		/* where the peer maps the file */
};

int peer_start(struct peer *p, bool early);
int peer_map(struct peer *p, const char *name, unsigned long off,
	     unsigned long len, int prot, int flags);
/* start + map shared, read and write, one load of block `touch` (-1: none) */
int peer_open(struct peer *p, bool early, const char *name, unsigned long len,
	      long touch);
struct dr_touch peer_load(struct peer *p, unsigned long off);
struct dr_touch peer_store(struct peer *p, unsigned long off, unsigned char b);
int peer_poison(struct peer *p, unsigned long off);	/* MADV_HWPOISON there */
/* Signals that came to it without a touch, and forgets them. */
int peer_signals(struct peer *p, struct dr_sig *sigs, int max);
/* `passes` times a load of one byte of each page of a file of that pattern. */
int peer_passes_start(struct peer *p, int passes, int seed);
/* How many bytes were wrong, or -errno; the minor faults that it took. */
long peer_passes_end(struct peer *p, long *faults);
int peer_stop(struct peer *p);

/* The one signal that an early-kill process gets without a touch. */
#define EXPECT_EARLY(peer, want_addr) do {				\
	struct dr_sig _e[4];						\
	ASSERT_EQ(1, peer_signals(peer, _e, 4));			\
	EXPECT_SIG(_e[0], BUS_MCEERR_AO, want_addr, 12);		\
} while (0)

#endif
