/* SPDX-License-Identifier: GPL-2.0 */
/* How long something takes, and how long it may take. */
#ifndef DAXRMAP_TEST_CLOCK_H
#define DAXRMAP_TEST_CLOCK_H

#include <time.h>

/* Seconds since some moment. */
static inline double dr_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/*
 * How many times as long as on an idle machine things take: the guest's init
 * has measured it when the test began.
 */
int dr_slowness(void);
/* As many milliseconds, or tries, as make up for that. */
int dr_patience(int n);

/*
 * Waits for ticks, so that times of files differ: they are those of the last one, which may say less than what a
 * file got that was looked at (it gets the time in full). The one after that does not.
 */
void dr_tick(void);

#endif
