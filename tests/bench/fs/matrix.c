// SPDX-License-Identifier: GPL-2.0
/* The interference matrix: a row is who works, a column who waits. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include "bench.h"
#include "common/basics/text.h"
#include "common/files/files.h"

/* Limits that a filesystem has (ext4's xattrs are of a block) are for it to say. */
#define BIG_XATTR	65536

static char data[MIB];

static void is_zero(int r, const char *what)
{
	must(r ? dr_errno() : 0, what);
}

/* Who works. */

static void xattr_work(long i)
{
	static const long sizes[] = { BIG_XATTR, 3500 };
	static int which;

	data[0] = i;
	if (!setxattr(dr_path("xattrs"), "user.big", data, sizes[which], 0))
		return;
	must(!which && (errno == ENOSPC || errno == E2BIG || errno == ERANGE) ? 0 : dr_errno(), "setxattr");
	which = 1;
}

static void xattr_prepare(void)
{
	close(open_file("xattrs", O_WRONLY | O_CREAT));
}

static void fallocate_work(long i)
{
	int fd = open_file("w", O_RDWR | O_CREAT);

	(void)i;
	is_zero(fallocate(fd, 0, 0, 64 * MIB), "fallocate");
	is_zero(ftruncate(fd, 0), "truncate");
	close(fd);
}

static void zero_prepare(void)
{
	close(make_file("w", 32 * MIB, MIB));
}

static void zero_work(long i)
{
	int fd = open_file("w", O_RDWR);

	(void)i;
	is_zero(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 32 * MIB), "zero range");
	close(fd);
}

static void create_work(long i)
{
	const char *name = numbered("w", i);

	close(open_file(name, O_WRONLY | O_CREAT));
	is_zero(unlink(dr_path(name)), "unlink");
}

static void extents_prepare(void)
{
	close(make_fragmented("fragmented", 1000));
}

static void clone_work(long i)
{
	int from = open_file("fragmented", O_RDONLY), to = open_file("c", O_RDWR | O_CREAT);

	(void)i;
	is_zero(ioctl(to, FICLONE, from), "clone");
	close(to);
	close(from);
	is_zero(unlink(dr_path("c")), "unlink");
}

static void truncate_work(long i)
{
	(void)i;
	close(make_fragmented("w", 500));
	is_zero(truncate(dr_path("w"), 0), "truncate");
}

static void readdir_prepare(void)
{
	is_zero(mkdir(dr_path("wd"), 0755), "mkdir");
	for (long i = 0; i < 2000; i++)
		close(open_file(numbered("wd/", i), O_WRONLY | O_CREAT));
}

static void list(const char *name)
{
	DIR *d = opendir(dr_path(name));

	must(d ? 0 : dr_errno(), "opendir");
	while (readdir(d))
		;
	closedir(d);
}

static void readdir_work(long i)
{
	(void)i;
	list("wd");
}

static void write_work(long i)
{
	int fd = open_file("w", O_RDWR | O_CREAT);

	write_at(fd, data, MIB, i % 32 * MIB);
	if (i % 32 == 31)
		is_zero(ftruncate(fd, 0), "truncate");
	close(fd);
}

static void fsync_work(long i)
{
	int fd = open_file("w", O_RDWR | O_CREAT);

	write_at(fd, data, PAGE, i % 1000 * PAGE);
	is_zero(fsync(fd), "fsync");
	close(fd);
}

static void syncfs_work(long i)
{
	int fd = open_file("w", O_RDWR | O_CREAT);

	write_at(fd, data, 100, i % 10000 * 100);
	is_zero(syncfs(fd), "syncfs");
	close(fd);
}

static const struct worker workers[] = {
	{ "64 KiB xattrs", xattr_prepare, xattr_work, false },
	{ "fallocate 64 MiB", NULL, fallocate_work, false },
	{ "ZERO_RANGE 32 MiB", zero_prepare, zero_work, false },
	{ "create and unlink", NULL, create_work, false },
	{ "FICLONE of 1000 extents", extents_prepare, clone_work, true },
	{ "truncate of 500 extents", NULL, truncate_work, false },
	{ "readdir of 2000 names", readdir_prepare, readdir_work, false },
	{ "write 1 MiB", NULL, write_work, false },
	{ "append and fsync", NULL, fsync_work, false },
	{ "write and syncfs", NULL, syncfs_work, false },
};

/* Who waits. */

static int waiter_fd;
static char *waiter_map;

static void stat_wait(long i)
{
	struct stat st;

	(void)i;
	is_zero(stat(dr_path("mine"), &st), "stat");
}

static void read_wait(long i)
{
	must_be(pread(waiter_fd, data, PAGE, i % 64 * PAGE), PAGE, "bytes read");
}

static void write_wait(long i)
{
	write_at(waiter_fd, data, PAGE, i % 64 * PAGE);
}

static void append_wait(long i)
{
	write_at(waiter_fd, data, PAGE, (64 + i) * PAGE);
}

/* Each time one that was given back before: between measurements. */
static void fault_wait(long i)
{
	((volatile char *)waiter_map)[i % 64 * PAGE] = i;
}

static void create_wait(long i)
{
	close(open_file(numbered("mine", i), O_WRONLY | O_CREAT));
}

static void fsync_wait(long i)
{
	(void)i;
	is_zero(fsync(waiter_fd), "fsync");
}

static void readdir_wait(long i)
{
	(void)i;
	list("few");
}

static const struct { const char *name; void (*wait)(long i); } waiters[] = {
	{ "stat", stat_wait },
	{ "read 4 KiB", read_wait },
	{ "write 4 KiB", write_wait },
	{ "write fault", fault_wait },
	{ "append 4 KiB", append_wait },
	{ "create", create_wait },
	{ "fsync", fsync_wait },
	{ "readdir", readdir_wait },
};
#define WAITERS	(int)(sizeof(waiters) / sizeof(*waiters))

static void prepare_waiters(void)
{
	waiter_fd = make_file("mine", 64 * PAGE, PAGE);
	waiter_map = map_file(waiter_fd, 64 * PAGE, MAP_SHARED);
	mkdir(dr_path("few"), 0755);
	for (int i = 0; i < 10; i++)
		close(open_file(numbered("few/", i), O_WRONLY | O_CREAT));
	settle();
}

#define LOOKS	25

static void one_row(const struct turn *t, const struct worker *w, long from)
{
	char what[64];
	pid_t pid;

	go_first(true);
	pid = start_worker(w);
	for (long i = from; i < from + LOOKS; i++)
		for (int j = 0; j < WAITERS; j++) {
			munmap(waiter_map, 64 * PAGE);
			waiter_map = map_file(waiter_fd, 64 * PAGE, MAP_SHARED);
			snprintf(what, sizeof(what), "wait: %s | %s", w->name, waiters[j].name);
			pause_a_bit(i * WAITERS + j);
			begin();
			waiters[j].wait(i);
			end_wait(t, what);
		}
	stop_worker(pid);
	go_first(false);
	unlink(dr_path("w"));
	settle();
}

void matrix(const struct turn *t)
{
	prepare_waiters();
	for (size_t i = 0; i < sizeof(workers) / sizeof(*workers); i++)
		if (!workers[i].cloning || t->fs != EXT4)
			one_row(t, &workers[i], i * LOOKS);
}

/* One cell of it, as a load whose ratio is that of its medians. */
void beside_xattrs(const struct turn *t)
{
	pid_t pid;

	prepare_waiters();
	go_first(true);
	pid = start_worker(&workers[0]);
	for (long i = 0; i < 300; i++) {
		pause_a_bit(i);
		begin();
		stat_wait(i);
		end(t, "stat, while another sets xattrs of 64 KiB");
		pause_a_bit(i + 1);
		begin();
		write_wait(i);
		end(t, "write 4 KiB, while another sets xattrs of 64 KiB");
	}
	stop_worker(pid);
	go_first(false);
}

/* @size: extents of a clone that was removed, and of the file it was made of: a worker frees them. */
void beside_removal(const struct turn *t)
{
	int from;

	prepare_waiters();
	from = make_fragmented("f", t->size);
	close(clone_of(from, "c"));
	close(from);
	settle();
	go_first(true);
	is_zero(unlink(dr_path("c")), "unlink");
	is_zero(unlink(dr_path("f")), "unlink");
	for (long i = 0; i < 100; i++) {
		pause_a_bit(i);
		begin();
		stat_wait(i);
		end_wait(t, "stat, while so many extents are freed");
		pause_a_bit(i + 1);
		begin();
		create_wait(i);
		end_wait(t, "create, while so many extents are freed");
	}
	go_first(false);
}
