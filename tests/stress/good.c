// SPDX-License-Identifier: GPL-2.0
/*
 * Bad blocks of ext4 and XFS that are made good again. The driver's list is short, so that
 * is done after each round, while all stand still, to those that are left: a block with
 * owners is written over on the disk below; free ones are all taken once and given back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "control.h"
#include "good.h"

enum { RESERVE = 64, MANY = 120 };	/* pages, ranges */

static uint32_t reserve[RESERVE];

void make_reserve(void)
{
	int fd = dr_open("reserve", O_RDWR | O_CREAT);
	char page[BLK];

	memset(page, 1, sizeof(page));
	for (unsigned int p = 0; p < RESERVE; p++)
		if (pwrite(fd, page, BLK, p * BLK) != (ssize_t)BLK)
			fault(BOOKS, "write of the reserve: %s", strerror(errno));
	blocks_of(fd, 0, RESERVE, reserve, NULL);
	close(fd);
}

void drop_reserve(void)
{
	unlink(dr_path("reserve"));
}

unsigned long pick_reserve(void)
{
	return reserve[dr_pick(RESERVE)];
}

bool is_healed(const struct block *b)
{
	return b->healed && !b->unclear;
}

/* Its owners, all of them, have zeroes there from now on. */
static void make_good(uint32_t block)
{
	int r = rewrite_block(block);

	if (r) {
		fault(INTACT, "write to block %u of the disk: %s", block, strerror(-r));
		return;
	}
	for (int f = 0; f < FILES; f++)
		for (unsigned int p = 0; p < w->file[f].pages; p++) {
			struct past is = now_of(f, p);

			if (is.kind != DATA || is.block != block)
				continue;
			is.c = (struct content){ 0 };
			settle(page_of(f, p), expect(page_of(f, p), is), &is);
		}
	forget_events(block);
	w->guard.treated++;
}

static bool is_reserve(uint32_t block)
{
	for (int i = 0; i < RESERVE; i++)
		if (reserve[i] == block)
			return true;
	return false;
}

/* Every free block is taken once, which makes it good, and given back. */
static void use_free_blocks(void)
{
	static char zeroes[1 << 20];
	int fd = dr_open("sponge", O_RDWR | O_CREAT | O_EXCL);

	while (write(fd, zeroes, sizeof(zeroes)) > 0)
		;
	close(fd);
	if (unlink(dr_path("sponge")))
		fault(BOOKS, "unlink: %s", strerror(errno));
	sync();
	w->guard.sponges++;
}

/* What is known of a block by the driver's list. */
static void take_stock(bool rewrite)
{
	for (unsigned long b = 0; b < w->total; b++) {
		struct block *k = &w->block[b];

		if (!k->begun)
			continue;
		if (k->refs || is_reserve(b)) {
			if (is_healed(k))
				forget_events(b);
			else if (k->unclear || rewrite || dr_pick(2))
				make_good(b);
		} else if (!is_listed(b)) {
			forget_events(b);
		} else {
			k->heal = k->healed = 0;
			k->unclear = false;
		}
	}
}

void make_blocks_good(void)
{
	bool whole;
	long n = look_at_lists(&whole);

	ask_all(PING);
	take_stock(n > MANY || guard == GUARD_OFF);
	n = look_at_lists(&whole);
	if (n < MANY)
		return;
	use_free_blocks();
	look_at_lists(&whole);
	for (unsigned long b = 0; b < w->total; b++)
		if (w->block[b].begun && !w->block[b].refs && !is_reserve(b) && !is_listed(b))
			forget_events(b);
}

