/* SPDX-License-Identifier: GPL-2.0 */
/* A change of pages [p, p + n) of a file: one at a time in a process. */
#ifndef DAXRMAP_STRESS_CHANGE_H
#define DAXRMAP_STRESS_CHANGE_H

#include "stress.h"

struct change {
	int file, fd;
	unsigned int p, n;
	uint64_t start;
	struct past old[BIG_PAGES], want[BIG_PAGES];
	int past[BIG_PAGES];
	uint32_t block[BIG_PAGES];
	struct hold hold[2];
	int holds;
	bool over;		/* all of its pages are written over */
};

extern struct change c;

/* Takes the locks, clips to the file's size; false: nothing is left. */
bool lock_pages(struct slot *s, unsigned int p, unsigned int n, bool whole);
/* Whether they may leave their blocks: false, and the locks are given back, if an event wants them there. */
bool may_go(void);
/* Whether others have one of these blocks, too. */
bool has_shared(void);
bool has_hole(void);
/* What they are; what they may become, c.want, is for the caller to change. */
void look_up(void);
void begin(void);
void find_blocks(void);		/* where they are afterwards */
/* Page i has become what was wanted, at a block that FIEMAP knows. */
void became(unsigned int i);
/* A hole may have been filled with zeroes, a shared block copied. */
void stayed(unsigned int i);
/* Nothing at all has changed. */
void refused(unsigned int i);
/* A change that cannot fail; r says whether it did. */
void all_became(const char *what, int r);

void clone_something(struct slot *s, unsigned int p, unsigned int n);

#endif
