// SPDX-License-Identifier: GPL-2.0
/*
 * Where a file's pages are is remembered: reads and faults of holes, and of good blocks that
 * no other file has, do not ask the state lock again. What is remembered must
 * not outlive a change of the file, nor a failure.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(lookups)

#define RW	(PROT_READ | PROT_WRITE)
#define N	1000UL

/* Page by page: the file's page 1 is at the start of a huge page. */
static char *map_pages(const char *name)
{
	return dr_map(name, BLK, N * BLK, RW, MAP_SHARED);
}

TEST_F(lookups, none_for_what_stays)
{
	unsigned char byte;
	long before, faults;
	char *p;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("a", N + 1, 1));
	p = map_pages("a");
	ASSERT_NE(NULL, p);
	EXPECT_BYTE(dr_load(p), dr_byte(1, 1));
	ASSERT_EQ(0, dr_read1("a", 0, &byte));
	before = dr_counter("look_ups");
	ASSERT_GT(before, 0);
	for (int store = 0; store < 2; store++) {
		ASSERT_EQ(0, madvise(p, N * BLK, MADV_DONTNEED));
		faults = -dr_faults();
		for (unsigned long i = 0; i < N; i++)
			EXPECT_BYTE(store ? dr_store(p + i * BLK, 's') : dr_load(p + i * BLK),
				    store ? 's' : dr_byte(1, i + 1));
		faults += dr_faults();
		EXPECT_GE(faults, (long)N);
	}
	for (unsigned long i = 1; i < N; i++)
		ASSERT_EQ(0, dr_read1("a", i, &byte));
	EXPECT_EQ('s', byte);
	EXPECT_EQ(before, dr_counter("look_ups"));
}

TEST_F(lookups, none_in_a_hole)
{
	unsigned char byte = 1;
	long before;
	char *p;
	int fd;

	SKIP_ON_XFS();
	fd = dr_open("a", O_RDWR | O_CREAT);
	ASSERT_EQ(0, ftruncate(fd, (N + 1) * BLK));
	close(fd);
	p = map_pages("a");
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, dr_read1("a", 0, &byte));
	before = dr_counter("look_ups");
	for (unsigned long i = 0; i < N; i++) {
		EXPECT_BYTE(dr_load(p + i * BLK), 0);
		ASSERT_EQ(0, dr_read1("a", i, &byte));
		ASSERT_EQ(0, byte);
	}
	EXPECT_EQ(before, dr_counter("look_ups"));
	/* What comes to be there is found, and what does not is still a hole. */
	EXPECT_BYTE(dr_store(p + 7 * BLK, 's'), 's');
	ASSERT_EQ(0, dr_write_blocks("a", 20, 1, 3));
	EXPECT_EQ(0, dr_verify("a", 20, 1, 3, 20));
	ASSERT_EQ(0, dr_read1("a", 8, &byte));
	EXPECT_EQ('s', byte);
	EXPECT_EQ(0, dr_verify_zero("a", 9 * BLK, 11 * BLK));
	EXPECT_EQ(0, dr_verify_zero("a", 21 * BLK, (N - 20) * BLK));
}

/* More runs than are remembered: all of them are found. */
TEST_F(lookups, of_many_runs)
{
	enum { RUNS = 40 };
	int fd;

	ASSERT_EQ(0, dr_create("a", 2 * RUNS, 1));
	fd = dr_open("a", O_RDWR);
	for (int i = 0; i < RUNS; i++)
		ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				       2 * i * BLK, BLK));
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < RUNS; i++) {
			unsigned char byte = 1;

			ASSERT_EQ(0, dr_read1("a", 2 * i, &byte));
			ASSERT_EQ(0, byte);
			ASSERT_EQ(0, dr_read1("a", 2 * i + 1, &byte));
			ASSERT_EQ(dr_byte(1, 2 * i + 1), byte);
		}
	close(fd);
}

/* What was remembered is not where it was. */
TEST_F(lookups, after_a_change)
{
	int fd;

	for (int how = 0; how < 6; how++) {
		ASSERT_EQ(0, dr_create("a", 32, 1));
		ASSERT_EQ(0, dr_create("b", 32, 2));
		ASSERT_EQ(0, dr_verify("a", 0, 32, 1, 0));
		fd = dr_open("a", O_RDWR);
		switch (how) {
		case 0:		/* other blocks */
			ASSERT_EQ(0, dr_clone_range("b", 8 * BLK, 8 * BLK, "a", 8 * BLK));
			EXPECT_EQ(0, dr_verify("a", 8, 8, 2, 8));
			break;
		case 1:		/* none */
			ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE |
					       FALLOC_FL_KEEP_SIZE, 8 * BLK, 8 * BLK));
			EXPECT_EQ(0, dr_verify_zero("a", 8 * BLK, 8 * BLK));
			break;
		case 2:		/* elsewhere */
			ASSERT_EQ(0, fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 8 * BLK));
			EXPECT_EQ(0, dr_verify("a", 0, 24, 1, 8));
			break;
		case 3:		/* shared now: a write makes a copy */
			ASSERT_EQ(0, dr_clone("a", "c"));
			ASSERT_EQ(0, dr_write_blocks("a", 8, 8, 3));
			EXPECT_EQ(0, dr_verify("c", 0, 32, 1, 0));
			break;
		case 4:		/* the copy is another block */
			ASSERT_EQ(0, dr_clone("a", "c"));
			ASSERT_EQ(0, dr_verify("a", 0, 32, 1, 0));
			ASSERT_EQ(0, dr_write_blocks("a", 0, 32, 3));
			EXPECT_EQ(0, dr_verify("c", 0, 32, 1, 0));
			EXPECT_EQ(0, dr_verify("a", 0, 32, 3, 0));
			break;
		case 5:		/* shorter, and longer again */
			ASSERT_EQ(0, ftruncate(fd, 8 * BLK));
			ASSERT_EQ(0, dr_create("new", 24, 4));
			ASSERT_EQ(0, ftruncate(fd, 32 * BLK));
			EXPECT_EQ(0, dr_verify_zero("a", 8 * BLK, 24 * BLK));
			EXPECT_EQ(0, dr_verify("new", 0, 24, 4, 0));
			break;
		}
		close(fd);
		unlink(dr_path("c"));
	}
}

static int inject(void *pfn)
{
	return dr_poison_pfn((long)pfn) ? 1 : 0;
}

/* From when a block is in the bad set on, and not from when its owner's turn comes. */
TEST_F(lookups, after_a_failure)
{
	unsigned char byte;
	long pfn;
	pid_t pid;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("a", 32, 1));
	ASSERT_EQ(0, dr_verify("a", 0, 32, 1, 0));
	pfn = dr_pfn_of_block(dr_block("a", 9, NULL));
	ASSERT_GT(pfn, 0);
	ASSERT_EQ(0, dr_notify_delay(3000));
	pid = dr_spawn(inject, (void *)pfn);
	while (dr_counter("blocks_bad") != 1)
		usleep(1000);
	EXPECT_EQ(0, dr_counter("owners"));	/* it sleeps */
	EXPECT_EQ(-EIO, dr_read1("a", 9, &byte));
	EXPECT_EQ(0, dr_read1("a", 8, &byte));
	EXPECT_EQ(0, dr_counter("owners"));
	EXPECT_EQ(0, dr_wait(pid));
	EXPECT_EQ(0, dr_notify_delay(0));
	EXPECT_EQ(1, dr_counter("owners"));
	EXPECT_EQ(-EIO, dr_read1("a", 9, &byte));
}

TEST_HARNESS_MAIN
