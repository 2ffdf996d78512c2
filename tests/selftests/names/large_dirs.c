// SPDX-License-Identifier: GPL-2.0
/*
 * Directories of many entries: each is found and listed once, and a place in
 * the listing stays one, whatever comes and goes.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/clock.h"
#include "common/module/inject.h"

#define BATCH	500
#define PLACES	100

/* So many entries, which of them go, and what mkfs is told so that the log has room. */
FIXTURE(large_dirs) { struct dr_fs fs; };
FIXTURE_VARIANT(large_dirs) { int entries, every; const char *mkfs; };
FIXTURE_VARIANT_ADD(large_dirs, usual_log) { 100000, 3, "" };
FIXTURE_VARIANT_ADD(large_dirs, million) { 1000000, 30, "-l 128M" };
FIXTURE_SETUP(large_dirs)
{
	ASSERT_EQ(0, dr_setup(&self->fs));
	if (!dr_xfs()) {
		ASSERT_EQ(0, dr_umount());
		ASSERT_EQ(0, dr_mkfs_with(dr_dev(), variant->mkfs));
		ASSERT_EQ(0, dr_mount_again());
	}
}
FIXTURE_TEARDOWN_PARENT(large_dirs) { EXPECT_EQ(0, dr_teardown(&self->fs)); }

static int N, every;
static unsigned char *seen;
/* Where to come back to, and what stands there. */
static struct { long at; int next; } place[PLACES];

/* How long it took, for who reads it: says what took so long since the last one. */
static void took(const char *what)
{
	static double last;
	double now = dr_now();

	if (what)
		fprintf(stderr, "# %d entries: %s: %.3f s\n", N, what, now - last);
	last = now;
}

/* Names for one file: an inode each would need four times the metadata. */
static int add(int file, int dir, int n)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", n);
	return linkat(file, "", dir, name, AT_EMPTY_PATH) ? -errno : 0;
}

static int drop(int dir, int n)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", n);
	return unlinkat(dir, name, 0) ? -errno : 0;
}

/* The inode; 0: none has that name. */
static ino_t look_up(int dir, int n)
{
	char name[16];
	struct stat st;

	snprintf(name, sizeof(name), "%d", n);
	return fstatat(dir, name, &st, 0) ? 0 : st.st_ino;
}

/* Counts in seen[]; how many there are. */
static int list(DIR *d)
{
	struct dirent *e;
	int n, count = 0;

	memset(seen, 0, 2 * N);
	rewinddir(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		n = atoi(e->d_name);
		if (n < 0 || n >= 2 * N)
			return -EILSEQ;
		seen[n]++;
		count++;
	}
	return count;
}

/* What is there after some of the first N have gone, and as many have come. */
static bool is_there(int n)
{
	return n < N ? n % every : (n - N) % every == 0;
}

/* Whether just these were listed, once each. */
static int misses(bool all_first)
{
	int wrong = 0;

	for (int n = 0; n < 2 * N; n++)
		wrong += seen[n] != (all_first ? n < N : is_there(n));
	return wrong;
}

static int mark_places(DIR *d)
{
	struct dirent *e;

	rewinddir(d);
	for (int i = 0; i < PLACES; i++) {
		for (int skip = 0; skip < N / PLACES - 1; skip++)
			readdir(d);
		place[i].at = telldir(d);
		e = readdir(d);
		if (!e)
			return -ENOENT;
		place[i].next = atoi(e->d_name);
	}
	return 0;
}

/* How many places are none any more; those of what has gone do not count. */
static int lost_places(DIR *d)
{
	int lost = 0;

	for (int i = PLACES - 1; i >= 0; i--) {
		bool found = place[i].next % every == 0;

		seekdir(d, place[i].at);
		/* New ones may stand before it, at the place of one that is gone. */
		for (int ahead = 0; !found && ahead < 3 * PLACES; ahead++) {
			struct dirent *e = readdir(d);

			found = e && atoi(e->d_name) == place[i].next;
		}
		lost += !found;
	}
	return lost;
}

TEST_F_TIMEOUT(large_dirs, many_entries, 400)
{
	struct stat st;
	int file, dir, n;
	DIR *d;

	N = variant->entries;
	every = variant->every;
	/* A kernel that checks everything takes twenty times as long. */
	if (dr_inject_start() != -ENOENT) {
		dr_inject_end();
		if (variant->mkfs[0])
			SKIP(return, "this kernel checks everything: the other one is large enough");
		N = 3000;
	}
	dr_inject_end();
	seen = malloc(2 * N);
	ASSERT_EQ(0, dr_create("f", 1, 1));
	file = dr_open("f", O_RDONLY);
	ASSERT_LE(0, file);
	ASSERT_EQ(0, mkdir(dr_path("d"), 0755));
	d = opendir(dr_path("d"));
	ASSERT_NE(NULL, d);
	dir = dirfd(d);
	took(NULL);
	for (n = 0; n < N; n++)
		ASSERT_EQ(0, add(file, dir, n));
	took("link");
	ASSERT_EQ(0, stat(dr_path("f"), &st));
	EXPECT_EQ(N + 1, st.st_nlink);
	took(NULL);
	EXPECT_EQ(N, list(d));
	took("list");
	EXPECT_EQ(0, misses(true));
	ASSERT_EQ(0, mark_places(d));

	/* Some go, as many come, in turns, while somebody reads on. */
	rewinddir(d);
	took(NULL);
	for (n = 0; n < N; n += every) {
		ASSERT_EQ(0, drop(dir, n));
		ASSERT_EQ(0, add(file, dir, N + n));
		if (n % BATCH == 0)
			readdir(d);
	}
	took("unlink some, link as many");
	EXPECT_EQ(0, lost_places(d));
	EXPECT_EQ(N, list(d));
	EXPECT_EQ(0, misses(false));
	closedir(d);
	close(file);

	/* The same after a mount; nothing is in core then. */
	took(NULL);
	ASSERT_EQ(0, dr_umount());
	took("unmount");
	ASSERT_EQ(0, dr_mount_again());
	took("mount");
	d = opendir(dr_path("d"));
	ASSERT_NE(NULL, d);
	dir = dirfd(d);
	ASSERT_EQ(0, stat(dr_path("f"), &st));
	EXPECT_EQ(N + 1, st.st_nlink);
	EXPECT_EQ(0, lost_places(d));
	took(NULL);
	EXPECT_EQ(N, list(d));
	took("list");
	EXPECT_EQ(0, misses(false));
	took(NULL);
	for (n = 0; n < N; n++) {
		ASSERT_EQ(st.st_ino, look_up(dir, is_there(n) ? n : N + n));
		if (!is_there(n))
			ASSERT_EQ(0, look_up(dir, n));
	}
	took("look up all");
	EXPECT_ERR(ENOTEMPTY, rmdir(dr_path("d")));
	took(NULL);
	for (n = 0; n < N; n++)
		ASSERT_EQ(0, drop(dir, is_there(n) ? n : N + n));
	took("unlink all");
	EXPECT_EQ(0, list(d));
	closedir(d);
	EXPECT_EQ(0, rmdir(dr_path("d")));
	ASSERT_EQ(0, stat(dr_path("f"), &st));
	EXPECT_EQ(1, st.st_nlink);
	free(seen);
}

TEST_HARNESS_MAIN
