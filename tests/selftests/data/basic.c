// SPDX-License-Identifier: GPL-2.0
/*
 * Data of one file: holes and fresh blocks read as zero, bytes past the end
 * never come back, mmap and write(2) see one truth, a full device recovers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(basic)

#define RW (PROT_READ | PROT_WRITE)

TEST_F(basic, fiemap_tells_the_page_frame)
{
	char *p;

	ASSERT_EQ(0, dr_create("f", 3, 1));
	p = dr_map("f", 0, 3 * BLK, PROT_READ, MAP_SHARED);
	ASSERT_NE(NULL, p);
	for (int i = 0; i < 3; i++) {
		EXPECT_BYTE(dr_load(p + i * BLK), dr_byte(1, i));
		EXPECT_EQ(dr_pfn_of_block(dr_block("f", i, NULL)),
			  dr_pfn_of(p + i * BLK));
	}
	EXPECT_FALSE(dr_shared("f", 0));
}

TEST_F(basic, holes_are_zero)
{
	char *p;

	int fd = dr_open("f", O_RDWR | O_CREAT);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(5, pwrite(fd, "hello", 5, 10 * BLK + 100));
	EXPECT_EQ(0, dr_verify_zero("f", 0, 10 * BLK + 100));
	EXPECT_EQ(-ENOENT, dr_block("f", 5, NULL));
	EXPECT_USED(1);

	/* A read fault of a hole gives zeroes and takes no block. */
	ASSERT_EQ(0, ftruncate(fd, 11 * BLK));
	p = dr_map("f", 0, 11 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	EXPECT_BYTE(dr_load(p + 5 * BLK), 0);
	EXPECT_USED(1);
	/* A write to it then shows in both views. */
	EXPECT_BYTE(dr_store(p + 5 * BLK + 7, 77), 77);
	EXPECT_USED(2);
	EXPECT_EQ(0, dr_verify_zero("f", 5 * BLK, 7));
	EXPECT_EQ(0, dr_verify_zero("f", 5 * BLK + 8, BLK - 8));
	EXPECT_EQ('h', p[10 * BLK + 100]);
	EXPECT_EQ(0, p[10 * BLK + 105]);
	/* write(2) into a hole that is mapped as zeroes: the map sees it. */
	EXPECT_BYTE(dr_load(p + 6 * BLK), 0);
	ASSERT_EQ(0, dr_write_blocks("f", 6, 1, 3));
	EXPECT_BYTE(dr_load(p + 6 * BLK), dr_byte(3, 6));
	/* Beyond the end: SIGBUS, and not one of a memory error. */
	ASSERT_EQ(0, ftruncate(fd, 5 * BLK));
	EXPECT_SIG(dr_load(p + 5 * BLK).sig, BUS_ADRERR, p + 5 * BLK, 0);
	close(fd);
}

TEST_F(basic, truncate_zeroes_the_tail)
{
	int fd;
	char *p;

	ASSERT_EQ(0, dr_create("f", 4, 1));
	fd = dr_open("f", O_RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, ftruncate(fd, BLK + 100));
	EXPECT_USED(2);
	ASSERT_EQ(0, ftruncate(fd, 4 * BLK));
	EXPECT_EQ(0, dr_verify("f", 0, 1, 1, 0));
	EXPECT_EQ(0, dr_verify_zero("f", BLK + 100, 3 * BLK - 100));

	/* Bytes that mmap wrote past the end do not show after extending. */
	for (int by_write = 0; by_write < 2; by_write++) {
		ASSERT_EQ(0, dr_create("g", 1, 2));
		ASSERT_EQ(0, truncate(dr_path("g"), 200));
		p = dr_map("g", 0, BLK, RW, MAP_SHARED);
		ASSERT_NE(NULL, p);
		memset(p + 200, 0x55, BLK - 200);
		if (by_write) {
			int g = dr_open("g", O_RDWR);

			ASSERT_EQ(1, pwrite(g, "x", 1, BLK + 50));
			close(g);
		} else {
			ASSERT_EQ(0, truncate(dr_path("g"), BLK));
		}
		EXPECT_EQ(0, dr_verify_zero("g", 200, BLK - 200));
		EXPECT_EQ(0, p[BLK - 1]);
		munmap(p, BLK);
	}
	/* A gap that a later write leaves is zero, too. */
	ASSERT_EQ(0, truncate(dr_path("g"), 10));
	fd = dr_open("g", O_RDWR);
	ASSERT_EQ(1, pwrite(fd, "x", 1, 3 * BLK));
	close(fd);
	EXPECT_EQ(0, dr_verify_zero("g", 10, 3 * BLK - 10));
	ASSERT_EQ(0, truncate(dr_path("g"), 0));
	ASSERT_EQ(0, truncate(dr_path("f"), 0));
	EXPECT_USED(0);
}

TEST_F(basic, fresh_blocks_are_zero)
{
	int fd;
	char *p;

	/* Old data all over the place, freed, then touched in part. */
	ASSERT_EQ(0, dr_create("old", 2048, 9));
	ASSERT_EQ(0, unlink(dr_path("old")));
	fd = dr_open("new", O_RDWR | O_CREAT);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, ftruncate(fd, 2048 * BLK));
	for (int i = 0; i < 2048; i += 64)
		ASSERT_EQ(1, pwrite(fd, "x", 1, i * BLK + 2000));
	for (int i = 0; i < 2048; i += 64) {
		EXPECT_EQ(0, dr_verify_zero("new", i * BLK, 2000));
		EXPECT_EQ(0, dr_verify_zero("new", i * BLK + 2001, BLK - 2001));
	}
	ASSERT_EQ(0, ftruncate(fd, 0));
	ASSERT_EQ(0, ftruncate(fd, 2048 * BLK));
	p = dr_map("new", 0, 2048 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	for (int i = 0; i < 2048; i += 256)
		p[i * BLK + 1] = 1;
	for (int i = 0; i < 2048; i++)
		for (unsigned int j = 0; j < BLK; j += 64)
			ASSERT_EQ(0, p[i * BLK + j]);
	close(fd);
}

TEST_F(basic, big_and_odd_writes)
{
	enum { LEN = 9 << 20 };
	char *a = malloc(LEN), *b = malloc(LEN);
	int fd = dr_open("f", O_RDWR | O_CREAT);
	struct stat st;

	ASSERT_GE(fd, 0);
	for (int i = 0; i < LEN; i++)
		a[i] = i * 7 + (i >> 12);
	EXPECT_EQ(LEN - 3, pwrite(fd, a + 3, LEN - 3, 3));
	a[0] = a[1] = a[2] = 0;
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(LEN, st.st_size);
	for (int i = 0; i < 40; i++) {	/* overwrite across block borders */
		long off = (i * 77777L + 4000) % (LEN - 10000), len = 1 + i * 211;

		memset(a + off, i, len);
		EXPECT_EQ(len, pwrite(fd, a + off, len, off));
	}
	EXPECT_EQ(0, fsync(fd));
	EXPECT_EQ(0, fdatasync(fd));
	EXPECT_EQ(LEN, pread(fd, b, LEN, 0));
	EXPECT_EQ(0, memcmp(a, b, LEN));
	EXPECT_EQ(10, pread(fd, b, 100, LEN - 10));
	EXPECT_EQ(0, pread(fd, b, 100, LEN));
	EXPECT_EQ(LEN, lseek(fd, 0, SEEK_END));
	close(fd);
	fd = dr_open("f", O_WRONLY | O_APPEND);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(3, write(fd, "end", 3));
	close(fd);
	ASSERT_EQ(0, stat(dr_path("f"), &st));
	EXPECT_EQ(LEN + 3, st.st_size);
}

TEST_F(basic, mmap_and_write_agree)
{
	struct peer q;
	char *p, buf[8];
	int fd;

	ASSERT_EQ(0, dr_create("f", 4, 1));
	ASSERT_EQ(0, peer_open(&q, false, "f", 4 * BLK, -1));
	p = dr_map("f", 0, 4 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	fd = dr_open("f", O_RDWR);
	for (int i = 0; i < 4; i++) {
		memcpy(p + i * BLK + 10, "mapped", 7);
		ASSERT_EQ(7, pread(fd, buf, 7, i * BLK + 10));
		EXPECT_STREQ("mapped", buf);
		ASSERT_EQ(1, pwrite(fd, "w", 1, i * BLK));
		EXPECT_EQ('w', p[i * BLK]);
		EXPECT_BYTE(peer_load(&q, i * BLK), 'w');
		EXPECT_BYTE(peer_store(&q, i * BLK + 1, 'q'), 'q');
		EXPECT_EQ('q', p[i * BLK + 1]);
	}
	EXPECT_EQ(0, msync(p, 4 * BLK, MS_SYNC));
	EXPECT_EQ(0, fsync(fd));
	close(fd);
	peer_stop(&q);
}

TEST_F(basic, private_mapping_keeps_to_itself)
{
	char *p;

	ASSERT_EQ(0, dr_create("f", 2, 1));
	p = dr_map("f", 0, 2 * BLK, RW, MAP_PRIVATE);
	ASSERT_NE(NULL, p);
	EXPECT_TRUE(dr_same(p, 1, 0));
	p[5] = p[5] + 1;
	EXPECT_EQ(0, dr_verify("f", 0, 2, 1, 0));
	ASSERT_EQ(0, dr_write_blocks("f", 0, 2, 2));
	EXPECT_BYTE(dr_load(p), dr_byte(1, 0));		/* copied: its own */
	EXPECT_BYTE(dr_load(p + BLK), dr_byte(2, 1));	/* not yet: the file's */
}

TEST_F(basic, map_sync)
{
	int fd;
	char *p;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	fd = dr_open("f", O_RDWR);
	ASSERT_EQ(0, ftruncate(fd, 8 * BLK));
	p = mmap(NULL, 8 * BLK, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	for (int i = 0; i < 8; i++)
		EXPECT_BYTE(dr_store(p + i * BLK + 9, i + 1), i + 1);
	EXPECT_TRUE(p[0] == (char)dr_byte(1, 0));
	for (int i = 1; i < 8; i++) {
		char c;

		ASSERT_EQ(1, pread(fd, &c, 1, i * BLK + 9));
		EXPECT_EQ(i + 1, c);
	}
	munmap(p, 8 * BLK);
	close(fd);
}

/* A big file gets huge mappings: 8 faults for 16 MiB. */
TEST_F(basic, huge_pages)
{
	long faults;
	char *p;

	ASSERT_EQ(0, dr_create("f", 4096, 1));
	EXPECT_EQ(0, dr_block("f", 0, NULL) % 512);
	p = dr_map("f", 0, 4096 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	faults = -dr_faults();
	for (int i = 0; i < 4096; i++)
		ASSERT_EQ(dr_byte(1, i), (unsigned char)p[i * BLK]);
	faults += dr_faults();
	EXPECT_LE(faults, 16);
	/* Fresh ones, too, of a hole. */
	ASSERT_EQ(0, dr_create("g", 0, 1));
	ASSERT_EQ(0, truncate(dr_path("g"), 8 * HUGE_SIZE));
	p = dr_map("g", 0, 8 * HUGE_SIZE, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	faults = -dr_faults();
	for (int i = 0; i < 4096; i++)
		p[i * BLK] = 3;
	faults += dr_faults();
	EXPECT_LE(faults, 16);
}

TEST_F(basic, space_comes_back)
{
	struct statvfs s;
	int fd;

	ASSERT_EQ(0, statvfs(dr_mnt(), &s));
	EXPECT_EQ(4096, s.f_bsize);
	EXPECT_EQ(255, s.f_namemax);
	EXPECT_GE(131072, s.f_blocks);
	EXPECT_LE(dr_xfs() ? 100000 : 126000, s.f_blocks);
	EXPECT_EQ(s.f_bfree, s.f_bavail);
	ASSERT_EQ(0, dr_create("f", 1000, 1));
	EXPECT_USED(1000);
	/* Unlinked but open: the blocks stay until the last close. */
	fd = dr_open("f", O_RDONLY);
	ASSERT_EQ(0, unlink(dr_path("f")));
	EXPECT_USED(1000);
	close(fd);
	EXPECT_USED(0);
}

TEST_F(basic, full_device)
{
	long free, left;
	char *p, b;
	int fd;

	ASSERT_EQ(0, dr_create("keep", 8, 5));
	ASSERT_EQ(0, dr_clone("keep", "kept"));
	ASSERT_EQ(0, dr_create("hole", 0, 5));
	ASSERT_EQ(0, truncate(dr_path("hole"), 4 * BLK));
	fd = dr_open("big", O_RDWR | O_CREAT);
	ASSERT_GE(fd, 0);
	/* Huge faults are the quick way; write(2) takes what is left. */
	free = dr_free_blocks() / 512 * 512 - 1024;
	ASSERT_EQ(0, ftruncate(fd, free * BLK));
	p = dr_map("big", 0, free * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	for (long i = 0; i < free; i += 512)
		ASSERT_EQ(0, dr_store(p + i * BLK, 1).sig.signo);
	for (left = free; ; left++)
		if (pwrite(fd, "x", 1, left * BLK) != 1)
			break;
	EXPECT_EQ(ENOSPC, errno);
	p = dr_map("hole", 0, 4 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	if (!dr_xfs()) {	/* which has a reserve that it gives piecemeal */
		EXPECT_EQ(0, dr_free_blocks());
		EXPECT_EQ(-ENOSPC, dr_create("more", 1, 1));
		EXPECT_SIG(dr_store(p, 1).sig, BUS_ADRERR, p, 0);
		EXPECT_EQ(-ENOSPC, dr_write_part("hole", 2));
		EXPECT_EQ(-ENOSPC, dr_write_blocks("kept", 3, 1, 9));
		EXPECT_EQ(-ENOSPC, dr_write_part("kept", 3));
	}
	/* What was there is unharmed; a rewrite in place still works. */
	EXPECT_EQ(0, dr_verify("keep", 0, 8, 5, 0));
	EXPECT_EQ(0, dr_verify("kept", 0, 8, 5, 0));
	EXPECT_EQ(0, unlink(dr_path("kept")));
	EXPECT_EQ(0, dr_write_blocks("keep", 0, 8, 6));
	EXPECT_EQ(0, dr_check());
	/* Room again, and no byte of the old file in the new one. */
	close(fd);
	munmap(p, 4 * BLK);
	ASSERT_EQ(0, truncate(dr_path("big"), 0));
	EXPECT_EQ(0, dr_create("more", 300, 7));
	EXPECT_EQ(0, dr_verify("more", 0, 300, 7, 0));
	EXPECT_EQ(0, dr_verify("keep", 0, 8, 6, 0));
	ASSERT_EQ(1, pwrite(fd = dr_open("hole", O_RDWR), "x", 1, 0));
	ASSERT_EQ(1, pread(fd, &b, 1, 0));
	EXPECT_EQ('x', b);
	close(fd);
}

TEST_HARNESS_MAIN
