// SPDX-License-Identifier: GPL-2.0
/* Small files' data; files that are open, and found by handles. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fsstress.h"

static bool is_file(const struct node *n)
{
	return n->type == S_IFREG;
}

static bool is_held(const struct node *n)
{
	return n->fd >= 0;
}

static bool has_name(const struct node *n)
{
	return n->names || n == t->node;
}

/* By the descriptor that is held, or else by the name. */
static int open_node(const struct node *n, int flags)
{
	if (n->fd >= 0 && (!n->names || dr_pick(2)))
		return n->fd;
	return open(node_path(n), flags | O_CLOEXEC);
}

static void close_node(const struct node *n, int fd)
{
	if (fd != n->fd)
		close(fd);
}

void write_op(void)
{
	struct node *n = any_node(is_file);
	static unsigned char buf[BYTES];
	long off = dr_pick(BYTES), len = 1 + dr_pick(BYTES - off);
	int fd, byte = dr_pick(256);

	if (!n)
		return;
	note("write node %d %#lx+%#lx", nr_of(n), off, len);
	fd = open_node(n, O_WRONLY);
	if (!must("open", fd, 0))
		return;
	for (long i = 0; i < len; i++)
		buf[i] = byte + i * 7;
	if (must("write", pwrite(fd, buf, len, off) == len ? 0 : -1, 0)) {
		memcpy(n->bytes + off, buf, len);
		n->size = n->size > off + len ? n->size : off + len;
		DONE(WRITE);
	}
	n->mtime_known = false;
	close_node(n, fd);
}

void truncate_op(void)
{
	struct node *n = any_node(is_file);
	long size = dr_pick(BYTES + 1);
	int fd;

	if (!n)
		return;
	note("truncate node %d to %#lx", nr_of(n), size);
	fd = open_node(n, O_WRONLY);
	if (!must("open", fd, 0))
		return;
	if (must("ftruncate", ftruncate(fd, size), 0)) {
		if (size < n->size)
			memset(n->bytes + size, 0, n->size - size);
		n->size = size;
		DONE(TRUNCATE);
	}
	n->mtime_known = false;
	close_node(n, fd);
}

/* Holds a file open, from before it loses its names to after; or lets go of one. */
void hold_op(void)
{
	struct node *n = dr_pick(2) ? any_node(is_held) : any_node(is_file);

	if (!n)
		return;
	if (n->fd >= 0) {
		note("let node %d go", nr_of(n));
		verify_file(n, n->fd);
		drop_hold(n);
		return;
	}
	note("hold %s", node_path(n));
	n->fd = open(node_path(n), O_RDWR | O_CLOEXEC);
	if (must("open", n->fd, 0))
		DONE(HOLD);
}

void handle_op(void)
{
	struct node *n = any_node(has_name);
	struct stat st;
	int fd;

	note("open by handle: %s", node_path(n));
	fd = dr_open_handle(&n->handle, n->type == S_IFREG || n->type == S_IFDIR ?
			    O_RDONLY : O_PATH);
	if (fd < 0) {
		errno = -fd;
		must("open_by_handle_at", -1, 0);
		return;
	}
	if (must("fstat", fstat(fd, &st), 0) && st.st_ino != n->ino)
		fault(OWN, "the handle of inode %lu opens %lu", n->ino, st.st_ino);
	close(fd);
	DONE(HANDLE);
}

/* The handle of what is gone opens nothing, whoever has its inode number now. */
void stale_op(void)
{
	int fd;

	if (!t->deads)
		return;
	note("open by a stale handle");
	fd = dr_open_handle(&t->dead[dr_pick(t->deads < DEAD ? t->deads : DEAD)], O_PATH);
	errno = fd < 0 ? -fd : 0;
	/* XFS frees inodes in its own time. */
	if (fd < 0 || !dr_xfs())
		must("open_by_handle_at of what is gone", fd < 0 ? -1 : 0, ESTALE);
	if (fd >= 0)
		close(fd);
	DONE(STALE);
}
