// SPDX-License-Identifier: GPL-2.0
/* Reads, writes, and what makes them durable. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#include "bench.h"
#include "common/basics/text.h"
#include "common/files/files.h"

static void read_at(int fd, void *buf, long n, long at)
{
	ssize_t r = pread(fd, buf, n, at);

	must(r < 0 ? dr_errno() : 0, "read");
	must_be(r, n, "bytes read");
}

static void append_some(const struct turn *t, const char *name, long bytes, int n, bool durable, const char *what)
{
	static char data[PAGE];
	int fd = open_file(name, O_WRONLY | O_CREAT | O_APPEND);

	for (int i = 0; i < n; i++) {
		begin();
		must_be(write(fd, data, bytes), bytes, "bytes appended");
		if (durable)
			must(fsync(fd) ? dr_errno() : 0, "fsync");
		end(t, what);
	}
	close(fd);
	settle();
}

void append(const struct turn *t)
{
	age();
	append_some(t, "a", 100, 2000, false, "append 100 bytes");
	append_some(t, "b", PAGE, 1000, false, "append 4 KiB");
	append_some(t, "c", 100, 300, true, "append 100 bytes + fsync");
	append_some(t, "d", PAGE, 300, true, "append 4 KiB + fsync");
}

/* @size: extents of a page, with holes between. */
void fragmented_io(const struct turn *t)
{
	static char page[PAGE];
	char *many = malloc(MIB);
	int fd = make_fragmented("f", t->size);
	long bytes = 2 * t->size * PAGE;

	must(many ? 0 : -ENOMEM, "memory");
	for (int i = 0; i < 1000; i++) {
		long at = 2 * (i * 2654435761L % t->size) * PAGE;

		begin();
		read_at(fd, page, PAGE, at);
		end(t, "random read 4 KiB, fragmented file");
		begin();
		write_at(fd, page, PAGE, at);
		end(t, "random write 4 KiB, fragmented file");
	}
	for (long at = 0; at + MIB < bytes; at += MIB) {
		begin();
		read_at(fd, many, MIB, at);
		end(t, "sequential read 1 MiB, fragmented file");
	}
	for (int i = 0; i < 500; i++) {
		begin();
		write_at(fd, page, PAGE, (2 * (i * 7L % t->size) + 1) * PAGE);
		end(t, "write 4 KiB into a hole, fragmented file");
	}
	begin();
	must(fdatasync(fd) ? dr_errno() : 0, "fdatasync");
	end(t, "fdatasync after these writes");
	begin();
	must(ftruncate(fd, 0) ? dr_errno() : 0, "truncate");
	end(t, "truncate, fragmented file");
	free(many);
	close(fd);
}

static void store(char *p, long bytes, long step, int value)
{
	for (long at = 0; at < bytes; at += step)
		((volatile char *)p)[at] = value;
}

/*
 * @size: MiB. One time a byte of each page, the other one of each huge page: what is written back is
 * what the file system had mapped, and small pages do not have the price of a large one.
 */
void msync_dirty(const struct turn *t)
{
	static const struct { long step; const char *what; } ways[] = {
		{ PAGE, "msync, each page stored to (MiB)" },
		{ 2 * MIB, "msync, a page in 2 MiB stored to (MiB)" },
	};
	long bytes = t->size * MIB;
	int fd = make_file("f", bytes, 2 * MIB);
	char *p;

	for (int way = 0; way < 2; way++) {
		p = map_file(fd, bytes, MAP_SHARED);
		for (int i = 0; i < 3; i++) {
			store(p, bytes, ways[way].step, i + 1);
			begin();
			must(msync(p, bytes, MS_SYNC) ? dr_errno() : 0, "msync");
			end(t, ways[way].what);
		}
		munmap(p, bytes);
	}
	close(fd);
}
