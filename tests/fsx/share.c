// SPDX-License-Identifier: GPL-2.0
/* Blocks that are shared: clones, dedupe, copies. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include "fsx.h"

static long up(long off)
{
	return (off + (long)BLK - 1) & -(long)BLK;
}

static bool overlap(const struct file *f, long off, const struct file *g, long at, long len)
{
	return f == g && off < at + len && at < off + len;
}

/* A range of g, and where in f it goes; up to the last byte of g at times. */
static bool any_two(struct file *f, struct file *g, long *off, long *at, long *len)
{
	if (!any_pages(g, up(g->size), at, len))
		return false;
	*off = any_offset(f) & -(long)BLK;
	if (*at + *len > g->size)
		*len = g->size - *at;
	if (*off + up(*len) > MOST)
		*off = MOST - up(*len);
	return *off >= 0 && !overlap(f, *off, g, *at, up(*len));
}

static void clone_op(void)
{
	struct file *f = any_file(), *g = any_file();
	struct file_clone_range r = { .src_fd = g->fd };
	long off, at, len, ret;

	if (!any_two(f, g, &off, &at, &len))
		return;
	r.src_offset = at;
	r.src_length = at + len == g->size && dr_pick(2) ? 0 : len;	/* 0: to the end */
	r.dest_offset = off;
	note("clone %s %#lx+%#lx to %s %#lx", g->name, at, len, f->name, off);
	ret = ioctl(f->fd, FICLONERANGE, &r);
	/* The last, partial block only becomes another's last. */
	if (len % (long)BLK && off + len < f->size)
		must("clone of a part of a block", ret, -EINVAL);
	else if (must("clone", ret, 0))
		model_clone(f, off, g, at, len);
	check_near(f, off, len);
	check_near(g, at, len);
}

/* All of it, whatever was there. */
static void clone_file(void)
{
	struct file *f = any_file(), *g = other(f);

	note("clone %s, all of it, to %s", g->name, f->name);
	must("truncate", ftruncate(f->fd, 0), 0);
	model_truncate(f, 0);
	if (must("clone", ioctl(f->fd, FICLONE, g->fd), 0))
		model_clone(f, 0, g, 0, g->size);
	check_near(f, 0, f->size);
}

static void refused_op(void)
{
	struct file *f = any_file(), *g = any_file();
	struct file_clone_range r = { .src_fd = g->fd };
	long off, at, len;

	if (!any_two(f, g, &off, &at, &len))
		return;
	switch (dr_pick(4)) {
	case 0:
		off++;
		break;
	case 1:
		at++;
		break;
	case 2:			/* more than there is */
		len = g->size - at + 1 + dr_pick(BLK);
		break;
	default:		/* onto itself */
		f = g;
		off = at;
		break;
	}
	r.src_fd = g->fd;
	r.src_offset = at;
	r.src_length = len;
	r.dest_offset = off;
	note("to refuse: clone %s %#lx+%#lx to %s %#lx", g->name, at, len, f->name, off);
	must("what is to be refused", ioctl(f->fd, FICLONERANGE, &r), -EINVAL);
	check_near(f, off < MOST ? off : MOST - 1, 1);
}

/* What FIDEDUPERANGE compares and shares: of a last, partial block nothing, unless it is of both. */
static long deduped(const struct file *f, long off, const struct file *g, long at, long len)
{
	return at + len == g->size && off + len == f->size ? len : len & -(long)BLK;
}

/*
 * Two ranges that are equal, for XFS with DAX: no page of zeroes may be a hole in one of them and not
 * in the other, or unwritten (fs/dax.c compares what is below). Not what ioctl_fideduperange(2) says.
 */
static bool may_differ(const struct file *f, long off, long len)
{
	static const unsigned char zeroes[BLK];

	for (long at = 0; at < len; at += BLK)
		if (!memcmp(f->bytes + off + at, zeroes, len - at < (long)BLK ? len - at : (long)BLK))
			return dr_xfs();
	return false;
}

static void dedupe_op(void)
{
	struct file *f = any_file(), *g = any_file();
	union {
		struct file_dedupe_range r;
		char room[sizeof(struct file_dedupe_range) +
			sizeof(struct file_dedupe_range_info)];
	} q = { 0 };
	struct file_dedupe_range_info *info = q.r.info;
	long off, at, len, n, ret;
	int want;

	if (!any_two(f, g, &off, &at, &len))
		return;
	if (dr_pick(4)) {	/* the same bytes, but for one perhaps */
		note("write %s %#lx+%#lx of %s %#lx", f->name, off, len, g->name, at);
		if (!must("write", pwrite(f->fd, g->bytes + at, len, off), len))
			return;
		model_write(f, off, len, g->bytes + at);
		if (!dr_pick(4)) {
			long odd = off + dr_pick(len);
			unsigned char byte = f->bytes[odd] + 1;

			note("store %s %#lx+1", f->name, odd);
			if (store_all(f, f->map + odd, &byte, 1))
				model_store(f, odd, 1, &byte);
		}
	}
	q.r.src_offset = at;
	q.r.src_length = len;
	q.r.dest_count = 1;
	info->dest_fd = f->fd;
	info->dest_offset = off;
	n = deduped(f, off, g, at, len);
	if (off + len > f->size)
		want = -EINVAL;
	else
		want = memcmp(f->bytes + off, g->bytes + at, n) ? FILE_DEDUPE_RANGE_DIFFERS :
			FILE_DEDUPE_RANGE_SAME;
	note("dedupe %s %#lx+%#lx to %s %#lx: should be %d", g->name, at, len, f->name, off, want);
	ret = ioctl(g->fd, FIDEDUPERANGE, &q);
	if (!ret && info->status == FILE_DEDUPE_RANGE_DIFFERS && may_differ(f, off, n))
		want = info->status;
	if (must("FIDEDUPERANGE", ret, 0) && must("dedupe", info->status, want) && !want)
		model_clone(f, off, g, at, n);
	check_near(f, off, len < MOST - off ? len : MOST - off);
	check_near(g, at, len);
}

static void copy_op(void)
{
	struct file *f = any_file(), *g = any_file();
	loff_t from, to;
	long off, at, len, n;

	if (dr_pick(2)) {
		if (!any_two(f, g, &off, &at, &len))
			return;
	} else {
		if (!any_range(g, g->size, &at, &len))
			return;
		off = any_offset(f);
		if (off + len > MOST)
			off = MOST - len;
		if (overlap(f, off, g, at, len))
			return;
	}
	from = at;
	to = off;
	note("copy %s %#lx+%#lx to %s %#lx", g->name, at, len, f->name, off);
	n = copy_file_range(g->fd, &from, f->fd, &to, len, 0);
	if (n <= 0 || n > len || from != at + n || to != off + n) {
		must("copy_file_range", n, len);
		return;
	}
	/* It shares blocks where it can, holes too. */
	model_write(f, off, n, g->bytes + at);
	model_pages(f, off, n, EITHER);
	check_near(f, off, n);
	check_near(g, at, n);
}

struct op share_ops[] = {
	{ "clone a range", clone_op, 60, 0 },
	{ "clone a file", clone_file, 5, 0 },
	{ "refuse to clone", refused_op, 5, 0 },
	{ "dedupe", dedupe_op, 30, 0 },
	{ "copy", copy_op, 30, 0 },
	{ }
};
