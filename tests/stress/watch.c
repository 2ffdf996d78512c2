// SPDX-License-Identifier: GPL-2.0
/*
 * Three kinds of events in a storm that need watchers: three processes, all with early
 * kill, that map what they are told to. Everything else goes on meanwhile.
 *
 * Watched: up to three owners of a block are locked, and a watcher has touched
 * each of them. Other owners of the block may come, and go; the three must be told.
 *
 * Moved: the handler of failures has found an owner, and pauses. Meanwhile the
 * file gets another block there, and the watcher touches that: it must not be told
 * any more. If the pause is over too early, nothing is tested, and nothing fails.
 *
 * Gone: the kernel has noted who maps the page, and prints a line, slowly, before it
 * sends the signal. Meanwhile the watcher maps a good page there, again and again: the
 * signal is for a mapping of long ago. If the signal comes too early, nothing is tested,
 * and nothing fails.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>
#include "stress.h"
#include "subject.h"

enum { PAUSE = 30, SLOW = 100, AGAIN = 8 };		/* ms, ms, times */

struct watched {
	int file;
	unsigned int page;
};

/* Owners of a block among the small files, in order. */
static int find_owners(uint32_t block, struct watched *o)
{
	int n = 0;

	for (int f = BIG; f < FILES; f++)
		for (unsigned int p = 0; p < PAGES; p++) {
			struct past is = now_of(f, p);

			if (is.kind != DATA || is.block != block)
				continue;
			o[n] = (struct watched){ f, p };
			if (++n == WATCHERS)
				return n;
		}
	return n;
}

/* Their names stay, and their pages. */
static int lock_owners(const struct watched *o, int n, struct hold *h)
{
	int files = 0;

	for (int i = 0; i < n; i++) {
		if (!files || h[files - 1].file != o[i].file)
			h[files++] = (struct hold){ o[i].file, 0 };
		h[files - 1].chunks |= subject->whole_file ? ~0ull : chunks_of(o[i].page, 1);
	}
	for (int i = 0; i < files; i++)
		lock_life(h[i].file);
	hold(h, files);
	return files;
}

static bool was_told(const struct proc *p, unsigned int since)
{
	for (unsigned int i = since; i != p->sigs; i++) {
		const struct sig *s = &p->sig[i % SIGS];

		if (s->code == BUS_MCEERR_AO && s->addr == p->slot[0].base)
			return true;
	}
	return false;
}

static void poison_watched(uint32_t block, const struct watched *o, int n)
{
	unsigned int since[WATCHERS];
	int watching = 0;

	for (int i = 0; i < n; i++) {
		struct past is = now_of(o[i].file, o[i].page);
		struct proc *p = &w->proc[WORKERS + watching];
		long r;

		if (!w->file[o[i].file].named || is.kind != DATA || is.block != block)
			continue;
		r = ask(p, (struct command){ .order = WATCH, .file = o[i].file,
			.page = o[i].page });
		if (!r)
			since[watching++] = p->sigs;
		else if (r != -EFAULT)
			fault(INTACT, "open or mmap of %s: error %ld",
			      name_of(o[i].file), -r);
		else
			ask(p, (struct command){ .order = UNWATCH });
	}
	if (watching)
		COUNT(watched);
	inject(&block, 1, dr_pick(2));
	for (int i = 0; i < watching; i++) {
		struct proc *p = &w->proc[WORKERS + i];
		struct slot *s = &p->slot[0];

		ask(p, (struct command){ .order = PING });
		/* Another event of the same block may have unmapped it first. */
		if (!was_told(p, since[i]) && w->block[block].events == 1)
			fault(MISSED, "block %u: an owner, %s page %u, mapped by process %d",
			      block, name_of(s->file), s->first, p->nr);
		ask(p, (struct command){ .order = TOUCH, .page = s->first });
		ask(p, (struct command){ .order = UNWATCH });
	}
}

void watched_event(void)
{
	struct watched o[WATCHERS];
	struct hold h[WATCHERS];
	struct past is;
	unsigned int p;
	int n, files, f = pick_data(&p, &is);

	if (f < BIG || poisoned_once(is.block) || !take_event())
		return;
	n = find_owners(is.block, o);
	files = lock_owners(o, n, h);
	poison_watched(is.block, o, n);
	release(h, files);
	for (int i = 0; i < files; i++)
		unlock_life(h[i].file);
}

static long ask_watcher(int i, enum order order, int file, unsigned int page)
{
	return ask(&w->proc[WORKERS + i], (struct command){ .order = order,
		.file = file, .page = page });
}

void moved_event(void)
{
	struct proc *injector = &w->proc[WORKERS + 2];
	struct past is;
	unsigned int p;
	int f = pick_data(&p, &is);

	if (f < BIG || shaky(is.block))
		return;
	lock_life(f);		/* its name stays */
	if (w->file[f].named && take_event()) {
		COUNT(moved);
		ask_watcher(0, WATCH, f, p);
		ask_watcher(1, WATCH, f, p);
		dr_notify_delay(PAUSE);
		tell(injector, (struct command){ .order = INJECT, .page = is.block });
		usleep(PAUSE * 1000 / 10);
		ask_watcher(1, CHANGE, f, p);
		ask_watcher(0, TOUCH, f, p);
		answer(injector);
		dr_notify_delay(0);
		ask_watcher(0, UNWATCH, f, p);
		ask_watcher(1, UNWATCH, f, p);
	}
	unlock_life(f);
}

static void set_printk_delay(int ms)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", ms);
	dr_put("/proc/sys/kernel/printk_delay", text);
}

/* Whether the kernel has taken the page from the watcher: it signals next. */
static bool is_taken(const struct proc *p, const char *addr)
{
	for (int i = 0; i < 1000; i++) {
		if (present_pfn(p, addr) < 0)
			return true;
		usleep(1000);
	}
	return false;
}

/* The watcher has mapped f's page p; g is good. */
static void poison_gone(uint32_t block, int f, unsigned int p, int g, unsigned int q)
{
	struct proc *injector = &w->proc[WORKERS + 2];
	struct proc *watcher = &w->proc[WORKERS];

	if (ask_watcher(0, WATCH, f, p)) {
		ask_watcher(0, UNWATCH, f, p);
		return;
	}
	COUNT(gone);
	set_printk_delay(SLOW);
	tell(injector, (struct command){ .order = INJECT, .page = block });
	if (is_taken(watcher, watcher->slot[0].base))
		for (int i = 0; i < AGAIN; i++) {
			ask_watcher(0, UNWATCH, g, q);
			ask_watcher(0, WATCH, g, q);
		}
	answer(injector);
	set_printk_delay(0);
	ask_watcher(0, UNWATCH, g, q);
}

void gone_event(void)
{
	struct past is, good;
	unsigned int p, q;
	int f = pick_data(&p, &is), g = pick_data(&q, &good);

	if (f < BIG || g < BIG || f == g || poisoned_once(is.block) || is.block == good.block)
		return;
	/* Their names stay. */
	lock_life(f < g ? f : g);
	lock_life(f < g ? g : f);
	if (w->file[f].named && w->file[g].named &&
	    (!subject->heals || pin_locked(f, p, is.block))) {
		if (take_event())
			poison_gone(is.block, f, p, g, q);
		if (subject->heals)
			unpin_locked(f, p);
	}
	unlock_life(f);
	unlock_life(g);
}
