/* SPDX-License-Identifier: GPL-2.0 */
/* What the guard costs: parts of one program. */
#ifndef DAXRMAP_BENCH_GUARD_COST_H
#define DAXRMAP_BENCH_GUARD_COST_H

#include <stdbool.h>

#define MNT	"/mnt"
#define PAGE	4096L

/* Lines of the table have this before them, so that they are found in the guest's log. */
#define LINE	"guard-cost: "

/* Ends the program when a call has not returned what it should, and says which. */
void must(int r, const char *what);	/* 0, or -errno */
/* No line of the log goes to the console, which is slow, and not the guard's. */
void quiet(bool on);
/* Sorts @t. */
double median(double *t, int n);

void make_fs(const char *fs, const char *dev);
void mount_fs(const char *fs, const char *dev);
void unmount(void);
/* A dm device that is all of @dev, in place, as `daxrmap guard wrap` makes it: its path. */
const char *wrap(const char *dev);
void unwrap(void);
/* A new file of so many pages, written; a descriptor. */
int make_file(const char *name, int pages);

/* Faults, reads and writes while the guard is on or off: of @dev, which it makes filesystems on. */
void cost_of_io(const char *dev);
/* What memory_failure() takes, and when its page is gone. */
void print_failures_title(void);
void cost_of_failures(const char *stack, const char *fs, const char *pmem, bool wrapped);

#endif
