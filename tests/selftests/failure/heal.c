// SPDX-License-Identifier: GPL-2.0
/*
 * A write that covers a whole bad block heals the file: it gets a good block,
 * the bad one stays out of use, and other owners of it have lost their data
 * as before. What cannot be healed is EIO, and nothing has changed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(heal)

#define RW	(PROT_READ | PROT_WRITE)

static char buf[64 * BLK];

/* write(2) of patterned bytes to any range; result or -errno. */
static long write_at(const char *name, unsigned long off, unsigned long len,
		     int seed)
{
	unsigned long blk;
	int fd = dr_open(name, O_WRONLY);
	long n;

	if (fd < 0)
		return fd;
	for (blk = off / BLK; blk <= (off + len) / BLK; blk++)
		dr_fill(buf + (blk - off / BLK) * BLK, seed, blk);
	n = pwrite(fd, buf + off % BLK, len, off);
	if (n < 0)
		n = -errno;
	close(fd);
	return n;
}

#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#define ZERO	FALLOC_FL_ZERO_RANGE

static void is_lost(struct __test_metadata *_metadata, const char *name,
		    unsigned long blk)
{
	unsigned char byte;

	EXPECT_EQ(-EIO, dr_read1(name, blk, &byte));
	EXPECT_EQ(-EIO, dr_write_part(name, blk));
}

TEST_F(heal, whole_block)
{
	long old, bad;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 16, 1));
	old = dr_block("f", 4, NULL);
	ASSERT_EQ(0, dr_poison("f", 4));
	bad = dr_counter("blocks_bad");
	is_lost(_metadata, "f", 4);
	EXPECT_EQ(BLK, write_at("f", 4 * BLK, BLK, 2));
	EXPECT_EQ(0, dr_verify("f", 4, 1, 2, 4));
	EXPECT_EQ(0, dr_verify("f", 0, 4, 1, 0));
	EXPECT_EQ(0, dr_verify("f", 5, 11, 1, 5));
	EXPECT_NE(old, dr_block("f", 4, NULL));
	EXPECT_EQ(1, dr_counter("healed"));
	EXPECT_EQ(bad, dr_counter("blocks_bad"));
	/* it is a block as any other now */
	EXPECT_EQ(0, dr_write_part("f", 4));
	EXPECT_USED(17);
}

TEST_F(heal, mapping_sees_the_new_block)
{
	struct peer p;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, peer_open(&p, false, "f", 8 * BLK, 3));
	ASSERT_EQ(0, dr_poison("f", 3));
	EXPECT_POISON(peer_load(&p, 3 * BLK), p.base + 3 * BLK);
	EXPECT_EQ(BLK, write_at("f", 3 * BLK, BLK, 2));
	EXPECT_BYTE(peer_load(&p, 3 * BLK), dr_byte(2, 3));
	EXPECT_EQ(0, peer_store(&p, 3 * BLK, 0x5a).sig.signo);
	EXPECT_BYTE(peer_load(&p, 3 * BLK), 0x5a);
	EXPECT_BYTE(peer_load(&p, 4 * BLK), dr_byte(1, 4));
	peer_stop(&p);
}

TEST_F(heal, one_owner_of_many)
{
	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, dr_clone("f", "h"));
	ASSERT_EQ(0, dr_poison("f", 3));
	EXPECT_EQ(BLK, write_at("g", 3 * BLK, BLK, 2));
	EXPECT_EQ(0, dr_verify("g", 3, 1, 2, 3));
	is_lost(_metadata, "f", 3);
	is_lost(_metadata, "h", 3);
	EXPECT_EQ(0, dr_verify("f", 4, 4, 1, 4));
	/* the healed one can be shared again, the others cannot */
	EXPECT_EQ(0, dr_clone("g", "g2"));
	EXPECT_EQ(-EIO, dr_clone("f", "f2"));
	EXPECT_EQ(0, dr_verify("g2", 3, 1, 2, 3));
}

TEST_F(heal, long_write_over_bad_and_shared_blocks_and_holes)
{
	int i;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 40, 1));
	ASSERT_EQ(0, dr_clone_range("f", 8 * BLK, 8 * BLK, "g", 0));
	ASSERT_EQ(0, dr_fallocate("f", PUNCH, 20 * BLK, 4 * BLK));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, dr_poison("f", 9 + i));
		ASSERT_EQ(0, dr_poison("f", 30 + 2 * i));
	}
	/* begins and ends within good blocks */
	EXPECT_EQ(38 * BLK, write_at("f", BLK / 2, 38 * BLK, 2));
	EXPECT_EQ(0, dr_verify("f", 1, 37, 2, 1));
	EXPECT_EQ(6, dr_counter("healed"));
	for (i = 0; i < 3; i++)
		is_lost(_metadata, "g", 1 + i);
	EXPECT_EQ(0, dr_verify("g", 4, 4, 1, 12));
	EXPECT_EQ(0, dr_verify("g", 0, 1, 1, 8));
}

/* A part of a bad block cannot be healed: what was there is unknown. */
TEST_F(heal, parts_are_eio)
{
	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 16, 1));
	ASSERT_EQ(0, dr_poison("f", 4));
	ASSERT_EQ(0, dr_poison("f", 8));
	EXPECT_EQ(-EIO, write_at("f", 4 * BLK + 1, BLK - 1, 2));
	EXPECT_EQ(-EIO, write_at("f", 4 * BLK, BLK - 1, 2));
	EXPECT_EQ(-EIO, write_at("f", 4 * BLK + 100, 4 * BLK, 2));
	is_lost(_metadata, "f", 4);
	EXPECT_EQ(0, dr_verify("f", 5, 3, 1, 5));
	/* up to where it cannot go on */
	EXPECT_EQ(2 * BLK, write_at("f", 6 * BLK, 2 * BLK + 77, 2));
	is_lost(_metadata, "f", 8);
	EXPECT_EQ(-EIO, dr_fallocate("f", PUNCH, 4 * BLK + 1, 2 * BLK));
	EXPECT_EQ(-EIO, dr_fallocate("f", ZERO, 3 * BLK, BLK + 1));
	is_lost(_metadata, "f", 4);
	EXPECT_EQ(0, dr_verify("f", 5, 1, 1, 5));
	EXPECT_EQ(0, dr_verify("f", 3, 1, 1, 3));
	EXPECT_EQ(0, dr_counter("healed"));
}

/* Of the last block, what is behind the end of the file counts as covered. */
TEST_F(heal, last_block)
{
	struct stat st;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 4, 1));
	ASSERT_EQ(0, truncate(dr_path("f"), 3 * BLK + 100));
	ASSERT_EQ(0, dr_poison("f", 3));
	EXPECT_EQ(-EIO, write_at("f", 3 * BLK, 99, 2));
	EXPECT_EQ(100, write_at("f", 3 * BLK, 100, 2));
	EXPECT_EQ(1, dr_counter("healed"));
	ASSERT_EQ(0, truncate(dr_path("f"), 4 * BLK));
	EXPECT_EQ(0, dr_verify_zero("f", 3 * BLK + 100, BLK - 100));
	ASSERT_EQ(0, dr_poison("f", 3));
	EXPECT_EQ(2 * BLK, write_at("f", 3 * BLK, 2 * BLK, 3));
	EXPECT_EQ(0, dr_verify("f", 3, 2, 3, 3));
	EXPECT_EQ(0, stat(dr_path("f"), &st));
	EXPECT_EQ(5 * BLK, st.st_size);
}

/* The user's buffer ends at a page that is not there: no zeroes for data. */
TEST_F(heal, buffer_that_cannot_be_read)
{
	char *p = mmap(NULL, 3 * BLK, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	SKIP_ON_XFS();
	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, dr_poison("f", 3));
	ASSERT_EQ(0, dr_poison("f", 4));
	dr_fill(p, 2, 3);
	ASSERT_EQ(0, munmap(p + BLK, BLK));
	fd = dr_open("f", O_WRONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, pwrite(fd, p + BLK, BLK, 3 * BLK));
	EXPECT_EQ(EFAULT, errno);
	is_lost(_metadata, "f", 3);
	/* half of a block can be had */
	EXPECT_EQ(-1, pwrite(fd, p + BLK / 2, BLK, 3 * BLK));
	EXPECT_EQ(EFAULT, errno);
	is_lost(_metadata, "f", 3);
	EXPECT_EQ(BLK, pwrite(fd, p, 2 * BLK, 3 * BLK));
	EXPECT_EQ(0, dr_verify("f", 3, 1, 2, 3));
	is_lost(_metadata, "f", 4);
	close(fd);
	EXPECT_USED(9);
}

/* The buffer is a mapping of the same file, and not faulted in. */
TEST_F(heal, buffer_is_the_file)
{
	char *p;
	int fd;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, dr_poison("f", 3));
	p = dr_map("f", 0, 8 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	fd = dr_open("f", O_WRONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(BLK, pwrite(fd, p + 6 * BLK, BLK, 3 * BLK));
	EXPECT_EQ(0, dr_verify("f", 3, 1, 1, 6));
	close(fd);
}

TEST_F(heal, punch)
{
	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 16, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, dr_poison("f", 4));
	EXPECT_EQ(0, dr_fallocate("f", PUNCH, 3 * BLK + 10, 3 * BLK));
	EXPECT_EQ(0, dr_verify_zero("f", 3 * BLK + 10, 3 * BLK));
	EXPECT_EQ(-ENOENT, dr_block("f", 4, NULL));
	EXPECT_EQ(0, dr_verify("f", 7, 9, 1, 7));
	EXPECT_EQ(1, dr_counter("healed"));
	is_lost(_metadata, "g", 4);
	EXPECT_EQ(0, dr_verify("g", 3, 1, 1, 3));
	EXPECT_EQ(0, dr_verify("g", 5, 2, 1, 5));
	EXPECT_EQ(0, unlink(dr_path("g")));
	/* the bad block does not come back */
	EXPECT_USED(16 - 2 + 1);
}

TEST_F(heal, zero_range)
{
	struct stat st;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 16, 1));
	ASSERT_EQ(0, dr_clone_range("f", 0, 8 * BLK, "g", 0));
	ASSERT_EQ(0, dr_poison("f", 4));
	ASSERT_EQ(0, dr_poison("f", 12));
	EXPECT_EQ(0, dr_fallocate("f", ZERO, 3 * BLK + 10, 20 * BLK));
	EXPECT_EQ(0, dr_verify_zero("f", 3 * BLK + 10, 20 * BLK));
	EXPECT_EQ(0, stat(dr_path("f"), &st));
	EXPECT_EQ(23 * BLK + 10, st.st_size);
	EXPECT_LE(0, dr_block("f", 4, NULL));
	EXPECT_LE(0, dr_block("f", 20, NULL));
	EXPECT_EQ(2, dr_counter("healed"));
	is_lost(_metadata, "g", 4);
	EXPECT_EQ(0, dr_verify("g", 5, 3, 1, 5));
	EXPECT_EQ(0, dr_verify("g", 3, 1, 1, 3));
}

/* What is unlinked or cut off takes the loss with it, not the quarantine. */
TEST_F(heal, truncate_and_unlink)
{
	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, dr_create("g", 8, 1));
	ASSERT_EQ(0, dr_poison("f", 6));
	ASSERT_EQ(0, dr_poison("g", 2));
	EXPECT_EQ(0, truncate(dr_path("f"), 4 * BLK));
	EXPECT_EQ(0, unlink(dr_path("g")));
	EXPECT_EQ(0, truncate(dr_path("f"), 8 * BLK));
	EXPECT_EQ(0, dr_verify_zero("f", 4 * BLK, 4 * BLK));
	EXPECT_EQ(2, dr_counter("blocks_bad"));
	EXPECT_USED(4 + 2);
}

TEST_F(heal, fallocate_modes)
{
	struct stat st;

	ASSERT_EQ(0, dr_create("f", 2, 1));
	EXPECT_EQ(0, dr_fallocate("f", FALLOC_FL_KEEP_SIZE, 0, 8 * BLK));
	EXPECT_EQ(0, stat(dr_path("f"), &st));
	EXPECT_EQ(2 * BLK, st.st_size);
	EXPECT_EQ(64, st.st_blocks);
	EXPECT_EQ(0, dr_fallocate("f", 0, 0, 10 * BLK));
	EXPECT_EQ(0, stat(dr_path("f"), &st));
	EXPECT_EQ(10 * BLK, st.st_size);
	EXPECT_EQ(0, dr_verify("f", 0, 2, 1, 0));
	EXPECT_EQ(0, dr_verify_zero("f", 2 * BLK, 8 * BLK));
	EXPECT_EQ(-EOPNOTSUPP, dr_fallocate("f", FALLOC_FL_PUNCH_HOLE, 0, BLK));
	EXPECT_EQ(-EOPNOTSUPP, dr_fallocate("f", 0x4000, 0, BLK));
	EXPECT_EQ(-EINVAL, dr_fallocate("f", 0, 0, 0));
	EXPECT_EQ(-EFBIG, dr_fallocate("f", 0, 1, 0x7fffffffffffffffUL));
}

TEST_HARNESS_MAIN
