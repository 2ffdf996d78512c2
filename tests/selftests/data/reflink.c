// SPDX-License-Identifier: GPL-2.0
/*
 * Clones: which blocks are shared afterwards, what FIEMAP and statfs say of
 * it, and that a write on one side is never seen on the other.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(reflink)

TEST_F(reflink, clone)
{
	struct stat st;

	ASSERT_EQ(0, dr_create("a", 16, 1));
	EXPECT_FALSE(dr_shared("a", 3));
	ASSERT_EQ(0, dr_clone("a", "b"));
	EXPECT_USED(16);
	for (int i = 0; i < 16; i++) {
		EXPECT_EQ(dr_block("a", i, NULL), dr_block("b", i, NULL));
		EXPECT_TRUE(dr_shared("a", i));
		EXPECT_TRUE(dr_shared("b", i));
	}
	EXPECT_EQ(0, dr_verify("a", 0, 16, 1, 0));
	EXPECT_EQ(0, dr_verify("b", 0, 16, 1, 0));
	ASSERT_EQ(0, stat(dr_path("b"), &st));
	EXPECT_EQ(16 * BLK, st.st_size);
	EXPECT_EQ(16 * BLK / 512, st.st_blocks);
	EXPECT_EQ(0, dr_check());

	ASSERT_EQ(0, unlink(dr_path("a")));
	EXPECT_FALSE(dr_shared("b", 3));
	EXPECT_USED(16);
	EXPECT_EQ(0, dr_verify("b", 0, 16, 1, 0));
	ASSERT_EQ(0, unlink(dr_path("b")));
	EXPECT_USED(0);
}

TEST_F(reflink, sixty_four_clones)
{
	char name[16];

	ASSERT_EQ(0, dr_create("0", 8, 1));
	for (int i = 1; i <= 64; i++) {		/* each a clone of the one before */
		char from[16];

		snprintf(from, sizeof(from), "%d", i - 1);
		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, dr_clone(from, name));
	}
	EXPECT_USED(8);
	for (int i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "%d", i);
		EXPECT_TRUE(dr_shared(name, 7));
		EXPECT_EQ(0, dr_verify(name, 0, 8, 1, 0));
		ASSERT_EQ(0, unlink(dr_path(name)));
	}
	EXPECT_FALSE(dr_shared("64", 0));
	EXPECT_EQ(0, dr_verify("64", 0, 8, 1, 0));
	EXPECT_USED(8);
}

TEST_F(reflink, ranges)
{
	ASSERT_EQ(0, dr_create("a", 16, 1));
	ASSERT_EQ(0, dr_create("b", 16, 2));
	/* blocks 4..8 of a become 9..13 of b */
	ASSERT_EQ(0, dr_clone_range("a", 4 * BLK, 4 * BLK, "b", 9 * BLK));
	EXPECT_USED(28);
	EXPECT_EQ(0, dr_verify("b", 0, 9, 2, 0));
	EXPECT_EQ(0, dr_verify("b", 9, 4, 1, 4));
	EXPECT_EQ(0, dr_verify("b", 13, 3, 2, 13));
	EXPECT_FALSE(dr_shared("b", 8));
	EXPECT_TRUE(dr_shared("b", 9));
	EXPECT_TRUE(dr_shared("b", 12));
	EXPECT_FALSE(dr_shared("b", 13));
	EXPECT_FALSE(dr_shared("a", 3));
	EXPECT_TRUE(dr_shared("a", 4));
	EXPECT_EQ(dr_block("a", 6, NULL), dr_block("b", 11, NULL));

	/* A clone of that clone, elsewhere, past the end: a hole before it. */
	ASSERT_EQ(0, dr_clone_range("b", 10 * BLK, 2 * BLK, "c", 100 * BLK));
	EXPECT_EQ(0, dr_verify("c", 100, 2, 1, 5));
	EXPECT_EQ(0, dr_verify_zero("c", 99 * BLK, BLK));
	EXPECT_EQ(-ENOENT, dr_block("c", 50, NULL));
	EXPECT_USED(28);

	/* Within one file. */
	ASSERT_EQ(0, dr_clone_range("a", 0, 4 * BLK, "a", 12 * BLK));
	EXPECT_EQ(0, dr_verify("a", 0, 12, 1, 0));
	EXPECT_EQ(0, dr_verify("a", 12, 4, 1, 0));
	EXPECT_EQ(dr_block("a", 1, NULL), dr_block("a", 13, NULL));
	EXPECT_TRUE(dr_shared("a", 1));
	EXPECT_USED(24);
	ASSERT_EQ(0, dr_write_blocks("a", 0, 4, 7));
	EXPECT_FALSE(dr_shared("a", 13));
	EXPECT_EQ(0, dr_verify("a", 12, 4, 1, 0));

	/* A range over itself, exactly: allowed, and nothing changes. */
	EXPECT_EQ(-EINVAL, dr_clone_range("a", 0, 4 * BLK, "a", 2 * BLK));

	/* Length 0 is up to the end. */
	ASSERT_EQ(0, dr_clone_range("b", 13 * BLK, 0, "d", 0));
	EXPECT_EQ(0, dr_verify("d", 0, 3, 2, 13));
	EXPECT_EQ(0, dr_check());
}

TEST_F(reflink, refusals)
{
	ASSERT_EQ(0, dr_create("a", 8, 1));
	ASSERT_EQ(0, dr_create("b", 8, 2));
	EXPECT_EQ(-EINVAL, dr_clone_range("a", 100, BLK, "b", 0));
	EXPECT_EQ(-EINVAL, dr_clone_range("a", 0, BLK, "b", 512));
	EXPECT_EQ(-EINVAL, dr_clone_range("a", 0, 1000, "b", 0));
	EXPECT_EQ(-EINVAL, dr_clone_range("a", 8 * BLK, BLK, "b", 0));
	EXPECT_EQ(-EINVAL, dr_clone_range("a", 7 * BLK, 2 * BLK, "b", 0));
	ASSERT_EQ(0, mkdir(dr_path("d"), 0755));
	EXPECT_EQ(-EISDIR, dr_clone("a", "d"));
	EXPECT_EQ(-EISDIR, dr_clone("d", "b"));
	EXPECT_EQ(0, dr_verify("a", 0, 8, 1, 0));
	EXPECT_EQ(0, dr_verify("b", 0, 8, 2, 0));
	EXPECT_USED(16);
}

/* The last block of a file may be shared only as another file's last. */
TEST_F(reflink, end_of_file)
{
	struct stat st;

	ASSERT_EQ(0, dr_create("a", 3, 1));
	ASSERT_EQ(0, truncate(dr_path("a"), 2 * BLK + 100));
	ASSERT_EQ(0, dr_create("b", 8, 2));
	EXPECT_EQ(-EINVAL, dr_clone_range("a", 2 * BLK, 100, "b", 2 * BLK));
	EXPECT_EQ(0, dr_verify("b", 0, 8, 2, 0));
	EXPECT_EQ(0, dr_clone_range("a", 2 * BLK, 100, "b", 8 * BLK));
	ASSERT_EQ(0, stat(dr_path("b"), &st));
	EXPECT_EQ(8 * BLK + 100, st.st_size);
	EXPECT_TRUE(dr_shared("b", 8));
	/* Growing one side: zeroes there, nothing on the other. */
	ASSERT_EQ(0, truncate(dr_path("b"), 9 * BLK));
	EXPECT_EQ(0, dr_verify_zero("b", 8 * BLK + 100, BLK - 100));
	ASSERT_EQ(0, dr_clone("a", "c"));
	ASSERT_EQ(0, dr_write_part("c", 3));
	EXPECT_EQ(0, dr_verify_zero("c", 2 * BLK + 100, BLK));
	ASSERT_EQ(0, stat(dr_path("a"), &st));
	EXPECT_EQ(2 * BLK + 100, st.st_size);
	EXPECT_EQ(0, dr_verify("a", 0, 2, 1, 0));
}

TEST_F(reflink, over_data_and_holes)
{
	ASSERT_EQ(0, dr_create("a", 2, 1));
	ASSERT_EQ(0, truncate(dr_path("a"), 8 * BLK));
	ASSERT_EQ(0, dr_create("b", 8, 2));
	EXPECT_USED(10);
	ASSERT_EQ(0, dr_clone("a", "b"));	/* its hole, too */
	EXPECT_USED(2);
	EXPECT_EQ(0, dr_verify("b", 0, 2, 1, 0));
	EXPECT_EQ(0, dr_verify_zero("b", 2 * BLK, 6 * BLK));
	EXPECT_EQ(-ENOENT, dr_block("b", 4, NULL));
	ASSERT_EQ(0, dr_write_blocks("b", 5, 1, 3));
	EXPECT_EQ(0, dr_verify_zero("a", 5 * BLK, BLK));
	EXPECT_USED(3);
}

/* Truncating inside a shared block zeroes a copy, not the block. */
TEST_F(reflink, truncate_one_side)
{
	ASSERT_EQ(0, dr_create("a", 4, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	ASSERT_EQ(0, truncate(dr_path("b"), BLK + 100));
	EXPECT_EQ(0, dr_verify("a", 0, 4, 1, 0));
	ASSERT_EQ(0, truncate(dr_path("b"), 2 * BLK));
	EXPECT_EQ(0, dr_verify("a", 0, 4, 1, 0));
	EXPECT_EQ(0, dr_verify("b", 0, 1, 1, 0));
	EXPECT_EQ(0, dr_verify_zero("b", BLK + 100, BLK - 100));
	EXPECT_FALSE(dr_shared("a", 3));
	EXPECT_TRUE(dr_shared("a", 0));
}

/* Bytes that only mmap wrote are in the clone, and no sync was asked for. */
TEST_F(reflink, mapped_bytes_are_cloned)
{
	char *p;

	ASSERT_EQ(0, dr_create("a", 2, 1));
	p = dr_map("a", 0, 2 * BLK, PROT_READ | PROT_WRITE, MAP_SHARED);
	ASSERT_NE(NULL, p);
	dr_fill(p, 5, 0);
	ASSERT_EQ(0, dr_clone("a", "b"));
	/* The mapping was writable; the clone must not see this: */
	dr_fill(p, 6, 0);
	EXPECT_EQ(0, dr_verify("b", 0, 1, 5, 0));
	EXPECT_EQ(0, dr_verify("a", 0, 1, 6, 0));
	EXPECT_EQ(0, dr_verify("b", 1, 1, 1, 1));
}

TEST_HARNESS_MAIN
