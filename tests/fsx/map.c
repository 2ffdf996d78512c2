// SPDX-License-Identifier: GPL-2.0
/* Loads and stores, through mmap. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "fsx.h"

enum { RW = PROT_READ | PROT_WRITE };

/* A mapping of its own for a range; unmapped by its caller. */
static char *map_new(struct file *f, long off, long len, int flags, long *start)
{
	char *p;

	*start = off & -(long)BLK;
	p = mmap(NULL, off + len - *start, RW, flags, f->fd, *start);
	if (p == MAP_FAILED) {
		fault(CALLS, "mmap: %s", strerror(errno));
		return NULL;
	}
	return p;
}

/* Bytes behind the end of the file, in its last page: nobody must ever see them. */
static void store_behind(void)
{
	struct file *f = any_file();
	long junk = -f->size & ((long)BLK - 1), last = f->size - 1;
	unsigned char byte[BLK];

	if (!junk)
		return;
	memset(byte, 0xee, sizeof(byte));
	note("store behind the end of %s, %#lx+%#lx", f->name, f->size, junk);
	if (store_all(f, f->map + f->size, byte, junk))
		model_store(f, last, 1, f->bytes + last);
	check_near(f, last, 1);
}

static void store_op(void)
{
	struct file *f = any_file();
	long off, len;
	unsigned char *buf;

	if (!any_range(f, f->size, &off, &len))
		return;
	buf = any_bytes(len);
	note("store %s %#lx+%#lx", f->name, off, len);
	if (store_all(f, f->map + off, buf, len))
		model_store(f, off, len, buf);
	check_near(f, off, len);
}

static void map_and_store(void)
{
	struct file *f = any_file();
	bool sync = dr_pick(2) && !dr_xfs();
	long off, len, start;
	unsigned char *buf;
	char *p;

	if (!any_range(f, f->size, &off, &len))
		return;
	buf = any_bytes(len);
	note("mmap and store %s %#lx+%#lx%s", f->name, off, len, sync ? ", MAP_SYNC" : "");
	p = map_new(f, off, len, sync ? MAP_SHARED_VALIDATE | MAP_SYNC : MAP_SHARED, &start);
	if (!p)
		return;
	if (store_all(f, p + off - start, buf, len))
		model_store(f, off, len, buf);
	if (!sync)
		must("msync", msync(p, off + len - start, dr_pick(2) ? MS_SYNC : MS_ASYNC), 0);
	munmap(p, off + len - start);
	check_near(f, off, len);
}

/* Private: what is stored is nobody else's. */
static void store_privately(void)
{
	struct file *f = any_file();
	long off, len, start;
	char *p;

	if (!any_range(f, f->size, &off, &len))
		return;
	note("store privately %s %#lx+%#lx", f->name, off, len);
	p = map_new(f, off, len, MAP_PRIVATE, &start);
	if (!p)
		return;
	store_all(f, p + off - start, any_bytes(len), len);
	munmap(p, off + len - start);
	check_near(f, off, len);
}

static void map_and_load(void)
{
	static unsigned char got[PAGES * BLK];
	struct file *f = any_file();
	long off, len, start;
	char *p;

	if (!any_range(f, f->size, &off, &len))
		return;
	note("mmap and load %s %#lx+%#lx", f->name, off, len);
	p = map_new(f, off, len, dr_pick(2) ? MAP_SHARED : MAP_PRIVATE, &start);
	if (!p)
		return;
	if (load_all(f, p + off - start, got, len) && memcmp(got, f->bytes + off, len))
		fault(BYTES, "%s: a new mapping of %#lx+%#lx has other bytes", f->name, off, len);
	munmap(p, off + len - start);
	check_near(f, off, len);
}

struct op map_ops[] = {
	{ "store", store_op, 60, 0 },
	{ "store behind", store_behind, 40, 0 },
	{ "map and store", map_and_store, 40, 0 },
	{ "store privately", store_privately, 5, 0 },
	{ "map and load", map_and_load, 15, 0 },
	{ }
};
