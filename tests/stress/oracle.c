// SPDX-License-Identifier: GPL-2.0
/* The oracle's memory: pages and their past, locks. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "stress.h"
#include "subject.h"

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
	unsigned long total = subject->blocks();

	if (!total)
		return -ENODEV;
	w = dr_shared_mem(sizeof(*w) + total * sizeof(*w->block));
	w->seed = seed;
	w->total = total;
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

/* In the kernel; "0": it runs. */
void where_it_waits(const struct proc *p, char *where, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/wchan", p->pid);
	if (dr_slurp(path, where, size) < 0)
		snprintf(where, size, "?");
}

/* Nobody holds a lock for long: who waits a minute waits for the dead. */
static void lock(pthread_mutex_t *m)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += 60;
	if (pthread_mutex_timedlock(m, &t)) {
		char where[WORKERS][64];

		for (int i = 0; i < WORKERS; i++)
			where_it_waits(&w->proc[i], where[i], sizeof(*where));
		fault(BOOKS, "a lock of the oracle is not to be had; workers are in %s %s %s %s %s %s",
		      where[0], where[1], where[2], where[3], where[4], where[5]);
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

/* By who holds the page's lock, or the file's life: those who would move it ask with the same held. */
bool pinned(int file, unsigned int p, unsigned int n)
{
	for (; n; n--, p++)
		if (__atomic_load_n(&page_of(file, p)->pins, __ATOMIC_SEQ_CST))
			return true;
	return false;
}

bool pin_locked(int file, unsigned int p, uint32_t block)
{
	struct hold h = { file, chunks_of(p, 1) };
	struct past is;
	bool there;

	hold(&h, 1);
	is = now_of(file, p);
	there = (w->file[file].named || w->file[file].users) && is.kind == DATA &&
		is.block == block;
	if (there) {
		w->file[file].pins++;
		__atomic_add_fetch(&page_of(file, p)->pins, 1, __ATOMIC_SEQ_CST);
	}
	release(&h, 1);
	return there;
}

void unpin_locked(int file, unsigned int p)
{
	w->file[file].pins--;
	__atomic_sub_fetch(&page_of(file, p)->pins, 1, __ATOMIC_SEQ_CST);
}

bool pin(int file, unsigned int p, uint32_t block)
{
	bool there;

	lock_life(file);
	there = pin_locked(file, p, block);
	unlock_life(file);
	return there;
}

void unpin(int file, unsigned int p)
{
	lock_life(file);
	unpin_locked(file, p);
	unlock_life(file);
}
