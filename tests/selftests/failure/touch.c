// SPDX-License-Identifier: GPL-2.0
/*
 * A block fails while the kernel is about to touch it: zeroes it, copies to it, or
 * writes its cache lines back. When memory_failure() is through, the page goes out
 * of the kernel's own map, so it may not be through before they are.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/clock.h"

#define RW	(PROT_READ | PROT_WRITE)
#define DELAY	900	/* ms between finding a block good and touching it */
#define HEAD	300	/* ms for a child to come there */
#define ROUNDS	5	/* for a machine that is too slow for that */

FIXTURE(touch) { struct dr_fs fs; };

FIXTURE_SETUP(touch)
{
	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_setup(&self->fs));
}

FIXTURE_TEARDOWN_PARENT(touch)
{
	if (dr_xfs())
		return;
	dr_touch_delay(0);
	EXPECT_EQ(0, dr_teardown(&self->fs));
}

struct child {
	volatile int begun;
	int (*touches)(void);	/* 0 or errno */
};

static int begin(void *arg)
{
	struct child *c = arg;

	c->begun = 1;
	return c->touches();
}

/*
 * Whether a failure of the block that a child is about to touch has waited for
 * it. *result: what the child says.
 */
static int waits(struct child *c, long block, int *result)
{
	double start;
	pid_t pid;
	int r;

	c->begun = 0;
	dr_touch_delay(DELAY);
	pid = dr_spawn(begin, c);
	for (int i = 0; i < 10000 && !c->begun; i++)
		usleep(1000);
	usleep(HEAD * 1000);
	start = dr_now();
	r = dr_notify(block * BLK, BLK);
	start = dr_now() - start;
	/* What comes next need not wait. */
	dr_touch_delay(0);
	*result = dr_wait(pid);
	return r ? r : start > DELAY / 3000.0;
}

static int sync_f(void)
{
	int fd = dr_open("f", O_RDWR), r;

	r = fsync(fd) ? errno : 0;
	close(fd);
	return r;
}

TEST_F(touch, written_back)
{
	struct child *c = dr_shared_mem(sizeof(*c));
	int waited = 0, result, round;
	char *p;

	c->touches = sync_f;
	ASSERT_EQ(0, dr_create("f", ROUNDS, 1));
	p = dr_map("f", 0, ROUNDS * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	for (round = 0; round < ROUNDS && !waited; round++) {
		long block = dr_block("f", round, NULL);

		ASSERT_EQ(0, dr_store(p + round * BLK, 7).sig.signo);
		waited = waits(c, block, &result);
		ASSERT_LE(0, waited);
		/* The page was flushed in time, or not at all. */
		EXPECT_TRUE(!result || result == EIO);
	}
	EXPECT_TRUE(waited);
	EXPECT_EQ(round, dr_counter("blocks_bad"));
	munmap(p, ROUNDS * BLK);
}

/* There is one free block, and this is it; or -errno. */
static long last_free_block(void)
{
	long block;
	int r = dr_create("one", 1, 1);

	if (r)
		return r;
	block = dr_block("one", 0, NULL);
	r = dr_fallocate("big", 0, 0, dr_free_blocks() * BLK);
	if (r)
		return r;
	if (unlink(dr_path("one")))
		return -errno;
	return dr_free_settled(1) == 1 ? block : -EBUSY;
}

static int write_f(void)
{
	return -dr_write_blocks("f", 0, 1, 3);
}

/* A new block fails while it is filled: nobody gets it. */
static void filled(struct __test_metadata *_metadata)
{
	struct child *c = dr_shared_mem(sizeof(*c));
	int waited = 0, result, round;

	c->touches = write_f;
	for (round = 0; round < ROUNDS && !waited; round++) {
		long block = last_free_block();

		ASSERT_LE(0, block);
		waited = waits(c, block, &result);
		ASSERT_LE(0, waited);
		if (!waited)
			break;		/* the block was used already */
		EXPECT_EQ(ENOSPC, result);
		EXPECT_EQ(0, dr_free_blocks());
	}
	EXPECT_TRUE(waited);
	unlink(dr_path("big"));
}

TEST_F(touch, zeroed)
{
	ASSERT_EQ(0, dr_create("f", 0, 1));
	filled(_metadata);
	EXPECT_EQ(0, dr_size("f"));
}

TEST_F(touch, copied_to)
{
	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	filled(_metadata);
	EXPECT_EQ(0, dr_verify("f", 0, 1, 1, 0));
	EXPECT_EQ(0, dr_verify("g", 0, 1, 1, 0));
}

/* An unwritten block fails while it is zeroed, since somebody writes: he gets another one. */
TEST_F(touch, converted)
{
	struct child *c = dr_shared_mem(sizeof(*c));
	int waited = 0, result, round;

	c->touches = write_f;
	for (round = 0; round < ROUNDS && !waited; round++) {
		unlink(dr_path("f"));
		ASSERT_EQ(0, dr_fallocate("f", 0, 0, BLK));
		waited = waits(c, dr_block("f", 0, NULL), &result);
		ASSERT_LE(0, waited);
		EXPECT_EQ(0, result);
		EXPECT_EQ(0, dr_verify("f", 0, 1, 3, 0));
	}
	EXPECT_TRUE(waited);
	EXPECT_EQ(0, dr_check());
}

TEST_F(touch, healed_with)
{
	unsigned char byte;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, dr_poison("f", 0));
	filled(_metadata);
	EXPECT_EQ(-EIO, dr_read1("f", 0, &byte));
	EXPECT_EQ(0, dr_write_blocks("f", 0, 1, 4));
	EXPECT_EQ(0, dr_verify("f", 0, 1, 4, 0));
}

TEST_HARNESS_MAIN
