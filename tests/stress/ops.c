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
#include <linux/falloc.h>
#include <sys/mman.h>
#include "change.h"
#include "subject.h"

static void punch(struct slot *s, unsigned int p, unsigned int n)
{
	if (!lock_pages(s, p, n, false))
		return;
	if (!may_go())
		return;
	look_up();
	for (unsigned int i = 0; i < c.n; i++)
		c.want[i] = (struct past){ .kind = HOLE };
	begin();
	all_became("PUNCH_HOLE", fallocate(c.fd, FALLOC_FL_PUNCH_HOLE |
					   FALLOC_FL_KEEP_SIZE, c.p * BLK, c.n * BLK));
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
	if ((subject->shared_once && has_shared()) ||
	    (subject->filled_by_fault && !store && has_hole())) {
		release(c.hold, c.holds);
		return;
	}
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
		/* pmem's driver refuses to write a part of what is bad, and that becomes EFAULT. */
		if (!worked && errno != EIO && !(subject->heals && errno == EFAULT))
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
	if (subject->shared_once && has_shared()) {
		release(c.hold, c.holds);
		punch(s, p, n);		/* it is unshared so, and written to later */
		return;
	}
	if (subject->filled_by_fault && has_hole()) {
		release(c.hold, c.holds);
		for (unsigned int i = 0; i < n; i++)
			patch(s, p + i, true);
		return;
	}
	look_up();
	c.over = true;
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
				if (!subject->heals && c.block[i] == c.old[i].block)
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

static void zero(struct slot *s, unsigned int p, unsigned int n)
{
	if (!lock_pages(s, p, n, false))
		return;
	if (!may_go())
		return;
	look_up();
	for (unsigned int i = 0; i < c.n; i++)
		c.want[i] = (struct past){ .kind = subject->unwritten ? HOLE : DATA };
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
	if (!may_go())
		return;
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
	unsigned int word = 1 + dr_pick(WORDS - 1);
	int r, err, ended;

	if (!lock_pages(s, 0, 1, true))
		return;
	if (!o->size) {
		release(c.hold, c.holds);
		return;
	}
	c.p = o->size - 1;
	c.n = 1;
	/* Elsewhere than on daxrmap a truncate to the midst of a bad page fails, half done. */
	if (subject->heals && (shaky(now_of(c.file, c.p).block) || has_shared() ||
			       pinned(c.file, c.p, 1))) {
		release(c.hold, c.holds);
		return;
	}
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
	/*
	 * Nothing zeroes what is lost, and a hole has nothing to zero. If the page failed
	 * meanwhile, it was zeroed before that, or nobody will read it.
	 */
	if (r || lost(c.old[0].block, c.start) || c.old[0].kind == HOLE)
		stayed(0);
	else
		became(0);
	withdraw(page_of(c.file, c.p), ended);
	release(c.hold, c.holds);
}

/* Gives the page another block, or none, if it is lost. */
void move_page(struct slot *s, unsigned int p)
{
	if (dr_pick(3))
		write_pages(s, p, 1, false);
	else
		punch(s, p, 1);
}

void change_something(struct slot *s)
{
	unsigned int x = dr_pick(100), n = 1 + dr_pick(dr_pick(2) ? 2 : 12);
	unsigned int p = dr_pick(s->count - n + 1);

	COUNT(changes);
	if (x < 24)
		write_pages(s, p, n, !dr_pick(6));
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
		set_size(s, 1 + dr_pick(s->count));
	else if (x < 94)
		cut(s);
	else if (x < 97)
		fsync(s->fd);
	else
		msync(s->base, s->count * BLK, MS_SYNC);
}
