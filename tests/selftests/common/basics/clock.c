// SPDX-License-Identifier: GPL-2.0
/* How much slower than usual the machine is. */
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
