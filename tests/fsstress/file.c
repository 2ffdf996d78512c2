// SPDX-License-Identifier: GPL-2.0
/* Small files' data; files that are open, and found by handles. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/falloc.h>
#include "fsstress.h"
#include "../selftests/common/basics/clock.h"

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

/*
 * By the descriptor that is held, or else by the name. What is append-only cannot be opened for
 * less; who has it open already may write as before. -1: it was, and there is no more to do.
 */
static int open_node(const struct node *n, int flags)
{
	int fd;

	if (n->fd >= 0 && (!n->names || dr_pick(2)))
		return n->fd;
	fd = open(node_path(n), flags | O_CLOEXEC);
	must("open", fd, only_grows(n) ? EPERM : 0);
	return fd;
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
	if (fd < 0)
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

static bool is_growing(const struct node *n)
{
	return only_grows(n) && n->names;
}

/* Only at the end, wherever the write is said to go; nothing else than that. */
void append_op(void)
{
	struct node *n = any_node(is_growing);
	static unsigned char buf[BYTES];
	unsigned long len;
	void *p;
	int fd;

	if (!n)
		return;
	len = dr_pick(BYTES - n->size + 1);
	note("append %#lx to %s", len, node_path(n));
	must("open with O_TRUNC of what is append-only",
	     open(node_path(n), O_WRONLY | O_APPEND | O_TRUNC | O_CLOEXEC), EPERM);
	must("truncate of what is append-only", truncate(node_path(n), n->size), EPERM);
	fd = open(node_path(n), O_RDWR | O_APPEND | O_CLOEXEC);
	if (!must("open with O_APPEND", fd, 0))
		return;
	p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must("mmap of what is append-only", p == MAP_FAILED ? -1 : 0, EACCES);
	must("fallocate of a hole in what is append-only",
	     fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BYTES), EPERM);
	for (unsigned long i = 0; i < len; i++)
		buf[i] = nr_of(n) + i * 11;
	if (must("append", pwrite(fd, buf, len, 0) == (ssize_t)len ? 0 : -1, 0)) {
		memcpy(n->bytes + n->size, buf, len);
		n->size += len;
		if (len)
			DONE(APPEND);
	}
	n->mtime_known = n->mtime_known && !len;
	close(fd);
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
	if (fd < 0)
		return;
	if (must("ftruncate", ftruncate(fd, size), only_grows(n) ? EPERM : 0) && !only_grows(n)) {
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
	n->fd = open_node(n, O_RDWR);
	if (n->fd >= 0)
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

/*
 * Nobody's handle: that of a file, but for the generation, which is the last word of it. Numbers of
 * inodes are not used again here, so that no real handle of what is gone is one of these.
 */
static void forged(void)
{
	union dr_handle h = any_node(has_name)->handle;
	int fd;

	h.room[sizeof(h.h) + h.h.handle_bytes - 1 - dr_pick(4)] ^= 1 << dr_pick(8);
	note("open by a handle of another generation");
	fd = dr_open_handle(&h, O_PATH);
	errno = fd < 0 ? -fd : 0;
	must("open_by_handle_at of another generation", fd < 0 ? -1 : 0, ESTALE);
	if (fd >= 0)
		close(fd);
}

/*
 * Opens a handle of what is gone. Another process may be dropping caches: then its inode goes when
 * that one has let go of the dentry (dentry_unlink_inode() drops the inode last), and until then the
 * handle is of a file without a name that is in use, as of one that is open.
 */
static int open_gone(const union dr_handle *h)
{
	double end = dr_now() + dr_patience(2000) / 1e3;
	struct stat st;
	int fd;

	for (;;) {
		fd = dr_open_handle(h, O_PATH);
		if (fd < 0 || dr_xfs() || fstat(fd, &st) || st.st_nlink || dr_now() > end)
			return fd;
		close(fd);
		usleep(1000);
	}
}

/* The handle of what is gone opens nothing, whoever has its inode number now. */
void stale_op(void)
{
	int fd;

	forged();
	if (!t->deads)
		return;
	note("open by a stale handle");
	fd = open_gone(&t->dead[dr_pick(t->deads < DEAD ? t->deads : DEAD)]);
	errno = fd < 0 ? -fd : 0;
	/* XFS frees inodes in its own time. */
	if (fd < 0 || !dr_xfs())
		must("open_by_handle_at of what is gone", fd < 0 ? -1 : 0, ESTALE);
	if (fd >= 0)
		close(fd);
	DONE(STALE);
}
