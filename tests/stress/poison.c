// SPDX-License-Identifier: GPL-2.0
/* Poison events, and the storm: events while everybody goes on. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "stress.h"
#include "subject.h"

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

unsigned int run_of(uint32_t *run, uint32_t block, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n && block + i < w->total; i++)
		run[i] = block + i;
	return i;
}

int inject(const uint32_t *block, unsigned int n, bool notify)
{
	int r;

	subject->enter(n);
	mark_begun(block, n);
	r = subject->inject(block, n, notify);
	subject->leave(block, n, n);
	mark_done(block, n);
	COUNT(events);
	if (n > 1)
		COUNT(ranges);
	if (r)
		fault(MISSED, "poison of block %u+%u: %s", *block, n, strerror(-r));
	return r;
}

int poison_here(char *at, uint32_t block)
{
	int r;

	subject->enter(1);
	mark_begun(&block, 1);
	r = dr_poison_addr(at);
	/* Nobody may be there to take it; then it has happened all the same. */
	if (!subject->at_once && r && r != -EFAULT && r != -EHWPOISON)
		r = 0;
	subject->leave(&block, 1, !r);
	if (r)
		mark_undone(block);
	else
		mark_done(&block, 1);
	return r;
}

/*
 * MADV_HWPOISON, by a worker to its own page; with the page locked, so that it is
 * known which block that is. It is told by a signal, unless somebody else's
 * event was faster, or a neighbour's change took a huge mapping away.
 */
static void poison_mapped(struct slot *s, unsigned int p)
{
	struct hold h = { s->file, subject->whole_file ? ~0ull : chunks_of(p, 1) };
	unsigned int sigs = me->sigs;
	char *at = s->base + (p - s->first) * BLK;
	struct past is;
	int r;

	hold(&h, 1);
	is = now_of(s->file, p);
	if (is.kind == DATA && !poisoned_once(is.block) && take_event()) {
		r = poison_here(at, is.block);
		if (!r) {
			COUNT(events);
			COUNT(own);
		} else if (w->block[is.block].events == 1) {
			fault(BOOKS, "MADV_HWPOISON of %s page %u: %s",
			      name_of(s->file), p, strerror(-r));
		} else {
			__atomic_add_fetch(&w->left, 1, __ATOMIC_SEQ_CST);
		}
		if (!r && me->sigs == sigs && s->file >= BIG &&
		    w->block[is.block].events == 1 && (me->early || !subject->by_vma))
			fault(MISSED, "process %d poisoned %s page %u, and got no signal",
			      me->nr, name_of(s->file), p);
	}
	release(&h, 1);
}

/*
 * Up to n pages of a file, from p on, which is at that block. Elsewhere than on daxrmap
 * they stay there as long as it takes: a block that goes back to the filesystem may become
 * metadata, and without these the filesystem ends. There a range is pages of the file.
 */
static void inject_pinned(int file, unsigned int p, uint32_t block, unsigned int n, bool notify)
{
	uint32_t run[RUN_MOST] = { block };
	unsigned int pins = 0;

	if (!take_event())
		return;
	if (!subject->heals) {
		n = run_of(run, block, n);
		pins = n;
	}
	while (pins < n && p + pins < w->file[file].pages) {
		run[pins] = pins ? now_of(file, p + pins).block : block;
		if (run[pins] == NONE || (!subject->again && poisoned_once(run[pins])) ||
		    !pin(file, p + pins, run[pins]))
			break;
		pins++;
	}
	if (!pins) {
		__atomic_add_fetch(&w->left, 1, __ATOMIC_SEQ_CST);
		return;
	}
	if (shaky(*run))
		COUNT(repeated);
	inject(run, pins, notify);
	for (unsigned int i = 0; subject->heals && i < pins; i++)
		unpin(file, p + i);
}

void poison_own_page(struct slot *s)
{
	unsigned int p = s->first + dr_pick(s->count);
	struct past is = now_of(s->file, p);

	if (is.kind != DATA || is.block == NONE)
		return;
	if (dr_pick(3))
		poison_mapped(s, p);
	else
		inject_pinned(s->file, p, is.block, 1, true);
}

static void storm_event(void)
{
	unsigned int p, x = dr_pick(100);
	uint32_t block;
	struct past is;
	int f;

	if (x < 35) {
		if (x < 1)
			gone_event();
		else if (x < 12 && subject->delays)
			moved_event();
		else
			watched_event();
		return;
	}
	f = pick_data(&p, &is);
	if (x < 45 || f < 0) {
		if (!take_event())
			return;
		COUNT(of_free);		/* most likely */
		block = subject->pick_free();
		inject(&block, 1, dr_pick(2));
		return;
	}
	inject_pinned(f, p, is.block, x < 60 ? 2 + dr_pick(RUN_MOST - 1) : 1, dr_pick(2));
}

void storm(int events)
{
	static const int delay[] = { 0, 0, 1, 3 };

	/* A pause between finding an owner and locking it lets others in. */
	if (subject->delays)
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
	if (subject->delays)
		dr_notify_delay(0);
}
