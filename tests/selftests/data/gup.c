// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of a mapping that somebody other than its process uses: the block layer,
 * other processes, the kernel on its behalf. (Long pins: pins.c.)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"

#define RW	(PROT_READ | PROT_WRITE)
#define OTHER	"/dev/pmem1"

DR_FIXTURE(gup)

/* O_DIRECT of a block device takes the pages themselves, no copy of them. */
TEST_F(gup, direct_io_of_another_file)
{
	char *p, *old = aligned_alloc(BLK, 4 * BLK), back[BLK];
	int fd = open(OTHER, O_RDWR | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		SKIP(return, "there is no second device");
	ASSERT_EQ(4 * BLK, pread(fd, old, 4 * BLK, 1 << 20));
	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	p = dr_map("f", 0, 8 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	/* from the mapping to the device; nobody has touched it before */
	ASSERT_EQ(4 * BLK, pwrite(fd, p + 2 * BLK, 4 * BLK, 1 << 20));
	ASSERT_EQ(BLK, read(open(OTHER, O_RDONLY | O_CLOEXEC), back, BLK));
	/* and back, into pages that are shared as yet */
	ASSERT_EQ(4 * BLK, pread(fd, p, 4 * BLK, 1 << 20));
	EXPECT_EQ(0, dr_verify("f", 0, 4, 1, 2));
	EXPECT_EQ(0, dr_verify("f", 4, 4, 1, 4));
	EXPECT_EQ(0, dr_verify("g", 0, 8, 1, 0));
	EXPECT_FALSE(dr_shared("g", 0));
	EXPECT_TRUE(dr_shared("g", 4));
	/* lost pages: an error, and nothing of the device has changed */
	ASSERT_EQ(0, dr_poison("f", 6));
	EXPECT_EQ(-1, pwrite(fd, p + 6 * BLK, BLK, 1 << 20));
	EXPECT_TRUE(errno == EFAULT || errno == EHWPOISON);
	ASSERT_EQ(4 * BLK, pwrite(fd, old, 4 * BLK, 1 << 20));
	close(fd);
	free(old);
	EXPECT_EQ(0, dr_check());
}

/* Between two files of the mount, with a hole and the same file as buffer. */
TEST_F(gup, direct_io_within_the_mount)
{
	int fd;
	char *p;

	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, dr_create("g", 0, 1));
	fd = dr_open("g", O_RDWR | O_DIRECT);
	p = dr_map("f", 0, 8 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(8 * BLK, pwrite(fd, p, 8 * BLK, 0));
	EXPECT_EQ(0, dr_verify("g", 0, 8, 1, 0));
	ASSERT_EQ(0, dr_create("f", 0, 1));
	ASSERT_EQ(0, truncate(dr_path("f"), 8 * BLK));
	ASSERT_EQ(4 * BLK, pread(fd, p + 2 * BLK, 4 * BLK, 0));
	EXPECT_EQ(0, dr_verify("f", 2, 4, 1, 0));
	EXPECT_EQ(0, dr_verify_zero("f", 6 * BLK, 2 * BLK));
	EXPECT_USED(12);
	close(fd);
}

/* A process that has the mapping, and waits. */
static int wait_there(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return 0;
}

TEST_F(gup, other_processes)
{
	char buf[BLK], mem[64], *p;
	struct iovec here = { buf, BLK }, there;
	pid_t pid;
	bool has;
	int fd;

	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	p = dr_map("f", 0, 8 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, madvise(p, 8 * BLK, MADV_DOFORK));
	pid = dr_spawn(wait_there, NULL);
	there = (struct iovec){ p + 2 * BLK, BLK };
	has = process_vm_readv(pid, &here, 1, &there, 1, 0) >= 0 || errno != ENOSYS;
	if (has) {			/* the debug kernel is built without it */
		EXPECT_TRUE(dr_same(buf, 1, 2));
		dr_fill(buf, 7, 3);
		there.iov_base = p + 3 * BLK;
		ASSERT_EQ(BLK, process_vm_writev(pid, &here, 1, &there, 1, 0));
		EXPECT_EQ(0, dr_verify("f", 3, 1, 7, 3));
		EXPECT_TRUE(dr_same(p + 3 * BLK, 7, 3));
		EXPECT_EQ(0, dr_verify("g", 3, 1, 1, 3));
	}
	/* as a debugger does */
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, pid, NULL, NULL));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	ASSERT_EQ(0, ptrace(PTRACE_POKEDATA, pid, p + 5 * BLK, (void *)0x1122334455667788));
	EXPECT_EQ(0x1122334455667788, ptrace(PTRACE_PEEKDATA, pid, p + 5 * BLK, NULL));
	EXPECT_EQ(0x88, (unsigned char)p[5 * BLK]);
	EXPECT_EQ(0, dr_verify("g", 5, 1, 1, 5));
	snprintf(mem, sizeof(mem), "/proc/%d/mem", pid);
	fd = open(mem, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(4, pwrite(fd, "text", 4, (long)p + 6 * BLK + 9));
	EXPECT_EQ('t', p[6 * BLK + 9]);
	/* what is lost cannot be had that way either */
	ASSERT_EQ(0, dr_poison("f", 7));
	there.iov_base = p + 7 * BLK;
	EXPECT_EQ(-1, process_vm_readv(pid, &here, 1, &there, 1, 0));
	EXPECT_EQ(has ? EFAULT : ENOSYS, errno);
	EXPECT_GE(0, pread(fd, buf, 8, (long)p + 7 * BLK));
	close(fd);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	kill(pid, SIGKILL);
	dr_wait(pid);
	munmap(p, 8 * BLK);
}

TEST_F(gup, advice_and_locks)
{
	unsigned char in[16];
	long faults;
	char *p;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	ASSERT_EQ(0, truncate(dr_path("f"), 32 * BLK));
	p = dr_map("f", 0, 32 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, madvise(p, 16 * BLK, MADV_POPULATE_READ));
	faults = -dr_faults();
	for (int i = 0; i < 16; i++)
		EXPECT_EQ(dr_byte(1, i), (unsigned char)p[i * BLK]);
	EXPECT_EQ(0, faults + dr_faults());
	EXPECT_USED(16);
	ASSERT_EQ(0, madvise(p + 16 * BLK, 4 * BLK, MADV_POPULATE_WRITE));
	EXPECT_USED(20);
	p[BLK] = 77;
	ASSERT_EQ(0, madvise(p, 32 * BLK, MADV_DONTNEED));
	EXPECT_EQ(77, p[BLK]);
	for (int advice = MADV_NORMAL; advice <= MADV_WILLNEED; advice++)
		EXPECT_EQ(0, madvise(p, 32 * BLK, advice));
	EXPECT_EQ(0, madvise(p, 32 * BLK, MADV_HUGEPAGE));
	/* a hole in the file, by way of memory */
	EXPECT_EQ(0, madvise(p + 4 * BLK, 2 * BLK, MADV_REMOVE));
	EXPECT_EQ(0, dr_verify_zero("f", 4 * BLK, 2 * BLK));
	EXPECT_USED(18);
	EXPECT_EQ(0, mlock(p, 16 * BLK));	/* which reads, so holes stay */
	EXPECT_USED(18);
	EXPECT_EQ(0, mincore(p, 16 * BLK, in));
	EXPECT_EQ(0, munlock(p, 16 * BLK));
	EXPECT_EQ(0, mlockall(MCL_FUTURE));
	munlockall();
	/* what is lost cannot be had in advance */
	ASSERT_EQ(0, dr_poison("f", 9));
	EXPECT_EQ(-1, madvise(p, 16 * BLK, MADV_POPULATE_READ));
	EXPECT_EQ(EHWPOISON, errno);
	EXPECT_EQ(0, dr_check());
}

TEST_HARNESS_MAIN
