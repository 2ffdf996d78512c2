/* SPDX-License-Identifier: GPL-2.0 */
/* Images that nobody would make by accident: one or two things changed. */
#ifndef DAXRMAP_TEST_MUTATE_H
#define DAXRMAP_TEST_MUTATE_H

#include <stdbool.h>
#include <stdint.h>
#include "image.h"

struct dice {
	uint64_t state;
};

uint64_t dice_roll(struct dice *d, uint64_t sides);
/*
 * Changes it; what was done goes to `what`. Whether there is nothing behind the
 * log's end that was a part of it.
 */
bool image_mutate(struct image *im, struct dice *d, char *what, size_t room);

#endif
