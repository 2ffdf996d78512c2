// SPDX-License-Identifier: GPL-2.0
/*
 * Events while all processes stand still: who owns the blocks and who maps them is
 * known for certain, so the answer is held against all of it.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "stress.h"

struct owner {
	int file;
	unsigned int page;
	uint32_t block;
};

struct mapped {			/* an owner's page, somewhere in a process */
	struct proc *proc;
	char *addr;
	bool present;
};

static struct owner owner[ALL_PAGES];
static struct mapped mapped[4096];
static int owners, mappeds;

static void find_owners(uint32_t block, uint32_t n)
{
	owners = 0;
	for (int f = 0; f < FILES; f++)
		for (unsigned int p = 0; p < w->file[f].pages; p++) {
			struct past is = now_of(f, p);

			if (is.kind == DATA && is.block - block < n)
				owner[owners++] = (struct owner){ f, p, is.block };
		}
}

static void find_mapped(void)
{
	mappeds = 0;
	for (struct proc *p = w->proc; p < w->proc + PROCS; p++)
		for (int k = 0; k < SLOTS; k++)
			for (int i = 0; i < owners; i++) {
				struct slot *s = &p->slot[k];
				struct owner *o = &owner[i];
				char *addr = s->base + (o->page - s->first) * BLK;
				long pfn;

				if (s->file != o->file || o->page - s->first >= s->count)
					continue;
				pfn = present_pfn(p, addr);
				if (pfn >= 0 && pfn != (long)(w->first_pfn + o->block))
					fault(INTACT, "process %d has page frame %#lx at %s page %u, not %#lx",
					      p->nr, pfn, name_of(o->file), o->page,
					      w->first_pfn + o->block);
				if (mappeds < 4096)
					mapped[mappeds++] = (struct mapped){ p, addr,
						pfn >= 0 };
			}
}

/* The kernel's own list of the event's owners has each of them once, and no other. */
static void check_list(uint32_t block, uint32_t n)
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

static void check_signals(uint32_t block, const unsigned int *since,
			  const struct proc *injector)
{
	for (struct proc *p = w->proc; p < w->proc + PROCS; p++) {
		bool owed = false, got = false;

		for (struct mapped *m = mapped; m < mapped + mappeds; m++)
			owed |= m->proc == p && m->present && (p->early || p == injector);
		for (unsigned int i = since[p->nr]; i != p->sigs; i++) {
			struct sig *s = &p->sig[i % SIGS];
			bool mine = false;

			for (struct mapped *m = mapped; m < mapped + mappeds; m++)
				mine |= m->proc == p && m->addr == s->addr;
			if (!mine)
				fault(WRONG, "block %u: a signal to process %d for %p",
				      block, p->nr, (void *)s->addr);
			else if (!p->early && p != injector)
				fault(WRONG, "block %u: a signal to process %d, which wants none early",
				      block, p->nr);
			else if (s->code != (p == injector ? BUS_MCEERR_AR : BUS_MCEERR_AO))
				fault(WRONG, "block %u: process %d is told with code %d",
				      block, p->nr, s->code);
			got |= mine;
		}
		if (owed && !got)
			fault(MISSED, "block %u: process %d maps it, and is not told",
			      block, p->nr);
	}
	for (struct mapped *m = mapped; m < mapped + mappeds; m++)
		if (present_pfn(m->proc, m->addr) >= 0)
			fault(MISSED, "block %u: process %d has it still mapped at %p",
			      block, m->proc->nr, (void *)m->addr);
}

static void read_owners(void)
{
	for (int i = 0; i < owners; i++) {
		int fd = open_any(owner[i].file);

		read_at(owner[i].file, fd, owner[i].page);
		close(fd);
	}
}

/* A process that maps a page, to poison it itself. */
static struct proc *find_injector(int file, unsigned int page, int *slot)
{
	int start = dr_pick(WORKERS);

	for (int i = 0; i < WORKERS; i++) {
		struct proc *p = &w->proc[(start + i) % WORKERS];

		for (*slot = 0; *slot < SLOTS; ++*slot)
			if (p->slot[*slot].file == file && page < p->slot[*slot].count)
				return p;
	}
	return NULL;
}

static void calm_event(void)
{
	unsigned int since[PROCS], page = 0, x = dr_pick(100);
	struct proc *injector = NULL;
	struct past is = { .block = pick_free() };
	uint32_t n = 1;
	int slot = 0, file = x < 8 ? -1 : pick_data(&page, &is);

	if (file < 0)
		COUNT(of_free);
	else if (x < 30 && !shaky(is.block))
		injector = find_injector(file, page, &slot);
	else if (x < 45)
		n = 2 + dr_pick(7);
	if (is.block + n > w->total)
		n = 1;
	if (n > 1)
		COUNT(ranges);
	if (shaky(is.block))
		COUNT(repeated);

	/* Poisoning a page maps it. */
	if (injector)
		ask(injector, (struct command){ .order = TOUCH, .slot = slot, .page = page });
	find_owners(is.block, n);
	find_mapped();
	for (int i = 0; i < PROCS; i++)
		since[i] = w->proc[i].sigs;
	if (injector) {
		long r;

		mark_begun(is.block, 1);
		r = ask(injector, (struct command){ .order = POISON, .slot = slot,
			.page = page });
		mark_done(is.block, 1);
		COUNT(events);
		COUNT(own);
		if (r)
			fault(MISSED, "MADV_HWPOISON of %s page %u: error %ld",
			      name_of(file), page, -r);
	} else {
		inject(is.block, n, dr_pick(2));
	}
	COUNT(quiet_events);
	ask_all(PING);
	check_signals(is.block, since, injector);
	check_list(is.block, n);
	read_owners();
}

void calm(int events)
{
	while (events--)
		calm_event();
}
