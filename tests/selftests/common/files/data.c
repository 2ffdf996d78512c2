// SPDX-License-Identifier: GPL-2.0
/* Blocks of a pattern, and what files hold. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "data.h"
#include "files.h"
#include "common/basics/text.h"

unsigned char dr_byte(int seed, unsigned long blk)
{
	return (seed * 41 + blk * 13) % 251 + 1;	/* never zero */
}

void dr_fill(void *buf, int seed, unsigned long blk)
{
	unsigned char *p = buf;

	for (size_t i = 0; i < BLK; i++)
		p[i] = (dr_byte(seed, blk) - 1 + i + i / 255) % 255 + 1;
}

bool dr_same(const void *buf, int seed, unsigned long blk)
{
	unsigned char want[BLK];

	dr_fill(want, seed, blk);
	return !memcmp(buf, want, BLK);
}

static int write_pattern(int fd, unsigned long blk, unsigned long n, int seed)
{
	const unsigned long chunk = 512;	/* what a huge page holds */
	char *buf = malloc(chunk * BLK);
	int ret = 0;

	while (n && !ret) {
		unsigned long c = n < chunk ? n : chunk;
		ssize_t r;

		for (unsigned long i = 0; i < c; i++)
			dr_fill(buf + i * BLK, seed, blk + i);
		r = pwrite(fd, buf, c * BLK, blk * BLK);
		if (r != (ssize_t)(c * BLK))
			ret = r < 0 ? dr_errno() : -ENOSPC;
		blk += c;
		n -= c;
	}
	free(buf);
	return ret;
}

int dr_create(const char *name, unsigned long nblk, int seed)
{
	int r, fd = dr_open(name, O_RDWR | O_CREAT | O_TRUNC);

	if (fd < 0)
		return fd;
	r = write_pattern(fd, 0, nblk, seed);
	close(fd);
	return r;
}

int dr_write_blocks(const char *name, unsigned long blk, unsigned long n, int seed)
{
	int r, fd = dr_open(name, O_RDWR);

	if (fd < 0)
		return fd;
	r = write_pattern(fd, blk, n, seed);
	close(fd);
	return r;
}

int dr_verify(const char *name, unsigned long blk, unsigned long n, int seed,
	      unsigned long pat)
{
	char buf[BLK];
	int ret = 0, fd = dr_open(name, O_RDONLY);

	if (fd < 0)
		return fd;
	for (unsigned long i = 0; i < n && !ret; i++) {
		ssize_t r = pread(fd, buf, BLK, (blk + i) * BLK);

		if (r != (ssize_t)BLK)
			ret = r < 0 ? dr_errno() : -ENODATA;
		else if (!dr_same(buf, seed, pat + i))
			ret = -EILSEQ;
		if (ret)
			fprintf(stderr, "# %s block %lu: %s\n", name, blk + i,
				strerror(-ret));
	}
	close(fd);
	return ret;
}

int dr_verify_zero(const char *name, unsigned long off, unsigned long len)
{
	static const char zero[BLK];
	char buf[BLK];
	int ret = 0, fd = dr_open(name, O_RDONLY);

	if (fd < 0)
		return fd;
	while (len && !ret) {
		size_t c = len < BLK ? len : BLK;
		ssize_t r = pread(fd, buf, c, off);

		if (r != (ssize_t)c)
			ret = r < 0 ? dr_errno() : -ENODATA;
		else if (memcmp(buf, zero, c))
			ret = -EILSEQ;
		if (ret)
			fprintf(stderr, "# %s at %lu: %s\n", name, off, strerror(-ret));
		off += c;
		len -= c;
	}
	close(fd);
	return ret;
}

int dr_read1(const char *name, unsigned long blk, unsigned char *byte)
{
	int fd = dr_open(name, O_RDONLY);
	ssize_t r;

	if (fd < 0)
		return fd;
	r = pread(fd, byte, 1, blk * BLK);
	r = r < 0 ? dr_errno() : r == 1 ? 0 : -ENODATA;
	close(fd);
	return r;
}

int dr_write_part(const char *name, unsigned long blk)
{
	int fd = dr_open(name, O_RDWR);
	ssize_t r;

	if (fd < 0)
		return fd;
	r = pwrite(fd, "sixteen bytes...", 16, blk * BLK + 100);
	r = r < 0 ? dr_errno() : r == 16 ? 0 : -ENOSPC;
	close(fd);
	return r;
}
