// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of a file's pages, each under the oracle's lock of these pages. What a
 * page may become is noted before the system call, what it has become after it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/fiemap.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "stress.h"

static uint64_t random_state;

void seed_random(uint64_t seed)
{
	random_state = seed * 0x9e3779b97f4a7c15ull + 1;
}

unsigned int pick(unsigned int n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 20) % n;
}

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
			block[at - p] = (e->fe_physical + off) / BLK;
			if (flags)
				flags[at - p] = e->fe_flags;
		}
	}
	return 0;
}

/* ---- a change of pages [p, p + n) of one file ---- */

static struct {
	int file, fd;
	unsigned int p, n;
	uint64_t start;
	struct past old[BIG_PAGES], want[BIG_PAGES];
	int past[BIG_PAGES];
	uint32_t block[BIG_PAGES];
	struct hold hold[2];
	int holds;
} c;

/* Takes the locks, clips to the file's size; false: nothing is left. */
static bool lock_pages(struct slot *s, unsigned int p, unsigned int n, bool whole)
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
	if (n)
		return true;
	release(c.hold, c.holds);
	return false;
}

/* What they are; what they may become is for the caller to change. */
static void look_up(void)
{
	for (unsigned int i = 0; i < c.n; i++)
		c.want[i] = c.old[i] = now_of(c.file, c.p + i);
}

static void begin(void)
{
	c.start = tick();
	for (unsigned int i = 0; i < c.n; i++) {
		c.past[i] = expect(page_of(c.file, c.p + i), c.want[i]);
		disown(c.old[i].block);
	}
}

/* Page i has become what was wanted, at a block that FIEMAP knows. */
static void became(unsigned int i)
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
	if (before)
		fault(INTACT, "%s page %u was changed at block %u (it was at %d), which others have",
		      name_of(c.file), c.p + i, is.block, (int)old);
	if (is.block != NONE && is.block != old && lost(is.block, c.start))
		fault(INTACT, "%s page %u was given block %u, which is bad",
		      name_of(c.file), c.p + i, is.block);
	settle(page_of(c.file, c.p + i), c.past[i], &is);
}

/* Page i is what it was; a hole may have been filled with zeroes, a shared block copied. */
static void stayed(unsigned int i)
{
	struct past is = c.old[i];
	uint32_t old = is.block;

	is.block = c.block[i];
	own(is.block);
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

/* Page i, whose block fails now, is the one or the other until that is done. */
static void became_or_stayed(unsigned int i)
{
	struct past is = c.want[i];

	is.block = c.block[i];
	own(is.block);
	settle_both(page_of(c.file, c.p + i), c.past[i], &is);
}

/* Page i is what it was, in every way. */
static void refused(unsigned int i)
{
	own(c.old[i].block);
	withdraw(page_of(c.file, c.p + i), c.past[i]);
}

static void find_blocks(void)
{
	blocks_of(c.fd, c.p, c.n, c.block, NULL);
}

/* A change that cannot fail. */
static void all_became(const char *what, int r)
{
	if (r)
		fault(INTACT, "%s of %s pages %u+%u: %s", what, name_of(c.file), c.p,
		      c.n, strerror(errno));
	find_blocks();
	for (unsigned int i = 0; i < c.n; i++) {
		if (!r && lost(c.old[i].block, c.start) && c.want[i].kind != AFTER_END) {
			COUNT(healed);
			if (c.block[i] == c.old[i].block)
				fault(INTACT, "%s of %s page %u leaves it at a bad block",
				      what, name_of(c.file), c.p + i);
		}
		became(i);
	}
}

/* ---- the changes ---- */

/* write(2) of whole pages; of lost ones as well, which heals them. */
static void write_pages(struct slot *s, unsigned int p, unsigned int n, bool grow)
{
	static uint64_t buffer[BIG_PAGES][WORDS];
	struct file *o = &w->file[s->file];
	unsigned int done;
	ssize_t r;

	if (!lock_pages(s, p, n, grow))
		return;
	if (grow && p > o->size)
		c.p = p = o->size;	/* no gaps; truncate makes those */
	look_up();
	for (unsigned int i = 0; i < c.n; i++) {
		c.want[i] = (struct past){ .kind = DATA, .c = new_content() };
		fill_page(&c.want[i].c, buffer[i]);
	}
	begin();
	r = pwrite(c.fd, buffer, c.n * BLK, c.p * BLK);
	done = r < 0 ? 0 : r / BLK;
	find_blocks();
	for (unsigned int i = 0; i < c.n; i++) {
		if (i < done) {
			if (lost(c.old[i].block, c.start)) {
				COUNT(healed);
				if (c.block[i] == c.old[i].block)
					fault(INTACT, "%s page %u was written over and is still at a bad block",
					      name_of(c.file), c.p + i);
			}
			became(i);
			if (c.p + i >= o->size)
				o->size = c.p + i + 1;
			continue;
		}
		/* Only a block that fails at this moment stops it. */
		if (i == done && !shaky(c.block[i]) && !shaky(c.old[i].block))
			fault(INTACT, "write of %s pages %u+%u: %zd, %s", name_of(c.file),
			      c.p, c.n, r, r < 0 ? strerror(errno) : "short");
		stayed(i);
	}
	release(c.hold, c.holds);
}

/* The last word of a page, by write(2) or through mmap. */
static void patch(struct slot *s, unsigned int p, bool store)
{
	uint64_t value = new_patch();
	bool was_lost, worked;
	const char *how = store ? "store" : "write of a part";

	if ((store && !s->writable) || !lock_pages(s, p, 1, false))
		return;
	look_up();
	was_lost = lost(c.old[0].block, tick());
	c.want[0].kind = DATA;
	c.want[0].c.patch = value;
	begin();
	if (store) {
		char *at = s->base + p * BLK + BLK - 8;
		struct sig sig = store_word(at, value);

		worked = !sig.code;
		if (!worked && !is_refusal(&sig, at, how))
			fault(WRONG, "store to %s page %u", name_of(c.file), p);
	} else {
		worked = pwrite(c.fd, &value, 8, p * BLK + BLK - 8) == 8;
		if (!worked && errno != EIO)
			fault(INTACT, "%s, %s page %u: %s", how, name_of(c.file), p,
			      strerror(errno));
	}
	find_blocks();
	if (worked && was_lost)
		fault(SILENT, "%s to %s page %u, which is lost, at block %u", how,
		      name_of(c.file), p, c.old[0].block);
	if (!worked && !shaky(c.old[0].block) && !shaky(c.block[0]))
		fault(store ? WRONG : INTACT, "%s to %s page %u is refused, block %d",
		      how, name_of(c.file), p, (int)c.block[0]);
	if (!worked && was_lost && c.block[0] != c.old[0].block)
		fault(INTACT, "%s to %s page %u is refused and moves it", how,
		      name_of(c.file), p);
	if (!worked)
		COUNT(refused);
	if (worked)
		became(0);
	else
		stayed(0);
	release(c.hold, c.holds);
}

static void punch(struct slot *s, unsigned int p, unsigned int n)
{
	if (!lock_pages(s, p, n, false))
		return;
	look_up();
	for (unsigned int i = 0; i < c.n; i++)
		c.want[i] = (struct past){ .kind = HOLE };
	begin();
	all_became("PUNCH_HOLE", fallocate(c.fd, FALLOC_FL_PUNCH_HOLE |
					   FALLOC_FL_KEEP_SIZE, c.p * BLK, c.n * BLK));
	release(c.hold, c.holds);
}

static void zero(struct slot *s, unsigned int p, unsigned int n)
{
	if (!lock_pages(s, p, n, false))
		return;
	look_up();
	for (unsigned int i = 0; i < c.n; i++)
		c.want[i] = (struct past){ .kind = DATA };
	begin();
	all_became("ZERO_RANGE", fallocate(c.fd, FALLOC_FL_ZERO_RANGE, c.p * BLK,
					   c.n * BLK));
	release(c.hold, c.holds);
}

/* Pages from p on are gone, or the file gets holes up to there. */
static void set_size(struct slot *s, unsigned int p)
{
	struct file *o = &w->file[s->file];
	unsigned int size;

	if (!lock_pages(s, 0, 1, true))
		return;
	size = o->size;
	c.p = p < size ? p : size;
	c.n = p < size ? size - p : p - size;
	if (!c.n) {
		release(c.hold, c.holds);
		return;
	}
	look_up();
	for (unsigned int i = 0; i < c.n; i++)
		c.want[i] = (struct past){ .kind = p < size ? AFTER_END : HOLE };
	begin();
	all_became("truncate", ftruncate(c.fd, p * BLK));
	o->size = p;
	release(c.hold, c.holds);
}

/* The end goes to the midst of the last page and back: its rest becomes 0. */
static void cut(struct slot *s)
{
	struct file *o = &w->file[s->file];
	struct past gone = { .kind = AFTER_END };
	unsigned int word = 1 + pick(WORDS - 1);
	int r, err, ended;

	if (!lock_pages(s, 0, 1, true))
		return;
	if (!o->size) {
		release(c.hold, c.holds);
		return;
	}
	c.p = o->size - 1;
	look_up();
	c.want[0].c.patch = 0;
	if (c.want[0].c.cut > word)
		c.want[0].c.cut = word;
	ended = expect(page_of(c.file, c.p), gone);
	begin();
	r = ftruncate(c.fd, c.p * BLK + word * 8);
	err = errno;
	/* The page may fail between the two; then once more. */
	if (ftruncate(c.fd, o->size * BLK) && ftruncate(c.fd, o->size * BLK))
		fault(INTACT, "truncate of %s to %u pages: %s", name_of(c.file),
		      o->size, strerror(errno));
	find_blocks();
	if (r && !shaky(c.old[0].block) && !shaky(c.block[0]))
		fault(INTACT, "truncate of %s to page %u word %u: %s", name_of(c.file),
		      c.p, word, strerror(err));
	/* Nothing zeroes what is lost, and a hole has nothing to zero. */
	if (r || lost(c.old[0].block, c.start) || c.old[0].kind == HOLE)
		stayed(0);
	else if (c.block[0] == c.old[0].block && shaky(c.block[0]))
		became_or_stayed(0);
	else
		became(0);
	withdraw(page_of(c.file, c.p), ended);
	release(c.hold, c.holds);
}

static void clone_pages(struct slot *s, unsigned int sp, struct slot *d, unsigned int dp,
		  unsigned int n)
{
	struct file_clone_range range = { .src_fd = s->fd };
	static struct past from[BIG_PAGES];
	bool shaken = false, was_lost = false;
	unsigned int size;
	int r;

	if (s->file == d->file && sp < dp + n && dp < sp + n)
		return;
	c.file = d->file;
	c.fd = d->fd;
	c.p = dp;
	c.n = n;
	c.hold[0] = (struct hold){ d->file, chunks_of(dp, n) };
	c.hold[1] = (struct hold){ s->file, chunks_of(sp, n) };
	c.holds = 2;
	hold(c.hold, 2);
	size = w->file[s->file].size;
	if (sp + c.n > size)
		c.n = sp < size ? size - sp : 0;
	size = w->file[d->file].size;
	if (dp + c.n > size)
		c.n = dp < size ? size - dp : 0;
	if (!c.n) {
		release(c.hold, 2);
		return;
	}
	look_up();
	for (unsigned int i = 0; i < c.n; i++)
		c.want[i] = from[i] = now_of(s->file, sp + i);
	begin();
	for (unsigned int i = 0; i < c.n; i++)
		was_lost |= lost(from[i].block, c.start);
	range.src_offset = sp * BLK;
	range.src_length = c.n * BLK;
	range.dest_offset = dp * BLK;
	r = ioctl(c.fd, FICLONERANGE, &range) ? errno : 0;
	for (unsigned int i = 0; i < c.n; i++)
		shaken |= shaky(from[i].block);
	find_blocks();
	if (!r && was_lost)
		fault(SILENT, "clone of %s pages %u+%u, some of which are lost",
		      name_of(s->file), sp, c.n);
	if (r && (r != EIO || !shaken))
		fault(INTACT, "clone of %s pages %u+%u to %s page %u: %s",
		      name_of(s->file), sp, c.n, name_of(d->file), dp, strerror(r));
	for (unsigned int i = 0; i < c.n; i++) {
		uint32_t want = r ? c.old[i].block : from[i].block;

		if (c.block[i] != want)
			fault(BOOKS, "%s page %u is at block %d after a clone, not %d",
			      name_of(c.file), dp + i, (int)c.block[i], (int)want);
		if (r) {
			refused(i);
			continue;
		}
		own(want);
		c.want[i].block = want;
		settle(page_of(c.file, dp + i), c.past[i], &c.want[i]);
	}
	if (r)
		COUNT(refused);
	else
		COUNT(clones);
	release(c.hold, 2);
}

static void clone_something(struct slot *s, unsigned int p, unsigned int n)
{
	struct slot *d = &me->slot[pick(SLOTS)];

	if (d->file < 0)
		return;
	if (pick(2)) {		/* all of it, as far as it goes */
		p = 0;
		n = s->count < d->count ? s->count : d->count;
		clone_pages(s, 0, d, 0, n);
	} else {
		if (n > d->count)
			n = d->count;
		clone_pages(s, p, d, pick(d->count - n + 1), n);
	}
}

/* Gives the page another block, or none, if it is lost. */
void move_page(struct slot *s, unsigned int p)
{
	if (pick(3))
		write_pages(s, p, 1, false);
	else
		punch(s, p, 1);
}

void change_something(struct slot *s)
{
	unsigned int x = pick(100), n = 1 + pick(pick(2) ? 2 : 12);
	unsigned int p = pick(s->count - n + 1);

	COUNT(changes);
	if (x < 24)
		write_pages(s, p, n, !pick(6));
	else if (x < 44)
		clone_something(s, p, n);
	else if (x < 58)
		patch(s, p, false);
	else if (x < 78)
		patch(s, p, true);
	else if (x < 82)
		punch(s, p, n);
	else if (x < 88)
		zero(s, p, n);
	else if (x < 90)
		set_size(s, 1 + pick(s->count));
	else if (x < 94)
		cut(s);
	else if (x < 97)
		fsync(s->fd);
	else
		msync(s->base, s->count * BLK, MS_SYNC);
}
