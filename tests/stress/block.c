// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle's memory of blocks: who owns them, which are bad, since when, and until when.
 *
 * On daxrmap a bad block stays bad. On ext4 and XFS it is good again once all of it is
 * written over, where it is, or after it came free. If an event and such a write overlap,
 * nobody knows who was last: then it may be either, until the next round.
 */
#define _GNU_SOURCE
#include "stress.h"
#include "subject.h"

static uint32_t plus(uint32_t *n, int32_t what)
{
	return __atomic_fetch_add(n, what, __ATOMIC_SEQ_CST);
}

static uint64_t get(const uint64_t *at)
{
	return __atomic_load_n(at, __ATOMIC_SEQ_CST);
}

/* The first one to say when it was. */
static void mark(uint64_t *at, uint64_t when)
{
	uint64_t none = 0;

	__atomic_compare_exchange_n(at, &none, when, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
}

uint32_t own(uint32_t block)
{
	return block == NONE ? 0 : plus(&w->block[block].refs, 1);
}

void disown(uint32_t block)
{
	if (block != NONE)
		plus(&w->block[block].refs, -1);
}

bool lost_in(uint32_t block, uint64_t from, uint64_t to)
{
	const struct block *b = &w->block[block];
	uint64_t done, heal;

	if (block == NONE)
		return false;
	done = get(&b->done);
	if (!done || done >= from || b->unclear || __atomic_load_n(&b->healers, __ATOMIC_SEQ_CST))
		return false;
	heal = get(&b->heal);
	return !heal || heal > to;
}

bool lost(uint32_t block, uint64_t by)
{
	return lost_in(block, by, by);
}

bool shaky_since(uint32_t block, uint64_t from)
{
	const struct block *b = &w->block[block];
	uint64_t healed;

	if (block == NONE || !get(&b->begun))
		return false;
	healed = get(&b->healed);
	return !healed || healed >= from || b->unclear;
}

bool shaky(uint32_t block)
{
	return shaky_since(block, FOREVER);
}

bool poisoned_once(uint32_t block)
{
	return block != NONE && get(&w->block[block].begun);
}

void mark_begun(const uint32_t *block, unsigned int n)
{
	while (n--) {
		struct block *b = &w->block[*block++];
		uint64_t now = tick();

		plus(&b->events, 1);
		plus(&b->running, 1);
		b->last = now;
		mark(&b->begun, now);
		if (__atomic_load_n(&b->healers, __ATOMIC_SEQ_CST) || get(&b->heal))
			b->unclear = true;
	}
}

void mark_done(const uint32_t *block, unsigned int n)
{
	while (n--) {
		struct block *b = &w->block[*block++];

		mark(&b->done, tick());
		plus(&b->running, -1);
	}
}

void mark_undone(uint32_t block)
{
	plus(&w->block[block].running, -1);
}

void heal_begins(uint32_t block)
{
	if (subject->heals && block != NONE)
		plus(&w->block[block].healers, 1);
}

/* Its past as a bad block ends, unless an event came in between. */
static void is_good(struct block *b, uint64_t since)
{
	if (!get(&b->begun))
		return;
	mark(&b->heal, since);
	if (__atomic_load_n(&b->running, __ATOMIC_SEQ_CST) || get(&b->last) >= since)
		b->unclear = true;
	mark(&b->healed, tick());
}

void heal_ends(uint32_t block, uint64_t since, bool worked)
{
	if (!subject->heals || block == NONE)
		return;
	if (worked)
		is_good(&w->block[block], since);
	plus(&w->block[block].healers, -1);
}

void used_anew(uint32_t block, uint64_t since)
{
	if (subject->heals && block != NONE)
		is_good(&w->block[block], since);
}

void forget_events(uint32_t block)
{
	struct block *b = &w->block[block];

	b->begun = b->done = b->heal = b->healed = b->last = 0;
	b->unclear = false;
}
