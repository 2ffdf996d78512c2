/* SPDX-License-Identifier: GPL-2.0 */
/* Blocks of a pattern, and what files hold. Names are relative to the mount. */
#ifndef DAXRMAP_TEST_DATA_H
#define DAXRMAP_TEST_DATA_H

#include <stdbool.h>

/* What byte a patterned block starts with. */
unsigned char dr_byte(int seed, unsigned long blk);
void dr_fill(void *buf, int seed, unsigned long blk);
bool dr_same(const void *buf, int seed, unsigned long blk);
/* Creates or truncates; nblk blocks of the pattern, one write. */
int dr_create(const char *name, unsigned long nblk, int seed);
/* Overwrites blocks of an existing file by write(2). */
int dr_write_blocks(const char *name, unsigned long blk, unsigned long n, int seed);
/*
 * 0 if blocks [blk, blk + n) hold the pattern of blocks [pat, pat + n) of
 * `seed`, -EILSEQ if not, or read(2)'s error.
 */
int dr_verify(const char *name, unsigned long blk, unsigned long n, int seed,
	      unsigned long pat);
int dr_verify_zero(const char *name, unsigned long off, unsigned long len);
/* read(2) of one byte of a block, through an fd of its own. */
int dr_read1(const char *name, unsigned long blk, unsigned char *byte);
/* write(2) of 16 bytes in the middle of a block. */
int dr_write_part(const char *name, unsigned long blk);

#endif
