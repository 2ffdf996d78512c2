// SPDX-License-Identifier: GPL-2.0
/* Files: names, clones, blocks, mappings. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include "files.h"
#include "common/basics/text.h"
#include "common/device/mount.h"
#include "common/module/debugfs.h"

const char *dr_path(const char *name)
{
	static char path[4][512];
	static int next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(*path), "%s/%s", dr_mnt(), name);
	return path[next];
}

int dr_open(const char *name, int flags)
{
	int fd = open(dr_path(name), flags | O_CLOEXEC, 0644);

	return fd < 0 ? dr_errno() : fd;
}

/* All of @src, or what @range says. */
static int clone(const char *src, const char *dst,
		 struct file_clone_range *range)
{
	int r = 0, d, s = dr_open(src, O_RDONLY);

	if (s < 0)
		return s;
	d = dr_open(dst, O_RDWR | O_CREAT);
	if (d < 0) {
		close(s);
		return d;
	}
	if (range)
		range->src_fd = s;
	if (range ? ioctl(d, FICLONERANGE, range) : ioctl(d, FICLONE, s))
		r = dr_errno();
	close(d);
	close(s);
	return r;
}

int dr_clone_range(const char *src, unsigned long soff, unsigned long len,
		   const char *dst, unsigned long doff)
{
	struct file_clone_range range = { .src_offset = soff, .src_length = len,
		.dest_offset = doff };

	return clone(src, dst, &range);
}

int dr_clone(const char *src, const char *dst)
{
	return clone(src, dst, NULL);
}

int dr_fallocate(const char *name, int mode, long off, long len)
{
	int r, fd = dr_open(name, O_RDWR | O_CREAT);

	if (fd < 0)
		return fd;
	r = fallocate(fd, mode, off, len) ? dr_errno() : 0;
	close(fd);
	return r;
}

long dr_ino(const char *name)
{
	struct stat st;

	return stat(dr_path(name), &st) ? dr_errno() : (long)st.st_ino;
}

long dr_size(const char *name)
{
	struct stat st;

	return stat(dr_path(name), &st) ? dr_errno() : st.st_size;
}

long dr_block(const char *name, unsigned long blk, unsigned int *flags)
{
	struct {
		struct fiemap fm;
		struct fiemap_extent e;
	} q = { .fm = { .fm_start = blk * BLK, .fm_length = BLK,
		.fm_flags = FIEMAP_FLAG_SYNC, .fm_extent_count = 1 } };
	int r, fd = dr_open(name, O_RDONLY);

	if (fd < 0)
		return fd;
	r = ioctl(fd, FS_IOC_FIEMAP, &q) ? dr_errno() : 0;
	close(fd);
	if (r)
		return r;
	if (!q.fm.fm_mapped_extents || q.e.fe_logical > blk * BLK)
		return -ENOENT;
	if (flags)
		*flags = q.e.fe_flags;
	return (q.e.fe_physical + blk * BLK - q.e.fe_logical) / BLK;
}

bool dr_shared(const char *name, unsigned long blk)
{
	unsigned int flags = 0;

	if (dr_xfs())
		usleep(50000);	/* it frees what was unlinked in its own time */
	return dr_block(name, blk, &flags) >= 0 && flags & FIEMAP_SHARED;
}

long dr_free_blocks(void)
{
	struct statvfs s;

	return statvfs(dr_mnt(), &s) ? dr_errno() : (long)s.f_bfree;
}

static long ask_free(const void *arg)
{
	(void)arg;
	return dr_free_blocks();
}

long dr_free_settled(long want)
{
	return dr_settled(ask_free, NULL, want);
}

void dr_drop_caches(void)
{
	sync();
	for (int i = 0; i < 3; i++)
		dr_put("/proc/sys/vm/drop_caches", "3");
}

char *dr_map(const char *name, unsigned long off, unsigned long len, int prot,
	     int flags)
{
	int fd = dr_open(name, prot & PROT_WRITE ? O_RDWR : O_RDONLY);
	char *p, *at = NULL;

	if (fd < 0)
		return NULL;
	if (len >= HUGE_SIZE) {		/* an address that huge pages can use */
		at = mmap(NULL, len + HUGE_SIZE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		at = (char *)(((unsigned long)at + HUGE_SIZE - 1) & -HUGE_SIZE);
		at += off % HUGE_SIZE;
		flags |= MAP_FIXED;
	}
	p = mmap(at, len, prot, flags, fd, off);
	close(fd);
	if (p == MAP_FAILED)
		return NULL;
	/* A child must not be an owner by accident. */
	madvise(p, len, MADV_DONTFORK);
	return p;
}
