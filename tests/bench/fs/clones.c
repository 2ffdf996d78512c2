// SPDX-License-Identifier: GPL-2.0
/* Clones, and what happens when they are written and removed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <linux/fs.h>
#include "bench.h"
#include "common/basics/text.h"
#include "common/files/files.h"

int clone_of(int from, const char *name)
{
	int fd = open_file(name, O_RDWR | O_CREAT);

	must(ioctl(fd, FICLONE, from) ? dr_errno() : 0, "clone");
	return fd;
}

/* @size: extents. */
void clone_extents(const struct turn *t)
{
	int from = make_fragmented("f", t->size), n = t->size > 1000 ? 5 : 20;

	for (int i = 0; i < n; i++) {
		int to = open_file(numbered("c", i), O_RDWR | O_CREAT);

		begin();
		must(ioctl(to, FICLONE, from) ? dr_errno() : 0, "clone");
		end(t, "FICLONE (extents)");
		close(to);
	}
	for (int i = 0; i < n; i++) {
		const char *path = dr_path(numbered("c", i));

		settle();
		begin();
		must(unlink(path) ? dr_errno() : 0, "unlink");
		end(t, "unlink of a clone (extents)");
	}
	close(from);
}

static void by_mmap(const struct turn *t, int fd, long pages)
{
	volatile char *p = map_small(fd, pages, MAP_SHARED);

	for (long i = 0; i < pages; i++) {
		begin();
		p[i * PAGE] = 1;
		end(t, "copy on write by mmap, a page");
	}
	munmap((void *)p, pages * PAGE);
}

/* Where a huge page fits, and all of it is written: a filesystem may copy it at once, or page by page. */
static void all_by_mmap(const struct turn *t, int fd, long pages)
{
	volatile char *p = map_file(fd, pages * PAGE, MAP_SHARED);

	begin();
	for (long i = 0; i < pages; i++)
		p[i * PAGE] = 1;
	end(t, "copy on write by mmap, each page of 2 MiB");
	munmap((void *)p, pages * PAGE);
}

static void by_write(const struct turn *t, int fd, long pages, long bytes, const char *what)
{
	static char data[2 * MIB];

	for (long at = 0; at + bytes <= pages * PAGE; at += bytes) {
		begin();
		write_at(fd, data, bytes, at);
		end(t, what);
	}
}

/* Who reads a shared page takes it from others, on a naive filesystem. */
static void read_shared(const struct turn *t, int fd, long pages)
{
	volatile char *p = map_small(fd, pages, MAP_SHARED), *q = map_small(fd, pages, MAP_SHARED);

	for (int pass = 0; pass < 9; pass++) {
		begin();
		for (long i = 0; i < pages; i++) {
			p[i * PAGE];
			q[i * PAGE];
		}
		end(t, "two who read shared pages, all of them");
	}
	munmap((void *)p, pages * PAGE);
	munmap((void *)q, pages * PAGE);
}

/* @size: pages. */
void copy_on_write(const struct turn *t)
{
	int from = make_file("f", t->size * PAGE, t->size * PAGE), fd;

	by_mmap(t, clone_of(from, "a"), t->size);
	all_by_mmap(t, clone_of(from, "all"), t->size);
	by_write(t, clone_of(from, "b"), t->size, PAGE, "copy on write by write of 4 KiB");
	by_write(t, clone_of(from, "c"), t->size, 64 << 10, "copy on write by write of 64 KiB");
	fd = clone_of(from, "d");
	by_write(t, fd, t->size, 2 * MIB, "copy on write by write of 2 MiB");
	fd = clone_of(from, "e");
	settle();
	read_shared(t, fd, t->size);
}

/* @size: extents. How long the call takes, and until its blocks are free. */
void unlink_clone(const struct turn *t)
{
	int from;

	/* It has no room for two such files on this device. */
	if (t->fs == XFS && t->size > 10000)
		return;
	from = make_fragmented("f", t->size);
	close(clone_of(from, "c"));
	settle();
	begin();
	must(unlink(dr_path("c")) ? dr_errno() : 0, "unlink");
	end(t, "unlink of a clone of so many extents");
	must(syncfs(from) ? dr_errno() : 0, "syncfs");
	end(t, "the same, and syncfs");
	close(from);
	begin();
	must(unlink(dr_path("f")) ? dr_errno() : 0, "unlink");
	end(t, "unlink of so many extents");
}

/* @size: files of four pages, in one directory. */
void copy_tree(const struct turn *t)
{
	must(mkdir(dr_path("from"), 0755) ? dr_errno() : 0, "mkdir");
	for (long i = 0; i < t->size; i++)
		close(make_file(numbered("from/", i), 4 * PAGE, 4 * PAGE));
	settle();
	begin();
	must(mkdir(dr_path("to"), 0755) ? dr_errno() : 0, "mkdir");
	for (long i = 0; i < t->size; i++) {
		int from = open_file(numbered("from/", i), O_RDONLY);

		close(clone_of(from, numbered("to/", i)));
		close(from);
	}
	end(t, "copy of a tree by clones");
}
