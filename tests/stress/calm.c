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
#include "subject.h"

struct mapped {			/* an owner's page, somewhere in a process */
	struct proc *proc;
	char *addr;
	int owner;
	bool present;
};

struct owner owner[ALL_PAGES];
int owners;
static struct mapped mapped[4096];
static int mappeds;

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
				if (pfn >= 0 && pfn != (long)subject->pfn(o->block))
					fault(INTACT, "process %d has page frame %#lx at %s page %u, not %#lx",
					      p->nr, pfn, name_of(o->file), o->page,
					      subject->pfn(o->block));
				if (mappeds < 4096)
					mapped[mappeds++] = (struct mapped){ p, addr,
						i, pfn >= 0 };
			}
}

/* Of a page of a huge one the kernel's own way tells the first page's address. */
static bool is_around(const struct sig *s, const char *addr)
{
	return subject->huge_whole && ((unsigned long)s->addr & (HUGE_SIZE - 1)) == 0 &&
		addr >= s->addr && addr < s->addr + HUGE_SIZE;
}

/* Whether it is the code that the process is told with. */
static bool is_code(const struct sig *s, bool by_itself)
{
	if (s->code == BUS_MCEERR_AO)
		return !by_itself || subject->by_vma;
	return by_itself && s->code == BUS_MCEERR_AR;
}

/*
 * Whether the page's process is to be told: at once, not when it touches the page. The guard
 * finds files by their DAX entries; there is one if anybody has the page in his page tables.
 */
static bool is_owed(const struct mapped *m, const struct proc *injector)
{
	if (subject->by_vma && m->proc->early)
		for (struct mapped *k = mapped; k < mapped + mappeds; k++)
			if (k->owner == m->owner && k->present)
				return true;
	if (subject->by_vma)
		return false;
	return m->present && (m->proc->early || m->proc == injector);
}

static void check_signals(uint32_t block, const unsigned int *since,
			  const struct proc *injector)
{
	for (struct proc *p = w->proc; p < w->proc + PROCS; p++) {
		bool owed = false, got = false;

		for (struct mapped *m = mapped; m < mapped + mappeds; m++)
			owed |= m->proc == p && is_owed(m, injector);
		for (unsigned int i = since[p->nr]; i != p->sigs; i++) {
			struct sig *s = &p->sig[i % SIGS];
			bool mine = false;

			for (struct mapped *m = mapped; m < mapped + mappeds; m++)
				mine |= m->proc == p && (m->addr == s->addr || is_around(s, m->addr));
			if (!mine)
				fault(WRONG, "block %u: a signal to process %d for %p",
				      block, p->nr, (void *)s->addr);
			else if (!p->early && p != injector)
				fault(WRONG, "block %u: a signal to process %d, which wants none early",
				      block, p->nr);
			else if (!is_code(s, p == injector))
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
	uint32_t run[RUN_MOST], n = 1;
	struct past is;
	int slot = 0, file = x < 8 ? -1 : pick_data(&page, &is);

	if (file < 0) {
		COUNT(of_free);
		is.block = subject->pick_free();
	} else if (!subject->again && poisoned_once(is.block)) {
		return;
	} else if (x < 30 && !shaky(is.block)) {
		injector = find_injector(file, page, &slot);
	} else if (x < 45 && !subject->heals) {
		n = 2 + dr_pick(RUN_MOST - 1);
	}
	n = run_of(run, is.block, n);
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
		long r = ask(injector, (struct command){ .order = POISON, .slot = slot,
			.page = page });

		COUNT(events);
		if (r)
			fault(MISSED, "MADV_HWPOISON of %s page %u: error %ld",
			      name_of(file), page, -r);
	} else {
		inject(run, n, dr_pick(2));
	}
	COUNT(quiet_events);
	ask_all(PING);
	check_signals(is.block, since, injector);
	subject->check_event(is.block, n);
	read_owners();
}

void calm(int events)
{
	while (events--)
		calm_event();
}
