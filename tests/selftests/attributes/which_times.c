// SPDX-License-Identifier: GPL-2.0
/*
 * Which times of which objects a call changes: the table of
 * Documentation/syscalls.rst, here and, in the same guest, on XFS and ext4 with
 * DAX. What differs is in the table too.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"

#define OTHER_DEV	"/dev/pmem1"
#define OTHER_MNT	"/tmp/other"
#define RW		(PROT_READ | PROT_WRITE)
#define KEEP		FALLOC_FL_KEEP_SIZE

/* What is looked at, below the directory of its own that each call gets. */
static const struct {
	char name;
	const char *path;
} objects[] = { { 'f', "d/f" }, { 'g', "d/g" }, { 'd', "d" }, { 'e', "e" }, { 's', "d/s" } };
#define OBJECTS	(sizeof(objects) / sizeof(*objects))

/* All calls have these two at hand: f, which is 4 blocks and 100 bytes, and g, the same. */
static int f, g;
static char *map;

static long with(const char *name, int flags)
{
	int fd = open(name, flags, 0644);

	return fd < 0 ? -1 : close(fd);
}

static long dedupe(long at)
{
	char room[sizeof(struct file_dedupe_range) + sizeof(struct file_dedupe_range_info)];
	struct file_dedupe_range *r = (void *)room;

	memset(room, 0, sizeof(room));
	r->src_length = BLK;
	r->dest_count = 1;
	r->info[0].dest_fd = g;
	r->info[0].dest_offset = at;
	return ioctl(f, FIDEDUPERANGE, r) ?: r->info[0].status < 0 ? -1 : 0;
}

static long clone_range(void)
{
	struct file_clone_range r = { .src_fd = f, .src_length = BLK, .dest_offset = BLK };

	return ioctl(g, FICLONERANGE, &r);
}

static long times(const char *name, long atime, long mtime)
{
	struct timespec t[2] = { { 500, atime }, { 600, mtime } };

	return utimensat(AT_FDCWD, name, t, 0);
}

static long chattr(int flag)
{
	int flags;

	if (ioctl(f, FS_IOC_GETFLAGS, &flags))
		return -1;
	flags |= flag;
	return ioctl(f, FS_IOC_SETFLAGS, &flags);
}

static long list(void)
{
	DIR *dir = opendir("d");

	if (!dir)
		return -1;
	while (readdir(dir))
		;
	return closedir(dir);
}

static long map_once(void)
{
	void *p = mmap(NULL, BLK, PROT_READ, MAP_SHARED, f, 0);

	return p == MAP_FAILED ? -1 : munmap(p, BLK);
}

static char buf[BLK];

/*
 * ROW(name, what it is, the call, what changes, on XFS, on ext4): "f:mc d:a" is
 * mtime and ctime of f, and atime of d; "!" first if the call fails; NULL if it
 * is as here.
 */
#define ROW(name, what, expr, ...) static long c_##name(void) { return (expr); }
#include "which_times.h"
#undef ROW

struct row {
	const char *what;
	long (*call)(void);
	const char *want, *xfs, *ext4;
};

static const struct row rows[] = {
#define ROW(name, what, expr, ...) { what, c_##name, __VA_ARGS__ },
#include "which_times.h"
};
#define ROWS	(sizeof(rows) / sizeof(*rows))

static int make(const char *name)
{
	int fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0644);

	if (fd < 0)
		return -1;
	memset(buf, 'a', sizeof(buf));
	for (int i = 0; i < 4; i++, buf[0]++)
		if (pwrite(fd, buf, BLK, i * BLK) != BLK)
			return -1;
	if (pwrite(fd, buf, 100, 4 * BLK) != 100 || fsetxattr(fd, "user.b", "1", 1, 0))
		return -1;
	return fd;
}

static bool moved(struct timespec was, struct timespec is)
{
	return was.tv_sec != is.tv_sec || was.tv_nsec != is.tv_nsec;
}

/* Makes the objects, and the call, below the current directory; tells what has changed. */
static int try(const struct row *row, char *out)
{
	struct timespec old[2] = { { 1000, 0 }, { 2000, 0 } };
	struct stat was[OBJECTS], is;
	int fds[OBJECTS];
	char *start = out;

	if (mkdir("d", 0755) || mkdir("e", 0755) || mkdir("d/s", 0755))
		return -errno;
	f = make("d/f");
	g = make("d/g");
	if (f < 0 || g < 0)
		return -errno;
	map = mmap(NULL, BLK, RW, MAP_SHARED, f, 0);
	if (map == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < OBJECTS; i++) {
		fds[i] = open(objects[i].path, O_PATH);
		if (fds[i] < 0 || utimensat(AT_FDCWD, objects[i].path, old, 0) ||
		    fstat(fds[i], &was[i]))
			return -errno;
	}
	dr_tick();
	if (row->call() < 0)
		out += sprintf(out, "! ");
	for (size_t i = 0; i < OBJECTS; i++) {
		bool a, m, c;

		if (fstat(fds[i], &is))
			return -errno;
		close(fds[i]);
		a = moved(was[i].st_atim, is.st_atim);
		m = moved(was[i].st_mtim, is.st_mtim);
		c = moved(was[i].st_ctim, is.st_ctim);
		if (a || m || c)
			out += sprintf(out, "%c:%s%s%s ", objects[i].name, a ? "a" : "",
				       m ? "m" : "", c ? "c" : "");
	}
	if (out > start)
		out[-1] = 0;
	munmap(map, BLK);
	/* ext4 has taken all space, where it was asked for more than there is. */
	if (ftruncate(f, 0))
		return -errno;
	close(f);
	close(g);
	return 0;
}

/* All of them below @mnt; the names of those that are not as the table has it go to the log. */
static int all_rows(const char *mnt, const char *fs, size_t column)
{
	char out[64], dir[64];
	int r = 0, wrong = 0;

	for (size_t i = 0; !r && i < ROWS; i++) {
		const char *own = *(&rows[i].want + column);
		const char *want = own ?: rows[i].want;

		memset(out, 0, sizeof(out));
		snprintf(dir, sizeof(dir), "%s/%zu", mnt, i);
		r = mkdir(dir, 0755) || chdir(dir) ? -errno : try(&rows[i], out);
		if (r) {
			fprintf(stderr, "# %s: %s: cannot be tried: %s\n", fs, rows[i].what, strerror(-r));
		} else if (strcmp(out, want)) {
			fprintf(stderr, "# %s: %s: \"%s\" changes, not \"%s\"\n", fs, rows[i].what, out, want);
			wrong++;
		}
	}
	if (chdir("/"))
		return -errno;
	return r ?: wrong;
}

DR_FIXTURE(which_times)

TEST_F(which_times, here)
{
	EXPECT_EQ(0, all_rows(dr_mnt(), "here", dr_xfs()));
}

/* On another filesystem; -ENODEV if it, or its mkfs, or the device is not there. */
static int beside(const char *fs, const char *mkfs, size_t column)
{
	char cmd[128];
	int r;

	snprintf(cmd, sizeof(cmd), "%s %s >/dev/null 2>&1", mkfs, OTHER_DEV);
	mkdir(OTHER_MNT, 0755);
	if (access(OTHER_DEV, W_OK) || system(cmd) ||
	    mount(OTHER_DEV, OTHER_MNT, fs, MS_RELATIME, "dax=always"))
		return -ENODEV;
	r = all_rows(OTHER_MNT, fs, column);
	return umount(OTHER_MNT) ? -errno : r;
}

TEST_F(which_times, on_xfs)
{
	int r = beside("xfs", "mkfs.xfs -fq -m reflink=1", 1);

	if (r == -ENODEV)
		SKIP(return, "no XFS, or no second device");
	EXPECT_EQ(0, r);
}

TEST_F(which_times, on_ext4)
{
	int r = beside("ext4", "mkfs.ext4 -Fq -b 4096", 2);

	if (r == -ENODEV)
		SKIP(return, "no ext4, or no second device");
	EXPECT_EQ(0, r);
}

TEST_HARNESS_MAIN
