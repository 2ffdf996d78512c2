// SPDX-License-Identifier: GPL-2.0
/*
 * Stores through mmap, then the page fails, then fsync(2). The kernel takes a page
 * that a machine check came from out of its own map, so that even to write back
 * its cache lines is an oops: it must be let alone, and the good pages must not. Who
 * asks whether the stores are durable is told that they are not, once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/clock.h"
#include "common/basics/text.h"

#define RW	(PROT_READ | PROT_WRITE)
#define TRACE	"/sys/kernel/tracing/"
#define EVENT	TRACE "events/fs_dax/dax_writeback_one/enable"

FIXTURE(writeback) { struct dr_fs fs; };

FIXTURE_SETUP(writeback)
{
	if (dr_xfs())
		SKIP(return, "XFS writes back what it must not touch");
	ASSERT_EQ(0, dr_setup(&self->fs));
}

FIXTURE_TEARDOWN_PARENT(writeback)
{
	if (!dr_xfs())
		EXPECT_EQ(0, dr_teardown(&self->fs));
}

/* What the kernel's DAX code writes back is in its trace, where it has one. */
static bool traced;

static void trace_start(struct __test_metadata *_metadata)
{
	traced = !access(EVENT, F_OK);
	if (!traced)
		return;
	ASSERT_EQ(0, dr_put(EVENT, "1"));
	ASSERT_EQ(0, truncate(TRACE "trace", 0));
}

/* Whether a DAX entry that begins at this page was written back since. */
static bool wrote_back(unsigned long page)
{
	static char buf[1 << 20];
	char want[32];

	if (dr_slurp(TRACE "trace", buf, sizeof(buf)) < 0)
		return false;
	snprintf(want, sizeof(want), "pgoff 0x%lx pglen", page);
	return strstr(buf, want);
}

/* A page of the file fails. Not by its name: FIEMAP would write back first. */
static int fail(long block)
{
	long pfn = block < 0 ? block : dr_pfn_of_block(block);

	return pfn < 0 ? pfn : dr_poison_pfn(pfn);
}

static int sync_file(int fd)
{
	return fsync(fd) ? dr_errno() : 0;
}

TEST_F(writeback, a_lost_page_is_let_alone)
{
	char *p;
	long block;
	int fd;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	block = dr_block("f", 4, NULL);
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	p = dr_map("f", 0, 16 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	for (int i = 3; i <= 5; i++)
		ASSERT_EQ(0, dr_store(p + i * BLK, dr_byte(1, i)).sig.signo);
	ASSERT_EQ(0, fail(block));
	trace_start(_metadata);
	EXPECT_EQ(-EIO, sync_file(fd));
	if (traced) {
		EXPECT_TRUE(wrote_back(3));
		EXPECT_FALSE(wrote_back(4));
		EXPECT_TRUE(wrote_back(5));
	}
	/* Each open file is told, and told once. */
	EXPECT_EQ(0, sync_file(fd));
	EXPECT_EQ(-1, msync(p, 16 * BLK, MS_SYNC));
	EXPECT_EQ(0, msync(p, 16 * BLK, MS_SYNC));
	EXPECT_EQ(0, dr_verify("f", 5, 11, 1, 5));

	/* The new block is like any other. */
	EXPECT_EQ(0, dr_write_blocks("f", 4, 1, 2));
	EXPECT_EQ(0, sync_file(fd));
	EXPECT_EQ(0, dr_store(p + 4 * BLK, dr_byte(2, 4)).sig.signo);
	EXPECT_EQ(0, sync_file(fd));
	EXPECT_EQ(0, dr_verify("f", 4, 1, 2, 4));
	if (traced)
		EXPECT_TRUE(wrote_back(4));
	close(fd);
	munmap(p, 16 * BLK);
}

/* Nobody maps it any more when it fails. */
TEST_F(writeback, stored_and_unmapped)
{
	char *p;
	long block;
	int fd;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	block = dr_block("f", 4, NULL);
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, sync_file(fd));
	p = dr_map("f", 0, 16 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, dr_store(p + 4 * BLK, 1).sig.signo);
	munmap(p, 16 * BLK);
	ASSERT_EQ(0, fail(block));
	EXPECT_EQ(-EIO, sync_file(fd));
	EXPECT_EQ(0, sync_file(fd));
	close(fd);
}

/* Who stored nothing lost nothing by it that fsync promised. */
TEST_F(writeback, a_clean_page_is_no_error)
{
	struct peer reader;
	long block;
	int fd;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	block = dr_block("f", 4, NULL);
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, sync_file(fd));
	ASSERT_EQ(0, peer_open(&reader, false, "f", 16 * BLK, 4));
	ASSERT_EQ(0, peer_store(&reader, 9 * BLK, dr_byte(1, 9)).sig.signo);
	ASSERT_EQ(0, fail(block));
	EXPECT_EQ(0, sync_file(fd));
	peer_stop(&reader);
	close(fd);
}

/* A page of a PMD: the others are flushed by another way, every time. */
TEST_F(writeback, in_a_huge_page)
{
	const unsigned long n = HUGE_SIZE / BLK;
	char *p;
	long block;
	int fd;

	ASSERT_EQ(0, dr_create("f", 2 * n, 1));
	block = dr_block("f", 7, NULL);
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	p = dr_map("f", 0, 2 * HUGE_SIZE, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, dr_store(p, dr_byte(1, 0)).sig.signo);
	ASSERT_EQ(0, dr_store(p + HUGE_SIZE, dr_byte(1, n)).sig.signo);
	ASSERT_EQ(0, fail(block));
	trace_start(_metadata);
	EXPECT_EQ(-EIO, sync_file(fd));
	if (traced) {
		EXPECT_FALSE(wrote_back(0));
		EXPECT_TRUE(wrote_back(n));
	}
	/* By pages now, of which one is stored to. */
	EXPECT_EQ(0, dr_store(p + 8 * BLK, dr_byte(1, 8)).sig.signo);
	EXPECT_EQ(0, sync_file(fd));
	if (traced)
		EXPECT_FALSE(wrote_back(0));
	EXPECT_EQ(0, dr_verify("f", 0, 7, 1, 0));
	EXPECT_EQ(0, dr_verify("f", 8, 2 * n - 8, 1, 8));
	EXPECT_EQ(0, dr_write_blocks("f", 7, 1, 2));
	EXPECT_EQ(0, sync_file(fd));
	close(fd);
	munmap(p, 2 * HUGE_SIZE);
}

/* The best of some, in seconds. */
static double time_of_fsync(int fd, char *p)
{
	double best = 1e9;

	for (int i = 0; i < 20; i++) {
		double start, t;

		if (dr_store(p, i).sig.signo)
			return -1;
		start = dr_now();
		if (fsync(fd))
			return -1;
		t = dr_now() - start;
		if (t < best)
			best = t;
	}
	return best;
}

/* That some block somewhere is bad costs a file nothing, however many extents it has. */
TEST_F(writeback, extents_cost_nothing)
{
	const unsigned long n = 6000;
	double before, after;
	char *p;
	int fd;

	ASSERT_EQ(0, dr_create("f", n, 1));
	ASSERT_EQ(0, dr_create("other", 1, 1));
	for (unsigned long i = 1; i < n; i += 2)
		ASSERT_EQ(0, dr_fallocate("f", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					  i * BLK, BLK));
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	p = dr_map("f", 0, BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	before = time_of_fsync(fd, p);
	ASSERT_EQ(0, dr_poison("other", 0));
	after = time_of_fsync(fd, p);
	ASSERT_LE(0, before);
	ASSERT_LE(0, after);
	TH_LOG("fsync: %.1f us, with a bad block %.1f us", before * 1e6, after * 1e6);
	EXPECT_LT(after, 8 * before + 100e-6);
	munmap(p, BLK);
	close(fd);
}

TEST_HARNESS_MAIN
