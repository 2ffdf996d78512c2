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
#include "common/inject.h"

DR_FIXTURE(large_dirs)

#define BATCH	500

static int N = 100000;
static unsigned char *seen;

/* Names for one file: an inode each would fill the metadata log of a small device. */
static int add(int dir, int n)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", n);
	return linkat(dir, "../f", dir, name, 0) ? -errno : 0;
}

static int drop(int dir, int n)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", n);
	return unlinkat(dir, name, 0) ? -errno : 0;
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

TEST_F(large_dirs, many_entries)
{
	enum { PLACES = 100 };
	static struct { long at; int next; } place[PLACES];
	struct dirent *e;
	struct stat st;
	int dir, n, hits = 0;
	DIR *d;

	/* A kernel that checks everything takes twenty times as long. */
	if (dr_inject_start() != -ENOENT)
		N = 3000;
	dr_inject_end();
	seen = malloc(2 * N);
	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, mkdir(dr_path("d"), 0755));
	d = opendir(dr_path("d"));
	ASSERT_NE(NULL, d);
	dir = dirfd(d);
	for (n = 0; n < N; n++)
		ASSERT_EQ(0, add(dir, n));
	ASSERT_EQ(0, stat(dr_path("f"), &st));
	EXPECT_EQ(N + 1, st.st_nlink);
	EXPECT_EQ(N, list(d));
	for (n = 0; n < N; n++)
		ASSERT_EQ(1, seen[n]);

	/* Places to come back to, and what stands there. */
	rewinddir(d);
	for (int i = 0; i < PLACES; i++) {
		for (int skip = 0; skip < N / PLACES - 1; skip++)
			readdir(d);
		place[i].at = telldir(d);
		e = readdir(d);
		ASSERT_NE(NULL, e);
		place[i].next = atoi(e->d_name);
	}
	/* A third goes, as many come, in turns, while somebody reads on. */
	for (n = 0; n < N; n += 3) {
		ASSERT_EQ(0, drop(dir, n));
		ASSERT_EQ(0, add(dir, N + n));
		if (n % BATCH == 0)
			readdir(d);
	}
	for (int i = PLACES - 1; i >= 0; i--) {
		if (place[i].next % 3 == 0)
			continue;
		/* New ones may stand before it, at the place of one that is gone. */
		seekdir(d, place[i].at);
		for (int ahead = 0; ahead < 3 * PLACES; ahead++) {
			e = readdir(d);
			if (e && atoi(e->d_name) == place[i].next) {
				hits++;
				break;
			}
		}
	}
	for (int i = 0; i < PLACES; i++)
		hits += place[i].next % 3 == 0;
	EXPECT_EQ(PLACES, hits);
	EXPECT_EQ((N + 2) / 3 + N - (N + 2) / 3, list(d));
	for (n = 0; n < N; n++) {
		ASSERT_EQ(n % 3 ? 1 : 0, seen[n]);
		ASSERT_EQ(n % 3 ? 0 : 1, seen[N + n]);
	}
	/* What is not in core is found as well. */
	dr_drop_caches();
	for (n = 1; n < N; n += BATCH) {
		char name[32];

		snprintf(name, sizeof(name), "d/%d", n % 3 ? n : N + n);
		ASSERT_EQ(dr_ino("f"), dr_ino(name));
	}
	EXPECT_ERR(ENOTEMPTY, rmdir(dr_path("d")));
	for (n = 0; n < N; n++)
		ASSERT_EQ(0, drop(dir, n % 3 ? n : N + n));
	EXPECT_EQ(0, list(d));
	closedir(d);
	EXPECT_EQ(0, rmdir(dr_path("d")));
	ASSERT_EQ(0, stat(dr_path("f"), &st));
	EXPECT_EQ(1, st.st_nlink);
	free(seen);
}

TEST_HARNESS_MAIN
