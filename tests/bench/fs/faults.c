// SPDX-License-Identifier: GPL-2.0
/* Page faults of each kind. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#include <linux/falloc.h>
#include "bench.h"
#include "common/basics/text.h"
#include "common/files/files.h"

static void touch_all(const struct turn *t, char *p, long pages, bool write, const char *what)
{
	for (long i = 0; i < pages; i++) {
		volatile char *at = p + i * PAGE;

		begin();
		if (write)
			*at = i;
		else
			*at;
		end(t, what);
	}
}

static void unmapped(int fd)
{
	must(fsync(fd) ? dr_errno() : 0, "fsync");
	settle();
}

/* @size: pages. */
void faults(const struct turn *t)
{
	long n = t->size;
	int fd = make_file("written", n * PAGE, PAGE), holes;
	char *p, *q;

	p = map_small(fd, n, MAP_SHARED);
	touch_all(t, p, n, false, "read fault, first");
	touch_all(t, p, n, true, "write fault, after a read");
	q = map_small(fd, n, MAP_SHARED);
	touch_all(t, q, n, true, "write fault, entry is there");
	munmap(q, n * PAGE);
	q = map_small(fd, n, MAP_SHARED);
	touch_all(t, q, n, false, "read fault, entry is there");
	munmap(q, n * PAGE);
	munmap(p, n * PAGE);
	unmapped(fd);
	close(fd);
	fd = make_file("again", n * PAGE, PAGE);
	p = map_small(fd, n, MAP_SHARED);
	touch_all(t, p, n, true, "write fault, first");
	munmap(p, n * PAGE);
	unmapped(fd);
	close(fd);

	holes = open_file("holes", O_RDWR | O_CREAT);
	must(ftruncate(holes, n * PAGE) ? dr_errno() : 0, "truncate");
	p = map_small(holes, n, MAP_SHARED);
	touch_all(t, p, n, false, "read fault of a hole");
	touch_all(t, p, n, true, "write fault of a hole, after a read");
	munmap(p, n * PAGE);
	unmapped(holes);
	close(holes);
	holes = open_file("more", O_RDWR | O_CREAT);
	must(ftruncate(holes, n * PAGE) ? dr_errno() : 0, "truncate");
	p = map_small(holes, n, MAP_SHARED);
	touch_all(t, p, n, true, "write fault of a hole");
	munmap(p, n * PAGE);
	close(holes);
}

/* @size: pages. */
void sync_faults(const struct turn *t)
{
	long n = t->size;
	int fd = make_file("written", n * PAGE, PAGE);
	char *p = map_small(fd, n, MAP_SHARED_VALIDATE | MAP_SYNC);

	touch_all(t, p, n, true, "MAP_SYNC write fault, allocated");
	munmap(p, n * PAGE);
	unmapped(fd);
	close(fd);
	fd = open_file("holes", O_RDWR | O_CREAT);
	must(ftruncate(fd, n * PAGE) ? dr_errno() : 0, "truncate");
	p = map_small(fd, n, MAP_SHARED_VALIDATE | MAP_SYNC);
	touch_all(t, p, n, true, "MAP_SYNC write fault of a hole");
	munmap(p, n * PAGE);
	close(fd);
}

/* @size: huge pages. */
void huge_faults(const struct turn *t)
{
	long bytes = t->size * 2 * MIB;
	int fd = make_file("written", bytes, 2 * MIB), holes = open_file("holes", O_RDWR | O_CREAT);

	must(ftruncate(holes, bytes) ? dr_errno() : 0, "truncate");
	for (int hole = 0; hole < 2; hole++) {
		/* mmap(2) aligns what is large and of a DAX file. */
		volatile char *p = map_file(hole ? holes : fd, bytes, MAP_SHARED);

		for (long at = 0; at < bytes; at += 2 * MIB) {
			begin();
			p[at] = 1;
			end(t, hole ? "write fault of a hole, where 2 MiB fit" : "write fault, where 2 MiB fit");
		}
		munmap((void *)p, bytes);
	}
	close(holes);
	close(fd);
}
