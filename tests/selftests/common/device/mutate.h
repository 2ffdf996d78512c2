/* SPDX-License-Identifier: GPL-2.0 */
/* Images that nobody would make by accident: one or two things changed. */
#ifndef DAXRMAP_TEST_MUTATE_H
#define DAXRMAP_TEST_MUTATE_H

#include <stdbool.h>
#include "image.h"

/*
 * Changes it as dr_pick() says; what was done goes to `what`. Whether there is nothing behind the
 * log's end that was a part of it.
 */
bool image_mutate(struct image *im, char *what, size_t room);

#endif
