// SPDX-License-Identifier: GPL-2.0
/*
 * Whether what was seen may be seen. Whoever looks at a page notes when it began
 * and when it ended; what the page was at any moment between is right, and what
 * an event that overlaps it may do as well.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "stress.h"
#include "subject.h"

static bool overlaps(const struct past *e, uint64_t from, uint64_t to)
{
	return e->from <= to && e->to >= from;
}

/*
 * A change that is under way may have copied what was lost to another block, before
 * that was so: what was there is there until it is changed.
 */
static bool was_saved(const struct page *p, const struct past *e, const struct seen *s)
{
	for (const struct past *f = p->past; f < p->past + PAST; f++)
		if (f != e && f->kind == DATA && f->block == NONE && f->from > e->from &&
		    overlaps(f, s->from, s->to) && !lost(e->block, f->from))
			return true;
	return false;
}

static bool explains(const struct page *p, const struct past *e, const struct seen *s)
{
	switch (s->what) {
	case ENDED:
		return e->kind == AFTER_END;
	case REFUSED:
		return e->kind == DATA && (e->block == NONE || shaky_since(e->block, s->from));
	case GOT:
		return e->kind != AFTER_END &&
			(e->kind != DATA || !lost_in(e->block, s->from, s->to) ||
			 was_saved(p, e, s));
	}
	return false;
}

/* Each word, or each of its bytes, is what it was in one of these. */
static bool same_word(const struct past *const *e, int n, unsigned int i,
		      uint64_t word, bool torn)
{
	unsigned int bytes = 0;

	for (int k = 0; k < n; k++) {
		uint64_t diff = word ^ word_of(&e[k]->c, i);

		if (!diff)
			return true;
		for (int b = 0; b < 8; b++)
			if (!(diff >> 8 * b & 0xff))
				bytes |= 1 << b;
	}
	return torn && bytes == 0xff;
}

/* What it was in these ticks, for a message. */
static const char *story(const struct page *p, const struct seen *s)
{
	static const char *const kinds[] = { "behind the end", "hole", "data" };
	static char text[512];
	int at = 0;

	text[0] = 0;
	for (const struct past *e = p->past; e < p->past + PAST; e++)
		if (overlaps(e, s->from, s->to) && at < (int)sizeof(text) - 150)
			at += snprintf(text + at, sizeof(text) - at,
				" [%s block %d version %#" PRIx64 " ticks %" PRIu64
				" to %" PRIu64 ", poisoned %" PRIu64 " to %" PRIu64 "]",
				kinds[e->kind], (int)e->block, e->c.version, e->from,
				e->to,
				e->block == NONE ? 0 : w->block[e->block].begun,
				e->block == NONE ? 0 : w->block[e->block].done);
	return text;
}

/* A hole that is being filled: ext4 shows for a moment what the block held before. */
static bool is_being_filled(const struct page *p, const struct seen *s)
{
	bool hole = false, filling = false;

	if (!subject->filled_by_fault)
		return false;
	for (const struct past *e = p->past; e < p->past + PAST; e++) {
		if (!overlaps(e, s->from, s->to))
			continue;
		hole |= e->kind == HOLE;
		filling |= e->kind == DATA;
	}
	return hole && filling;
}

void judge_page(int file, unsigned int nr, const struct seen *s, const char *how)
{
	const struct past *may[PAST];
	struct page p;
	bool was_lost = false;
	int n = 0;

	copy_page(&p, page_of(file, nr));
	if (p.forgotten >= s->from) {
		COUNT(unjudged);
		return;
	}
	for (const struct past *e = p.past; e < p.past + PAST; e++) {
		if (!overlaps(e, s->from, s->to))
			continue;
		if (explains(&p, e, s))
			may[n++] = e;
		else if (e->kind == DATA && lost_in(e->block, s->from, s->to))
			was_lost = true;
	}
	if (s->what == REFUSED)
		COUNT(refused);
	if (s->what == GOT && n) {
		for (unsigned int i = 0; i < s->count; i++) {
			if (same_word(may, n, s->first + i, s->words[i], s->torn))
				continue;
			if (is_being_filled(&p, s)) {
				COUNT(unjudged);
				return;
			}
			fault(INTACT, "%s of %s page %u, ticks %" PRIu64 " to %" PRIu64
			      ": word %u is %#" PRIx64 ", not %#" PRIx64 ":%s", how,
			      name_of(file), nr, s->from, s->to, s->first + i,
			      s->words[i], word_of(&may[0]->c, s->first + i),
			      story(&p, s));
			return;
		}
	}
	if (n) {
		COUNT(pages);
		return;
	}
	if (s->what == GOT && was_lost)
		fault(SILENT, "%s of %s page %u, ticks %" PRIu64 " to %" PRIu64
		      ", which is lost:%s", how, name_of(file), nr, s->from, s->to,
		      story(&p, s));
	else
		fault(s->what == REFUSED && strcmp(how, "read") ? WRONG : INTACT,
		      "%s of %s page %u, ticks %" PRIu64 " to %" PRIu64 " %s:%s",
		      how, name_of(file), nr, s->from, s->to,
		      s->what == REFUSED ? "is refused" : s->what == ENDED ?
		      "finds the end" : "finds a page", story(&p, s));
}

struct slot *slot_at(struct proc *p, const char *addr, unsigned int *page)
{
	for (struct slot *s = p->slot; s < p->slot + SLOTS; s++) {
		if (s->file < 0 || addr < s->base || addr >= s->base + s->count * BLK)
			continue;
		*page = s->first + (addr - s->base) / BLK;
		return s;
	}
	return NULL;
}

/* Whether the page was at a block that had been poisoned, but not long ago. */
static bool was_hit(const struct page *p, uint64_t from, uint64_t to, uint64_t recent)
{
	for (const struct past *e = p->past; e < p->past + PAST; e++)
		if (overlaps(e, from, to) && e->kind == DATA &&
		    (e->block == NONE ||
		     (shaky_since(e->block, from) && !lost(e->block, recent))))
			return true;
	return false;
}

/*
 * The kernel notes who maps the page, then sends signals; in between the process may
 * have unmapped it, and mapped something else there.
 */
static bool was_for_the_gone(const struct proc *p, const char *addr)
{
	for (const struct gone *g = p->gone; g < p->gone + GONE; g++) {
		const struct slot *s = &g->slot;
		struct page page;

		if (!g->to || addr < s->base || addr >= s->base + s->count * BLK)
			continue;
		copy_page(&page, page_of(s->file, s->first + (addr - s->base) / BLK));
		if (page.forgotten >= g->from || was_hit(&page, g->from, g->to, g->from))
			return true;
	}
	return false;
}

/*
 * The same of mappings that are forgotten: some event that had begun when the last of them
 * ended was not over when this signal can have been sent.
 */
static bool may_be_for_older(const struct proc *p, const struct sig *sig)
{
	for (unsigned long b = 0; b < w->total; b++)
		if (w->block[b].begun && w->block[b].begun <= p->older_gone &&
		    !lost(b, sig->quiet))
			return true;
	return false;
}

/* Of a page of a huge one the kernel's own way tells the first page's address. */
static bool was_hit_somewhere(const struct sig *sig, const struct slot *s)
{
	struct page page;

	if (!subject->huge_whole || s->file >= BIG || sig->addr != s->base)
		return false;
	for (unsigned int p = 0; p < BIG_PAGES; p++) {
		copy_page(&page, page_of(s->file, p));
		if (page.forgotten >= sig->quiet || was_hit(&page, sig->quiet, sig->at, 0))
			return true;
	}
	return false;
}

/*
 * A signal without a touch was sent between two ticks. Its page must have been
 * at a poisoned block in between: the handler of failures looks at that with the
 * file locked, and whatever moves the page keeps the file locked, too.
 */
static void judge_signal(struct proc *p, const struct sig *sig)
{
	unsigned int nr = 0;
	struct slot *s = slot_at(p, sig->addr, &nr);
	struct seen seen = { .from = sig->quiet, .to = sig->at };
	struct page page;

	COUNT(told);
	if (sig->code != BUS_MCEERR_AO && sig->code != BUS_MCEERR_AR)
		fault(WRONG, "a signal to process %d with code %d", p->nr, sig->code);
	if (sig->code == BUS_MCEERR_AO && !p->early)
		fault(WRONG, "a signal to process %d, which wants none early", p->nr);
	if (s) {
		copy_page(&page, page_of(s->file, nr));
		if (page.forgotten >= sig->quiet) {
			COUNT(unjudged);
			return;
		}
		if (was_hit(&page, sig->quiet, sig->at, 0)) {
			if (sig->lsb != 12 && (sig->lsb != 21 || s->file >= BIG))
				fault(WRONG, "a signal to process %d with lsb %d",
				      p->nr, sig->lsb);
			return;
		}
	}
	if ((s && was_hit_somewhere(sig, s)) || was_for_the_gone(p, sig->addr))
		return;
	if (may_be_for_older(p, sig)) {
		COUNT(unjudged);
		return;
	}
	if (s)
		fault(WRONG, "a signal to process %d for %s page %u, ticks %" PRIu64
		      " to %" PRIu64 ":%s", p->nr, name_of(s->file), nr, sig->quiet,
		      sig->at, story(&page, &seen));
	else
		fault(WRONG, "a signal to process %d for %p, where it maps nothing",
		      p->nr, (void *)sig->addr);
}

void judge_signals(struct proc *p)
{
	unsigned int n = __atomic_load_n(&p->sigs, __ATOMIC_ACQUIRE);

	if (n - p->judged > SIGS) {
		fault(WRONG, "%u signals to process %d at once", n - p->judged, p->nr);
		p->judged = n;
	}
	for (; p->judged != n; p->judged++)
		judge_signal(p, &p->sig[p->judged % SIGS]);
}
