// SPDX-License-Identifier: GPL-2.0
/* Clones: all of them or nothing, and nothing if any of the pages is lost. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include "change.h"
#include "subject.h"

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
	c.over = false;
	if (!may_go())
		return;
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
	if (!r && was_lost && !subject->clones_lost)
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

void clone_something(struct slot *s, unsigned int p, unsigned int n)
{
	struct slot *d = &me->slot[dr_pick(SLOTS)];

	if (d->file < 0 || !subject->clones)
		return;
	/* Huge mappings of shared blocks are too much for XFS. */
	if (subject->shared_once && (s->file < BIG || d->file < BIG))
		return;
	if (dr_pick(2)) {		/* all of it, as far as it goes */
		p = 0;
		n = s->count < d->count ? s->count : d->count;
		clone_pages(s, 0, d, 0, n);
	} else {
		if (n > d->count)
			n = d->count;
		clone_pages(s, p, d, dr_pick(d->count - n + 1), n);
	}
}
