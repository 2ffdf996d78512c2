// SPDX-License-Identifier: GPL-2.0
/* The oracle's memory: pages and their past, owners of blocks, locks. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "stress.h"

struct world *w;
struct proc *me;

static void init_lock(pthread_mutex_t *m)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(m, &a);
}

int make_world(unsigned long seed)
{
	long total = dr_counter("blocks_total"), pfn = dr_pfn_of_block(0);

	if (total <= 0 || pfn < 0)
		return -ENODEV;
	w = dr_shared_mem(sizeof(*w) + total * sizeof(*w->block));
	w->seed = seed;
	w->total = total;
	w->data = dr_end_block() - dr_first_block();
	w->first_pfn = pfn;
	w->clock = 1;
	for (int f = 0, first = 0; f < FILES; f++) {
		struct file *o = &w->file[f];

		init_lock(&o->life);
		for (int i = 0; i < CHUNKS; i++)
			init_lock(&o->chunk[i]);
		o->pages = f < BIG ? BIG_PAGES : PAGES;
		o->first = first;
		first += o->pages;
	}
	for (int i = 0; i < ALL_PAGES; i++) {
		w->page[i].next = 1;
		w->page[i].past[0] = (struct past){ .to = FOREVER, .block = NONE };
		for (int k = 1; k < PAST; k++)
			w->page[i].past[k].from = FOREVER;
	}
	for (int i = 0; i < PROCS; i++)
		for (int k = 0; k < SLOTS; k++)
			w->proc[i].slot[k].file = -1;
	return 0;
}

uint64_t tick(void)
{
	return __atomic_add_fetch(&w->clock, 1, __ATOMIC_SEQ_CST);
}

struct page *page_of(int file, unsigned int p)
{
	return &w->page[w->file[file].first + p];
}

const char *name_of(int file)
{
	static char name[4][32];
	static int next;

	next = (next + 1) % 4;
	snprintf(name[next], sizeof(*name), "f%d.%u", file,
		 w->file[file].generation);
	return name[next];
}

/* Nobody holds a lock for long: who waits a minute waits for the dead. */
static void lock(pthread_mutex_t *m)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += 60;
	if (pthread_mutex_timedlock(m, &t)) {
		fault(BOOKS, "a lock of the oracle is not to be had");
		_exit(97);
	}
}

uint64_t chunks_of(unsigned int p, unsigned int n)
{
	unsigned int first = p / CHUNK, last = (p + n - 1) / CHUNK;

	return (last == 63 ? 0 : ~0ull << (last + 1)) ^ (~0ull << first);
}

/* In order of files and pages, so that nobody waits in a circle. */
void hold(struct hold *h, int n)
{
	if (n == 2 && h[0].file == h[1].file) {
		h[0].chunks |= h[1].chunks;
		h[1].chunks = 0;
	} else if (n == 2 && h[0].file > h[1].file) {
		struct hold t = h[0];

		h[0] = h[1];
		h[1] = t;
	}
	for (int i = 0; i < n; i++)
		for (int c = 0; c < CHUNKS; c++)
			if (h[i].chunks >> c & 1)
				lock(&w->file[h[i].file].chunk[c]);
}

void release(struct hold *h, int n)
{
	for (int i = 0; i < n; i++)
		for (int c = 0; c < CHUNKS; c++)
			if (h[i].chunks >> c & 1)
				pthread_mutex_unlock(&w->file[h[i].file].chunk[c]);
}

void lock_life(int file)
{
	lock(&w->file[file].life);
}

void unlock_life(int file)
{
	pthread_mutex_unlock(&w->file[file].life);
}

static void lock_page(struct page *p)
{
	while (__atomic_exchange_n(&p->busy, 1, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void unlock_page(struct page *p)
{
	__atomic_store_n(&p->busy, 0, __ATOMIC_RELEASE);
}

struct past now_of(int file, unsigned int nr)
{
	struct page *p = page_of(file, nr);
	struct past is;

	lock_page(p);
	is = p->past[p->now];
	unlock_page(p);
	return is;
}

void copy_page(struct page *to, struct page *p)
{
	lock_page(p);
	*to = *p;
	unlock_page(p);
}

int expect(struct page *p, struct past next)
{
	struct past *slot;
	int i;

	lock_page(p);
	if (p->next % PAST == p->now)
		p->next++;
	i = p->next++ % PAST;
	slot = &p->past[i];
	if (slot->from != FOREVER && slot->to > p->forgotten)
		p->forgotten = slot->to;
	*slot = next;
	slot->block = NONE;
	slot->from = tick();
	slot->to = FOREVER;
	unlock_page(p);
	return i;
}

void settle(struct page *p, int i, const struct past *is)
{
	lock_page(p);
	p->past[i].kind = is->kind;
	p->past[i].block = is->block;
	p->past[i].c = is->c;
	for (int k = 0; k < PAST; k++)
		if (k != i && p->past[k].to == FOREVER && p->past[k].from != FOREVER)
			p->past[k].to = tick();
	p->now = i;
	unlock_page(p);
}

void withdraw(struct page *p, int i)
{
	lock_page(p);
	p->past[i].to = tick();
	unlock_page(p);
}

uint32_t own(uint32_t block)
{
	return block == NONE ? 0 :
		__atomic_fetch_add(&w->block[block].refs, 1, __ATOMIC_SEQ_CST);
}

void disown(uint32_t block)
{
	if (block != NONE)
		__atomic_fetch_sub(&w->block[block].refs, 1, __ATOMIC_SEQ_CST);
}

bool lost(uint32_t block, uint64_t by)
{
	uint64_t done;

	if (block == NONE)
		return false;
	done = __atomic_load_n(&w->block[block].done, __ATOMIC_SEQ_CST);
	return done && done < by;
}

bool shaky(uint32_t block)
{
	return block != NONE &&
		__atomic_load_n(&w->block[block].begun, __ATOMIC_SEQ_CST);
}

static void mark(uint64_t *at)
{
	uint64_t none = 0;

	__atomic_compare_exchange_n(at, &none, tick(), false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
}

void mark_begun(unsigned long block, unsigned long n)
{
	for (; n--; block++) {
		__atomic_add_fetch(&w->block[block].events, 1, __ATOMIC_SEQ_CST);
		mark(&w->block[block].begun);
	}
}

void mark_done(unsigned long block, unsigned long n)
{
	while (n--)
		mark(&w->block[block++].done);
}
