// SPDX-License-Identifier: GPL-2.0
/*
 * Files of very many extents: what takes these away does it in steps, and does
 * not keep others waiting for as long as there are.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <sys/vfs.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/clock.h"

DR_FIXTURE(many_extents)

#define N	3000UL		/* with what is in them: some steps */
#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#ifndef FALLOC_FL_WRITE_ZEROES
#define FALLOC_FL_WRITE_ZEROES	0x80
#endif

/* Every other page of 2 * N, each an extent. */
static int make(const char *name)
{
	int r = dr_create(name, 2 * N, 1);

	for (unsigned long i = 0; i < N && !r; i++)
		r = dr_fallocate(name, PUNCH, (2 * i + 1) * BLK, BLK);
	return r;
}

/* Whether the pages from `from` to `to` are as they were made. */
static int wrong(const char *name, unsigned long from, unsigned long to)
{
	unsigned char byte;
	int n = 0;

	for (unsigned long i = from; i < to; i++)
		n += dr_read1(name, i, &byte) || byte != (i % 2 ? 0 : dr_byte(1, i));
	return n;
}

TEST_F(many_extents, what_is_left)
{
	long used = dr_free_blocks();

	ASSERT_EQ(0, make("f"));
	ASSERT_EQ(0, dr_clone("f", "a"));
	ASSERT_EQ(0, dr_clone("f", "b"));
	ASSERT_EQ(0, dr_clone("f", "c"));
	EXPECT_EQ(used - N, dr_free_blocks());

	/* shorter, in the middle of a page; and longer again */
	ASSERT_EQ(0, truncate(dr_path("a"), 200 * BLK + 7));
	EXPECT_EQ(200 * BLK + 7, dr_size("a"));
	EXPECT_EQ(0, wrong("a", 0, 201));
	EXPECT_EQ(0, dr_check());
	ASSERT_EQ(0, truncate(dr_path("a"), 2 * N * BLK));
	EXPECT_EQ(0, wrong("a", 0, 200));
	EXPECT_EQ(0, dr_verify_zero("a", 200 * BLK + 7, 1000 * BLK));

	/* what is behind the end goes as well */
	ASSERT_EQ(0, truncate(dr_path("b"), 2 * N * BLK));
	for (unsigned long i = 0; i < 1500; i++)
		ASSERT_EQ(0, dr_fallocate("b", FALLOC_FL_KEEP_SIZE, (2 * N + 2 * i) * BLK, BLK));
	ASSERT_EQ(0, truncate(dr_path("b"), 2 * N * BLK));
	EXPECT_EQ(2 * N * BLK, dr_size("b"));
	EXPECT_EQ(0, wrong("b", 0, 2 * N));
	EXPECT_EQ(used - N - 1, dr_free_settled(used - N - 1));	/* the page that was cut */

	/* a hole */
	ASSERT_EQ(0, dr_fallocate("b", PUNCH, 100 * BLK, (2 * N - 200) * BLK));
	EXPECT_EQ(0, wrong("b", 0, 100));
	EXPECT_EQ(0, dr_verify_zero("b", 100 * BLK, (2 * N - 200) * BLK));
	EXPECT_EQ(0, wrong("b", 2 * N - 100, 2 * N));

	/* another file over it */
	ASSERT_EQ(0, dr_clone("b", "c"));
	EXPECT_EQ(0, wrong("c", 0, 100));
	EXPECT_EQ(0, dr_verify_zero("c", 100 * BLK, (2 * N - 200) * BLK));
	EXPECT_EQ(0, wrong("f", 0, 2 * N));
	EXPECT_EQ(0, dr_check());

	for (const char *names = "f\0a\0b\0c\0"; *names; names += 2)
		ASSERT_EQ(0, unlink(dr_path(names)));
	EXPECT_EQ(used, dr_free_settled(used));
	EXPECT_EQ(0, dr_check());
}

static volatile bool stop;
static const unsigned long many = 40000;

/* The longest time that it takes to ask for the free space: the state lock, and nothing else. */
static void *ask(void *to)
{
	double *longest = to;
	struct statfs st;

	while (!stop) {
		double begin = dr_now(), took;

		statfs(dr_mnt(), &st);
		took = dr_now() - begin;
		if (took > *longest)
			*longest = took;
	}
	return NULL;
}

static int cut(void)
{
	return truncate(dr_path("a"), BLK);
}

static int punch(void)
{
	return dr_fallocate("b", PUNCH, BLK, 2 * many * BLK);
}

static int clone_over(void)
{
	return dr_clone("hole", "c");
}

static int take_away(void)
{
	return unlink(dr_path("d"));
}

TEST_F(many_extents, others_do_not_wait)
{
	static const struct {
		const char *name, *file;
		int (*call)(void);
	} all[] = {
		{ "truncate", "a", cut }, { "punch", "b", punch },
		{ "clone", "c", clone_over }, { "unlink", "d", take_away },
	};
	pthread_t thread;

	SKIP_ON_XFS();
	if (dr_all_checked())
		SKIP(return, "who waits for whom says nothing where all is checked");
	/* A checkpoint takes long, too. */
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mkfs_with(dr_dev(), "-l 64M"));
	ASSERT_EQ(0, dr_mount_again());
	for (unsigned long i = 0; i < many; i++)
		ASSERT_EQ(0, dr_fallocate("f", FALLOC_FL_WRITE_ZEROES, 2 * i * BLK, BLK));
	ASSERT_EQ(0, dr_create("hole", 0, 1));
	ASSERT_EQ(0, truncate(dr_path("hole"), 2 * many * BLK));
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		double longest, took;
		int tries = 5;

		/* On a busy machine he may have waited for something else. */
		do {
			unlink(dr_path(all[i].file));
			ASSERT_EQ(0, dr_clone("f", all[i].file));
			longest = 0;
			stop = false;
			ASSERT_EQ(0, pthread_create(&thread, NULL, ask, &longest));
			usleep(10000);
			took = -dr_now();
			EXPECT_EQ(0, all[i].call());
			EXPECT_EQ(0, dr_settle());	/* what was removed, too */
			took += dr_now();
			stop = true;
			pthread_join(thread, NULL);
			fprintf(stderr, "# %s of %lu extents: %.1f ms, others waited %.1f ms at most\n",
				all[i].name, many, took * 1e3, longest * 1e3);
		} while (longest > took / 2 && --tries);
		EXPECT_LT(longest, took / 2);
	}
	EXPECT_EQ(0, dr_check());
}

TEST_HARNESS_MAIN
