// SPDX-License-Identifier: GPL-2.0
/* Files that loads begin with. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "bench.h"
#include "common/basics/text.h"
#include "common/files/files.h"

int open_file(const char *name, int flags)
{
	int fd = dr_open(name, flags);

	must(fd < 0 ? fd : 0, name);
	return fd;
}

const char *numbered(const char *what, long i)
{
	static char name[4][64];
	static int next;

	next = (next + 1) % 4;
	snprintf(name[next], sizeof(*name), "%s%ld", what, i);
	return name[next];
}

void write_at(int fd, const void *buf, long n, long at)
{
	ssize_t r = pwrite(fd, buf, n, at);

	must(r < 0 ? dr_errno() : 0, "write");
	must_be(r, n, "bytes written");
}

int make_file(const char *name, long bytes, long piece)
{
	char *data = malloc(piece);
	int fd = open_file(name, O_RDWR | O_CREAT);

	must(data ? 0 : -ENOMEM, "memory");
	memset(data, 0x5a, piece);
	for (long at = 0; at < bytes; at += piece)
		write_at(fd, data, piece, at);
	free(data);
	must(fsync(fd) ? dr_errno() : 0, "fsync");
	return fd;
}

static long extents_of(int fd)
{
	struct fiemap map = { .fm_length = FIEMAP_MAX_OFFSET };

	must(ioctl(fd, FS_IOC_FIEMAP, &map) ? dr_errno() : 0, "fiemap");
	return map.fm_mapped_extents;
}

int make_fragmented(const char *name, long extents)
{
	static char page[PAGE];
	int fd = open_file(name, O_RDWR | O_CREAT);

	/* Behind the end of a file XFS takes a whole stripe at once. */
	must(ftruncate(fd, 2 * extents * PAGE) ? dr_errno() : 0, "truncate");
	memset(page, 0x5a, PAGE);
	for (long i = 0; i < extents; i++)
		write_at(fd, page, PAGE, 2 * i * PAGE);
	must(fsync(fd) ? dr_errno() : 0, "fsync");
	must_be(extents_of(fd), extents, "extents");
	return fd;
}

char *map_file(int fd, long bytes, int flags)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);

	must(p == MAP_FAILED ? dr_errno() : 0, "mmap");
	return p;
}

/* A page away from where a huge page could be: no page of the file is aligned as it is on the device. */
char *map_small(int fd, long pages, int flags)
{
	char *room = mmap(NULL, pages * PAGE + 4 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *at;

	must(room == MAP_FAILED ? dr_errno() : 0, "address space");
	at = (char *)(((unsigned long)room + 2 * MIB) & ~(2 * MIB - 1)) + PAGE;
	at = mmap(at, pages * PAGE, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
	must(at == MAP_FAILED ? dr_errno() : 0, "mmap");
	return at;
}

void leave_holes(long holes)
{
	int fd = make_file("holey", 2 * holes * PAGE, 16 * PAGE), filler = open_file("filler", O_RDWR | O_CREAT);
	long at = 0;

	for (long n = 64 * MIB; n >= PAGE; n /= 4)
		while (!fallocate(filler, 0, at, n))
			at += n;
	must(errno == ENOSPC ? 0 : dr_errno(), "fallocate");
	for (long i = 0; i < holes; i++)
		must(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * i * PAGE, PAGE) ?
		     dr_errno() : 0, "punch");
	close(filler);
	close(fd);
	/* What XFS and ext4 have freed is there for others when their log says so. */
	settle();
}
