// SPDX-License-Identifier: GPL-2.0
/* The files against the model: near what was just done, and all of it. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include "fsx.h"

enum { EXTENTS = 256, ENDS = 64 << 10 };

static unsigned char seen[PAGES * BLK];

bool load_all(struct file *f, const char *from, void *to, long len)
{
	for (long at = 0; at < len; at = ((long)(from + at) / BLK + 1) * BLK - (long)from) {
		struct dr_touch t = dr_load(from + at);

		if (t.sig.signo) {
			fault(BYTES, "%s: a load of a mapping gets SIGBUS, code %d, byte %#lx of %#lx",
			      f->name, t.sig.code, at, len);
			return false;
		}
	}
	memcpy(to, from, len);
	return true;
}

bool store_all(struct file *f, char *to, const unsigned char *from, long len)
{
	for (long at = 0; at < len; at = ((long)(to + at) / BLK + 1) * BLK - (long)to) {
		struct dr_touch t = dr_store(to + at, from[at]);

		if (t.sig.signo) {
			fault(CALLS, "%s: a store to a mapping gets SIGBUS, code %d, byte %#lx of %#lx",
			      f->name, t.sig.code, at, len);
			return false;
		}
	}
	memcpy(to, from, len);
	return true;
}

static void compare(struct file *f, long off, long len, const char *how)
{
	const unsigned char *want = f->bytes + off;
	long i = 0, n = 0;

	if (!memcmp(seen, want, len))
		return;
	while (seen[i] == want[i])
		i++;
	for (long k = i; k < len; k++)
		n += seen[k] != want[k];
	fault(BYTES, "%s byte %#lx by %s: %#x, should be %#x; %ld of the %#lx bytes from %#lx differ",
	      f->name, off + i, how, seen[i], want[i], n, len, off);
}

/* By read(2), with and without O_DIRECT, or through the mapping that was there all the time. */
static void check_bytes(struct file *f, long off, long len, int how)
{
	if (len <= 0)
		return;
	if (how == 2) {
		if (load_all(f, f->map + off, seen, len))
			compare(f, off, len, "mmap");
		return;
	}
	if (must("pread", pread(how ? f->direct : f->fd, seen, len, off), len))
		compare(f, off, len, how ? "read, O_DIRECT" : "read");
}

static void check_size(struct file *f)
{
	struct stat st;

	if (fstat(f->fd, &st))
		fault(CALLS, "fstat: %s", strerror(errno));
	else if (st.st_size != f->size)
		fault(BYTES, "%s has %#lx bytes, should have %#lx", f->name, st.st_size, f->size);
}

void check_near(struct file *f, long off, long len)
{
	long from = off > (long)BLK ? off - (long)BLK : 0;
	long to = off + len + (long)BLK < f->size ? off + len + (long)BLK : f->size;
	int how = dr_pick(3);

	check_size(f);
	if (to - from <= 2 * ENDS) {
		check_bytes(f, from, to - from, how);
	} else {
		check_bytes(f, from, ENDS, how);
		check_bytes(f, to - ENDS, ENDS, how);
	}
	/* where it ended, in case that what was behind it is seen now */
	if (f->checked < f->size)
		check_bytes(f, f->checked, f->size - f->checked < (long)BLK ?
			    f->size - f->checked : (long)BLK, how);
	f->checked = f->size;
	/* and somewhere else */
	if (f->size) {
		from = dr_pick(f->size);
		to = from + (long)BLK < f->size ? from + (long)BLK : f->size;
		check_bytes(f, from, to - from, dr_pick(3));
	}
}

/* ---- blocks ---- */

struct at {
	unsigned long block;
	struct file *f;
	long page;
	bool shared, unwritten;
};

static struct at at[FILES * PAGES];
static int ats;

static int by_block(const void *a, const void *b)
{
	const struct at *x = a, *y = b;

	return x->block < y->block ? -1 : x->block > y->block;
}

static void add_extent(struct file *f, const struct fiemap_extent *e)
{
	for (unsigned long off = 0; off < e->fe_length; off += BLK) {
		long page = (e->fe_logical + off) / BLK;

		if (page >= PAGES || ats == FILES * PAGES) {
			fault(HOLES, "%s has a block at page %#lx", f->name, page);
			return;
		}
		at[ats++] = (struct at){ (e->fe_physical + off) / BLK, f, page,
			e->fe_flags & FIEMAP_SHARED, e->fe_flags & FIEMAP_EXTENT_UNWRITTEN };
	}
}

/* A page that has a block, and one that has none. What was not known is now. */
static void check_pages(struct file *f, int from)
{
	unsigned char is[PAGES] = { 0 };
	struct stat st;

	for (int i = from; i < ats; i++)
		is[at[i].page] = at[i].unwritten ? UNWRITTEN : DATA;
	if (!fstat(f->fd, &st) && st.st_blocks != (ats - from) * (long)(BLK / 512))
		fault(BOOKS, "%s: st_blocks is %ld, with %d blocks", f->name, st.st_blocks,
		      ats - from);
	for (long p = 0; p < PAGES; p++) {
		if (f->page[p] == EITHER || (f->page[p] == UNWRITTEN && is[p]))
			f->page[p] = is[p];
		else if (is[p] != f->page[p])
			fault(HOLES, "%s page %#lx should be %s", f->name, p,
			      f->page[p] == HOLE ? "a hole" : f->page[p] == DATA ? "data" : "a block");
	}
}

static void find_blocks(struct file *f)
{
	static struct {
		struct fiemap fm;
		struct fiemap_extent e[EXTENTS];
	} q;
	int from = ats;
	bool last = false;

	memset(&q, 0, sizeof(q));
	q.fm.fm_extent_count = EXTENTS;
	while (!last) {
		q.fm.fm_length = FIEMAP_MAX_OFFSET;
		if (!must("FIEMAP", ioctl(f->fd, FS_IOC_FIEMAP, &q), 0))
			return;
		last = q.fm.fm_mapped_extents < EXTENTS;
		for (unsigned int i = 0; i < q.fm.fm_mapped_extents; i++) {
			add_extent(f, &q.e[i]);
			q.fm.fm_start = q.e[i].fe_logical + q.e[i].fe_length;
			last |= q.e[i].fe_flags & FIEMAP_EXTENT_LAST;
		}
	}
	check_pages(f, from);
}

/* Who shares what, and how much is free. */
static void check_blocks(void)
{
	long blocks = 0, left;

	ats = 0;
	for (int i = 0; i < FILES; i++)
		find_blocks(&file[i]);
	qsort(at, ats, sizeof(*at), by_block);
	for (int i = 0, n; i < ats; i += n) {
		for (n = 1; i + n < ats && at[i + n].block == at[i].block; n++)
			;
		blocks++;
		for (int k = i; k < i + n; k++)
			if (at[k].shared != (n > 1))
				fault(BOOKS, "%s page %#lx at block %lu: %d owners, FIEMAP says shared %d",
				      at[k].f->name, at[k].page, at[k].block, n, at[k].shared);
	}
	left = dr_free_settled(free_at_start - blocks);
	if (left != free_at_start - blocks)
		fault(BOOKS, "%ld blocks are free, and not %ld", left, free_at_start - blocks);
}

static void check_seek(struct file *f)
{
	for (long off = 0; off <= f->size;) {
		int whence = dr_pick(2) ? SEEK_HOLE : SEEK_DATA;
		long want, got = lseek(f->fd, off, whence);

		if (got < 0)
			got = -errno;
		if (model_seek(f, off, whence, &want) && got != want)
			fault(HOLES, "%s: SEEK_%s from %#lx is %#lx, should be %#lx", f->name,
			      whence == SEEK_HOLE ? "HOLE" : "DATA", off, got, want);
		off = (got > off ? got : off) + 1 + dr_pick(2 * BLK);
		if (failed())
			return;
	}
}

void check_all(void)
{
	for (int i = 0; i < FILES; i++) {
		check_size(&file[i]);
		check_bytes(&file[i], 0, file[i].size, dr_pick(3));
	}
	/* XFS has unwritten extents, blocks of its own, and ranges of its own choice. */
	if (dr_xfs())
		return;
	check_blocks();
	for (int i = 0; i < FILES; i++)
		check_seek(&file[i]);
	if (dr_consistent() != 1)
		fault(BOOKS, "the module's check fails");
}
