// SPDX-License-Identifier: GPL-2.0
/* What a worker's directory must hold. */
#include <errno.h>
#include <string.h>
#include "model.h"

static uint64_t mix(uint64_t x)
{
	/* splitmix64 */
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

uint64_t word_of(uint64_t stamp, unsigned int i)
{
	return stamp ? mix(stamp * 64 + i) : 0;
}

uint64_t stamp_of(const struct model *m, const struct op *op, unsigned int sector)
{
	return (uint64_t)(m->worker + 1) << 48 | (op->n + 1) << 8 | sector;
}

void model_init(struct model *m, uint64_t seed, int worker)
{
	memset(m, 0, sizeof(*m));
	m->seed = seed;
	m->worker = worker;
	for (int i = 0; i < SLOTS; i++)
		m->slot[i] = -1;
}

bool page_is_bad(const struct model *m, const struct file *f, unsigned int page)
{
	return m->block[f->block[page]].bad && !f->unwritten[page];
}

unsigned int model_used(const struct model *m)
{
	unsigned int n = 0;

	for (int i = 1; i < BLOCKS; i++)
		n += m->block[i].refs || m->block[i].bad;
	return n;
}

unsigned int model_lost(const struct model *m)
{
	unsigned int n = 0;

	for (int i = 0; i < SLOTS; i++)
		for (int p = 0; p < PAGES; p++)
			n += page_is_bad(m, &m->file[i], p);
	return n;
}

static void drop_page(struct model *m, struct file *f, unsigned int page)
{
	if (f->block[page])
		m->block[f->block[page]].refs--;
	f->block[page] = 0;
	f->unwritten[page] = false;
	memset(&f->stamp[page * PER_PAGE], 0, PER_PAGE * sizeof(*f->stamp));
}

/* A block of this file alone, and good, that is written to. What it holds stays. */
static void own_page(struct model *m, struct file *f, unsigned int page)
{
	int old = f->block[page];

	f->unwritten[page] = false;
	if (old && m->block[old].refs == 1 && !m->block[old].bad)
		return;
	if (old)
		m->block[old].refs--;
	for (int i = 1; i < BLOCKS; i++) {
		if (!m->block[i].refs && !m->block[i].bad) {
			m->block[i].refs = 1;
			f->block[page] = i;
			return;
		}
	}
}

/* The same, and nothing is written there. */
static void own_unwritten(struct model *m, struct file *f, unsigned int page)
{
	own_page(m, f, page);
	f->unwritten[page] = true;
}

static void share_page(struct model *m, const struct file *from, unsigned int page,
		       struct file *to, unsigned int at)
{
	drop_page(m, to, at);
	if (from->unwritten[page])
		return;
	to->block[at] = from->block[page];
	if (to->block[at])
		m->block[to->block[at]].refs++;
	memcpy(&to->stamp[at * PER_PAGE], &from->stamp[page * PER_PAGE],
	       PER_PAGE * sizeof(*to->stamp));
}

static void remove_file(struct model *m, int slot)
{
	struct file *f = &m->file[m->slot[slot]];

	m->slot[slot] = -1;
	f->exists = false;
	for (int i = 0; i < PAGES; i++)
		drop_page(m, f, i);
	f->size = 0;
}

static void grow(struct file *f, unsigned int size)
{
	if (size > f->size)
		f->size = size;
}

/* The end moves from `end`, or to there: the rest of that page is zeroed. */
static void zero_tail(struct model *m, struct file *f, unsigned int end)
{
	unsigned int page = end / PER_PAGE;

	if (end % PER_PAGE && f->block[page] && !f->unwritten[page] && !page_is_bad(m, f, page))
		own_page(m, f, page);
}

void model_apply(struct model *m, const struct op *op)
{
	int i = op->a < 0 ? -1 : m->slot[op->a];
	struct file *f = i < 0 ? NULL : &m->file[i];
	unsigned int first = op->from / PER_PAGE, end = pages_of(op->from + op->len);

	switch (op->kind) {
	case CREATE:
		for (i = 0; m->file[i].exists; i++)
			;
		m->file[i].exists = true;
		m->slot[op->a] = i;
		break;
	case WRITE:
	case STORE:
		if (op->from > f->size)
			zero_tail(m, f, f->size);
		for (unsigned int p = first; p < end; p++)
			own_page(m, f, p);
		for (unsigned int s = op->from; s < op->from + op->len; s++)
			f->stamp[s] = stamp_of(m, op, s);
		grow(f, op->from + op->len);
		break;
	case CLONE:
	case CLONE_ALL: {
		struct file *to = &m->file[m->slot[op->b]];

		if (op->to > to->size)
			zero_tail(m, to, to->size);
		for (unsigned int p = first; p < end; p++)
			share_page(m, f, p, to, op->to / PER_PAGE + p - first);
		grow(to, op->to + op->len);
		break;
	}
	case RENAME:
		if (m->slot[op->b] >= 0)
			remove_file(m, op->b);
		m->slot[op->b] = i;
		m->slot[op->a] = -1;
		break;
	case EXCHANGE:
		m->slot[op->a] = m->slot[op->b];
		m->slot[op->b] = i;
		break;
	case UNLINK:
		remove_file(m, op->a);
		break;
	case TRUNCATE:
		zero_tail(m, f, op->to < f->size ? op->to : f->size);
		if (op->to < f->size) {
			for (int p = pages_of(op->to); p < PAGES; p++)
				drop_page(m, f, p);
			for (int s = op->to; s < SECTORS; s++)
				f->stamp[s] = 0;
		}
		f->size = op->to;
		break;
	case PUNCH:
		for (unsigned int p = first; p < end; p++)
			drop_page(m, f, p);
		break;
	case ZERO:
		for (unsigned int p = first; p < end; p++)
			own_unwritten(m, f, p);
		for (unsigned int s = op->from; s < op->from + op->len; s++)
			f->stamp[s] = 0;
		break;
	case ALLOCATE:
		if (!op->flag && op->from + op->len > f->size)
			zero_tail(m, f, f->size);
		for (unsigned int p = first; p < end; p++)
			if (!f->block[p] || f->unwritten[p])
				own_unwritten(m, f, p);
		if (!op->flag)
			grow(f, op->from + op->len);
		break;
	case POISON:
	case NOTIFY:
		m->block[f->block[first]].bad = true;
		m->bad++;
		break;
	case MAKE_DIR:
		m->dir = true;
		break;
	case REMOVE_DIR:
		m->dir = false;
		break;
	}
}

bool op_is_atomic(const struct op *op)
{
	switch (op->kind) {
	case WRITE:
	case STORE:
	case ZERO:
	case ALLOCATE:
	case TRUNCATE:	/* but for the bytes behind the end in its last page */
		return false;
	default:
		return true;
	}
}

const char *op_name(const struct op *op)
{
	static const char *const name[] = {
		"create", "write", "store", "clone", "clone all", "rename", "exchange",
		"unlink", "truncate", "punch", "zero", "allocate", "poison", "notify", "mkdir", "rmdir",
	};

	return name[op->kind];
}

/* Numbers of one operation. */
struct dice {
	uint64_t state;
};

static unsigned int roll(struct dice *d, unsigned int sides)
{
	d->state = mix(d->state);
	return (d->state >> 32) % sides;
}

/* A name that is taken (or not); -1 if there is none. */
static int a_slot(const struct model *m, struct dice *d, bool taken)
{
	int start = roll(d, SLOTS);

	for (int i = 0; i < SLOTS; i++) {
		int s = (start + i) % SLOTS;

		if ((m->slot[s] >= 0) == taken)
			return s;
	}
	return -1;
}

static bool any_bad(const struct model *m, const struct file *f, unsigned int from,
		    unsigned int len)
{
	for (unsigned int p = from / PER_PAGE; p < pages_of(from + len); p++)
		if (page_is_bad(m, f, p))
			return true;
	return false;
}

static void to_pages(struct op *op)
{
	unsigned int end = pages_of(op->from + op->len) * PER_PAGE;

	op->from -= op->from % PER_PAGE;
	op->len = end - op->from;
}

/* What can always be done with a file. */
static void choose_write(const struct model *m, struct dice *d, struct op *op)
{
	const struct file *f = &m->file[m->slot[op->a]];

	op->kind = WRITE;
	op->from = roll(d, f->size + PER_PAGE < SECTORS ? f->size + PER_PAGE : SECTORS);
	op->len = 1 + roll(d, roll(d, 2) ? 8 : 64);
	if (op->from + op->len > SECTORS)
		op->len = SECTORS - op->from;
	/* A bad block can only be written as a whole. */
	if (any_bad(m, f, op->from, op->len))
		to_pages(op);
}

static bool choose_clone(const struct model *m, struct dice *d, struct op *op)
{
	const struct file *f = &m->file[m->slot[op->a]], *to;

	op->b = a_slot(m, d, true);
	to = &m->file[m->slot[op->b]];
	if (to == f || !f->size)
		return false;
	if (to->size <= f->size && roll(d, 2)) {
		op->kind = CLONE_ALL;
		op->len = f->size;
	} else {
		unsigned int pages = f->size / PER_PAGE;

		if (!pages)
			return false;
		op->kind = CLONE;
		op->from = roll(d, pages);
		op->len = 1 + roll(d, pages - op->from);
		op->to = roll(d, PAGES - op->len + 1) * PER_PAGE;
		op->from *= PER_PAGE;
		op->len *= PER_PAGE;
	}
	if (any_bad(m, f, op->from, op->len))
		op->error = EIO;
	return true;
}

static bool choose_poison(const struct model *m, struct dice *d, struct op *op)
{
	const struct file *f = &m->file[m->slot[op->a]];
	unsigned int page;

	if (!f->size || m->bad == BAD_MAX)
		return false;
	page = roll(d, pages_of(f->size));
	if (!f->block[page] || m->block[f->block[page]].bad)
		return false;
	/* Nobody can map what is unwritten. */
	op->kind = roll(d, 2) && !f->unwritten[page] ? POISON : NOTIFY;
	op->from = page * PER_PAGE;
	op->len = PER_PAGE;
	return true;
}

static bool choose_range(const struct model *m, struct dice *d, struct op *op)
{
	static const enum kind kinds[] = { PUNCH, ZERO, ALLOCATE };
	const struct file *f = &m->file[m->slot[op->a]];
	unsigned int pages = PAGES;

	op->kind = kinds[roll(d, 3)];
	op->flag = roll(d, 2);
	if (op->kind == ZERO)
		pages = pages_of(f->size);
	if (!pages)
		return false;
	op->from = roll(d, pages);
	op->len = (1 + roll(d, pages - op->from)) * PER_PAGE;
	op->from *= PER_PAGE;
	return true;
}

/* Some operation of two names, or of one. */
static bool choose_name(const struct model *m, struct dice *d, struct op *op)
{
	switch (roll(d, 5)) {
	case 0:
	case 1:
		op->kind = RENAME;
		op->b = roll(d, SLOTS);
		return op->b != op->a;
	case 2:
		op->kind = EXCHANGE;
		op->b = a_slot(m, d, true);
		/* Else one cannot see whether it has happened. */
		return m->file[m->slot[op->a]].size != m->file[m->slot[op->b]].size;
	case 3:
		op->kind = UNLINK;
		op->flag = roll(d, 2);
		return true;
	default:
		op->kind = m->dir ? REMOVE_DIR : MAKE_DIR;
		return true;
	}
}

void op_choose(const struct model *m, uint64_t n, struct op *op)
{
	struct dice d = { mix(mix(m->seed + m->worker) + n) };
	unsigned int what = roll(&d, 100);
	const struct file *f;
	bool found = true;

	*op = (struct op) { .n = n, .a = a_slot(m, &d, true), .b = -1 };
	if (op->a < 0 || what < 10) {
		op->a = a_slot(m, &d, false);
		op->kind = CREATE;
		if (op->a >= 0)
			return;
		op->a = a_slot(m, &d, true);
		op->kind = UNLINK;
		return;
	}
	f = &m->file[m->slot[op->a]];
	if (what < 30) {
		found = choose_clone(m, &d, op);
	} else if (what < 45) {
		found = choose_name(m, &d, op);
	} else if (what < 55) {
		op->kind = TRUNCATE;
		op->to = roll(&d, SECTORS + 1);
		found = op->to != f->size;
	} else if (what < 65) {
		found = choose_range(m, &d, op);
	} else if (what < 66) {
		found = choose_poison(m, &d, op);
	} else if (what < 83 && f->size) {
		op->kind = STORE;
		op->flag = roll(&d, 2);
		op->from = roll(&d, f->size);
		op->len = 1 + roll(&d, f->size - op->from < 64 ? f->size - op->from : 64);
		found = !any_bad(m, f, op->from, op->len);
	} else {
		found = false;
	}
	if (!found) {
		*op = (struct op) { .n = n, .a = op->a, .b = -1 };
		choose_write(m, &d, op);
	}
}
