/* SPDX-License-Identifier: GPL-2.0 */
/* What the module's debugfs tells and takes. */
#ifndef DAXRMAP_TEST_DEBUGFS_H
#define DAXRMAP_TEST_DEBUGFS_H

#include <stdbool.h>

#define DEBUGFS	"/sys/kernel/debug"

struct dr_owner {
	unsigned long ino, pgoff, count;
	bool incore, mapped;
	char what[16];			/* killed, moved, untouched */
	int err;
};

struct dr_failure {
	unsigned long block, count;
	char via[16];			/* shortcut, tree, none */
	int owners;			/* as the first line says */
	int lines;			/* as there are owner lines */
	struct dr_owner o[128];
};

/* Whether the kernel has all checkers on, so that what takes a second takes twenty. */
bool dr_all_checked(void);
long dr_counter(const char *name);	/* negative: not there */
/*
 * What @ask says, after waiting until that is @want: a worker does it. 20 s at most, more
 * on a slow machine. An error (negative) is returned at once.
 */
long dr_settled(long (*ask)(const void *arg), const void *arg, long want);
long dr_counter_settled(const char *name, long want);
/*
 * Waits until no inode is left without a name, and its blocks are free: a worker may
 * hold it, as long as fanotify is still to be told of it. 0, or -ETIMEDOUT. (On XFS
 * nothing says so.)
 */
int dr_settle(void);
int dr_check(void);			/* 0: `check` says ok (always on XFS) */
int dr_consistent(void);		/* the same, in silence: 1 or 0 */
int dr_last_failure(struct dr_failure *f);
int dr_notify(unsigned long off, unsigned long len);
int dr_notify_flags(unsigned long off, unsigned long len, unsigned int flags);
int dr_notify_delay(int ms);
int dr_touch_delay(int ms);
/* A write makes just the blocks written that it writes to, and ZERO_RANGE none. */
int dr_exact_zeroes(void);

#endif
