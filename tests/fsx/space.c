// SPDX-License-Identifier: GPL-2.0
/* truncate(2) and fallocate(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <linux/falloc.h>
#include "fsx.h"

enum { KEEP = FALLOC_FL_KEEP_SIZE };

static void truncate_op(void)
{
	struct file *f = any_file();
	long size = any_offset(f);
	bool by_name = dr_pick(2);
	long from = size < f->size ? size : f->size;
	long far = size > f->size ? size : f->size;

	note("truncate %s from %#lx to %#lx", f->name, f->size, size);
	if (must("truncate", by_name ? truncate(dr_path(f->name), size) : ftruncate(f->fd, size), 0))
		model_truncate(f, size);
	check_near(f, from, far - from);
}

/* Any range; true if it was done. */
static bool fill(struct file *f, int mode, const char *what, long *off, long *len)
{
	if (!any_range(f, MOST, off, len))
		return false;
	note("%s%s %s %#lx+%#lx", what, mode & KEEP ? ", keeping the size" : "", f->name, *off,
	     *len);
	return must(what, fallocate(f->fd, mode, *off, *len), 0);
}

static void allocate_op(void)
{
	struct file *f = any_file();
	int keep = dr_pick(2) ? KEEP : 0;
	long off, len;

	if (!fill(f, keep, "allocate", &off, &len))
		return;
	model_allocate(f, off, len);
	if (!keep)
		model_grow(f, off + len);
	check_near(f, off, len);
}

static void unshare_op(void)
{
	struct file *f = any_file();
	int keep = dr_pick(2) ? KEEP : 0;
	long off, len;

	if (!fill(f, FALLOC_FL_UNSHARE_RANGE | keep, "unshare", &off, &len))
		return;
	model_allocate(f, off, len);
	if (!keep)
		model_grow(f, off + len);
	check_near(f, off, len);
}

static void zero_op(void)
{
	struct file *f = any_file();
	int keep = dr_pick(2) ? KEEP : 0;
	long off, len;

	if (!fill(f, FALLOC_FL_ZERO_RANGE | keep, "zero", &off, &len))
		return;
	model_zero(f, off, len, UNWRITTEN);
	if (!keep)
		model_grow(f, off + len);
	check_near(f, off, len);
}

static void punch_op(void)
{
	struct file *f = any_file();
	long off, len;

	if (!fill(f, FALLOC_FL_PUNCH_HOLE | KEEP, "punch", &off, &len))
		return;
	model_zero(f, off, len, HOLE);
	check_near(f, off, len);
}

static void collapse_op(void)
{
	struct file *f = any_file();
	long off, len;

	if (!any_pages(f, f->size - 1, &off, &len))
		return;
	note("collapse %s %#lx+%#lx", f->name, off, len);
	if (must("collapse", fallocate(f->fd, FALLOC_FL_COLLAPSE_RANGE, off, len), 0))
		model_collapse(f, off, len);
	check_near(f, off, len);
}

static void insert_op(void)
{
	struct file *f = any_file();
	long off, len;

	if (!any_pages(f, MOST, &off, &len) || off >= f->size || !model_can_insert(f, len))
		return;
	note("insert %s %#lx+%#lx", f->name, off, len);
	if (must("insert", fallocate(f->fd, FALLOC_FL_INSERT_RANGE, off, len), 0))
		model_insert(f, off, len);
	check_near(f, off, len);
}

/* What must be refused, and change nothing. */
static void refused_op(void)
{
	struct file *f = any_file();
	bool insert = dr_pick(2);
	int mode = insert ? FALLOC_FL_INSERT_RANGE : FALLOC_FL_COLLAPSE_RANGE;
	long off, len;

	if (!any_range(f, MOST, &off, &len))
		return;
	if (dr_pick(2)) {
		off |= 1;	/* of no page's */
	} else {		/* beyond the end, or up to it */
		off = (insert ? f->size + (long)BLK - 1 : f->size) & -(long)BLK;
		len = (len + (long)BLK - 1) & -(long)BLK;
	}
	note("to refuse: %s %s %#lx+%#lx", insert ? "insert" : "collapse", f->name, off, len);
	must("what is to be refused", fallocate(f->fd, mode, off, len), -EINVAL);
	check_near(f, off < MOST ? off : MOST - 1, 1);
}

struct op space_ops[] = {
	{ "truncate", truncate_op, 50, 0 },
	{ "allocate", allocate_op, 20, 0 },
	{ "unshare", unshare_op, 10, 0 },
	{ "zero", zero_op, 30, 0 },
	{ "punch", punch_op, 40, 0 },
	{ "collapse", collapse_op, 25, 0 },
	{ "insert", insert_op, 25, 0 },
	{ "refuse", refused_op, 5, 0 },
	{ }
};
