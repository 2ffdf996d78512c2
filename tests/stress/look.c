// SPDX-License-Identifier: GPL-2.0
/* Looking at pages, through mmap and read(2), without any lock. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "stress.h"

static uint64_t words[WORDS];

/* One word of a page that the slot maps. */
void look_at(struct slot *s, unsigned int p)
{
	struct seen seen = { .words = words, .first = dr_pick(WORDS), .count = 1 };
	const char *at = s->base + (p - s->first) * BLK + seen.first * 8;
	struct sig sig;

	COUNT(touches);
	seen.from = tick();
	sig = load_word(at, words);
	seen.to = tick();
	if (!sig.code)
		seen.what = GOT;
	else
		seen.what = is_refusal(&sig, at, "touch") ? REFUSED : ENDED;
	judge_page(s->file, p, &seen, "touch");
}

/* A whole page by read(2). */
void read_at(int file, int fd, unsigned int p)
{
	struct seen seen = { .words = words, .count = WORDS, .torn = true };
	ssize_t r;

	COUNT(reads);
	seen.from = tick();
	r = pread(fd, words, BLK, p * BLK);
	seen.to = tick();
	if (r == (ssize_t)BLK)
		seen.what = GOT;
	else if (r >= 0)
		seen.what = ENDED;
	else if (errno == EIO)
		seen.what = REFUSED;
	else {
		fault(INTACT, "read of %s page %u: %s", name_of(file), p,
		      strerror(errno));
		return;
	}
	judge_page(file, p, &seen, "read");
}

void look_somewhere(struct slot *s)
{
	unsigned int p = s->first + dr_pick(s->count);

	for (int n = 1 + dr_pick(8); n && p < s->first + s->count; n--, p++)
		if (dr_pick(4))
			look_at(s, p);
		else
			read_at(s->file, s->fd, p);
}

void look_everywhere(void)
{
	for (struct slot *s = me->slot; s < me->slot + SLOTS; s++)
		for (unsigned int p = 0; s->file >= 0 && p < s->count; p++)
			look_at(s, s->first + p);
}
