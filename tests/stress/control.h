/* SPDX-License-Identifier: GPL-2.0 */
/* The guard's switches and counters, and the driver's lists of bad blocks. */
#ifndef DAXRMAP_STRESS_CONTROL_H
#define DAXRMAP_STRESS_CONTROL_H

#include <stdbool.h>

/* What STRESS_GUARD says. */
enum guard { GUARD_OFF, GUARD_WATCH, GUARD_HOLD };

extern enum guard guard;

/* On for every disk of the stack, or off. 0 or -errno. */
int guard_watch(bool on);
int guard_hold(bool on);
int guard_all(bool on);
/* What it has dealt with on these disks since the module was loaded, or -errno. */
long guard_events(void);
/* Failures that it could not note, pages that are not covered, owners that it found. */
long guard_dropped(void);
long guard_uncovered(void);
long guard_owners(void);
/*
 * Looks at the drivers' lists: how many ranges they have, or -errno. From then on, until
 * the next look, is_listed() says which blocks of the filesystem are on them. `whole`
 * becomes false if sysfs does not show all of a list.
 */
long look_at_lists(bool *whole);
bool is_listed(unsigned long block);
/* Writes zeroes to the disk below, which makes a bad block good. */
int rewrite_block(unsigned long block);

#endif
