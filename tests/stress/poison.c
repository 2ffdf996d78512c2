// SPDX-License-Identifier: GPL-2.0
/* Poison events, and the storm: events while everybody goes on. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "../selftests/common/device/places.h"
#include "stress.h"

bool take_event(void)
{
	return __atomic_fetch_sub(&w->left, 1, __ATOMIC_SEQ_CST) > 0;
}

/* One that has other owners as well, for half of them, if there is any. */
int pick_data(unsigned int *p, struct past *is)
{
	bool shared = dr_pick(2);

	for (int i = 0; i < 1000; i++) {
		int f = dr_pick(FILES);

		*p = dr_pick(w->file[f].pages);
		*is = now_of(f, *p);
		if (is->kind != DATA || is->block == NONE)
			continue;
		if (!shared || i >= 500 || w->block[is->block].refs > 1)
			return f;
	}
	return -1;
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
unsigned long pick_free(void)
{
	return dr_pick(4) ? dr_pick(w->total) : pick_log();
}

/* What memory_failure() does for one page, or what the driver does for some. */
int inject(unsigned long block, unsigned long n, bool notify)
{
	int r;

	mark_begun(block, n);
	if (notify || n > 1)
		r = dr_notify(block * BLK, n * BLK);
	else
		r = dr_poison_pfn(w->first_pfn + block);
	mark_done(block, n);
	COUNT(events);
	if (r)
		fault(MISSED, "poison of block %lu+%lu: %s", block, n, strerror(-r));
	return r;
}

/*
 * MADV_HWPOISON, by a worker to its own page; with the page locked, so that it is
 * known which block that is. It is told by a signal, unless somebody else's
 * event was faster, or a neighbour's change took a huge mapping away.
 */
static void poison_mapped(struct slot *s, unsigned int p)
{
	struct hold h = { s->file, chunks_of(p, 1) };
	unsigned int sigs = me->sigs;
	char *at = s->base + (p - s->first) * BLK;
	struct past is;
	int r;

	hold(&h, 1);
	is = now_of(s->file, p);
	if (is.kind == DATA && !shaky(is.block) && take_event()) {
		mark_begun(is.block, 1);
		r = dr_poison_addr(at);
		if (!r) {
			mark_done(is.block, 1);
			COUNT(events);
			COUNT(own);
		} else if (w->block[is.block].events == 1) {
			fault(BOOKS, "MADV_HWPOISON of %s page %u: %s",
			      name_of(s->file), p, strerror(-r));
		} else {
			__atomic_add_fetch(&w->left, 1, __ATOMIC_SEQ_CST);
		}
		if (!r && me->sigs == sigs && s->file >= BIG &&
		    w->block[is.block].events == 1)
			fault(MISSED, "process %d poisoned %s page %u, and got no signal",
			      me->nr, name_of(s->file), p);
	}
	release(&h, 1);
}

void poison_own_page(struct slot *s)
{
	unsigned int p = s->first + dr_pick(s->count);
	struct past is = now_of(s->file, p);

	if (is.kind != DATA || is.block == NONE)
		return;
	if (dr_pick(3))
		poison_mapped(s, p);
	else if (take_event())
		inject(is.block, 1, true);
}

static void storm_event(void)
{
	unsigned int p, x = dr_pick(100), n;
	struct past is;

	if (x < 35) {
		if (x < 1)
			gone_event();
		else if (x < 12)
			moved_event();
		else
			watched_event();
		return;
	}
	if (!take_event())
		return;
	if (x < 45 || pick_data(&p, &is) < 0) {
		COUNT(of_free);		/* most likely */
		inject(pick_free(), 1, dr_pick(2));
		return;
	}
	n = x < 60 ? 2 + dr_pick(7) : 1;
	if (is.block + n > w->total)
		n = 1;
	if (n > 1)
		COUNT(ranges);
	if (shaky(is.block))
		COUNT(repeated);
	inject(is.block, n, dr_pick(2));
}

void storm(int events)
{
	static const int delay[] = { 0, 0, 1, 3 };

	/* A pause between finding an owner and locking it lets others in. */
	dr_notify_delay(delay[dr_pick(4)]);
	w->left = events;
	w->running = 1;
	ask_all(RUN);
	while (__atomic_load_n(&w->left, __ATOMIC_SEQ_CST) > 0) {
		storm_event();
		usleep(dr_pick(4000));
	}
	w->running = 0;
	for (int i = 0; i < WORKERS; i++)
		answer(&w->proc[i]);
	dr_notify_delay(0);
}
