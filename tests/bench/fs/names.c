// SPDX-License-Identifier: GPL-2.0
/* Names, and what is kept beside them. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include "bench.h"
#include "common/basics/text.h"
#include "common/files/files.h"

static void is_zero(int r, const char *what)
{
	must(r ? dr_errno() : 0, what);
}

static void drop_caches(void)
{
	settle();
	must(dr_put("/proc/sys/vm/drop_caches", "2"), "drop_caches");
}

/* @size: files in one directory. */
void names(const struct turn *t)
{
	struct stat st;
	long n = t->size, some = n < 2000 ? n : 2000;

	is_zero(mkdir(dr_path("d"), 0755), "mkdir");
	for (long i = 0; i < n; i++) {
		begin();
		close(open_file(numbered("d/", i), O_WRONLY | O_CREAT | O_EXCL));
		end(t, "create");
	}
	drop_caches();
	for (long i = 0; i < some; i++) {
		const char *path = dr_path(numbered("d/", i * 7919 % n));

		begin();
		is_zero(stat(path, &st), "stat");
		end(t, "stat, not in core");
	}
	for (long i = 0; i < some; i++) {
		const char *from = dr_path(numbered("d/", i)), *to = dr_path(numbered("d/r", i));

		begin();
		is_zero(rename(from, to), "rename");
		end(t, "rename");
	}
	for (long i = 0; i < some; i++) {
		const char *path = dr_path(numbered("d/m", i));

		begin();
		is_zero(mkdir(path, 0755), "mkdir");
		end(t, "mkdir");
	}
	settle();
	for (long i = 0; i < some; i++) {
		const char *path = dr_path(numbered("d/m", i));

		begin();
		is_zero(rmdir(path), "rmdir");
		end(t, "rmdir");
	}
	for (long i = 0; i < some; i++) {
		const char *path = dr_path(numbered("d/r", i));

		begin();
		is_zero(unlink(path), "unlink");
		end(t, "unlink");
	}
}

/* @size: names. All of them, each time. */
void read_directory(const struct turn *t)
{
	is_zero(mkdir(dr_path("d"), 0755), "mkdir");
	for (long i = 0; i < t->size; i++)
		close(open_file(numbered("d/", i), O_WRONLY | O_CREAT | O_EXCL));
	for (int i = 0; i < 7; i++) {
		DIR *d = opendir(dr_path("d"));
		long n = 0;

		must(d ? 0 : dr_errno(), "opendir");
		begin();
		while (readdir(d))
			n++;
		/* The first time is for what it brings into core. */
		if (i)
			end(t, "readdir, in core");
		closedir(d);
		must_be(n, t->size + 2, "names");
	}
}

#define FILES	500

void attributes(const struct turn *t)
{
	static const char value[64] = "a value";
	char path[FILES][64], got[64];

	for (int i = 0; i < FILES; i++) {
		snprintf(path[i], sizeof(path[i]), "%s", dr_path(numbered("f", i)));
		close(open_file(numbered("f", i), O_WRONLY | O_CREAT));
	}
	settle();
	for (int i = 0; i < FILES; i++) {
		begin();
		is_zero(chmod(path[i], 0600), "chmod");
		end(t, "chmod");
	}
	for (int i = 0; i < FILES; i++) {
		struct timespec times[2] = { { .tv_sec = 1000 + i }, { .tv_sec = 2000 + i } };

		begin();
		is_zero(utimensat(AT_FDCWD, path[i], times, 0), "utimens");
		end(t, "utimens");
	}
	for (int i = 0; i < FILES; i++) {
		begin();
		is_zero(setxattr(path[i], "user.a", value, sizeof(value), 0), "setxattr");
		end(t, "setxattr, new, 64 bytes");
	}
	for (int i = 0; i < FILES; i++) {
		begin();
		must_be(getxattr(path[i], "user.a", got, sizeof(got)), sizeof(got), "getxattr");
		end(t, "getxattr, 64 bytes");
	}
	for (int i = 0; i < FILES; i++) {
		begin();
		is_zero(removexattr(path[i], "user.a"), "removexattr");
		end(t, "removexattr");
	}
}

static int make_tree_file(long i)
{
	static char page[PAGE];
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "d%ld/%ld", i / 100, i);
	fd = open_file(name, O_WRONLY | O_CREAT);
	write_at(fd, page, PAGE, 0);
	return fd;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	/* What a new filesystem has stays: ext4 has a directory. */
	return at->level && !strstr(path, "lost+found") ? remove(path) : 0;
}

/* @size: files of a page, a hundred in a directory. What rm -r does. */
void remove_tree(const struct turn *t)
{
	static char root[64];

	for (long i = 0; i < t->size; i++) {
		if (i % 100 == 0)
			is_zero(mkdir(dr_path(numbered("d", i / 100)), 0755), "mkdir");
		close(make_tree_file(i));
	}
	settle();
	snprintf(root, sizeof(root), "%s", dr_path("."));
	begin();
	is_zero(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT), "rm -r");
	end(t, "rm -r (files)");
}
