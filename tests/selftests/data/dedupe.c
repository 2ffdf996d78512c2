// SPDX-License-Identifier: GPL-2.0
/*
 * FIDEDUPERANGE: ranges that hold the same bytes come to share their blocks,
 * others stay as they are. And clones of a very large number of extents.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"
#include "common/files/snapshot.h"

#define RW	(PROT_READ | PROT_WRITE)
#ifndef FALLOC_FL_WRITE_ZEROES
#define FALLOC_FL_WRITE_ZEROES	0x80
#endif
#define DIFFERS	FILE_DEDUPE_RANGE_DIFFERS	/* 1 */

DR_FIXTURE(dedupe)

/* The status of the one destination: 0, 1 (it differs), -errno of it or of the call. */
static int dedupe(const char *src, unsigned long from, unsigned long len,
		  const char *dst, unsigned long to)
{
	struct {
		struct file_dedupe_range r;
		struct file_dedupe_range_info i;
	} q = { .r = { .src_offset = from, .src_length = len, .dest_count = 1 } };
	int s = dr_open(src, O_RDONLY), d = dr_open(dst, O_RDWR), r;

	if (s < 0 || d < 0)
		return -EBADF;
	q.i.dest_fd = d;
	q.i.dest_offset = to;
	r = ioctl(s, FIDEDUPERANGE, &q) ? -errno : q.i.status;
	close(s);
	close(d);
	return r;
}

TEST_F(dedupe, the_same_bytes)
{
	struct stat before, after;

	ASSERT_EQ(0, dr_create("a", 12, 1));
	ASSERT_EQ(0, dr_create("b", 12, 1));
	EXPECT_USED(24);
	ASSERT_EQ(0, stat(dr_path("b"), &before));
	ASSERT_EQ(0, dedupe("a", 2 * BLK, 6 * BLK, "b", 2 * BLK));
	EXPECT_USED(18);
	for (int i = 0; i < 12; i++) {
		EXPECT_EQ(i >= 2 && i < 8, dr_shared("b", i));
		EXPECT_EQ(i >= 2 && i < 8, dr_block("a", i, NULL) == dr_block("b", i, NULL));
	}
	EXPECT_EQ(0, dr_verify("b", 0, 12, 1, 0));
	/* it is not a change of the file */
	ASSERT_EQ(0, stat(dr_path("b"), &after));
	EXPECT_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	EXPECT_EQ(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	EXPECT_EQ(12 * BLK, after.st_size);
	/* once more: nothing to do. And a write is nobody else's */
	EXPECT_EQ(0, dedupe("a", 0, 12 * BLK, "b", 0));
	EXPECT_USED(12);
	ASSERT_EQ(0, dr_write_blocks("b", 5, 1, 7));
	EXPECT_EQ(0, dr_verify("a", 0, 12, 1, 0));
	EXPECT_USED(13);
	/* within one file */
	ASSERT_EQ(0, dr_write_blocks("a", 8, 1, 3));
	ASSERT_EQ(0, dr_create("c", 20, 1));
	ASSERT_EQ(0, dr_clone_range("c", 0, 4 * BLK, "c", 8 * BLK));
	EXPECT_EQ(0, dedupe("c", 0, 4 * BLK, "c", 8 * BLK));
	EXPECT_EQ(-EINVAL, dedupe("c", 0, 4 * BLK, "c", 2 * BLK));
	EXPECT_EQ(0, dr_persists());
}

TEST_F(dedupe, other_bytes)
{
	char *p;

	ASSERT_EQ(0, dr_create("a", 8, 1));
	ASSERT_EQ(0, dr_create("b", 8, 1));
	ASSERT_EQ(0, dr_write_part("b", 7));
	EXPECT_EQ(DIFFERS, dedupe("a", 0, 8 * BLK, "b", 0));
	EXPECT_USED(16);
	EXPECT_FALSE(dr_shared("a", 0));
	/* as mmap has left them, whether flushed or not */
	p = dr_map("a", 0, 8 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	EXPECT_EQ(0, dedupe("a", 0, 4 * BLK, "b", 0));
	p[4 * BLK + 5]++;
	EXPECT_EQ(DIFFERS, dedupe("a", 4 * BLK, BLK, "b", 4 * BLK));
	p[4 * BLK + 5]--;
	EXPECT_EQ(0, dedupe("a", 4 * BLK, BLK, "b", 4 * BLK));
	p[4 * BLK + 5]++;
	EXPECT_EQ(0, dr_verify("b", 4, 1, 1, 4));
	EXPECT_USED(12);
	EXPECT_EQ(0, dr_check());
}

/* A hole is zeroes, and so is what nobody has written. */
TEST_F(dedupe, holes)
{
	int fd;

	ASSERT_EQ(0, dr_create("a", 0, 1));
	ASSERT_EQ(0, truncate(dr_path("a"), 8 * BLK));
	fd = dr_open("b", O_RDWR | O_CREAT);
	ASSERT_EQ(0, fallocate(fd, 0, 0, 4 * BLK));
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_WRITE_ZEROES, 2 * BLK, 6 * BLK));
	close(fd);
	EXPECT_USED(8);
	EXPECT_EQ(0, dedupe("a", 0, 4 * BLK, "b", 0));
	EXPECT_USED(4);
	EXPECT_EQ(-ENOENT, dr_block("b", 3, NULL));
	EXPECT_EQ(0, dr_verify_zero("b", 0, 8 * BLK));
	ASSERT_EQ(0, dr_write_part("b", 6));
	EXPECT_EQ(DIFFERS, dedupe("a", 4 * BLK, 4 * BLK, "b", 4 * BLK));
	EXPECT_EQ(0, dedupe("b", 4 * BLK, 2 * BLK, "a", 4 * BLK));
	EXPECT_TRUE(dr_shared("a", 5));
}

/* The last block goes with the rest only where it is the last of both. */
TEST_F(dedupe, end_of_file)
{
	ASSERT_EQ(0, dr_create("a", 4, 1));
	ASSERT_EQ(0, truncate(dr_path("a"), 3 * BLK + 100));
	ASSERT_EQ(0, dr_create("b", 8, 1));
	/* shortened to whole blocks */
	EXPECT_EQ(0, dedupe("a", 0, 3 * BLK + 100, "b", 0));
	EXPECT_TRUE(dr_shared("b", 2));
	EXPECT_FALSE(dr_shared("b", 3));
	EXPECT_EQ(0, dr_verify("b", 0, 8, 1, 0));
	/* bytes behind the end do not count, and do not show */
	ASSERT_EQ(0, truncate(dr_path("b"), 3 * BLK + 100));
	EXPECT_EQ(0, dedupe("a", 0, 3 * BLK + 100, "b", 0));
	EXPECT_TRUE(dr_shared("b", 3));
	ASSERT_EQ(0, truncate(dr_path("b"), 4 * BLK));
	EXPECT_EQ(0, dr_verify_zero("b", 3 * BLK + 100, BLK - 100));
	/* both within their files */
	EXPECT_EQ(-EINVAL, dedupe("a", 0, 5 * BLK, "b", 0));
	EXPECT_EQ(-EINVAL, dedupe("b", 0, 4 * BLK, "a", 0));
	EXPECT_EQ(-EINVAL, dedupe("a", 100, BLK, "b", 0));
	EXPECT_EQ(0, dedupe("a", 0, 0, "b", 0));
}

TEST_F(dedupe, lost_pages)
{
	ASSERT_EQ(0, dr_create("a", 6, 1));
	ASSERT_EQ(0, dr_create("b", 6, 1));
	ASSERT_EQ(0, dr_poison("a", 2));
	ASSERT_EQ(0, dr_poison("b", 4));
	EXPECT_EQ(-EIO, dedupe("a", 0, 3 * BLK, "b", 0));
	EXPECT_EQ(-EIO, dedupe("a", 3 * BLK, 3 * BLK, "b", 3 * BLK));
	EXPECT_EQ(0, dedupe("a", 0, 2 * BLK, "b", 0));
	EXPECT_EQ(0, dr_verify("b", 0, 4, 1, 0));
	EXPECT_USED(10);
}

/* Every other page of a file of so many: each extent is alone. Some have a byte of their own. */
static int scatter(const char *name, long extents)
{
	int r, fd = dr_open(name, O_RDWR | O_CREAT);
	char byte;

	if (fd < 0)
		return fd;
	r = fallocate(fd, FALLOC_FL_WRITE_ZEROES, 0, 2 * extents * BLK);
	for (long i = 0; i < extents && !r; i++) {
		r = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      (2 * i + 1) * BLK, BLK);
		byte = i % 251 + 1;
		if (!(i % 331))
			r |= pwrite(fd, &byte, 1, 2 * i * BLK) != 1;
	}
	close(fd);
	return r ? -errno : 0;
}

/*
 * A clone of 100,000 extents takes as many transactions as it needs, and the log
 * as many checkpoints. (Fewer where there is less room, or lockdep.)
 */
TEST_F(dedupe, clone_of_many_extents)
{
	const long half = dr_counter("blocks_total") < 120000 ||
			  !access("/proc/lockdep", F_OK) ? 4000 : 50000;
	char b;
	int fd;

	ASSERT_EQ(0, scatter("f", half));
	EXPECT_USED(half);
	/* as many again, at the same blocks */
	ASSERT_EQ(0, dr_clone_range("f", 0, 2 * half * BLK, "f", 2 * half * BLK));
	ASSERT_EQ(0, dr_clone("f", "g"));
	EXPECT_USED(half);
	EXPECT_EQ(4 * half, dr_counter("owner_records"));
	fd = dr_open("g", O_RDWR);
	for (long i = 0; i < half; i += 331)
		for (int again = 0; again < 2; again++) {
			ASSERT_EQ(1, pread(fd, &b, 1, 2 * (i + again * half) * BLK));
			ASSERT_EQ((char)(i % 251 + 1), b);
		}
	EXPECT_EQ(0, dr_check());
	/* and all of them move at once */
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, 3 * BLK));
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, BLK, BLK));
	ASSERT_EQ(1, pread(fd, &b, 1, (2 * 662 + 2) * BLK));
	EXPECT_EQ((char)(662 % 251 + 1), b);
	close(fd);
	EXPECT_EQ(0, dr_check());
	EXPECT_EQ(0, dr_persists());
	ASSERT_EQ(0, unlink(dr_path("f")));
	ASSERT_EQ(0, unlink(dr_path("g")));
	EXPECT_USED(0);
}

TEST_HARNESS_MAIN
