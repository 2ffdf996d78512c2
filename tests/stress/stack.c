// SPDX-License-Identifier: GPL-2.0
/*
 * The disks below ext4 and XFS. What a table of dm says is known here as well, so that it
 * is known which page frame a block of the filesystem is, and can be said in other pieces.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../selftests/common/device/dm.h"
#include "../selftests/common/device/driver.h"
#include "stack.h"
#include "stress.h"

enum {
	MIB = 256,			/* pages */
	EACH = 160 * MIB,		/* of each of two disks; XFS wants 300 MiB */
	ALL = DISKS * EACH,
	CHUNK_PAGES = 16,		/* of a stripe */
	SECTORS = 8,			/* of a page */
	TEXT = 4096,
};

#define NAME	"stress"

static const struct stack stacks[] = {
	{ .name = "pmem", .disks = 1 },
	{ .name = "linear", .disks = 2, .mapped = true },
	{ .name = "stripe", .disks = 2, .mapped = true },
};

const struct stack *stack;

/* A linear device: of both disks in turn, and not in their order. */
static const struct piece {
	int disk;
	unsigned long page, pages;
} pieces[] = {
	{ 1, 90 * MIB, 70 * MIB }, { 0, 0, 90 * MIB }, { 1, 0, 90 * MIB }, { 0, 90 * MIB, 70 * MIB },
}, whole[] = {
	{ 0, 0, ALL },
};

enum { PIECES = sizeof(pieces) / sizeof(*pieces) };

static unsigned long first_pfn[DISKS];

const char *stack_disk(int disk)
{
	static const char *const names[] = { "pmem0", "pmem1" };

	return names[disk];
}

unsigned long stack_blocks(void)
{
	return ALL;
}

static bool striped(void)
{
	return stack == &stacks[2];
}

int stack_place(uint32_t block, unsigned long *page)
{
	const struct piece *p = stack->mapped ? pieces : whole;
	unsigned long at = block, chunk = block / CHUNK_PAGES;

	if (striped()) {
		*page = chunk / DISKS * CHUNK_PAGES + block % CHUNK_PAGES;
		return chunk % DISKS;
	}
	for (; at >= p->pages; p++)
		at -= p->pages;
	*page = p->page + at;
	return p->disk;
}

uint32_t stack_block(int disk, unsigned long page)
{
	const struct piece *p = stack->mapped ? pieces : whole;
	uint32_t block = 0;

	if (striped())
		return page >= EACH ? NONE : (page / CHUNK_PAGES * DISKS + disk) * CHUNK_PAGES +
			page % CHUNK_PAGES;
	for (int i = 0; i < (stack->mapped ? PIECES : 1); i++, p++) {
		if (p->disk == disk && page >= p->page && page - p->page < p->pages)
			return block + page - p->page;
		block += p->pages;
	}
	return NONE;
}

unsigned long stack_pfn(uint32_t block)
{
	unsigned long page;
	int disk = stack_place(block, &page);

	return first_pfn[disk] + page;
}

uint32_t stack_block_of(unsigned long pfn)
{
	for (int i = 0; i < stack->disks; i++)
		if (pfn >= first_pfn[i] && pfn - first_pfn[i] < ALL)
			return stack_block(i, pfn - first_pfn[i]);
	return NONE;
}

static void __attribute__((format(printf, 2, 3))) add(char *table, const char *format, ...)
{
	size_t used = strlen(table);
	va_list ap;

	va_start(ap, format);
	vsnprintf(table + used, TEXT - used, format, ap);
	va_end(ap);
}

/* Pages [from, to) of the device, which are of one piece, or of whole stripes. */
static void add_part(char *table, unsigned long from, unsigned long to)
{
	unsigned long page;
	int disk = stack_place(from, &page);

	add(table, "%lu %lu ", from * SECTORS, (to - from) * SECTORS);
	if (striped())
		add(table, "striped %d %d /dev/pmem0 %lu /dev/pmem1 %lu\n", DISKS,
		    CHUNK_PAGES * SECTORS, page * SECTORS, page * SECTORS);
	else
		add(table, "linear /dev/%s %lu\n", stack_disk(disk), page * SECTORS);
}

/* The table, each piece of it in as many parts as chance has it. */
static void write_table(char *table, unsigned int most)
{
	unsigned long step = striped() ? DISKS * CHUNK_PAGES : 1, from = 0;
	struct piece all = { 0, 0, ALL };

	*table = 0;
	for (int i = 0; i < (striped() ? 1 : PIECES); i++) {
		unsigned long left = (striped() ? all : pieces[i]).pages;

		for (unsigned int cuts = dr_pick(most); left; cuts -= !!cuts) {
			unsigned long n = cuts ? dr_pick(left / step) * step : left;

			if (!n)
				continue;
			add_part(table, from, from + n);
			from += n;
			left -= n;
		}
	}
}

static void use(const char *dev)
{
	setenv("DAXRMAP_TEST_DEV", dev, 1);
}

int stack_make(void)
{
	const char *name = getenv("STRESS_STACK") ?: "pmem";
	char table[TEXT], dev[32];
	int r;

	for (size_t i = 0; i < sizeof(stacks) / sizeof(*stacks); i++)
		if (!strcmp(name, stacks[i].name))
			stack = &stacks[i];
	if (!stack)
		return -EINVAL;
	for (int i = stack->disks - 1; i >= 0; i--) {
		long pfn;

		snprintf(dev, sizeof(dev), "/dev/%s", stack_disk(i));
		use(dev);
		pfn = dr_pfn_of_block(0);
		if (pfn < 0)
			return pfn;
		first_pfn[i] = pfn;
	}
	if (!stack->mapped)
		return 0;
	write_table(table, 1);
	dr_dm_remove(NAME);
	r = dr_dm_make(NAME, table);
	if (!r)
		use(dr_dm_path(NAME));
	return r;
}

int stack_drop(void)
{
	return stack->mapped ? dr_dm_remove(NAME) : 0;
}

int stack_reload(void)
{
	char table[TEXT];

	write_table(table, 4);
	return dr_dm_reload(NAME, table);
}

int stack_fresh(void)
{
	int r = 0;

	for (int i = 0; i < stack->disks && !r; i++) {
		char dev[32], device[64];

		snprintf(dev, sizeof(dev), "/dev/%s", stack_disk(i));
		use(dev);
		r = dr_find_device(device, sizeof(device)) ?: dr_rebind(device);
	}
	return r;
}
