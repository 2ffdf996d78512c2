/* SPDX-License-Identifier: GPL-2.0 */
/* How long something takes. */
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

#endif
