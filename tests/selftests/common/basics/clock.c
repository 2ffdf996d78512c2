// SPDX-License-Identifier: GPL-2.0
/* How much slower than usual the machine is, and how its clock ticks. */
#define _GNU_SOURCE
#include <stdlib.h>
#include "clock.h"

/* Beyond that nothing would ever be given up. */
#define SLOWEST	60

int dr_slowness(void)
{
	const char *s = getenv("DAXRMAP_SLOW");
	int n = s ? atoi(s) : 1;

	return n < 1 ? 1 : n > SLOWEST ? SLOWEST : n;
}

int dr_patience(int n)
{
	return n * dr_slowness();
}

void dr_tick(void)
{
	struct timespec was, is;

	for (int i = 0; i < 2; i++) {
		clock_gettime(CLOCK_REALTIME_COARSE, &was);
		do
			clock_gettime(CLOCK_REALTIME_COARSE, &is);
		while (is.tv_sec == was.tv_sec && is.tv_nsec == was.tv_nsec);
	}
}
