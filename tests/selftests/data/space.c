// SPDX-License-Identifier: GPL-2.0
/*
 * No space left, for data or for metadata: an error, nothing lost, and whatever
 * makes a file smaller goes on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <linux/falloc.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/partition.h"
#include "common/files/snapshot.h"

#define RW	(PROT_READ | PROT_WRITE)
#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#ifndef FALLOC_FL_WRITE_ZEROES
#define FALLOC_FL_WRITE_ZEROES	0x80
#endif

FIXTURE(space) { struct dr_fs fs; };
FIXTURE_SETUP(space)
{
	if (dr_xfs())
		SKIP(return, "which has a reserve that it gives piecemeal");
	ASSERT_EQ(0, dr_setup(&self->fs));
}
FIXTURE_TEARDOWN_PARENT(space)
{
	EXPECT_EQ(0, dr_xfs() ? 0 : dr_teardown(&self->fs));
}

/* Every block that statfs(2) says is free can be had, and not one more. */
TEST_F(space, every_block)
{
	struct statvfs s;
	long free;

	ASSERT_EQ(0, dr_create("f", 3, 1));
	ASSERT_EQ(0, statvfs(dr_mnt(), &s));
	free = dr_free_blocks();
	EXPECT_EQ(free, dr_counter("blocks_free"));
	EXPECT_EQ(dr_end_block() - dr_first_block(), s.f_blocks);
	EXPECT_EQ(s.f_blocks - 3, s.f_bfree);
	EXPECT_EQ(-ENOSPC, dr_fallocate("g", 0, 0, (free + 1) * BLK));
	ASSERT_EQ(0, unlink(dr_path("g")));
	EXPECT_USED(3);
	ASSERT_EQ(0, dr_fallocate("g", 0, 0, free * BLK));
	EXPECT_EQ(0, dr_free_blocks());
	EXPECT_EQ(-ENOSPC, dr_create("h", 1, 1));
	ASSERT_EQ(0, dr_fallocate("g", PUNCH, 5 * BLK, BLK));
	EXPECT_EQ(1, dr_free_blocks());
	EXPECT_EQ(0, dr_create("h", 1, 1));
	EXPECT_EQ(0, dr_check());
}

/* What there is no room for fails before anything is taken, and changes nothing. */
TEST_F(space, more_than_there_is)
{
	static const int modes[] = { 0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_UNSHARE_RANGE,
		FALLOC_FL_WRITE_ZEROES };
	struct stat was, is;
	long free, had;

	ASSERT_EQ(0, dr_create("f", 3, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	free = dr_free_blocks();
	had = dr_counter("log_used");
	ASSERT_EQ(0, stat(dr_path("g"), &was));
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		/* Two pages are there, of which zeroes may take none, to the last page that is not. */
		EXPECT_EQ(-ENOSPC, dr_fallocate("g", modes[i], BLK, (free + 3) * BLK));
		EXPECT_EQ(-ENOSPC, dr_fallocate("g", modes[i], 3 * BLK, 1L << 40));
		EXPECT_EQ(-ENOSPC, dr_fallocate("g", modes[i], 0, 1L << 62));
	}
	ASSERT_EQ(0, stat(dr_path("g"), &is));
	EXPECT_EQ(was.st_size, is.st_size);
	EXPECT_EQ(was.st_blocks, is.st_blocks);
	EXPECT_EQ(was.st_mtim.tv_nsec, is.st_mtim.tv_nsec);
	EXPECT_EQ(was.st_ctim.tv_nsec, is.st_ctim.tv_nsec);
	EXPECT_EQ(had, dr_counter("log_used"));
	EXPECT_USED(3);
	/* Just so much is possible. */
	EXPECT_EQ(0, dr_fallocate("g", FALLOC_FL_ZERO_RANGE, BLK, free * BLK));
	EXPECT_EQ(0, dr_free_blocks());
	/* In the place of what is there. */
	EXPECT_EQ(0, dr_fallocate("g", FALLOC_FL_ZERO_RANGE, BLK, free * BLK));
	EXPECT_EQ(0, dr_fallocate("g", 0, 0, (free + 1) * BLK));
	EXPECT_EQ(-ENOSPC, dr_fallocate("g", FALLOC_FL_ZERO_RANGE, 0, BLK));
	EXPECT_EQ(0, dr_verify("f", 0, 3, 1, 0));
}

/* What shares its blocks with itself only needs a block less than it has pages. */
TEST_F(space, just_enough)
{
	long free;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	for (int i = 1; i < 10; i++)
		ASSERT_EQ(0, dr_clone_range("f", 0, BLK, "f", i * BLK));
	free = dr_free_blocks();
	ASSERT_EQ(0, dr_fallocate("big", 0, 0, (free - 9) * BLK));
	ASSERT_EQ(9, dr_free_blocks());
	EXPECT_EQ(0, dr_fallocate("f", FALLOC_FL_UNSHARE_RANGE, 0, 10 * BLK));
	EXPECT_EQ(0, dr_free_blocks());
	EXPECT_FALSE(dr_shared("f", 0));
}

TEST_F(space, none_for_copies)
{
	char *p;

	ASSERT_EQ(0, dr_create("a", 8, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	ASSERT_EQ(0, dr_fallocate("big", 0, 0, dr_free_blocks() * BLK));
	EXPECT_EQ(0, dr_free_blocks());
	p = dr_map("b", 0, 8 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	EXPECT_TRUE(dr_same(p + 2 * BLK, 1, 2));
	for (int i = 0; i < 8; i++)
		EXPECT_SIG(dr_store(p + i * BLK + 5, 0).sig, BUS_ADRERR, p + i * BLK + 5, 0);
	/* the mapping is as it was, and so are the files */
	EXPECT_TRUE(dr_same(p + 2 * BLK, 1, 2));
	EXPECT_EQ(0, dr_verify("a", 0, 8, 1, 0));
	EXPECT_EQ(0, dr_verify("b", 0, 8, 1, 0));
	EXPECT_TRUE(dr_shared("b", 2));
	EXPECT_EQ(-ENOSPC, dr_write_part("b", 1));
	EXPECT_EQ(-ENOSPC, dr_fallocate("b", FALLOC_FL_UNSHARE_RANGE, 0, BLK));
	EXPECT_EQ(-ENOSPC, dr_fallocate("b", FALLOC_FL_ZERO_RANGE, 0, BLK));
	EXPECT_EQ(-ENOSPC, dr_fallocate("b", PUNCH, 10, 10));
	EXPECT_EQ(0, dr_verify("b", 0, 8, 1, 0));
	/* what needs no block */
	EXPECT_EQ(0, dr_clone("a", "c"));
	EXPECT_EQ(0, mkdir(dr_path("d"), 0700));
	EXPECT_EQ(0, dr_fallocate("c", FALLOC_FL_COLLAPSE_RANGE, 0, BLK));
	EXPECT_EQ(0, dr_fallocate("c", FALLOC_FL_INSERT_RANGE, 0, BLK));
	EXPECT_EQ(0, dr_fallocate("c", PUNCH, 3 * BLK, 2 * BLK));
	EXPECT_EQ(0, unlink(dr_path("c")));
	/* shorter, in the middle of a block that cannot be copied */
	ASSERT_EQ(0, truncate(dr_path("b"), 4 * BLK + 100));
	EXPECT_EQ(4 * BLK + 100, dr_size("b"));
	EXPECT_EQ(0, dr_verify("b", 0, 4, 1, 0));
	EXPECT_EQ(-1, truncate(dr_path("b"), 5 * BLK));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(4 * BLK + 100, dr_size("b"));
	ASSERT_EQ(0, dr_fallocate("big", PUNCH, 0, BLK));
	ASSERT_EQ(0, truncate(dr_path("b"), 5 * BLK));
	EXPECT_EQ(0, dr_verify_zero("b", 4 * BLK + 100, BLK - 100));
	EXPECT_EQ(0, dr_verify("a", 0, 8, 1, 0));
	EXPECT_EQ(0, dr_check());
	/* and everything comes back */
	munmap(p, 8 * BLK);
	ASSERT_EQ(0, unlink(dr_path("big")));
	ASSERT_EQ(0, unlink(dr_path("b")));
	EXPECT_USED(8);
}

/* The log is full of what cannot be left out. */
TEST_F(space, none_for_metadata)
{
	char name[256];
	int files = 0, extents, r;

	ASSERT_EQ(0, dr_mount_tiny());
	ASSERT_EQ(0, dr_create("f", 100, 1));
	ASSERT_EQ(0, dr_create("g", 0, 1));
	for (extents = 0, r = 0; !r; extents++)
		r = dr_clone_range("f", extents % 50 * 2 * BLK, BLK, "g", 2 * extents * BLK);
	EXPECT_EQ(-ENOSPC, r);
	extents--;
	EXPECT_LT(500, extents);
	for (r = 0; !r; files++) {
		snprintf(name, sizeof(name), "%0255d", files);
		r = dr_create(name, 0, 1);
	}
	EXPECT_EQ(-ENOSPC, r);
	files--;
	TH_LOG("%d extents, %d more files", extents, files);
	for (int i = r = 0; !r && i < 60; i++)
		r = dr_fallocate("f", FALLOC_FL_KEEP_SIZE, (200 + 2 * i) * BLK, BLK);
	EXPECT_EQ(-ENOSPC, r);
	EXPECT_EQ(0, dr_persists());

	/* less is possible, one after the other, again and again */
	ASSERT_EQ(0, dr_fallocate("g", PUNCH, (extents - 3) * 2 * BLK, BLK));
	ASSERT_EQ(0, truncate(dr_path("g"), (extents - 5) * 2 * BLK));
	for (int i = 0; i < 20; i++)
		ASSERT_EQ(0, dr_fallocate("f", PUNCH, i * 3 * BLK, BLK));
	for (int i = 0; i < files; i++) {
		snprintf(name, sizeof(name), "%0255d", i);
		ASSERT_EQ(0, unlink(dr_path(name)));
	}
	ASSERT_EQ(0, unlink(dr_path("g")));
	ASSERT_EQ(0, unlink(dr_path("f")));
	EXPECT_EQ(0, dr_persists());
	ASSERT_EQ(0, dr_create("f", 100, 1));
	EXPECT_EQ(0, dr_verify("f", 0, 100, 1, 0));
	EXPECT_EQ(0, dr_check());
	ASSERT_EQ(0, dr_leave_tiny());
}

/*
 * Files that come, grow, get holes and go, for a long time: what is left of the
 * free space is what it should be, to the block, and large files still get huge
 * pages out of it.
 */
TEST_F(space, aging)
{
	unsigned int dice = 12345;
	long used = 0, runs = 0, free;
	char name[16];
	int huge = 0;

	for (int i = 0; i < 3000; i++) {
		unsigned int n;

		dice = dice * 1103515245 + 12345;
		n = dice >> 8;
		snprintf(name, sizeof(name), "%u", n % 97);
		if (n % 5 == 0)
			unlink(dr_path(name));
		else if (n % 5 == 1)
			dr_fallocate(name, PUNCH, n / 7 % 64 * BLK, n / 5 % 16 * BLK + 1);
		else
			ASSERT_EQ(0, dr_fallocate(name, 0, n / 11 % 64 * BLK, (n / 13 % 200 + 1) * BLK));
	}
	for (int i = 0; i < 97; i++) {
		struct stat st;

		snprintf(name, sizeof(name), "%d", i);
		if (stat(dr_path(name), &st))
			continue;
		used += st.st_blocks / 8;
		for (long blk = 0, last = -2; blk * (long)BLK < st.st_size; blk++) {
			long at = dr_block(name, blk, NULL);

			runs += at >= 0 && at != last + 1;
			last = at >= 0 ? at : -2;
		}
	}
	EXPECT_USED(used);
	TH_LOG("%ld blocks of 97 files in %ld runs", used, runs);
	/* a run is, on the average, not shorter than what was asked for at once */
	EXPECT_LT(runs * 8, used);
	/* nine tenths of the rest, in files of 2 MiB */
	free = dr_free_blocks();
	ASSERT_LT(20 * 512, free);
	for (int i = 0; i < free * 9 / 10 / 512; i++) {
		snprintf(name, sizeof(name), "huge%d", i);
		ASSERT_EQ(0, dr_fallocate(name, 0, 0, HUGE_SIZE));
		huge += dr_block(name, 0, NULL) % 512 == 0 &&
			dr_block(name, 511, NULL) == dr_block(name, 0, NULL) + 511;
	}
	TH_LOG("%d of %ld files of 2 MiB are aligned", huge, free * 9 / 10 / 512);
	EXPECT_LT(free * 8 / 10 / 512, huge);
	EXPECT_EQ(0, dr_check());
}

TEST_HARNESS_MAIN
