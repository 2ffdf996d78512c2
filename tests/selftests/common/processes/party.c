// SPDX-License-Identifier: GPL-2.0
/* Several peers at once. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include "party.h"
#include "common/files/files.h"

int party_open(struct peer *p, int n, bool early, int files, unsigned long blocks)
{
	char name[16];
	int r = 0;

	for (int i = 0; i < n && !r; i++) {
		snprintf(name, sizeof(name), "f%d", i % files);
		r = peer_open(&p[i], early, name, blocks * BLK, -1);
	}
	return r;
}

int party_loads(struct peer *p, int n, unsigned long page, unsigned char byte)
{
	int saw = 0;

	for (int i = 0; i < n; i++) {
		struct dr_touch t = peer_load(&p[i], page * BLK);

		saw += !t.sig.signo && t.byte == byte;
	}
	return saw;
}

int party_told_early(struct peer *p, int n, unsigned long page, int lsb)
{
	int told = 0;

	for (int i = 0; i < n; i++) {
		struct dr_sig s[4];
		int got = peer_signals(&p[i], s, 4);

		if (got == 1)
			told += dr_sig_is(s[0], BUS_MCEERR_AO, p[i].base + page * BLK, lsb);
		else
			fprintf(stderr, "# peer %d: %d signals\n", i, got);
	}
	return told;
}

/*
 * A load says what it is. A store to a page that is to be copied for it says only that there is
 * an error: XFS cannot read what it wants to copy.
 */
static bool told_at_load(struct peer *p, unsigned long off)
{
	return dr_sig_is(peer_load(p, off).sig, BUS_MCEERR_AR, p->base + off, 12);
}

static bool told_at_store(struct peer *p, unsigned long off)
{
	struct dr_sig s = peer_store(p, off, 1).sig;

	return (s.code == BUS_ADRERR && s.signo == SIGBUS && s.addr == p->base + off) ||
	       dr_sig_is(s, BUS_MCEERR_AR, p->base + off, 12);
}

int party_told_at_touch(struct peer *p, int n, unsigned long page)
{
	int told = 0;

	for (int i = 0; i < n; i++)
		told += told_at_load(&p[i], page * BLK + 123) &&
			told_at_store(&p[i], page * BLK + 7) &&
			told_at_load(&p[i], page * BLK + 4095);
	return told;
}

int party_told_late(struct peer *p, int n, unsigned long page)
{
	int quiet = party_quiet(p, n), told = party_told_at_touch(p, n, page);

	return quiet < told ? quiet : told;
}

int party_quiet(struct peer *p, int n)
{
	struct dr_sig s[4];
	int quiet = 0;

	for (int i = 0; i < n; i++)
		quiet += !peer_signals(&p[i], s, 4);
	return quiet;
}

void party_stop(struct peer *p, int n)
{
	for (int i = 0; i < n; i++)
		peer_stop(&p[i]);
}
