/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers that a seed repeats. Each process has its own. */
#ifndef DAXRMAP_TEST_RANDOM_H
#define DAXRMAP_TEST_RANDOM_H

#include <stdint.h>

void dr_seed(uint64_t seed);
uint64_t dr_random(void);
unsigned long dr_pick(unsigned long n);	/* below n, which is not 0 */

#endif
