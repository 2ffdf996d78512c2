// SPDX-License-Identifier: GPL-2.0
/* What pages hold: every word says which version of which page it is of. */
#define _GNU_SOURCE
#include "stress.h"

uint64_t word_of(const struct content *c, unsigned int i)
{
	if (i == WORDS - 1 && c->patch)
		return c->patch;
	if (!c->version || i >= c->cut)
		return 0;
	return (c->version + i) * 0x9e3779b97f4a7c15ull | 1;
}

void fill_page(const struct content *c, uint64_t *words)
{
	for (unsigned int i = 0; i < WORDS; i++)
		words[i] = word_of(c, i);
}

/* Versions are far enough apart that no two have a word in common. */
struct content new_content(void)
{
	uint64_t v = __atomic_add_fetch(&w->versions, 1, __ATOMIC_RELAXED);

	return (struct content){ .version = v * 1024, .cut = WORDS };
}

uint64_t new_patch(void)
{
	struct content c = new_content();

	/* Another word than any of a page. */
	c.cut++;
	return word_of(&c, WORDS);
}
