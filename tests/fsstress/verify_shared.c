// SPDX-License-Identifier: GPL-2.0
/*
 * The shared directory while nobody changes it: every name leads to what it is listed
 * as, once; link counts are those of the names; whole files are whole.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fsstress.h"
#include "shared.h"

enum { FILES = 4096 };

static struct {
	ino_t ino;
	int links, names;
	char path[256];			/* the first of them */
} seen[FILES];
static int seens;

static void count(const struct stat *st, const char *path)
{
	int i = 0;

	while (i < seens && seen[i].ino != st->st_ino)
		i++;
	if (i == FILES)
		return;
	if (i == seens) {
		seens++;
		seen[i].ino = st->st_ino;
		seen[i].links = st->st_nlink;
		seen[i].names = 0;
		snprintf(seen[i].path, sizeof(seen[i].path), "%.255s", path);
	}
	seen[i].names++;
}

static void check_file(const char *path, const struct stat *st)
{
	uint64_t buf[WHOLE / 8];
	int fd;

	if (st->st_size && st->st_size != WHOLE)
		fault(SHARED, "%s has %ld bytes", path, st->st_size);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (!must("open", fd, 0))
		return;
	if (read(fd, buf, WHOLE) != st->st_size)
		fault(SHARED, "%s cannot be read", path);
	for (int i = 1; st->st_size && i < WHOLE / 8; i++)
		if (buf[i] != buf[0]) {
			fault(SHARED, "%s has bytes of two writes", path);
			break;
		}
	close(fd);
}

static void walk(const char *path, ino_t parent);

static void visit(const char *dir, const struct dirent *x, ino_t ino, int *subdirs)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%.255s/%.250s", dir, x->d_name);
	if (!must("lstat of a name that is listed", lstat(path, &st), 0))
		return;
	if (st.st_ino != x->d_ino || IFTODT(st.st_mode) != x->d_type)
		fault(SHARED, "%s is inode %lu, mode %o; it is listed as %lu, type %d", path,
		      st.st_ino, st.st_mode, x->d_ino, x->d_type);
	count(&st, path);
	if (S_ISREG(st.st_mode))
		check_file(path, &st);
	if (S_ISDIR(st.st_mode)) {
		++*subdirs;
		walk(path, ino);
	}
}

/* Names that are listed twice. */
static void check_twice(DIR *d, const char *path)
{
	static char name[512][64];
	struct dirent *x;
	int n = 0;

	while ((x = readdir(d)) && n < 512) {
		for (int i = 0; i < n; i++)
			if (!strcmp(name[i], x->d_name))
				fault(SHARED, "%s lists %s twice", path, x->d_name);
		snprintf(name[n++], sizeof(*name), "%.63s", x->d_name);
	}
	rewinddir(d);
}

static void walk(const char *path, ino_t parent)
{
	DIR *d = opendir(path);
	struct dirent *x;
	struct stat st;
	int subdirs = 0;

	if (!d || fstat(dirfd(d), &st)) {
		must("opendir", -1, 0);
		return;
	}
	check_twice(d, path);
	while ((x = readdir(d))) {
		if (!strcmp(x->d_name, "..")) {
			if (x->d_ino != parent)
				fault(SHARED, "%s is in directory %lu, and says %lu", path, parent,
				      x->d_ino);
		} else if (strcmp(x->d_name, ".")) {
			visit(path, x, st.st_ino, &subdirs);
		}
	}
	closedir(d);
	if ((int)st.st_nlink != 2 + subdirs)
		fault(SHARED, "%s has %d directories, and %lu links", path, subdirs, st.st_nlink);
}

void verify_shared(void)
{
	struct stat st;

	seens = 0;
	if (!must("stat", stat(dr_mnt(), &st), 0))
		return;
	walk(dr_path(SHARED_DIR), st.st_ino);
	for (int i = 0; i < seens; i++) {
		struct stat now;

		if (lstat(seen[i].path, &now) || S_ISDIR(now.st_mode))
			continue;
		if (seen[i].links != seen[i].names)
			fault(SHARED, "%s has %d links, and %d names", seen[i].path,
			      seen[i].links, seen[i].names);
	}
}
