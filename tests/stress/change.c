// SPDX-License-Identifier: GPL-2.0
/* A change of pages, as the oracle sees it: what they were, may become, and are. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include "change.h"
#include "subject.h"

struct change c;

/* The blocks of pages, NONE for a hole; flags as FIEMAP says, if wanted. */
int blocks_of(int fd, unsigned int p, unsigned int n, uint32_t *block, uint32_t *flags)
{
	static struct {
		struct fiemap fm;
		struct fiemap_extent e[BIG_PAGES];
	} q;

	memset(&q.fm, 0, sizeof(q.fm));
	q.fm.fm_start = p * BLK;
	q.fm.fm_length = n * BLK;
	q.fm.fm_extent_count = BIG_PAGES;
	if (ioctl(fd, FS_IOC_FIEMAP, &q)) {
		fault(BOOKS, "FIEMAP: %s", strerror(errno));
		return dr_errno();
	}
	for (unsigned int i = 0; i < n; i++)
		block[i] = NONE;
	for (unsigned int k = 0; k < q.fm.fm_mapped_extents; k++) {
		struct fiemap_extent *e = &q.e[k];

		for (uint64_t off = 0; off < e->fe_length; off += BLK) {
			uint64_t at = (e->fe_logical + off) / BLK;

			if (at < p || at >= p + n)
				continue;
			/* What nobody has written is a hole, wherever it is to be. */
			if (!(e->fe_flags & FIEMAP_EXTENT_UNWRITTEN))
				block[at - p] = (e->fe_physical + off) / BLK;
			if (flags)
				flags[at - p] = e->fe_flags;
		}
	}
	return 0;
}


bool lock_pages(struct slot *s, unsigned int p, unsigned int n, bool whole)
{
	unsigned int size;

	c.file = s->file;
	c.fd = s->fd;
	c.hold[0] = (struct hold){ s->file, whole ? ~0ull : chunks_of(p, n) };
	c.holds = 1;
	hold(c.hold, 1);
	size = w->file[s->file].size;
	if (!whole)
		n = p >= size ? 0 : n < size - p ? n : size - p;
	c.p = p;
	c.n = n;
	c.over = false;
	if (n)
		return true;
	release(c.hold, c.holds);
	return false;
}

bool may_go(void)
{
	if (!pinned(c.file, c.p, c.n))
		return true;
	release(c.hold, c.holds);
	return false;
}

bool has_hole(void)
{
	for (unsigned int i = 0; i < c.n && c.p + i < w->file[c.file].size; i++)
		if (now_of(c.file, c.p + i).kind == HOLE)
			return true;
	return false;
}

bool has_shared(void)
{
	static uint32_t block[BIG_PAGES], flags[BIG_PAGES];

	/* XFS gives blocks of files without a name back some time later. */
	if (subject->shared_once && blocks_of(c.fd, c.p, c.n, block, flags))
		return true;
	for (unsigned int i = 0; subject->shared_once && i < c.n; i++)
		if (block[i] != NONE && (flags[i] & FIEMAP_SHARED))
			return true;
	for (unsigned int i = 0; i < c.n; i++) {
		uint32_t block = now_of(c.file, c.p + i).block;

		if (block != NONE && w->block[block].refs > 1)
			return true;
	}
	return false;
}

void look_up(void)
{
	for (unsigned int i = 0; i < c.n; i++)
		c.want[i] = c.old[i] = now_of(c.file, c.p + i);
}

void begin(void)
{
	c.start = tick();
	for (unsigned int i = 0; i < c.n; i++) {
		c.past[i] = expect(page_of(c.file, c.p + i), c.want[i]);
		disown(c.old[i].block);
		if (c.over)
			heal_begins(c.old[i].block);
	}
}

/* The end of that for page i. */
static void end(unsigned int i, uint32_t is, bool worked)
{
	if (c.over)
		heal_ends(c.old[i].block, c.start, worked && is == c.old[i].block);
	if (is != c.old[i].block)
		used_anew(is, c.start);
}

/* Pages that the oracle has at a block, but for page i of the change: for a message. */
static const char *others(uint32_t block, unsigned int i)
{
	static char text[512];
	int at = 0;

	text[0] = 0;
	for (int f = 0; f < FILES; f++)
		for (unsigned int p = 0; p < w->file[f].pages; p++) {
			struct past is = now_of(f, p);

			if (is.block == block && at < (int)sizeof(text) - 80 &&
			    (f != c.file || p != c.p + i))
				at += snprintf(text + at, sizeof(text) - at,
					       " [%s page %u kind %d, since tick %" PRIu64 "]",
					       name_of(f), p, is.kind, is.from);
		}
	return text;
}

void became(unsigned int i)
{
	struct past is = c.want[i];
	uint32_t before, old = c.old[i].block;

	is.block = is.kind == DATA ? c.block[i] : NONE;
	if (is.kind == DATA && is.block == NONE)
		fault(BOOKS, "%s page %u was written and has no block",
		      name_of(c.file), c.p + i);
	if (is.kind != DATA && c.block[i] != NONE)
		fault(BOOKS, "%s page %u should be a hole and has block %u",
		      name_of(c.file), c.p + i, c.block[i]);
	before = own(is.block);
	end(i, is.block, true);
	/* A cut lets a page alone that has failed meanwhile, and nobody will read it. */
	if (before && !shaky(is.block))
		fault(INTACT, "%s page %u, tick %" PRIu64 ", was changed at block %u (it was at %d), which has %u others:%s",
		      name_of(c.file), c.p + i, c.start, is.block, (int)old, before,
		      others(is.block, i));
	if (!subject->heals && is.block != NONE && is.block != old && lost(is.block, c.start))
		fault(INTACT, "%s page %u was given block %u, which is bad",
		      name_of(c.file), c.p + i, is.block);
	settle(page_of(c.file, c.p + i), c.past[i], &is);
}

void stayed(unsigned int i)
{
	struct past is = c.old[i];
	uint32_t old = is.block;

	is.block = c.block[i];
	own(is.block);
	end(i, is.block, false);
	if (old != NONE && is.block == NONE)
		fault(BOOKS, "%s page %u has lost block %u", name_of(c.file), c.p + i,
		      old);
	if (is.block == old) {
		withdraw(page_of(c.file, c.p + i), c.past[i]);
		return;
	}
	if (is.kind == HOLE)
		is.kind = DATA;
	settle(page_of(c.file, c.p + i), c.past[i], &is);
}

void refused(unsigned int i)
{
	own(c.old[i].block);
	withdraw(page_of(c.file, c.p + i), c.past[i]);
}

void find_blocks(void)
{
	blocks_of(c.fd, c.p, c.n, c.block, NULL);
}

void all_became(const char *what, int r)
{
	if (r)
		fault(INTACT, "%s of %s pages %u+%u: %s", what, name_of(c.file), c.p,
		      c.n, strerror(errno));
	find_blocks();
	for (unsigned int i = 0; i < c.n; i++) {
		if (!r && lost(c.old[i].block, c.start) && c.want[i].kind != AFTER_END) {
			COUNT(healed);
			if (!subject->heals && c.block[i] == c.old[i].block)
				fault(INTACT, "%s of %s page %u leaves it at a bad block",
				      what, name_of(c.file), c.p + i);
		}
		became(i);
	}
}
