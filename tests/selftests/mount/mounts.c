// SPDX-License-Identifier: GPL-2.0
/*
 * What a mount takes and what it refuses: devices without DAX, devices that
 * someone holds, partitions that do not fit, options that nobody knows.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/partition.h"

#define MIB (1LL << 20)

FIXTURE(mounts) {
	unsigned long long seq;
};

FIXTURE_SETUP(mounts)
{
	struct dr_fs fs;

	ASSERT_EQ(0, dr_setup(&fs));	/* also: no stale mount */
	ASSERT_EQ(0, dr_umount());
	self->seq = fs.log_seq;
}

FIXTURE_TEARDOWN_PARENT(mounts)
{
	umount("/tmp/second");
	umount(dr_mnt());
	dr_del_partition(1);
	dr_del_partition(2);
	EXPECT_EQ(0, dr_log_count(self->seq, "WARNING:"));
	EXPECT_EQ(0, dr_log_count(self->seq, "BUG:"));
}

static int try_mount(const char *dev, const char *dir, const char *opt)
{
	mkdir(dir, 0755);
	return mount(dev, dir, "daxrmap", 0, opt) ? -errno : 0;
}

/* A refusal is one errno and one line that names the file system. */
#define EXPECT_REFUSED(err, dev, opt) do {				\
	unsigned long long _seq = dr_log_seq();				\
	EXPECT_EQ(-(err), try_mount(dev, dr_mnt(), opt));		\
	EXPECT_EQ(1, dr_log_count(_seq, "daxrmap: "));			\
} while (0)

TEST_F(mounts, a_new_filesystem)
{
	unsigned long long seq;
	struct stat st;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_mount());
	ASSERT_EQ(0, dr_create("f", 10, 1));
	ASSERT_EQ(0, dr_umount());
	seq = dr_log_seq();
	ASSERT_EQ(0, dr_mount());
	EXPECT_GE(dr_log_count(seq, "daxrmap: "), 1);
	EXPECT_EQ(-1, stat(dr_path("f"), &st));
	EXPECT_EQ(dr_end_block() - dr_first_block(), dr_counter("blocks_free"));
	EXPECT_EQ(0, dr_counter("owner_records"));
	EXPECT_EQ(0, dr_counter("blocks_bad"));
	EXPECT_EQ(0, dr_check());
}

TEST_F(mounts, read_only)
{
	SKIP_ON_XFS();
	ASSERT_EQ(0, mount(dr_dev(), dr_mnt(), "daxrmap", MS_RDONLY, ""));
	EXPECT_EQ(-EROFS, dr_create("f", 1, 1));
	EXPECT_EQ(-1, mkdir(dr_path("d"), 0755));
	EXPECT_EQ(EROFS, errno);
}

TEST_F(mounts, unknown_option)
{
	SKIP_ON_XFS();
	EXPECT_EQ(-EINVAL, try_mount(dr_dev(), dr_mnt(), "nonsense"));
	EXPECT_EQ(-EINVAL, try_mount(dr_dev(), dr_mnt(), "nonsense=1"));
	EXPECT_EQ(0, try_mount(dr_dev(), dr_mnt(), ""));
}

TEST_F(mounts, not_a_device)
{
	SKIP_ON_XFS();
	EXPECT_EQ(-ENOENT, try_mount("/dev/pmem99", dr_mnt(), ""));
	EXPECT_EQ(-ENOTBLK, try_mount("/dev/null", dr_mnt(), ""));
}

TEST_F(mounts, device_without_dax)
{
	char path[64];
	int ctl, nr, loop, file, r;
	unsigned long long seq;

	SKIP_ON_XFS();
	ctl = open("/dev/loop-control", O_RDWR);
	if (ctl < 0 && !system("modprobe loop"))
		ctl = open("/dev/loop-control", O_RDWR);
	if (ctl < 0)
		SKIP(return, "no loop devices");
	nr = ioctl(ctl, LOOP_CTL_GET_FREE);
	ASSERT_GE(nr, 0);
	snprintf(path, sizeof(path), "/dev/loop%d", nr);
	loop = open(path, O_RDWR);
	ASSERT_GE(loop, 0);
	file = open("/tmp/backing", O_RDWR | O_CREAT, 0600);
	ASSERT_GE(file, 0);
	ASSERT_EQ(0, ftruncate(file, 64 * MIB));
	ASSERT_EQ(0, ioctl(loop, LOOP_SET_FD, file));
	close(loop);	/* open for writing, it would be busy */
	seq = dr_log_seq();
	r = try_mount(path, dr_mnt(), "");
	TH_LOG("refused with errno %d", -r);
	EXPECT_EQ(-EOPNOTSUPP, r);
	EXPECT_EQ(1, dr_log_count(seq, "daxrmap: "));
	/* And what to do instead. */
	EXPECT_EQ(1, dr_log_count(seq, "ndctl create-namespace -m fsdax"));
	loop = open(path, O_RDWR);
	EXPECT_EQ(0, ioctl(loop, LOOP_CLR_FD, 0));
	unlink("/tmp/backing");
}

/* Somebody else's mount on the device: the block layer says busy. */
TEST_F(mounts, held_by_xfs)
{
	char cmd[128];

	SKIP_ON_XFS();
	snprintf(cmd, sizeof(cmd), "mkfs.xfs -fq %s >/dev/null 2>&1", dr_dev());
	if (system(cmd))
		SKIP(return, "no mkfs.xfs");
	mkdir("/tmp/second", 0755);
	if (mount(dr_dev(), "/tmp/second", "xfs", 0, "dax=always")) {
		ASSERT_EQ(ENODEV, errno);
		SKIP(return, "no XFS");
	}
	EXPECT_EQ(-EBUSY, try_mount(dr_dev(), dr_mnt(), ""));
	ASSERT_EQ(0, umount("/tmp/second"));
	/* Not ours. */
	EXPECT_REFUSED(EINVAL, dr_dev(), "");
	EXPECT_EQ(0, dr_mount());
	/* And the other way round. */
	EXPECT_EQ(-1, mount(dr_dev(), "/tmp/second", "xfs", 0, ""));
	EXPECT_EQ(EBUSY, errno);
}

/* Mounted already: the same file system, or busy; never a second one. */
TEST_F(mounts, mounted_twice)
{
	struct stat a, b;
	int r;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_mount());
	ASSERT_EQ(0, dr_create("f", 10, 1));
	r = try_mount(dr_dev(), "/tmp/second", "");
	EXPECT_TRUE(r == 0 || r == -EBUSY);
	if (!r) {
		ASSERT_EQ(0, stat(dr_path("f"), &a));
		ASSERT_EQ(0, stat("/tmp/second/f", &b));
		EXPECT_EQ(a.st_ino, b.st_ino);
		EXPECT_EQ(a.st_dev, b.st_dev);
		ASSERT_EQ(0, umount("/tmp/second"));
	}
	EXPECT_EQ(0, dr_verify("f", 0, 10, 1, 0));
	EXPECT_EQ(0, dr_check());
}

/* Partitions share one dax device, and that has one holder. */
TEST_F(mounts, held_through_a_partition)
{
	char p1[64], p2[64];

	SKIP_ON_XFS();
	snprintf(p1, sizeof(p1), "%sp1", dr_dev());
	snprintf(p2, sizeof(p2), "%sp2", dr_dev());
	ASSERT_EQ(0, dr_add_partition(1, 2 * MIB, 128 * MIB));
	ASSERT_EQ(0, dr_add_partition(2, 256 * MIB, 128 * MIB));
	ASSERT_EQ(0, dr_mkfs(p1));
	ASSERT_EQ(0, dr_mkfs(p2));
	ASSERT_EQ(0, try_mount(p1, "/tmp/second", ""));
	EXPECT_REFUSED(EBUSY, p2, "");
	ASSERT_EQ(0, umount("/tmp/second"));
	EXPECT_EQ(0, try_mount(p2, dr_mnt(), ""));
	EXPECT_EQ(0, dr_create("f", 100, 1));
	EXPECT_EQ(0, dr_verify("f", 0, 100, 1, 0));
	ASSERT_EQ(0, dr_umount());
}

TEST_F(mounts, partition_that_does_not_fit)
{
	char p1[64];

	SKIP_ON_XFS();
	snprintf(p1, sizeof(p1), "%sp1", dr_dev());
	/* does not start at a page */
	ASSERT_EQ(0, dr_add_partition(1, MIB + 512, 128 * MIB));
	EXPECT_REFUSED(EINVAL, p1, "");
	ASSERT_EQ(0, dr_del_partition(1));
	/* too small to be of use */
	ASSERT_EQ(0, dr_add_partition(1, MIB, 16384));
	EXPECT_REFUSED(EINVAL, p1, "");
	ASSERT_EQ(0, dr_del_partition(1));
	EXPECT_EQ(0, try_mount(dr_dev(), dr_mnt(), ""));
}

TEST_HARNESS_MAIN
