// SPDX-License-Identifier: GPL-2.0
/*
 * What programs do with a file's data, besides reading and writing it: sizes up
 * to the largest, holes that are found, the flags of open(2) and pwritev2(2),
 * splice, sendfile and copy_file_range.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"
#include "common/files/snapshot.h"

#define LARGEST	0x7fffffffffffffffL	/* s_maxbytes: bytes of a file at most */
#define LAST_PG	(LARGEST / BLK * BLK)
#define RW	(PROT_READ | PROT_WRITE)

#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE	0x80
#endif
#define RWF_UNKNOWN	0x40000000

DR_FIXTURE(data)

TEST_F(data, as_large_as_can_be)
{
	char b, *p;
	int fd = dr_open("f", O_RDWR | O_CREAT);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, LARGEST));
	EXPECT_EQ(LARGEST, dr_size("f"));
	EXPECT_USED(0);
	/* the last byte that can be written is the one before the largest size */
	ASSERT_EQ(1, pwrite(fd, "z", 1, LARGEST - 1));
	ASSERT_EQ(1, pread(fd, &b, 1, LARGEST - 1));
	EXPECT_EQ('z', b);
	ASSERT_EQ(1, pread(fd, &b, 1, LARGEST - 2));
	EXPECT_EQ(0, b);
	EXPECT_USED(1);
	EXPECT_EQ(-1, pwrite(fd, "z", 1, LARGEST));	/* says the VFS: there is no such byte */
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(LARGEST, dr_size("f"));
	EXPECT_EQ(LAST_PG, lseek(fd, 0, SEEK_DATA));
	EXPECT_EQ(LARGEST, lseek(fd, LAST_PG, SEEK_HOLE));
	close(fd);
	EXPECT_EQ(0, dr_persists());

	/* by mmap, which leaves the last page out, and by a clone */
	p = dr_map("f", LAST_PG - BLK, BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	EXPECT_BYTE(dr_load(p + BLK - 1), 0);
	EXPECT_BYTE(dr_store(p + 9, 'y'), 'y');
	ASSERT_EQ(0, dr_clone("f", "g"));
	EXPECT_EQ(LARGEST, dr_size("g"));
	EXPECT_USED(2);
	EXPECT_EQ(0, msync(p, BLK, MS_SYNC));
	ASSERT_EQ(0, munmap(p, BLK));

	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, fallocate(fd, 0, LARGEST, BLK));
	EXPECT_EQ(EFBIG, errno);
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_ZERO_RANGE, LAST_PG, LARGEST - LAST_PG));
	ASSERT_EQ(1, pread(fd, &b, 1, LARGEST - 1));
	EXPECT_EQ(0, b);
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, LARGEST));
	EXPECT_EQ(0, lseek(fd, 0, SEEK_HOLE));
	EXPECT_EQ(-1, lseek(fd, 0, SEEK_DATA));
	EXPECT_EQ(ENXIO, errno);
	EXPECT_USED(2);	/* g's */
	ASSERT_EQ(0, ftruncate(fd, 0));
	close(fd);
	ASSERT_EQ(0, unlink(dr_path("g")));
	EXPECT_USED(0);
}

TEST_F(data, seek_hole_and_data)
{
	int fd = dr_open("f", O_RDWR | O_CREAT);
	struct stat st;

	ASSERT_LE(0, fd);
	/* an empty file has nothing */
	EXPECT_EQ(-1, lseek(fd, 0, SEEK_DATA));
	EXPECT_EQ(ENXIO, errno);
	EXPECT_EQ(-1, lseek(fd, 0, SEEK_HOLE));
	EXPECT_EQ(ENXIO, errno);

	/* pages 2, 3 and 7 have data, the end is in page 9 */
	ASSERT_EQ(10, pwrite(fd, "0123456789", 10, 4 * BLK - 15));
	ASSERT_EQ(1, pwrite(fd, "x", 1, 2 * BLK));
	ASSERT_EQ(1, pwrite(fd, "x", 1, 7 * BLK + 5));
	ASSERT_EQ(0, ftruncate(fd, 9 * BLK + 100));
	EXPECT_EQ(2 * BLK, lseek(fd, 0, SEEK_DATA));
	EXPECT_EQ(2 * BLK, lseek(fd, 0, SEEK_CUR));
	EXPECT_EQ(2 * BLK + 7, lseek(fd, 2 * BLK + 7, SEEK_DATA));
	EXPECT_EQ(7 * BLK, lseek(fd, 4 * BLK, SEEK_DATA));
	EXPECT_EQ(-1, lseek(fd, 8 * BLK, SEEK_DATA));
	EXPECT_EQ(ENXIO, errno);
	EXPECT_EQ(0, lseek(fd, 0, SEEK_HOLE));
	EXPECT_EQ(17, lseek(fd, 17, SEEK_HOLE));
	EXPECT_EQ(4 * BLK, lseek(fd, 2 * BLK, SEEK_HOLE));
	EXPECT_EQ(8 * BLK, lseek(fd, 7 * BLK + 5, SEEK_HOLE));
	EXPECT_EQ(9 * BLK + 99, lseek(fd, 9 * BLK + 99, SEEK_HOLE));
	EXPECT_EQ(-1, lseek(fd, 9 * BLK + 100, SEEK_HOLE));
	EXPECT_EQ(ENXIO, errno);
	EXPECT_EQ(-1, lseek(fd, -1, SEEK_DATA));
	EXPECT_EQ(ENXIO, errno);
	/* data up to the end: the hole is what comes after it */
	ASSERT_EQ(0, ftruncate(fd, 7 * BLK + 100));
	EXPECT_EQ(7 * BLK + 100, lseek(fd, 7 * BLK, SEEK_HOLE));
	/* sharing and lost pages do not make holes */
	ASSERT_EQ(0, dr_create("g", 8, 1));
	ASSERT_EQ(0, dr_clone_range("g", 2 * BLK, BLK, "h", 0));
	if (!dr_xfs()) {
		ASSERT_EQ(0, dr_poison("g", 5));
	}
	close(fd);
	fd = dr_open("g", O_RDONLY);
	EXPECT_EQ(8 * BLK, lseek(fd, 0, SEEK_HOLE));
	EXPECT_EQ(0, lseek(fd, 0, SEEK_DATA));
	EXPECT_EQ(5 * BLK, lseek(fd, 5 * BLK, SEEK_DATA));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(8 * BLK, lseek(fd, 0, SEEK_END));
	EXPECT_EQ(-1, lseek(fd, 0, 77));
	EXPECT_EQ(EINVAL, errno);
	close(fd);
}

TEST_F(data, fiemap_flags)
{
	struct {
		struct fiemap fm;
		struct fiemap_extent e[8];
	} q = { .fm = { .fm_length = ~0ULL, .fm_extent_count = 8 } };
	int fd;

	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, dr_clone_range("f", 2 * BLK, 3 * BLK, "g", 0));
	fd = dr_open("f", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, FS_IOC_FIEMAP, &q));
	ASSERT_EQ(3, q.fm.fm_mapped_extents);
	for (int i = 0; i < 3; i++) {
		static const int start[] = { 0, 2, 5, 8 };

		EXPECT_EQ(start[i] * BLK, q.e[i].fe_logical);
		EXPECT_EQ((start[i + 1] - start[i]) * BLK, q.e[i].fe_length);
		EXPECT_EQ(i == 1, !!(q.e[i].fe_flags & FIEMAP_EXTENT_SHARED));
		EXPECT_EQ(i == 2, !!(q.e[i].fe_flags & FIEMAP_EXTENT_LAST));
	}
	/* only counted */
	q.fm.fm_extent_count = 0;
	ASSERT_EQ(0, ioctl(fd, FS_IOC_FIEMAP, &q));
	EXPECT_EQ(3, q.fm.fm_mapped_extents);
	q.fm.fm_flags = 0x80;
	EXPECT_EQ(-1, ioctl(fd, FS_IOC_FIEMAP, &q));
	EXPECT_EQ(EBADR, errno);
	close(fd);
}

/* O_DIRECT is the same path, and asks for no alignment. */
TEST_F(data, flags_of_open)
{
	char *buf = aligned_alloc(BLK, 2 * BLK), c;
	int fd = dr_open("f", O_RDWR | O_CREAT | O_DIRECT);

	ASSERT_LE(0, fd);
	ASSERT_NE(NULL, buf);
	dr_fill(buf, 3, 0);
	dr_fill(buf + BLK, 3, 1);
	ASSERT_EQ(2 * BLK, pwrite(fd, buf, 2 * BLK, 0));
	EXPECT_EQ(0, dr_verify("f", 0, 2, 3, 0));
	memset(buf, 0, 2 * BLK);
	ASSERT_EQ(2 * BLK, pread(fd, buf, 2 * BLK, 0));
	EXPECT_TRUE(dr_same(buf, 3, 0));
	EXPECT_TRUE(dr_same(buf + BLK, 3, 1));
	EXPECT_EQ(3, pwrite(fd, "odd", 3, 77));
	EXPECT_EQ(O_DIRECT, fcntl(fd, F_GETFL) & O_DIRECT);
	EXPECT_EQ(0, fcntl(fd, F_SETFL, 0));
	EXPECT_EQ(0, fcntl(fd, F_SETFL, O_DIRECT));
	close(fd);

	fd = dr_open("f", O_WRONLY | O_SYNC);
	EXPECT_EQ(4, pwrite(fd, "sync", 4, 10));
	close(fd);
	fd = dr_open("f", O_RDWR | O_DSYNC | O_APPEND);
	EXPECT_EQ(4, pwrite(fd, "tail", 4, 10));	/* pwrite(2): appends all the same */
	EXPECT_EQ(2 * BLK + 4, dr_size("f"));
	EXPECT_EQ(4, write(fd, "more", 4));
	EXPECT_EQ(2 * BLK + 8, lseek(fd, 0, SEEK_CUR));
	ASSERT_EQ(1, pread(fd, &c, 1, 2 * BLK + 5));
	EXPECT_EQ('o', c);
	close(fd);
	fd = dr_open("f", O_WRONLY | O_TRUNC);
	EXPECT_EQ(0, dr_size("f"));
	close(fd);
	EXPECT_USED(0);
	free(buf);
}

static ssize_t write_at(int fd, const char *text, long at, int flags)
{
	struct iovec v = { (void *)text, strlen(text) };
	ssize_t n = pwritev2(fd, &v, 1, at, flags);

	return n < 0 ? -errno : n;
}

static ssize_t read_at(int fd, char *buf, size_t len, long at, int flags)
{
	struct iovec v = { buf, len };
	ssize_t n = preadv2(fd, &v, 1, at, flags);

	return n < 0 ? -errno : n;
}

TEST_F(data, flags_of_pwritev2)
{
	char buf[8] = "";
	ssize_t n = 0;
	int fd;

	ASSERT_EQ(0, dr_create("f", 2, 1));
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(3, write_at(fd, "abc", 5, RWF_DSYNC));
	EXPECT_EQ(3, write_at(fd, "abc", 5, RWF_SYNC | RWF_HIPRI));
	EXPECT_EQ(3, write_at(fd, "end", 5, RWF_APPEND));
	EXPECT_EQ(2 * BLK + 3, dr_size("f"));
	EXPECT_EQ(3, read_at(fd, buf, 3, 2 * BLK, RWF_NOWAIT));
	EXPECT_STREQ("end", buf);
	/* what is in place can be overwritten without waiting, when the times need no change */
	for (int i = 0; i < 1000 && n != 3; i++) {
		EXPECT_EQ(3, write_at(fd, "abd", 5, 0));
		n = write_at(fd, "abe", 5, RWF_NOWAIT);
		EXPECT_TRUE(n == 3 || n == -EAGAIN);
	}
	EXPECT_EQ(3, n);
	/* what needs a block, or a new size, cannot */
	EXPECT_EQ(-EAGAIN, write_at(fd, "abc", 9 * BLK, RWF_NOWAIT));
	ASSERT_EQ(0, ftruncate(fd, 4 * BLK));
	EXPECT_EQ(-EAGAIN, write_at(fd, "abc", 3 * BLK, RWF_NOWAIT));
	EXPECT_EQ(4 * BLK, dr_size("f"));
	EXPECT_USED(3);
	EXPECT_EQ(-EOPNOTSUPP, write_at(fd, "abc", 0, RWF_ATOMIC));
	EXPECT_EQ(-EOPNOTSUPP, write_at(fd, "abc", 0, RWF_DONTCACHE));
	EXPECT_EQ(-EOPNOTSUPP, write_at(fd, "abc", 0, RWF_UNKNOWN));
	EXPECT_EQ(-EOPNOTSUPP, read_at(fd, buf, 1, 0, RWF_UNKNOWN));
	close(fd);
}

/* Where nothing could be written, the end of the file stays. */
TEST_F(data, write_that_fails)
{
	char *bad = mmap(NULL, 2 * BLK, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ssize_t n;
	int fd;

	ASSERT_NE(MAP_FAILED, bad);
	ASSERT_EQ(0, munmap(bad + BLK, BLK));
	ASSERT_EQ(0, dr_create("f", 1, 1));
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, pwrite(fd, bad + BLK, 10, 3 * BLK));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(BLK, dr_size("f"));
	EXPECT_USED(1);
	/* a part of it is there: that is written */
	n = pwrite(fd, bad + BLK - 10, 20, 3 * BLK);
	EXPECT_TRUE(n > 0 && n <= 10);
	EXPECT_EQ(3 * BLK + n, dr_size("f"));
	close(fd);
}

TEST_F(data, without_user_memory)
{
	struct { int in, out; } f;
	int fds[2];
	loff_t from, to;
	off_t at;

	ASSERT_EQ(0, dr_create("f", 40, 1));
	ASSERT_EQ(0, dr_create("g", 0, 1));
	f.in = dr_open("f", O_RDONLY);
	f.out = dr_open("g", O_RDWR);
	ASSERT_LE(0, f.in);
	ASSERT_LE(0, f.out);
	at = 3 * BLK;
	ASSERT_EQ(4 * BLK, sendfile(f.out, f.in, &at, 4 * BLK));
	EXPECT_EQ(7 * BLK, at);
	EXPECT_EQ(0, dr_verify("g", 0, 4, 1, 3));

	ASSERT_EQ(0, pipe(fds));
	from = 30 * BLK;
	to = 4 * BLK;
	ASSERT_EQ(2 * BLK, splice(f.in, &from, fds[1], NULL, 2 * BLK, 0));
	ASSERT_EQ(2 * BLK, splice(fds[0], NULL, f.out, &to, 2 * BLK, 0));
	EXPECT_EQ(0, dr_verify("g", 4, 2, 1, 30));
	EXPECT_USED(46);

	/* blocks are shared where they can be, the rest is copied */
	from = 8 * BLK;
	to = 10 * BLK;
	ASSERT_EQ(8 * BLK, copy_file_range(f.in, &from, f.out, &to, 8 * BLK, 0));
	EXPECT_EQ(0, dr_verify("g", 10, 8, 1, 8));
	EXPECT_EQ(dr_block("f", 9, NULL), dr_block("g", 11, NULL));
	EXPECT_USED(46);
	from = 1;
	to = 1;
	ASSERT_EQ(100, copy_file_range(f.in, &from, f.out, &to, 100, 0));
	EXPECT_EQ(0, dr_verify("f", 0, 1, 1, 0));
	/* within one file, over itself */
	from = 0;
	to = 10;
	EXPECT_EQ(-1, copy_file_range(f.out, &from, f.out, &to, 100, 0));
	EXPECT_EQ(EINVAL, errno);
	close(f.in);
	close(f.out);
	close(fds[0]);
	close(fds[1]);
}

DR_LISTING_FIXTURE(data_bad, "asks daxrmap's debugfs")

/* Nor does it move to what a bad block behind it has kept from being written. */
TEST_F(data_bad, write_that_fails)
{
	static char buf[3 * BLK];
	int fd;

	ASSERT_EQ(0, dr_create("f", 8, 1));
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	/* As many again are zeroed ahead of a write, behind the end. */
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_KEEP_SIZE, 8 * BLK, 8 * BLK));
	ASSERT_EQ((ssize_t)BLK, pwrite(fd, buf, BLK, 8 * BLK));
	ASSERT_EQ(0, dr_list_bad(dr_block("f", 14, NULL), 1));
	for (int i = 0; i < 2; i++) {	/* found, and known */
		EXPECT_EQ(-1, pwrite(fd, buf, 100, 14 * BLK + 50));
		EXPECT_EQ(EIO, errno);
		EXPECT_EQ(9 * BLK, dr_size("f"));
		EXPECT_EQ(1, dr_counter_settled("blocks_bad", 1));
	}
	/* a write of all that there is of the page heals it */
	EXPECT_EQ(2 * BLK + 100, pwrite(fd, buf, 2 * BLK + 100, 12 * BLK));
	EXPECT_EQ(14 * BLK + 100, dr_size("f"));
	EXPECT_EQ(1, dr_counter("healed"));
	ASSERT_EQ(0, ftruncate(fd, 0));
	close(fd);
	EXPECT_USED(1);
}

TEST_HARNESS_MAIN
