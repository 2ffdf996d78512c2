// SPDX-License-Identifier: GPL-2.0
/* The model: what the files must be. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fsx.h"

struct file file[FILES] = { { .name = "one" }, { .name = "other" } };

static long page_up(long off)
{
	return (off + (long)BLK - 1) / (long)BLK;
}

void model_start(void)
{
	for (int i = 0; i < FILES; i++) {
		file[i].bytes = calloc(1, MOST);
		if (!file[i].bytes)
			abort();
	}
}

void model_pages(struct file *f, long off, long len, enum page kind)
{
	for (long p = off / BLK; p < page_up(off + len); p++)
		f->page[p] = kind;
}

void model_grow(struct file *f, long size)
{
	if (size > f->size)
		f->size = size;
}

void model_write(struct file *f, long off, long len, const void *bytes)
{
	memmove(f->bytes + off, bytes, len);
	model_pages(f, off, len, DATA);
	model_grow(f, off + len);
}

void model_store(struct file *f, long off, long len, const void *bytes)
{
	long huge = HUGE_SIZE / BLK, first = off / (long)HUGE_SIZE * huge;
	long end = (off + len + (long)HUGE_SIZE - 1) / (long)HUGE_SIZE * huge;

	for (long p = first; p < end && p < PAGES; p++)
		if (f->page[p] == HOLE)
			f->page[p] = EITHER;
	model_write(f, off, len, bytes);
}

void model_truncate(struct file *f, long size)
{
	if (size <= f->size) {
		memset(f->bytes + size, 0, MOST - size);
		for (long p = page_up(size); p < PAGES; p++)
			f->page[p] = HOLE;
	}
	f->size = size;
}

void model_allocate(struct file *f, long off, long len)
{
	for (long p = off / BLK; p < page_up(off + len); p++)
		if (f->page[p] != DATA)
			f->page[p] = UNWRITTEN;
}

/* Whole pages of the range become `whole`; of others, holes may get a block if zeroes are written. */
void model_zero(struct file *f, long off, long len, enum page whole)
{
	long end = off + len;

	memset(f->bytes + off, 0, len);
	for (long p = off / BLK; p < page_up(end); p++) {
		if (p * (long)BLK >= off && (p + 1) * (long)BLK <= end)
			f->page[p] = whole;
		else if (p * (long)BLK >= off && end >= f->size)
			f->page[p] = EITHER;	/* all of it that is in the file */
		else if (f->page[p] == HOLE && whole != HOLE)
			f->page[p] = EITHER;
	}
}

void model_collapse(struct file *f, long off, long len)
{
	long p = off / BLK, n = len / BLK;

	memmove(f->bytes + off, f->bytes + off + len, MOST - off - len);
	memset(f->bytes + MOST - len, 0, len);
	memmove(f->page + p, f->page + p + n, PAGES - p - n);
	memset(f->page + PAGES - n, HOLE, n);
	f->size -= len;
}

bool model_can_insert(const struct file *f, long len)
{
	if (f->size + len > MOST)
		return false;
	for (long p = PAGES - len / BLK; p < PAGES; p++)
		if (f->page[p] != HOLE)
			return false;
	return true;
}

void model_insert(struct file *f, long off, long len)
{
	long p = off / BLK, n = len / BLK;

	memmove(f->bytes + off + len, f->bytes + off, MOST - off - len);
	memset(f->bytes + off, 0, len);
	memmove(f->page + p + n, f->page + p, PAGES - p - n);
	memset(f->page + p, HOLE, n);
	f->size += len;
}

void model_clone(struct file *f, long off, const struct file *from, long at, long len)
{
	long n = page_up(len);

	memmove(f->bytes + off, from->bytes + at, len);
	memmove(f->page + off / BLK, from->page + at / BLK, n);
	for (long p = off / BLK; p < off / (long)BLK + n; p++)
		if (f->page[p] == UNWRITTEN)
			f->page[p] = EITHER;
	model_grow(f, off + len);
}

bool model_seek(const struct file *f, long off, int whence, long *to)
{
	*to = -ENXIO;
	if (off >= f->size)
		return true;
	for (long p = off / BLK; p < page_up(f->size); p++) {
		if (f->page[p] == EITHER)
			return false;
		if ((f->page[p] != DATA) == (whence == SEEK_HOLE)) {
			*to = p * (long)BLK > off ? p * (long)BLK : off;
			return true;
		}
	}
	if (whence == SEEK_HOLE)
		*to = f->size;
	return true;
}
