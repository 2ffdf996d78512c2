// SPDX-License-Identifier: GPL-2.0
/*
 * Unwritten blocks, which fallocate(2) gives: they are the file's, read as zeroes
 * whatever they held, and become written with the first write, and not before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"
#include "common/device/places.h"
#include "common/files/snapshot.h"

#define RW	(PROT_READ | PROT_WRITE)
#define KEEP	FALLOC_FL_KEEP_SIZE
#define ZERO	FALLOC_FL_ZERO_RANGE
#define PUNCH	(FALLOC_FL_PUNCH_HOLE | KEEP)
#define FIEMAP_UNWRITTEN	0x800
#ifndef FALLOC_FL_WRITE_ZEROES
#define FALLOC_FL_WRITE_ZEROES	0x80
#endif

DR_FIXTURE(unwritten)

static bool is_unwritten(const char *name, long page)
{
	unsigned int flags = 0;

	return dr_block(name, page, &flags) >= 0 && flags & FIEMAP_UNWRITTEN;
}

static bool is_written(const char *name, long page)
{
	unsigned int flags = 0;

	return dr_block(name, page, &flags) >= 0 && !(flags & FIEMAP_UNWRITTEN);
}

/* How many of the file's first @pages are unwritten. */
static long count_unwritten(const char *name, long pages)
{
	long n = 0;

	for (long i = 0; i < pages; i++)
		n += is_unwritten(name, i);
	return n;
}

/* A pattern is all over the free blocks. */
static int stain(void)
{
	int r = dr_create("stain", dr_free_blocks() / 2, 7);

	return r ?: unlink(dr_path("stain")) ? -errno : dr_settle();
}

static int seek(const char *name, long from, int whence)
{
	int fd = dr_open(name, O_RDONLY);
	long at = lseek(fd, from, whence);

	close(fd);
	return at < 0 ? -errno : at / (long)BLK;
}

TEST_F(unwritten, as_it_shows)
{
	char zeroes[16] = { 0 }, buf[16], *p;
	struct stat st;
	int fd;

	ASSERT_EQ(0, dr_fallocate("f", 0, 0, 16 * BLK));
	EXPECT_EQ(0, stat(dr_path("f"), &st));
	EXPECT_EQ(16 * BLK, st.st_size);
	EXPECT_EQ(16 * 8, st.st_blocks);
	EXPECT_USED(16);
	EXPECT_EQ(16, count_unwritten("f", 16));
	EXPECT_EQ(-ENXIO, seek("f", 0, SEEK_DATA));
	EXPECT_EQ(0, seek("f", 0, SEEK_HOLE));
	/* who reads, by whatever way, changes nothing */
	EXPECT_EQ(0, dr_verify_zero("f", 0, 16 * BLK));
	p = dr_map("f", 0, 16 * BLK, PROT_READ, MAP_SHARED);
	EXPECT_BYTE(dr_load(p + 3 * BLK), 0);
	munmap(p, 16 * BLK);
	EXPECT_EQ(-ENXIO, seek("f", 0, SEEK_DATA));
	EXPECT_EQ(16, count_unwritten("f", 16));
	/* a private copy is no write either */
	p = dr_map("f", 0, 16 * BLK, RW, MAP_PRIVATE);
	EXPECT_BYTE(dr_store(p + 4 * BLK, 9), 9);
	munmap(p, 16 * BLK);
	EXPECT_EQ(16, count_unwritten("f", 16));

	fd = dr_open("f", O_RDWR);
	ASSERT_EQ(4, pwrite(fd, "data", 4, 5 * BLK + 6));
	EXPECT_TRUE(is_written("f", 5));
	EXPECT_EQ(15, count_unwritten("f", 16));
	EXPECT_EQ(5, seek("f", 0, SEEK_DATA));
	EXPECT_EQ(6, seek("f", 5 * BLK, SEEK_HOLE));
	ASSERT_EQ(16, pread(fd, buf, 16, 5 * BLK));
	EXPECT_EQ(0, memcmp(buf, "\0\0\0\0\0\0data\0\0\0\0\0\0", 16));
	ASSERT_EQ(16, pread(fd, buf, 16, 6 * BLK));
	EXPECT_EQ(0, memcmp(buf, zeroes, 16));
	EXPECT_EQ(0, fsync(fd));
	close(fd);
	EXPECT_USED(16);
	/* again: there is nothing to do */
	ASSERT_EQ(0, dr_fallocate("f", 0, 0, 16 * BLK));
	EXPECT_TRUE(is_written("f", 5));
	EXPECT_USED(16);
	if (!dr_xfs())
		EXPECT_EQ(0, dr_persists());
	EXPECT_EQ(15, count_unwritten("f", 16));
}

static void add_unwritten(const struct fsmap *r, void *arg)
{
	if (r->fmr_flags & FMR_OF_PREALLOC)
		*(long *)arg += r->fmr_length / BLK;
}

TEST_F(unwritten, fsmap)
{
	long found = 0;
	int fd = dr_open(".", O_RDONLY);

	ASSERT_EQ(0, dr_fallocate("f", KEEP, 0, 16 * BLK));
	ASSERT_EQ(0, dr_write_blocks("f", 3, 2, 1));
	ASSERT_EQ(0, dr_places(fd, add_unwritten, &found));
	close(fd);
	EXPECT_EQ(14, found);
}

/* What another file had in these blocks is never seen. */
TEST_F(unwritten, old_bytes)
{
	static const unsigned long at[] = { 2, 90, 511, 512, 700, 1023 };
	char *p;
	int fd;

	ASSERT_EQ(0, stain());
	ASSERT_EQ(0, dr_fallocate("f", 0, 0, 2 * HUGE_SIZE));
	EXPECT_EQ(0, dr_verify_zero("f", 0, 2 * HUGE_SIZE));
	p = dr_map("f", 0, 2 * HUGE_SIZE, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		EXPECT_BYTE(dr_load(p + at[i] * BLK + 77), 0);
		if (i % 2)
			EXPECT_BYTE(dr_store(p + at[i] * BLK + 77, 0), 0);
		else
			EXPECT_EQ(0, dr_write_part("f", at[i] + 1));
	}
	/* a part of a page, at each end of it, and beyond the end of the file */
	fd = dr_open("f", O_RDWR);
	ASSERT_EQ(1, pwrite(fd, "", 1, 300 * BLK));
	ASSERT_EQ(1, pwrite(fd, "", 1, 302 * BLK - 1));
	close(fd);
	EXPECT_EQ(0, dr_verify_zero("f", 300 * BLK, 2 * BLK));
	ASSERT_EQ(0, dr_fallocate("f", KEEP, 2 * HUGE_SIZE, 8 * BLK));
	ASSERT_EQ(0, truncate(dr_path("f"), 2 * HUGE_SIZE + 5 * BLK + 9));
	EXPECT_EQ(0, dr_verify_zero("f", 2 * HUGE_SIZE, 5 * BLK + 9));
	for (size_t i = 0; i < 1024; i++)
		for (size_t byte = 0; byte < BLK; byte += 511)
			if (i != 3 && i != 512 && i != 701)
				ASSERT_EQ(0, p[i * BLK + byte]);
	munmap(p, 2 * HUGE_SIZE);
}

/* Who writes in turn has blocks converted ahead of him, and who writes here and there has not. */
TEST_F(unwritten, ahead)
{
	static char buf[BLK];
	long ahead;
	int fd;

	ASSERT_EQ(0, stain());
	ASSERT_EQ(0, dr_fallocate("f", 0, 0, HUGE_SIZE));
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	for (long i = 100; i < 500; i += 50)
		ASSERT_EQ(1, pwrite(fd, "x", 1, i * BLK));
	EXPECT_EQ(512 - 8, count_unwritten("f", 512));
	for (long i = 0; i < 70; i++)
		ASSERT_EQ((ssize_t)BLK, pwrite(fd, buf, BLK, i * BLK));
	ahead = 512 - 8 - 70 - count_unwritten("f", 512);
	EXPECT_LE(dr_xfs() ? 0 : 8, ahead);
	EXPECT_EQ(0, dr_verify_zero("f", 0, 100 * BLK));
	close(fd);
}

/* A process that has a page of zeroes sees what another one, or write(2), puts there. */
TEST_F(unwritten, zero_page_goes)
{
	struct peer reader;
	char *p;

	ASSERT_EQ(0, dr_fallocate("f", 0, 0, HUGE_SIZE));
	ASSERT_EQ(0, peer_open(&reader, false, "f", HUGE_SIZE, 4));
	p = dr_map("f", 0, HUGE_SIZE, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	for (long i = 0; i < 32; i++)
		EXPECT_BYTE(peer_load(&reader, i * BLK + 5), 0);
	EXPECT_BYTE(dr_store(p + 4 * BLK + 5, 'm'), 'm');
	EXPECT_BYTE(peer_load(&reader, 4 * BLK + 5), 'm');
	EXPECT_BYTE(peer_store(&reader, 4 * BLK + 6, 'n').sig.signo ? dr_load(p) :
		    dr_load(p + 4 * BLK + 6), 'n');
	ASSERT_EQ(0, dr_write_blocks("f", 9, 1, 3));
	EXPECT_BYTE(peer_load(&reader, 9 * BLK), dr_byte(3, 9));
	EXPECT_BYTE(dr_load(p + 9 * BLK), dr_byte(3, 9));
	EXPECT_BYTE(peer_load(&reader, 10 * BLK), 0);
	peer_stop(&reader);
}

/* MAP_SYNC: what a fault returned to is durable, and so is that the block is written. */
TEST_F(unwritten, map_sync)
{
	int fd;
	char *p;

	ASSERT_EQ(0, stain());
	ASSERT_EQ(0, dr_fallocate("f", 0, 0, 8 * BLK));
	fd = dr_open("f", O_RDWR);
	p = mmap(NULL, 8 * BLK, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);
	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_BYTE(dr_store(p + 2 * BLK + 1, 's'), 's');
	EXPECT_TRUE(is_written("f", 2));
	EXPECT_BYTE(dr_load(p + 2 * BLK), 0);
	EXPECT_BYTE(dr_load(p + 3 * BLK), 0);
	munmap(p, 8 * BLK);
	close(fd);
}

/* A huge fault is one: of blocks that nobody has written, and of some that somebody has. */
TEST_F(unwritten, huge)
{
	long faults;
	char *p;

	ASSERT_EQ(0, dr_fallocate("f", 0, 0, 4 * HUGE_SIZE));
	EXPECT_EQ(0, dr_block("f", 0, NULL) % 512);
	EXPECT_EQ(dr_block("f", 0, NULL) + 2047, dr_block("f", 2047, NULL));
	ASSERT_EQ(0, dr_write_blocks("f", 1030, 2, 1));
	p = dr_map("f", 0, 4 * HUGE_SIZE, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	faults = dr_faults();
	for (long i = 0; i < 4; i++)
		EXPECT_BYTE(dr_store(p + i * HUGE_SIZE + 5, 1), 1);
	for (unsigned long at = BLK; at < 4 * HUGE_SIZE; at += BLK)
		((volatile char *)p)[at + 8] += 0;
	EXPECT_GE(8, dr_faults() - faults);
	EXPECT_EQ(0, count_unwritten("f", 2048));
	EXPECT_TRUE(dr_same(p + 1031 * BLK, 1, 1031) || dr_xfs());
	EXPECT_EQ(0, dr_verify_zero("f", BLK, 511 * BLK));
	munmap(p, 4 * HUGE_SIZE);
}

TEST_F(unwritten, zero_range)
{
	long was;
	char *p;

	ASSERT_EQ(0, dr_create("f", 64, 1));
	ASSERT_EQ(0, truncate(dr_path("f"), 80 * BLK));
	was = dr_block("f", 20, NULL);
	p = dr_map("f", 0, 64 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	EXPECT_BYTE(dr_store(p + 20 * BLK, 5), 5);
	/* in place, with a part of a page at each end, and into the hole behind it */
	ASSERT_EQ(0, dr_fallocate("f", ZERO, 10 * BLK + 100, 60 * BLK));
	EXPECT_BYTE(dr_load(p + 20 * BLK), 0);
	EXPECT_EQ(0, dr_verify_zero("f", 10 * BLK + 100, 60 * BLK));
	EXPECT_EQ(0, dr_verify("f", 0, 10, 1, 0));
	EXPECT_EQ(was, dr_block("f", 20, NULL));
	EXPECT_EQ(59, count_unwritten("f", 80));
	EXPECT_TRUE(is_written("f", 10));
	EXPECT_USED(70);
	/* twice */
	ASSERT_EQ(0, dr_fallocate("f", ZERO, 10 * BLK + 100, 60 * BLK));
	EXPECT_EQ(59, count_unwritten("f", 80));
	/* and then it is written again */
	EXPECT_BYTE(dr_store(p + 20 * BLK, 6), 6);
	EXPECT_BYTE(dr_load(p + 20 * BLK + 1), 0);
	EXPECT_TRUE(is_written("f", 20));
	EXPECT_EQ(0, dr_write_blocks("f", 40, 9, 2));
	EXPECT_EQ(0, dr_verify("f", 40, 9, 2, 40));
	/* a few that are written are zeroed for good: that is less to do */
	ASSERT_EQ(0, dr_fallocate("f", ZERO, 40 * BLK, 2 * BLK));
	EXPECT_EQ(0, dr_verify_zero("f", 40 * BLK, 2 * BLK));
	EXPECT_EQ(!dr_xfs(), is_written("f", 40));
	EXPECT_EQ(0, dr_write_blocks("f", 40, 9, 2));
	/* what is shared stays as it is for the other */
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, dr_fallocate("f", ZERO, 0, 64 * BLK));
	EXPECT_EQ(0, dr_verify("g", 40, 9, 2, 40));
	EXPECT_EQ(0, dr_verify_zero("f", 0, 64 * BLK));
	EXPECT_TRUE(is_unwritten("f", 40));
	/* zeroes that are to be written are */
	ASSERT_EQ(0, dr_xfs() ? 0 : dr_fallocate("f", FALLOC_FL_WRITE_ZEROES, 0, 64 * BLK));
	EXPECT_EQ(0, dr_xfs() ? 0 : count_unwritten("f", 64));
	EXPECT_EQ(0, dr_verify_zero("f", 0, 64 * BLK));
	munmap(p, 64 * BLK);
}

/* A clone has a hole there, and what the other one writes is its own. */
TEST_F(unwritten, clone)
{
	ASSERT_EQ(0, stain());
	ASSERT_EQ(0, dr_fallocate("f", 0, 0, 16 * BLK));
	ASSERT_EQ(0, dr_write_blocks("f", 8, 4, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	EXPECT_EQ(16 * BLK, dr_size("g"));
	EXPECT_USED(16);
	EXPECT_EQ(-ENOENT, dr_block("g", 3, NULL));
	EXPECT_TRUE(dr_shared("g", 9));
	EXPECT_EQ(0, dr_verify_zero("g", 0, 8 * BLK));
	EXPECT_TRUE(is_unwritten("f", 3));
	ASSERT_EQ(0, dr_write_part("f", 3));
	ASSERT_EQ(0, dr_write_part("g", 4));
	EXPECT_EQ(0, dr_verify_zero("g", 0, 4 * BLK));
	EXPECT_EQ(0, dr_verify_zero("f", 4 * BLK, 4 * BLK));
	EXPECT_USED(17);
	/* over what is there */
	ASSERT_EQ(0, dr_clone_range("f", 12 * BLK, 4 * BLK, "g", 8 * BLK));
	EXPECT_EQ(0, dr_verify_zero("g", 8 * BLK, 4 * BLK));
	EXPECT_EQ(0, dr_verify("f", 8, 4, 1, 8));
}

TEST_F(unwritten, moved_and_cut)
{
	ASSERT_EQ(0, stain());
	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, dr_fallocate("f", 0, 8 * BLK, 24 * BLK));
	ASSERT_EQ(0, dr_write_blocks("f", 20, 2, 1));
	ASSERT_EQ(0, dr_fallocate("f", FALLOC_FL_COLLAPSE_RANGE, 4 * BLK, 8 * BLK));
	EXPECT_EQ(24 * BLK, dr_size("f"));
	EXPECT_EQ(18, count_unwritten("f", 24));
	EXPECT_EQ(0, dr_verify("f", 12, 2, 1, 20));
	EXPECT_EQ(0, dr_verify_zero("f", 4 * BLK, 8 * BLK));
	ASSERT_EQ(0, dr_fallocate("f", FALLOC_FL_INSERT_RANGE, 8 * BLK, 4 * BLK));
	EXPECT_EQ(18, count_unwritten("f", 28));
	EXPECT_EQ(-ENOENT, dr_block("f", 9, NULL));
	EXPECT_EQ(0, dr_verify_zero("f", 4 * BLK, 12 * BLK));
	ASSERT_EQ(0, dr_fallocate("f", PUNCH, 5 * BLK, BLK));
	EXPECT_EQ(17, count_unwritten("f", 28));
	/* a part of the last page: nothing is written for that */
	ASSERT_EQ(0, truncate(dr_path("f"), 26 * BLK + 50));
	ASSERT_EQ(0, truncate(dr_path("f"), 28 * BLK));
	EXPECT_TRUE(is_unwritten("f", 26));
	EXPECT_EQ(-ENOENT, dr_block("f", 27, NULL));
	EXPECT_EQ(0, dr_verify_zero("f", 18 * BLK, 10 * BLK));
	EXPECT_USED(4 + 17 + 2 - 1);
	/* what is appended to is zeroed first */
	ASSERT_EQ(0, dr_fallocate("g", KEEP, 0, 8 * BLK));
	ASSERT_EQ(0, truncate(dr_path("g"), 10));
	ASSERT_EQ(0, truncate(dr_path("g"), 3 * BLK + 7));
	EXPECT_EQ(8, count_unwritten("g", 8));
	ASSERT_EQ(0, dr_write_part("g", 6));
	EXPECT_EQ(0, dr_verify_zero("g", 0, 6 * BLK));
	if (!dr_xfs())
		EXPECT_EQ(0, dr_persists());
}

/* The last block of the device is there for a write that was promised it. */
TEST_F(unwritten, no_space_left)
{
	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("h", 1, 1));
	ASSERT_EQ(0, dr_fallocate("f", 0, 0, 16 * BLK));
	ASSERT_EQ(0, dr_fallocate("full", 0, 0, dr_free_blocks() * BLK));
	EXPECT_EQ(0, dr_free_blocks());
	EXPECT_EQ(0, dr_write_blocks("f", 0, 16, 1));
	EXPECT_EQ(0, dr_verify("f", 0, 16, 1, 0));
	EXPECT_EQ(-ENOSPC, dr_fallocate("f", ZERO, 16 * BLK, BLK));
	EXPECT_EQ(0, dr_fallocate("f", ZERO, 0, 16 * BLK));
	EXPECT_EQ(-ENOSPC, dr_write_blocks("h", 1, 1, 1));
}

/* With an unwritten block that fails nothing is lost. */
TEST_F(unwritten, fails)
{
	struct peer early;
	long bad, fd;
	char *p;

	SKIP_ON_XFS();
	ASSERT_EQ(0, stain());
	ASSERT_EQ(0, dr_fallocate("f", 0, 0, 32 * BLK));
	ASSERT_EQ(0, peer_open(&early, true, "f", 32 * BLK, 5));
	bad = dr_block("f", 5, NULL);
	ASSERT_EQ(0, dr_poison("f", 5));
	ASSERT_EQ(0, dr_poison("f", 6));
	/* who reads there has the page of zeroes, and is not told */
	EXPECT_EQ(0, peer_signals(&early, NULL, 0));
	EXPECT_BYTE(peer_load(&early, 5 * BLK), 0);
	EXPECT_EQ(2, dr_counter("blocks_bad"));
	EXPECT_EQ(0, dr_counter("owners"));
	EXPECT_EQ(0, dr_verify_zero("f", 0, 32 * BLK));
	EXPECT_EQ(bad, dr_block("f", 5, NULL));
	/* who writes gets another block */
	EXPECT_EQ(0, dr_write_part("f", 5));
	EXPECT_NE(bad, dr_block("f", 5, NULL));
	EXPECT_TRUE(is_written("f", 5));
	EXPECT_BYTE(peer_store(&early, 6 * BLK + 1, 'w'), 'w');
	EXPECT_BYTE(peer_load(&early, 6 * BLK), 0);
	EXPECT_EQ(0, dr_write_blocks("f", 0, 5, 1));
	EXPECT_EQ(0, dr_verify("f", 0, 5, 1, 0));
	EXPECT_EQ(0, dr_counter("late_faults") + dr_counter("late_io"));
	EXPECT_EQ(0, dr_counter("healed"));
	/* space that was asked for can be written to: it is given anew */
	ASSERT_EQ(0, dr_poison("f", 20));
	ASSERT_EQ(0, dr_fallocate("f", 0, 0, 32 * BLK));
	EXPECT_EQ(0, dr_write_blocks("f", 10, 22, 2));
	EXPECT_EQ(0, dr_verify("f", 10, 22, 2, 10));
	EXPECT_EQ(3, dr_counter("blocks_bad"));
	EXPECT_USED(32 + 3);
	/* nor is anybody told of a file that nobody uses */
	ASSERT_EQ(0, dr_fallocate("a", 0, 0, BLK));
	bad = dr_block("a", 0, NULL);
	dr_drop_caches();
	ASSERT_EQ(0, dr_notify(bad * BLK, BLK));
	EXPECT_EQ(0, dr_counter("owners"));
	ASSERT_EQ(0, unlink(dr_path("a")));
	/* as a hole it is cloned, moved, punched */
	ASSERT_EQ(0, dr_fallocate("h", 0, 0, 8 * BLK));
	ASSERT_EQ(0, dr_poison("h", 2));
	EXPECT_EQ(0, dr_clone("h", "i"));
	EXPECT_EQ(0, dr_fallocate("h", FALLOC_FL_COLLAPSE_RANGE, 0, BLK));
	EXPECT_EQ(0, dr_fallocate("h", PUNCH, BLK + 7, BLK));
	EXPECT_EQ(0, dr_fallocate("h", PUNCH, BLK, BLK));
	EXPECT_EQ(0, dr_counter("healed"));
	fd = dr_open("f", O_RDWR);
	p = dr_map("f", 0, 32 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	EXPECT_BYTE(dr_store(p, 1), 1);
	EXPECT_EQ(0, fsync(fd));
	close(fd);
	peer_stop(&early);
	EXPECT_EQ(0, dr_check());
}

TEST_HARNESS_MAIN
