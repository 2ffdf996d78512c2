// SPDX-License-Identifier: GPL-2.0
/*
 * fallocate(2) beyond holes and zeroes: ranges taken out of a file and put into
 * it, and blocks made a file's own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/falloc.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/files/snapshot.h"

#ifndef FALLOC_FL_WRITE_ZEROES
#define FALLOC_FL_WRITE_ZEROES	0x80
#endif

#define RW		(PROT_READ | PROT_WRITE)
#define LARGEST		0x7fffffffffffffffL
#define KEEP		FALLOC_FL_KEEP_SIZE
#define COLLAPSE	FALLOC_FL_COLLAPSE_RANGE
#define INSERT		FALLOC_FL_INSERT_RANGE
#define UNSHARE		FALLOC_FL_UNSHARE_RANGE

DR_FIXTURE(shift)

TEST_F(shift, collapse)
{
	struct peer q;
	char *p;

	ASSERT_EQ(0, dr_create("f", 20, 1));
	ASSERT_EQ(0, truncate(dr_path("f"), 19 * BLK + 100));
	p = dr_map("f", 0, 20 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, peer_open(&q, false, "f", 20 * BLK, -1));
	for (int i = 0; i < 20; i++)
		EXPECT_BYTE(peer_load(&q, i * BLK), dr_byte(1, i));
	dr_fill(p + 12 * BLK, 9, 12);	/* and nobody has flushed that */
	ASSERT_EQ(0, dr_fallocate("f", COLLAPSE, 3 * BLK, 5 * BLK));
	EXPECT_EQ(14 * BLK + 100, dr_size("f"));
	EXPECT_USED(15);
	EXPECT_EQ(0, dr_verify("f", 0, 3, 1, 0));
	EXPECT_EQ(0, dr_verify("f", 3, 4, 1, 8));
	EXPECT_EQ(0, dr_verify("f", 7, 1, 9, 12));
	EXPECT_EQ(0, dr_verify("f", 8, 6, 1, 13));
	/* those who map it see the same */
	for (int i = 3; i < 14; i++)
		EXPECT_BYTE(peer_load(&q, i * BLK), i == 7 ? dr_byte(9, 12) : dr_byte(1, i + 5));
	EXPECT_TRUE(dr_same(p + 4 * BLK, 1, 9));
	EXPECT_SIG(peer_load(&q, 15 * BLK).sig, BUS_ADRERR, q.base + 15 * BLK, 0);
	EXPECT_BYTE(dr_store(p + 13 * BLK + 1, 77), 77);
	EXPECT_EQ(0, dr_verify_zero("f", 14 * BLK + 100, 0));
	peer_stop(&q);
	munmap(p, 20 * BLK);
	EXPECT_EQ(0, dr_persists());
	/* what comes together is one run again, if it was one */
	ASSERT_EQ(0, dr_create("g", 8, 1));
	ASSERT_EQ(0, dr_fallocate("g", INSERT, 4 * BLK, 3 * BLK));
	ASSERT_EQ(0, dr_fallocate("g", COLLAPSE, 4 * BLK, 3 * BLK));
	EXPECT_EQ(dr_block("g", 0, NULL) + 7, dr_block("g", 7, NULL));
	EXPECT_EQ(0, dr_verify("g", 0, 8, 1, 0));
	EXPECT_EQ(0, dr_check());
}

TEST_F(shift, insert)
{
	char *p;

	ASSERT_EQ(0, dr_create("f", 10, 1));
	ASSERT_EQ(0, truncate(dr_path("f"), 9 * BLK + 7));
	p = dr_map("f", 0, 10 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	dr_fill(p + 6 * BLK, 9, 6);
	ASSERT_EQ(0, dr_fallocate("f", INSERT, 4 * BLK, 6 * BLK));
	EXPECT_EQ(15 * BLK + 7, dr_size("f"));
	EXPECT_USED(10);
	EXPECT_EQ(0, dr_verify("f", 0, 4, 1, 0));
	EXPECT_EQ(0, dr_verify_zero("f", 4 * BLK, 6 * BLK));
	EXPECT_EQ(-ENOENT, dr_block("f", 9, NULL));
	EXPECT_EQ(0, dr_verify("f", 10, 2, 1, 4));
	EXPECT_EQ(0, dr_verify("f", 12, 1, 9, 6));
	EXPECT_EQ(0, dr_verify("f", 13, 2, 1, 7));
	EXPECT_BYTE(dr_load(p + 5 * BLK), 0);
	EXPECT_BYTE(dr_store(p + 5 * BLK, 3), 3);
	EXPECT_USED(11);
	munmap(p, 10 * BLK);
	EXPECT_EQ(0, dr_persists());
	/* in front of everything */
	ASSERT_EQ(0, dr_fallocate("f", INSERT, 0, 512 * BLK));
	EXPECT_EQ(0, dr_verify("f", 512, 4, 1, 0));
	EXPECT_EQ(0, dr_verify_zero("f", 0, BLK));
	EXPECT_EQ(0, dr_check());
}

/* Each of the files has its own pages; the blocks stay shared. */
TEST_F(shift, clones)
{
	ASSERT_EQ(0, dr_create("a", 12, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	ASSERT_EQ(0, dr_fallocate("b", COLLAPSE, 0, 4 * BLK));
	ASSERT_EQ(0, dr_fallocate("a", INSERT, 6 * BLK, 2 * BLK));
	EXPECT_EQ(0, dr_verify("b", 0, 8, 1, 4));
	EXPECT_EQ(0, dr_verify("a", 0, 6, 1, 0));
	EXPECT_EQ(0, dr_verify("a", 8, 6, 1, 6));
	EXPECT_TRUE(dr_shared("b", 0));
	EXPECT_FALSE(dr_shared("a", 3));
	EXPECT_EQ(dr_block("a", 9, NULL), dr_block("b", 3, NULL));
	EXPECT_USED(12);
	/* a failure finds them where they are now */
	ASSERT_EQ(0, dr_poison("a", 9));
	EXPECT_EQ(-EIO, dr_verify("a", 9, 1, 1, 7));
	EXPECT_EQ(-EIO, dr_verify("b", 3, 1, 1, 7));
	EXPECT_EQ(0, dr_verify("b", 0, 3, 1, 4));
	EXPECT_EQ(0, dr_persists());
}

/* Huge mappings: all of one goes, and what is left of it can be mapped again. */
TEST_F(shift, huge_pages)
{
	char *p;

	ASSERT_EQ(0, dr_create("f", 1024, 1));
	p = dr_map("f", 0, 1024 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	for (int i = 0; i < 1024; i++)
		dr_fill(p + i * BLK, 2, i);
	ASSERT_EQ(0, dr_fallocate("f", COLLAPSE, 100 * BLK, BLK));
	ASSERT_EQ(0, dr_fallocate("f", INSERT, 600 * BLK, BLK));
	for (int i = 0; i < 1024; i++) {
		if (i == 600)
			EXPECT_BYTE(dr_load(p + i * BLK), 0);
		else
			ASSERT_TRUE(dr_same(p + i * BLK, 2, i < 100 || i > 600 ? i : i + 1));
	}
	EXPECT_USED(1023);
}

TEST_F(shift, lost_pages)
{
	ASSERT_EQ(0, dr_create("f", 12, 1));
	ASSERT_EQ(0, dr_poison("f", 8));
	/* they cannot move */
	EXPECT_EQ(-EIO, dr_fallocate("f", COLLAPSE, 2 * BLK, BLK));
	EXPECT_EQ(-EIO, dr_fallocate("f", INSERT, 8 * BLK, BLK));
	EXPECT_EQ(12 * BLK, dr_size("f"));
	EXPECT_EQ(-EIO, dr_verify("f", 8, 1, 1, 8));
	EXPECT_EQ(0, dr_verify("f", 9, 3, 1, 9));
	/* but stay, or go */
	EXPECT_EQ(0, dr_fallocate("f", INSERT, 9 * BLK, BLK));
	EXPECT_EQ(0, dr_verify("f", 10, 3, 1, 9));
	EXPECT_EQ(0, dr_fallocate("f", COLLAPSE, 7 * BLK, 3 * BLK));
	EXPECT_EQ(0, dr_verify("f", 0, 7, 1, 0));
	EXPECT_EQ(0, dr_verify("f", 7, 3, 1, 9));
	EXPECT_USED(11);
}

TEST_F(shift, refusals)
{
	int fd;

	ASSERT_EQ(0, dr_create("f", 8, 1));
	EXPECT_EQ(-EINVAL, dr_fallocate("f", COLLAPSE, 100, BLK));
	EXPECT_EQ(-EINVAL, dr_fallocate("f", COLLAPSE, BLK, 100));
	EXPECT_EQ(-EINVAL, dr_fallocate("f", COLLAPSE, 4 * BLK, 4 * BLK));	/* up to the end */
	EXPECT_EQ(-EINVAL, dr_fallocate("f", COLLAPSE, 0, 100 * BLK));
	EXPECT_EQ(-EINVAL, dr_fallocate("f", INSERT, 100, BLK));
	EXPECT_EQ(-EINVAL, dr_fallocate("f", INSERT, BLK, 100));
	EXPECT_EQ(-EINVAL, dr_fallocate("f", INSERT, 8 * BLK, BLK));
	EXPECT_EQ(-EFBIG, dr_fallocate("f", INSERT, BLK, LARGEST / BLK * BLK - BLK));
	EXPECT_EQ(-EOPNOTSUPP, dr_fallocate("f", COLLAPSE | KEEP, 0, BLK));
	EXPECT_EQ(-EOPNOTSUPP, dr_fallocate("f", INSERT | KEEP, 0, BLK));
	EXPECT_EQ(-EOPNOTSUPP, dr_fallocate("f", FALLOC_FL_WRITE_ZEROES | KEEP, 0, BLK));
	EXPECT_EQ(-EOPNOTSUPP, dr_fallocate("f", COLLAPSE | INSERT, 0, BLK));
	EXPECT_EQ(-EOPNOTSUPP, dr_fallocate("f", FALLOC_FL_PUNCH_HOLE, 0, BLK));
	EXPECT_EQ(-EOPNOTSUPP, dr_fallocate("f", 0x1000, 0, BLK));
	EXPECT_EQ(-EINVAL, dr_fallocate("f", 0, 0, 0));
	EXPECT_EQ(-EINVAL, dr_fallocate("f", 0, -1, BLK));
	fd = dr_open("f", O_RDONLY);
	EXPECT_EQ(-1, fallocate(fd, COLLAPSE, 0, BLK));
	EXPECT_EQ(EBADF, errno);
	close(fd);
	/* behind the end there may be blocks: they move, too */
	ASSERT_EQ(0, dr_fallocate("f", KEEP, 20 * BLK, BLK));
	ASSERT_EQ(0, dr_fallocate("f", INSERT, 0, BLK));
	EXPECT_LT(0, dr_block("f", 21, NULL));
	EXPECT_EQ(9 * BLK, dr_size("f"));
	EXPECT_EQ(0, dr_verify("f", 1, 8, 1, 0));
}

TEST_F(shift, unshare)
{
	char *p;

	ASSERT_EQ(0, dr_create("a", 8, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	p = dr_map("b", 0, 8 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	EXPECT_TRUE(dr_same(p + 3 * BLK, 1, 3));
	/* whole blocks, whatever the bytes */
	ASSERT_EQ(0, dr_fallocate("b", UNSHARE, 2 * BLK + 100, BLK));
	EXPECT_FALSE(dr_shared("b", 2));
	EXPECT_FALSE(dr_shared("a", 3));
	EXPECT_TRUE(dr_shared("b", 1));
	EXPECT_TRUE(dr_shared("b", 4));
	EXPECT_USED(10);
	EXPECT_TRUE(dr_same(p + 3 * BLK, 1, 3));
	EXPECT_EQ(dr_pfn_of_block(dr_block("b", 3, NULL)), dr_pfn_of(p + 3 * BLK));
	EXPECT_EQ(0, dr_verify("b", 0, 8, 1, 0));
	/* holes get blocks, and the size grows if it may */
	ASSERT_EQ(0, dr_fallocate("b", UNSHARE | KEEP, 8 * BLK, 2 * BLK));
	EXPECT_EQ(8 * BLK, dr_size("b"));
	ASSERT_EQ(0, dr_fallocate("b", UNSHARE, 8 * BLK, 3 * BLK));
	EXPECT_EQ(11 * BLK, dr_size("b"));
	EXPECT_USED(13);
	EXPECT_EQ(0, dr_verify_zero("b", 8 * BLK, 3 * BLK));
	/* what is lost cannot be copied, unless it is this file's alone */
	ASSERT_EQ(0, dr_poison("b", 5));
	EXPECT_EQ(-EIO, dr_fallocate("b", UNSHARE, 4 * BLK, 4 * BLK));
	ASSERT_EQ(0, unlink(dr_path("a")));
	EXPECT_EQ(0, dr_fallocate("b", UNSHARE, 4 * BLK, 4 * BLK));
	EXPECT_EQ(-EIO, dr_verify("b", 5, 1, 1, 5));
	EXPECT_EQ(0, dr_verify("b", 6, 2, 1, 6));
}

TEST_F(shift, write_zeroes)
{
	ASSERT_EQ(0, dr_create("f", 4, 1));
	ASSERT_EQ(0, dr_fallocate("f", FALLOC_FL_WRITE_ZEROES, BLK + 10, 6 * BLK));
	EXPECT_EQ(7 * BLK + 10, dr_size("f"));
	EXPECT_EQ(0, dr_verify("f", 0, 1, 1, 0));
	EXPECT_EQ(0, dr_verify_zero("f", BLK + 10, 6 * BLK));
	EXPECT_LT(0, dr_block("f", 6, NULL));
	EXPECT_USED(8);
}

TEST_HARNESS_MAIN
