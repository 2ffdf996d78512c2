// SPDX-License-Identifier: GPL-2.0
/* Random numbers that a seed repeats (splitmix64). */
#include "random.h"

static uint64_t state;

void dr_seed(uint64_t seed)
{
	state = seed;
}

uint64_t dr_random(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

unsigned long dr_pick(unsigned long n)
{
	return dr_random() % n;
}
