// SPDX-License-Identifier: GPL-2.0
/*
 * How long a mount takes (scripts/bench/mount.sh): makes a filesystem whose
 * files have so many extents, unmounts it, and mounts it again a few times. A mount
 * ends when the last file that was made is open and a byte of it was read.
 *
 *	mount-time daxrmap|xfs|ext4 EXTENTS
 *
 * A file has 1,000 extents of a page each, with holes between; the others are clones
 * of it, or (ext4) are written like it. Prints a line:
 *
 *	mount-time: FS,EXTENTS,MEDIAN,SHORTEST,LONGEST	(microseconds)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define PER_FILE	1000
#define PAGE		4096L
#define RUNS		5
#define DEV		"/dev/pmem0"
#define MNT		"/mnt"

static int fail(const char *what)
{
	printf("not ok mount-time: %s: %s\n", what, strerror(errno));
	exit(1);
}

static const char *file(int i)
{
	static char path[64];

	/* No directory is large. */
	snprintf(path, sizeof(path), MNT "/%d", i / 100);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), MNT "/%d/%d", i / 100, i);
	return path;
}

static void write_file(int i)
{
	static char page[PAGE];
	int fd = open(file(i), O_RDWR | O_CREAT | O_EXCL, 0644);

	if (fd < 0)
		fail("open");
	memset(page, i + 1, sizeof(page));
	for (long n = 0; n < PER_FILE; n++)
		if (pwrite(fd, page, PAGE, 2 * n * PAGE) != PAGE)
			fail("write");
	close(fd);
}

static void clone_file(int i)
{
	int from = open(file(0), O_RDONLY), to;

	to = open(file(i), O_RDWR | O_CREAT | O_EXCL, 0644);
	if (from < 0 || to < 0 || ioctl(to, FICLONE, from))
		fail("clone");
	close(from);
	close(to);
}

static void do_mount(const char *fs)
{
	if (mount(DEV, MNT, fs, 0, strcmp(fs, "daxrmap") ? "dax=always" : ""))
		fail("mount");
}

static void do_umount(void)
{
	while (umount(MNT))
		if (errno != EBUSY)
			fail("umount");
}

/* Microseconds. */
static long timed_mount(const char *fs, int last)
{
	struct timespec a, b;
	char byte;
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &a);
	do_mount(fs);
	fd = open(file(last), O_RDONLY);
	if (fd < 0 || read(fd, &byte, 1) != 1)
		fail("read");
	clock_gettime(CLOCK_MONOTONIC, &b);
	close(fd);
	do_umount();
	return (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
}

static int by_size(const void *a, const void *b)
{
	return *(const long *)a > *(const long *)b ? 1 : -1;
}

int main(int argc, char **argv)
{
	static const char *const mkfs[][2] = {
		{ "daxrmap", "mkfs.daxrmap -fq " DEV },
		{ "xfs", "mkfs.xfs -fq -m reflink=1,rmapbt=1 " DEV " >/dev/null" },
		{ "ext4", "mkfs.ext4 -Fq " DEV " >/dev/null" },
	};
	long extents = argc == 3 ? atol(argv[2]) : 0, t[RUNS];
	int files = extents / PER_FILE, made = 0;
	const char *fs = argv[1];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (files < 1)
		fail("usage: mount-time FS EXTENTS");
	for (size_t i = 0; i < sizeof(mkfs) / sizeof(*mkfs); i++)
		if (!strcmp(fs, mkfs[i][0]))
			made = !system(mkfs[i][1]);
	if (!made)
		fail("mkfs");
	mkdir(MNT, 0755);
	do_mount(fs);
	for (int i = 0; i < files; i++) {
		if (!i || !strcmp(fs, "ext4"))
			write_file(i);
		else
			clone_file(i);
	}
	do_umount();
	for (int i = 0; i < RUNS; i++)
		t[i] = timed_mount(fs, files - 1);
	qsort(t, RUNS, sizeof(*t), by_size);
	printf("mount-time: %s,%ld,%ld,%ld,%ld\n", fs, extents, t[RUNS / 2], t[0], t[RUNS - 1]);
	return 0;
}
