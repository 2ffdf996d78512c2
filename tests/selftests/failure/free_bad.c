// SPDX-License-Identifier: GPL-2.0
/*
 * Free blocks that come on the driver's list after the mount, as by a scrub: who
 * writes elsewhere does not notice. They are found when they are about to be
 * used, join the bad set, and others are taken. With drivers that clear by a
 * write, and with those that cannot.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <linux/fs.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"
#include "common/device/places.h"

#define RW	(PROT_READ | PROT_WRITE)
#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#define ZERO	FALLOC_FL_ZERO_RANGE
#define RUNS	400		/* the driver's list takes 512 */
#define RUN	4		/* blocks */

DR_DEVICE_SETUP(free_bad, "XFS does not ask the driver")

FIXTURE_TEARDOWN_PARENT(free_bad)
{
	if (dr_xfs())
		return;
	/* What has not been found yet a mount finds: then there is no more to come. */
	EXPECT_EQ(0, dr_umount());
	EXPECT_EQ(0, dr_mount_again());
	EXPECT_EQ(0, dr_teardown(&self->fs));
	EXPECT_EQ(0, dr_rebind(self->device));
}

struct scatter { long left, step; int failed; };

/* Lists a run here and there, where nobody has the blocks. */
static void list_some(const struct fsmap *r, void *arg)
{
	struct scatter *s = arg;
	long block = r->fmr_physical / BLK, end = block + r->fmr_length / BLK;

	if (!(r->fmr_flags & FMR_OF_SPECIAL_OWNER) || r->fmr_owner != FMR_OWN_FREE)
		return;
	if (!s->step) {
		s->failed |= dr_list_bad(block, end - block);
		return;
	}
	for (; s->left && block + RUN <= end; block += s->step, s->left--)
		s->failed |= dr_list_bad(block, RUN);
}

/*
 * A run of free blocks in @step, from the first one on; 0: all, of which the
 * list takes 32,768. Returns 0 or -errno.
 */
static int scatter_by(long step)
{
	struct scatter s = { .left = step ? RUNS : 0, .step = step };
	int r, fd = dr_open(".", O_RDONLY);

	if (fd < 0)
		return fd;
	r = dr_places(fd, list_some, &s);
	close(fd);
	return r ?: s.failed ?: s.left ? -ENOSPC : 0;
}

static int scatter(void)
{
	return scatter_by(2 * RUN);
}

/* What was found is bad, is counted once, and is not what anybody has. */
#define EXPECT_FOUND(min) do {						\
	long _bad = dr_counter("blocks_bad");				\
									\
	EXPECT_LE(min, _bad);						\
	EXPECT_EQ(_bad, dr_counter("discovered"));			\
	EXPECT_EQ(_bad, dr_counter("failed_blocks"));			\
	EXPECT_EQ(0, dr_counter("late_faults"));			\
	EXPECT_EQ(0, dr_counter("late_io"));				\
	EXPECT_EQ(0, dr_check());					\
} while (0)

TEST_F(free_bad, store_to_a_shared_page)
{
	struct peer p;

	ASSERT_EQ(0, dr_create("f", 64, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, peer_open(&p, false, "f", 64 * BLK, 4));
	ASSERT_EQ(0, scatter());
	for (int i = 0; i < 64; i++)
		EXPECT_EQ(0, peer_store(&p, i * BLK, 0x5a).sig.signo);
	EXPECT_BYTE(peer_load(&p, 7 * BLK), 0x5a);
	peer_stop(&p);
	EXPECT_EQ(0, dr_verify("g", 0, 64, 1, 0));
	EXPECT_FOUND(RUN);
}

TEST_F(free_bad, write)
{
	char *end;
	int fd;

	ASSERT_EQ(0, dr_create("f", 64, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, scatter());
	for (int i = 0; i < 64; i += 2)
		EXPECT_EQ(0, dr_write_part("f", i));
	for (int i = 1; i < 64; i += 2)
		EXPECT_EQ(0, dr_write_blocks("f", i, 1, 2));
	for (int i = 1; i < 64; i += 2)
		EXPECT_EQ(0, dr_verify("f", i, 1, 2, i));
	/* new ones, large ones, and holes */
	EXPECT_EQ(0, dr_create("h", 2000, 3));
	EXPECT_EQ(0, dr_verify("h", 0, 2000, 3, 0));
	fd = dr_open("s", O_RDWR | O_CREAT);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 64 * BLK));
	end = mmap(NULL, 64 * BLK, RW, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, (void *)end);
	for (int i = 0; i < 64; i += 3)
		end[i * BLK] = 1;
	EXPECT_EQ(1, pwrite(fd, "x", 1, 10 * BLK + 7));
	munmap(end, 64 * BLK);
	close(fd);
	EXPECT_EQ(0, dr_verify("g", 0, 64, 1, 0));
	EXPECT_FOUND(2 * RUN);
}

TEST_F(free_bad, heal)
{
	ASSERT_EQ(0, dr_create("f", 64, 1));
	for (int i = 8; i < 16; i++)
		ASSERT_EQ(0, dr_notify(dr_block("f", i, NULL) * BLK, BLK));
	ASSERT_EQ(8, dr_counter("blocks_bad"));
	ASSERT_EQ(0, scatter());
	EXPECT_EQ(0, dr_write_blocks("f", 8, 1, 2));
	EXPECT_EQ(0, dr_write_blocks("f", 9, 3, 2));
	EXPECT_EQ(0, dr_fallocate("f", ZERO, 12 * BLK, 2 * BLK));
	EXPECT_EQ(0, dr_fallocate("f", PUNCH, 14 * BLK, 2 * BLK));
	EXPECT_EQ(8, dr_counter("healed"));
	EXPECT_EQ(0, dr_verify("f", 8, 4, 2, 8));
	EXPECT_EQ(0, dr_verify_zero("f", 12 * BLK, 4 * BLK));
	EXPECT_LE(8 + RUN, dr_counter("blocks_bad"));
	EXPECT_EQ(dr_counter("blocks_bad") - 8, dr_counter("discovered"));
}

TEST_F(free_bad, fallocate_and_tails)
{
	ASSERT_EQ(0, dr_create("f", 64, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, dr_clone("f", "t"));
	ASSERT_EQ(0, dr_create("p", 16, 4));
	ASSERT_EQ(0, scatter());
	EXPECT_EQ(0, dr_fallocate("a", 0, 0, 700 * BLK));
	EXPECT_EQ(0, dr_verify_zero("a", 0, 700 * BLK));
	EXPECT_EQ(0, dr_fallocate("g", FALLOC_FL_UNSHARE_RANGE, 0, 32 * BLK));
	EXPECT_EQ(0, dr_fallocate("g", ZERO, 32 * BLK + 9, 8 * BLK));
	EXPECT_EQ(0, dr_fallocate("g", PUNCH, 50 * BLK + 9, BLK));
	EXPECT_EQ(0, truncate(dr_path("t"), 20 * BLK + 100));
	EXPECT_EQ(0, truncate(dr_path("t"), 30 * BLK));
	EXPECT_EQ(0, dr_verify_zero("t", 20 * BLK + 100, 9 * BLK));
	EXPECT_EQ(0, dr_fallocate("p", FALLOC_FL_INSERT_RANGE, 4 * BLK, 4 * BLK));
	EXPECT_EQ(0, dr_fallocate("p", FALLOC_FL_COLLAPSE_RANGE, 4 * BLK, 4 * BLK));
	EXPECT_EQ(0, dr_verify("p", 0, 16, 4, 0));
	EXPECT_EQ(0, dr_verify("f", 0, 64, 1, 0));
	EXPECT_FOUND(RUN);
}

/* All that is free: no space is left then, and what there is can be read. */
TEST_F(free_bad, all_of_it)
{
	struct peer p;

	ASSERT_EQ(0, dr_create("f", 64, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, dr_fallocate("full", 0, 0, (dr_free_blocks() - 3000) * BLK));
	ASSERT_EQ(0, scatter_by(0));
	EXPECT_EQ(-ENOSPC, dr_write_part("f", 3));
	EXPECT_EQ(-ENOSPC, dr_fallocate("h", 0, 0, BLK));
	ASSERT_EQ(0, peer_open(&p, false, "f", 64 * BLK, 4));
	EXPECT_BYTE(peer_load(&p, 5 * BLK), dr_byte(1, 5));
	peer_stop(&p);
	EXPECT_EQ(0, dr_verify("g", 0, 64, 1, 0));
	EXPECT_EQ(0, dr_free_blocks());
	EXPECT_EQ(0, dr_check());
}

/* The file's own blocks are listed: what covers them heals, the rest is EIO. */
TEST_F(free_bad, own_blocks)
{
	long first;

	ASSERT_EQ(0, dr_create("f", 64, 1));
	ASSERT_EQ(0, dr_create("t", 8, 2));
	first = dr_block("f", 0, NULL);
	ASSERT_EQ(first + 63, dr_block("f", 63, NULL));
	ASSERT_EQ(0, dr_list_bad(first + 8, 4));
	ASSERT_EQ(0, dr_list_bad(first + 40, 1));
	ASSERT_EQ(0, dr_list_bad(dr_block("t", 5, NULL), 1));
	EXPECT_EQ(0, dr_fallocate("f", ZERO, 4 * BLK, 16 * BLK));
	EXPECT_EQ(0, dr_verify_zero("f", 4 * BLK, 16 * BLK));
	EXPECT_EQ(4, dr_counter("healed"));
	EXPECT_EQ(-EIO, dr_fallocate("f", ZERO, 40 * BLK + 10, BLK));
	EXPECT_EQ(0, truncate(dr_path("t"), 5 * BLK + 10));
	EXPECT_EQ(0, truncate(dr_path("t"), 5 * BLK));
	EXPECT_EQ(0, dr_verify("t", 0, 5, 2, 0));
	EXPECT_EQ(0, dr_verify("f", 0, 4, 1, 0));
	EXPECT_EQ(0, dr_verify("f", 20, 20, 1, 20));
	EXPECT_EQ(0, dr_check());
}

/* ---- what system calls say ---- */

/* Is in the manual page of one of them, for what may happen here. */
static bool known(long r)
{
	switch (-r) {
	case EIO: case ENOSPC: case EINTR: case EAGAIN:
		return true;
	}
	return r >= 0;
}

#define EXPECT_KNOWN(call) do {						\
	errno = 0;							\
	long _r = (call);						\
									\
	if (_r == -1 && errno)						\
		_r = -errno;						\
	EXPECT_TRUE(known(_r))						\
		TH_LOG("%s: errno %ld", #call, -_r);			\
} while (0)

/*
 * Everything is on the driver's list at once, a file's blocks and the free ones,
 * and then the device goes: no number leaves a system call that is not for it.
 */
TEST_F(free_bad, errnos)
{
	static char buf[8 * BLK];
	long first;
	int fd, g;

	ASSERT_EQ(0, dr_create("f", 64, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, dr_create("h", 8, 1));
	first = dr_block("f", 0, NULL);
	ASSERT_EQ(0, dr_list_bad(first, 4000));
	fd = dr_open("f", O_RDWR);
	g = dr_open("h", O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, g);
	for (int gone = 0; gone < 2; gone++) {
		/* first of all: afterwards somebody has found them */
		EXPECT_KNOWN(fallocate(fd, FALLOC_FL_UNSHARE_RANGE, 0, 9 * BLK));
		EXPECT_KNOWN(pread(fd, buf, 100, 0));
		EXPECT_KNOWN(pwrite(fd, buf, 100, BLK));
		EXPECT_KNOWN(pwrite(fd, buf, BLK, 2 * BLK));
		EXPECT_KNOWN(pwrite(fd, buf, 3 * BLK + 1, 4 * BLK));
		EXPECT_KNOWN(pwrite(g, buf, BLK, 20 * BLK + 1));
		EXPECT_KNOWN(fallocate(fd, ZERO, 10 * BLK, BLK));
		EXPECT_KNOWN(fallocate(fd, ZERO, 11 * BLK + 1, BLK));
		EXPECT_KNOWN(fallocate(g, 0, 100 * BLK, 9 * BLK));
		EXPECT_KNOWN(fallocate(g, PUNCH, 10, BLK));
		EXPECT_KNOWN(fallocate(g, FALLOC_FL_COLLAPSE_RANGE, 0, BLK));
		EXPECT_KNOWN(fallocate(g, FALLOC_FL_INSERT_RANGE, 0, BLK));
		EXPECT_KNOWN(ftruncate(g, 4 * BLK + 100));
		EXPECT_KNOWN(ftruncate(g, 8 * BLK + 100));
		EXPECT_KNOWN(ioctl(g, FICLONE, fd));
		EXPECT_KNOWN(fsync(fd));
		EXPECT_KNOWN(setxattr(dr_path("h"), "user.a", "1", 1, 0));
		EXPECT_KNOWN(mkdir(dr_path(gone ? "e" : "d"), 0700));
		if (!gone)
			ASSERT_EQ(0, dr_unbind(self->device));
	}
	close(fd);
	close(g);
	EXPECT_EQ(0, dr_bring_back(self->device));
}

TEST_HARNESS_MAIN
