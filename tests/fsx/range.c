// SPDX-License-Identifier: GPL-2.0
/* Draws where an operation goes, for how many bytes, and which. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include "fsx.h"

enum { NEAR = 256 << 10 };

struct file *any_file(void)
{
	return &file[dr_pick(FILES)];
}

struct file *other(const struct file *f)
{
	return &file[f == file];
}

/* Mostly where something is, mostly of no alignment. */
long any_offset(const struct file *f)
{
	long off, x = dr_pick(10);

	if (x < 5)
		off = dr_pick(NEAR);
	else if (x < 8)
		off = dr_pick(f->size + 1);
	else if (x < 9)		/* about where a huge page begins, or the file ends */
		off = (dr_pick(2) ? (long)HUGE_SIZE : f->size) - 2 * (long)BLK +
			(long)dr_pick(4 * BLK);
	else
		off = dr_pick(MOST);
	x = dr_pick(8);
	if (x < 3)
		off &= -(long)BLK;
	else if (x < 4)
		off &= -512L;
	return off < 0 ? 0 : off > MOST ? MOST : off;
}

static long any_length(void)
{
	switch (dr_pick(16)) {
	case 0 ... 1:
		return 1 + dr_pick(16);
	case 2 ... 7:
		return 1 + dr_pick(2 * BLK);
	case 8 ... 10:
		return 1 + dr_pick(64 << 10);
	case 11 ... 14:
		return BLK * (1 + dr_pick(32));
	default:
		return dr_pick(4) ? 1 + dr_pick(NEAR) : 1 + dr_pick(MOST * 2 / 3);
	}
}

bool any_range(const struct file *f, long end, long *off, long *len)
{
	if (end <= 0)
		return false;
	*off = any_offset(f) % end;
	*len = any_length();
	if (*len > end - *off)
		*len = end - *off;
	return true;
}

bool any_pages(const struct file *f, long end, long *off, long *len)
{
	end &= -(long)BLK;
	if (!any_range(f, end, off, len))
		return false;
	*off &= -(long)BLK;
	*len = (*len + (long)BLK - 1) & -(long)BLK;
	if (*len > end - *off)
		*len = end - *off;
	return true;
}

unsigned char *any_bytes(long len)
{
	static unsigned char room[PAGES * BLK + BLK] __attribute__((aligned(4096)));
	unsigned char *buf = room + (dr_pick(2) ? dr_pick(BLK) : 0);
	int x = dr_pick(16);

	/* Bytes that are the same elsewhere, for dedupe; zeroes are, too. */
	if (x < 2) {
		memset(buf, x * 'x', len);
		return buf;
	}
	for (long i = 0; i < len; i += 8) {
		uint64_t r = dr_random();

		memcpy(buf + i, &r, len - i < 8 ? len - i : 8);
	}
	return buf;
}
