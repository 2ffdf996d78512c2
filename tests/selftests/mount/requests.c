// SPDX-License-Identifier: GPL-2.0
/*
 * Devices of which bytes are durable only when a flush request has come back (virtio-pmem;
 * scripts/tests/virtio.sh) get them: one for each call that promises something, and
 * none where they are not needed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/clock.h"
#include "common/device/driver.h"

#define RW	(PROT_READ | PROT_WRITE)
#define TIMES	200

FIXTURE(requests) { struct dr_fs fs; bool needed; };

FIXTURE_SETUP(requests)
{
	int r;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_setup(&self->fs));
	r = dr_is_virtio();
	ASSERT_LE(0, r);
	self->needed = r;
	TH_LOG("flush requests are %sneeded", self->needed ? "" : "not ");
}

FIXTURE_TEARDOWN_PARENT(requests)
{
	EXPECT_EQ(0, dr_xfs() ? 0 : dr_teardown(&self->fs));
}

/* How many requests `call` takes; *err: what it says. */
#define REQUESTS(call, err) ({						\
	long _n = -dr_counter("flush_requests");			\
	err = (call) < 0 ? errno : 0;					\
	_n + dr_counter("flush_requests");				\
})

#define EXPECT_REQUESTS(n, call) do {					\
	int _e;								\
	long _m = REQUESTS(call, _e);					\
	EXPECT_EQ(0, _e) { TH_LOG("%s", #call); }			\
	EXPECT_EQ(self->needed ? (n) : 0, _m) { TH_LOG("%s", #call); }	\
} while (0)

/* A call may need one for what it has put in new blocks, and one for the log. */
TEST_F(requests, one_for_each_promise)
{
	int fd, sync, dir, e;
	char *p;
	long n;

	EXPECT_REQUESTS(1, mkdir(dr_path("d"), 0755));
	EXPECT_REQUESTS(1, rename(dr_path("d"), dr_path("e")));
	/* The name goes, then the inode. */
	EXPECT_REQUESTS(2, rmdir(dr_path("e")));
	ASSERT_EQ(0, dr_create("f", 4, 1));
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_REQUESTS(1, fchmod(fd, 0600));
	/* Bytes in place, but for the file's times. */
	n = REQUESTS(pwrite(fd, "x", 1, 5), e);
	EXPECT_EQ(0, e);
	EXPECT_GE(1, n);
	EXPECT_REQUESTS(1, fsync(fd));
	EXPECT_REQUESTS(1, fdatasync(fd));
	EXPECT_REQUESTS(1, syncfs(fd));
	sync = dr_open("f", O_RDWR | O_DSYNC);
	ASSERT_LE(0, sync);
	n = REQUESTS(pwrite(sync, "y", 1, 6), e);
	EXPECT_EQ(0, e);
	EXPECT_LE(self->needed, n);
	EXPECT_GE(2 * self->needed, n);
	/* The first time, the superblocks say that there are such blocks. */
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_KEEP_SIZE, 12 * BLK, BLK));
	/* New blocks that nothing is written to: the log, and times. */
	n = REQUESTS(fallocate(fd, FALLOC_FL_KEEP_SIZE, 4 * BLK, 4 * BLK), e);
	EXPECT_EQ(0, e);
	EXPECT_LE(self->needed, n);
	EXPECT_GE(2 * self->needed, n);
	/* The first write: zeroes, then the log; and times, and the size. */
	n = REQUESTS(pwrite(fd, "z", 1, 6 * BLK), e);
	EXPECT_EQ(0, e);
	EXPECT_LE(2 * self->needed, n);
	EXPECT_GE(5 * self->needed, n);
	ASSERT_EQ(0, ftruncate(fd, 8 * BLK));
	p = dr_map("f", 0, 8 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, dr_store(p, 1).sig.signo);
	EXPECT_REQUESTS(1, msync(p, 8 * BLK, MS_SYNC));
	munmap(p, 8 * BLK);
	dir = dr_open(".", O_RDONLY);
	EXPECT_REQUESTS(1, fsync(dir));
	close(dir);
	close(sync);
	close(fd);
}

/* There is nobody to ask when user space makes its stores durable by itself. */
TEST_F(requests, map_sync)
{
	int fd;
	char *p;

	ASSERT_EQ(0, dr_create("f", 4, 1));
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	errno = 0;
	p = mmap(NULL, 4 * BLK, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);
	if (self->needed) {
		EXPECT_EQ(MAP_FAILED, p);
		EXPECT_EQ(EOPNOTSUPP, errno);
	} else {
		EXPECT_NE(MAP_FAILED, p);
	}
	close(fd);
}

/* Not a test but a figure: Documentation/syscalls.rst has it. */
TEST_F(requests, what_it_costs)
{
	double made = 0, synced = 0, start;
	char name[16];
	int fd;

	ASSERT_EQ(0, dr_create("f", 4, 1));
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	for (int i = 0; i < TIMES; i++) {
		snprintf(name, sizeof(name), "%d", i);
		start = dr_now();
		ASSERT_EQ(0, mkdir(dr_path(name), 0755));
		made += dr_now() - start;
		ASSERT_EQ(1, pwrite(fd, "x", 1, i));
		start = dr_now();
		ASSERT_EQ(0, fsync(fd));
		synced += dr_now() - start;
	}
	TH_LOG("mkdir %.1f us, fsync %.1f us", made / TIMES * 1e6, synced / TIMES * 1e6);
	close(fd);
}

TEST_HARNESS_MAIN
