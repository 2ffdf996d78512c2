// SPDX-License-Identifier: GPL-2.0
/*
 * The guard, and pages of a mapping that somebody other than its process uses: a pipe that keeps
 * one for as long as it likes, the block layer, the kernel on somebody's behalf.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/processes/party.h"

#define RW	(PROT_READ | PROT_WRITE)
#define BLOCKS	8
#define PATIENCE 20000		/* ms: the debug kernel is slow */

DR_STACK_FIXTURE(guard_pins)
DR_STACK(guard_pins, ext4, "ext4", ON_PMEM);
DR_STACK(guard_pins, xfs_linear, "xfs", ON_LINEAR);

static int poison(void *pfn)
{
	int r = dr_guard_poison((long)pfn);

	return r > 0 ? 1 : -r;
}

/* Nobody waits for the pipe: not the failure, not the one after it. */
TEST_F(guard_pins, in_a_pipe)
{
	struct peer early, late;
	struct iovec iov;
	int to[2];
	char *p;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, party_open(&early, 1, true, 1, BLOCKS));
	ASSERT_EQ(0, party_open(&late, 1, false, 1, BLOCKS));
	ASSERT_EQ(1, party_loads(&early, 1, 2, dr_byte(1, 2)));
	ASSERT_EQ(1, party_loads(&late, 1, 2, dr_byte(1, 2)));
	ASSERT_EQ(0, pipe(to));
	p = dr_map("f0", 2 * BLK, BLK, PROT_READ, MAP_SHARED);
	ASSERT_NE(NULL, p);
	iov = (struct iovec){ p, BLK };
	ASSERT_EQ(BLK, vmsplice(to[1], &iov, 1, 0));
	ASSERT_EQ(0, munmap(p, BLK));
	for (int held = 0; held < 2; held++) {
		int page = 2 + 2 * held;
		long pfn = dr_pfn_in_file("f0", page);

		ASSERT_EQ(0, held ? dr_stack_hold(&variant->stack) : dr_guard_watch(1));
		ASSERT_EQ(1, party_loads(&early, 1, page, dr_byte(1, page)));
		ASSERT_EQ(1, party_loads(&late, 1, page, dr_byte(1, page)));
		EXPECT_EQ(0, dr_wait_for(dr_spawn(poison, (void *)pfn), PATIENCE));
		EXPECT_EQ(1, party_told_early(&early, 1, page, 12));
		EXPECT_EQ(1, party_told_late(&late, 1, page));
		ASSERT_EQ(0, dr_guard_watch(0));
	}
	close(to[0]);
	close(to[1]);
	peer_stop(&early);
	peer_stop(&late);
	EXPECT_EQ(0, unlink(dr_path("f0")));
}

/* The buffer of a system call. */
TEST_F(guard_pins, buffers)
{
	char *p, *buf = aligned_alloc(BLK, BLK);
	struct iovec here = { buf, BLK }, there;
	int fd, block;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, dr_create("to", BLOCKS, 2));
	p = dr_map("f0", 0, BLOCKS * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	fd = dr_open("to", O_RDWR);
	block = open(PMEM1, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, block);
	ASSERT_EQ(BLK, pread(block, buf, BLK, 1 << 20));
	ASSERT_EQ(BLK, pwrite(fd, p + 3 * BLK, BLK, 0));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f0", 3)));
	/* write(2) from it, to a file and to a device that takes the page itself */
	EXPECT_EQ(-1, pwrite(fd, p + 3 * BLK, BLK, BLK));
	EXPECT_TRUE(errno == EFAULT || errno == EHWPOISON);
	EXPECT_EQ(-1, pwrite(block, p + 3 * BLK, BLK, 1 << 20));
	EXPECT_TRUE(errno == EFAULT || errno == EHWPOISON);
	/* read(2) to it */
	EXPECT_EQ(-1, pread(fd, p + 3 * BLK, 16, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_ERR(EFAULT, open(p + 3 * BLK, O_RDONLY));
	there = (struct iovec){ p + 3 * BLK, BLK };
	EXPECT_EQ(-1, process_vm_readv(getpid(), &here, 1, &there, 1, 0));
	EXPECT_TRUE(errno == EFAULT || errno == ENOSYS);
	EXPECT_ERR(EHWPOISON, madvise(p, BLOCKS * BLK, MADV_POPULATE_READ));
	EXPECT_EQ(0, dr_verify("to", 0, 1, 1, 3));
	EXPECT_EQ(0, dr_verify("to", 1, BLOCKS - 1, 2, 1));
	close(fd);
	close(block);
	munmap(p, BLOCKS * BLK);
	free(buf);
}

TEST_HARNESS_MAIN
