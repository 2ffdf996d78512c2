// SPDX-License-Identifier: GPL-2.0
/* read(2), write(2) and their relatives. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "fsx.h"

/* Of what a write may be of: plain, in pieces, of few calls. */
static long write_out(int fd, const unsigned char *buf, long off, long len, int flags)
{
	long cut = dr_pick(len + 1);
	struct iovec v[] = {
		{ (void *)buf, cut },
		{ (void *)(buf + cut), len - cut },
	};

	if (!flags && dr_pick(2))
		return pwrite(fd, buf, len, off);
	return pwritev2(fd, v, 2, off, flags);
}

static void write_op(void)
{
	struct file *f = any_file();
	bool direct = !dr_pick(3);
	long off, len;
	unsigned char *buf;
	int flags = dr_pick(4) ? 0 : RWF_DSYNC;

	if (!any_range(f, MOST, &off, &len))
		return;
	buf = any_bytes(len);
	note("write %s %#lx+%#lx%s", f->name, off, len, direct ? ", O_DIRECT" : "");
	if (must("write", write_out(direct ? f->direct : f->fd, buf, off, len, flags), len))
		model_write(f, off, len, buf);
	check_near(f, off, len);
}

static void append_op(void)
{
	struct file *f = any_file();
	long off, len, size = f->size;
	unsigned char *buf;

	if (!any_range(f, MOST - size, &off, &len))
		return;
	buf = any_bytes(len);
	note("append to %s %#lx+%#lx", f->name, size, len);
	if (must("append", write_out(f->fd, buf, off, len, RWF_APPEND), len))
		model_write(f, size, len, buf);
	check_near(f, size, len);
}

static void read_op(void)
{
	struct file *f = any_file();
	long off, len, want;

	if (!any_range(f, MOST, &off, &len))
		return;
	want = off >= f->size ? 0 : len < f->size - off ? len : f->size - off;
	note("read %s %#lx+%#lx", f->name, off, len);
	if (want < len)		/* nothing is read from behind the end */
		must("read across the end", pread(f->fd, any_bytes(len), len, off), want);
	check_near(f, off, want);
}

/* The buffer is a mapping of the other file, or of another part of this. */
static struct file *any_mapping(struct file *f, long off, long len, long *at, char **buf)
{
	struct file *g = any_file();
	long n;

	if (!any_range(g, g->size, at, &n))
		return NULL;
	if (*at + len > g->size)
		*at = g->size - len;
	if (*at < 0 || (f == g && off < *at + len && *at < off + len))
		return NULL;
	*buf = g->map + *at;
	return g;
}

static void write_from_mapping(void)
{
	struct file *f = any_file(), *g;
	long off, len, at;
	char *buf;

	if (!any_range(f, MOST, &off, &len))
		return;
	g = any_mapping(f, off, len, &at, &buf);
	if (!g)
		return;
	note("write %s %#lx+%#lx from the mapping of %s %#lx", f->name, off, len, g->name, at);
	if (must("write", pwrite(f->fd, buf, len, off), len))
		model_write(f, off, len, g->bytes + at);
	check_near(f, off, len);
	check_near(g, at, len);
}

static void read_into_mapping(void)
{
	struct file *f = any_file(), *g;
	long off, len, at;
	char *buf;

	if (!any_range(f, f->size, &off, &len))
		return;
	g = any_mapping(f, off, len, &at, &buf);
	if (!g)
		return;
	note("read %s %#lx+%#lx into the mapping of %s %#lx", f->name, off, len, g->name, at);
	if (must("read", pread(dr_pick(2) ? f->fd : f->direct, buf, len, off), len))
		model_store(g, at, len, f->bytes + off);
	check_near(g, at, len);
	check_near(f, off, len);
}

struct op data_ops[] = {
	{ "write", write_op, 100, 0 },
	{ "append", append_op, 20, 0 },
	{ "read", read_op, 40, 0 },
	{ "write from a mapping", write_from_mapping, 15, 0 },
	{ "read into a mapping", read_into_mapping, 15, 0 },
	{ }
};
