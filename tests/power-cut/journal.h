/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The workers' announcements, on a device of their own: which operations
 * have begun, and how they ended.
 */
#ifndef POWER_CUT_JOURNAL_H
#define POWER_CUT_JOURNAL_H

#include <stdint.h>

/* How an operation ended. */
#define NEVER_BEGUN	(-2)
#define NEVER_ENDED	(-1)		/* else it is 0 or an errno */

/* Exits if the device cannot be used. */
void journal_open(const char *dev);
uint64_t journal_seed(void);		/* 0: it is a new one */
void journal_create(uint64_t seed);

/* How operation n of a worker has ended. */
int journal_result(int worker, uint64_t n);
void journal_begin(int worker, uint64_t n);
void journal_end(int worker, uint64_t n, int result);
uint64_t journal_room(void);		/* operations of a worker */

#endif
