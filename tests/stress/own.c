// SPDX-License-Identifier: GPL-2.0
/* daxrmap as the subject: its debugfs is asked about events, and about all that is lost. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <uapi/daxrmap.h>
#include "../selftests/common/device/places.h"
#include "stress.h"
#include "subject.h"

static unsigned long first_pfn;
static long data;			/* blocks that are not metadata */

static unsigned long blocks(void)
{
	long total = dr_counter("blocks_total"), pfn = dr_pfn_of_block(0);

	if (total <= 0 || pfn < 0)
		return 0;
	data = dr_end_block() - dr_first_block();
	first_pfn = pfn;
	return total;
}

static unsigned long pfn_of(uint32_t block)
{
	return first_pfn + block;
}

static uint32_t block_of(unsigned long pfn)
{
	return pfn - first_pfn < w->total ? pfn - first_pfn : NONE;
}

struct log {
	unsigned long start, blocks;
};

static void note_log(const struct fsmap *r, void *arg)
{
	struct log *log = arg;

	if (r->fmr_owner == DR_OWN_LOG && (!log->blocks || dr_pick(2)))
		*log = (struct log){ r->fmr_physical / BLK, r->fmr_length / BLK };
}

/* A block of the log, where it is now. */
static unsigned long pick_log(void)
{
	int fd = dr_open(".", O_RDONLY);
	struct log log = { .blocks = 0 };
	int r = dr_places(fd, note_log, &log);

	close(fd);
	if (r || !log.blocks) {
		fault(BOOKS, "no log is to be found: error %d", -r);
		return 0;
	}
	return log.start + dr_pick(log.blocks);
}

/* Most likely one that no file has. */
static unsigned long pick_free(void)
{
	return dr_pick(4) ? dr_pick(w->total) : pick_log();
}

/* What memory_failure() does for one page, or what the driver does for some. */
static int inject_one(const uint32_t *block, unsigned int n, bool notify)
{
	if (notify || n > 1)
		return dr_notify(*block * BLK, n * BLK);
	return dr_poison_pfn(first_pfn + *block);
}

/* The kernel's own list of the event's owners has each of them once, and no other. */
static void check_event(uint32_t block, uint32_t n)
{
	static struct dr_failure f;
	long listed = 0;
	int r = dr_last_failure(&f);

	if (r) {
		fault(BOOKS, "last_failure: error %d", -r);
		return;
	}
	if (f.block != block || f.count != n)
		fault(BOOKS, "last_failure is about block %lu+%lu, not %u+%u", f.block,
		      f.count, block, n);
	for (int i = 0; i < f.lines; i++) {
		listed += f.o[i].count;
		if (f.o[i].err)
			fault(MISSED, "owner %lu:%lu+%lu of block %u: error %d",
			      f.o[i].ino, f.o[i].pgoff, f.o[i].count, block, f.o[i].err);
	}
	for (int k = 0; k < owners; k++) {
		int times = 0;

		for (int i = 0; i < f.lines; i++)
			times += f.o[i].ino == w->file[owner[k].file].ino &&
				owner[k].page - f.o[i].pgoff < f.o[i].count;
		if (times != 1)
			fault(times ? BOOKS : MISSED, "block %u+%u: owner %s page %u was found %d times",
			      block, n, name_of(owner[k].file), owner[k].page, times);
	}
	if (listed != owners)
		fault(listed > owners ? WRONG : MISSED, "block %u+%u: %ld owners found, there are %d",
		      block, n, listed, owners);
}

static unsigned char times[ALL_PAGES];

static void note_lost(const struct daxrmap_lost *l)
{
	for (int f = 0; f < FILES; f++) {
		struct file *o = &w->file[f];

		if ((!o->named && !o->users) || o->ino != l->ino)
			continue;
		for (uint64_t p = l->offset / BLK; p < (l->offset + l->length) / BLK; p++)
			if (p < o->pages && times[o->first + p] < 255)
				times[o->first + p]++;
		return;
	}
	/* A file that is gone, but whose inode waits for fanotify. */
	COUNT(leaving);
}

/* DAXRMAP_IOC_LOST. */
static void check_lost(void)
{
	static struct {
		struct daxrmap_lost_head h;
		struct daxrmap_lost recs[50];
	} q;
	int fd = dr_open(".", O_RDONLY);

	memset(&q, 0, sizeof(q));
	memset(times, 0, sizeof(times));
	q.h.count = 50;
	do {
		if (ioctl(fd, DAXRMAP_IOC_LOST, &q)) {
			fault(BOOKS, "DAXRMAP_IOC_LOST: %s", strerror(errno));
			break;
		}
		for (unsigned int i = 0; i < q.h.entries; i++)
			note_lost(&q.recs[i]);
	} while (!(q.h.oflags & DAXRMAP_LOST_END));
	close(fd);
	for (int f = 0; f < FILES; f++)
		for (unsigned int p = 0; p < w->file[f].pages; p++) {
			struct past is = now_of(f, p);
			int t = times[w->file[f].first + p];

			if (t != (is.kind == DATA && lost(is.block, tick())))
				fault(t ? BOOKS : MISSED, "%s page %u at block %d is listed %d times as lost",
				      name_of(f), p, (int)is.block, t);
		}
}

static void count_metadata(const struct fsmap *r, void *arg)
{
	if (r->fmr_owner == DR_OWN_FS || r->fmr_owner == DR_OWN_LOG)
		*(long *)arg += r->fmr_length / BLK;
}

/*
 * Good blocks of superblocks and log: no more than at first. The log leaves bad blocks,
 * for shorter runs if there is no other, and keeps two of them, somewhere.
 */
static long metadata(void)
{
	int fd = dr_open(".", O_RDONLY);
	long blocks = 0, most = w->total - data;
	int r = dr_places(fd, count_metadata, &blocks);

	close(fd);
	if (r || blocks < 2 || blocks > most)
		fault(BOOKS, "%ld blocks of metadata, at first %ld: error %d", blocks, most, -r);
	return blocks;
}

static void count_unwritten(const struct fsmap *r, void *arg)
{
	if (!(r->fmr_flags & FMR_OF_PREALLOC))
		return;
	for (uint64_t b = r->fmr_physical / BLK; b < (r->fmr_physical + r->fmr_length) / BLK; b++)
		*(long *)arg += b < w->total && !w->block[b].done;
}

/* Good blocks that files have and nobody has written: holes, to the oracle. */
static long unwritten(void)
{
	int fd = dr_open(".", O_RDONLY);
	long blocks = 0;
	int r = dr_places(fd, count_unwritten, &blocks);

	close(fd);
	if (r)
		fault(BOOKS, "unwritten blocks: error %d", -r);
	return blocks;
}

/* Bad and free blocks, as the oracle counts them. */
static void check_counts(void)
{
	double end = dr_now() + dr_patience(20);
	long bad = 0, used = metadata(), all, n;

	for (unsigned long b = 0; b < w->total; b++) {
		bad += !!w->block[b].done;
		used += w->block[b].done || w->block[b].refs;
	}
	n = dr_counter("blocks_bad");
	if (n != bad)
		fault(BOOKS, "%ld bad blocks, not %ld", n, bad);
	/* What is removed may be freed in between. */
	do {
		all = used + unwritten();
		n = dr_free_blocks();
	} while (n != (long)w->total - all && dr_now() < end && !usleep(10000));
	if (n != (long)w->total - all)
		fault(BOOKS, "%ld free blocks, not %ld", n, w->total - all);
	if (dr_check())
		fault(BOOKS, "the module's check fails");
}

static void check_all(void)
{
	check_lost();
	check_counts();
}

static void start(void)
{
	uint32_t last = w->total - 1;

	/* The module that injects is loaded by a child: now, not in a storm. */
	inject(&last, 1, false);
	/* The oracle wants to be told of each page that is written. */
	if (dr_exact_zeroes())
		fault(BOOKS, "the module decides what is written");
}

/* All is given back but what is bad; and the device can be mounted again. */
static void end(struct dr_fs *fs)
{
	w->n.owners = dr_counter("owners");
	if (dr_counter("notifies") != w->n.events)
		fault(BOOKS, "%ld notifications of %ld events", dr_counter("notifies"),
		      w->n.events);
	if (dr_teardown(fs))
		fault(BOOKS, "check, umount, or the log");
	if (dr_mount() || dr_create("again", 8, 1) || dr_verify("again", 0, 8, 1, 0) ||
	    dr_umount())
		fault(BOOKS, "the second mount");
}

/* Without any of these it has tested nothing. */
static bool all_done(void)
{
	struct counts *n = &w->n;

	return n->clones && n->moved && n->repeated && n->ranges;
}

static void nothing(void)
{
}

static void enter(unsigned int n)
{
	(void)n;
}

static void leave(const uint32_t *block, unsigned int n, unsigned int happened)
{
	(void)block;
	(void)n;
	(void)happened;
}

struct subject daxrmap_itself = {
	.unwritten = true,
	.clones = true,
	.at_once = true,
	.delays = true,
	.again = true,
	.mount = dr_setup,
	.blocks = blocks,
	.pfn = pfn_of,
	.block_of = block_of,
	.pick_free = pick_free,
	.start = start,
	.stop = nothing,
	.enter = enter,
	.leave = leave,
	.inject = inject_one,
	.check_event = check_event,
	.check_all = check_all,
	.after_round = nothing,
	.end = end,
	.all_done = all_done,
	.report = nothing,
};
