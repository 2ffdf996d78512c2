/* SPDX-License-Identifier: GPL-2.0 */
/* Bad blocks of ext4 and XFS that are made good again, after each round. */
#ifndef DAXRMAP_STRESS_GOOD_H
#define DAXRMAP_STRESS_GOOD_H

#include "stress.h"

/* Blocks of a file that nobody reads: they are poisoned where no owner is wanted. */
void make_reserve(void);
void drop_reserve(void);
unsigned long pick_reserve(void);
/* It was written over, and nothing came in between. */
bool is_healed(const struct block *b);
void make_blocks_good(void);

#endif
