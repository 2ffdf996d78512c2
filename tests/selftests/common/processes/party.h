/* SPDX-License-Identifier: GPL-2.0 */
/* Several peers at once, and how many of them were told that a page has failed. */
#ifndef DAXRMAP_TEST_PARTY_H
#define DAXRMAP_TEST_PARTY_H

#include <stdbool.h>
#include "peers.h"

/*
 * The i-th one maps the file "f0", "f1", ... of `files`, all of its `blocks`, and touches none:
 * 0 or -errno.
 */
int party_open(struct peer *p, int n, bool early, int files, unsigned long blocks);
/* Each loads that page: how many saw this byte there. */
int party_loads(struct peer *p, int n, unsigned long page, unsigned char byte);
/* Who got one signal without a touch, the early one, with the page's address (lsb 0: any). */
int party_told_early(struct peer *p, int n, unsigned long page, int lsb);
/* Who got none, and is told at its next touch, be it a load or a store. */
int party_told_late(struct peer *p, int n, unsigned long page);
/* Who is told at a touch, whatever it has heard before. */
int party_told_at_touch(struct peer *p, int n, unsigned long page);
/* Who has heard nothing. */
int party_quiet(struct peer *p, int n);
void party_stop(struct peer *p, int n);

/*
 * A part of a bad page cannot be written, since the rest of it is lost. The driver's error for
 * that is another one than that for a read.
 */
#define EXPECT_NO_PART(name, page) do {					\
	int _part = dr_write_part(name, page);				\
	EXPECT_TRUE(_part == -EIO || _part == -EFAULT);			\
} while (0)

#endif
