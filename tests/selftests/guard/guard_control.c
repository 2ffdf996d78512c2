// SPDX-License-Identifier: GPL-2.0
/* The guard's ioctls: what they say, and what they refuse. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/dm.h"
#include "common/device/stack.h"
#include "common/module/guard.h"

DR_STACK_FIXTURE(guard_control)
DR_STACK(guard_control, ext4, "ext4", ON_PMEM);

static struct daxrmap_guard_hold whole(const char *dev)
{
	struct daxrmap_guard_hold h = { 0 };
	struct stat st;

	if (!stat(dev, &st)) {
		h.major = major(st.st_rdev);
		h.minor = minor(st.st_rdev);
	}
	return h;
}

TEST_F(guard_control, watch)
{
	struct daxrmap_guard g;
	__u32 value = 2;

	ASSERT_EQ(0, dr_guard_status(&g));
	EXPECT_EQ(0, g.flags);
	EXPECT_LE(2, g.devices);
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_watch(1));	/* no matter */
	ASSERT_EQ(0, dr_guard_status(&g));
	EXPECT_NE(0, g.flags & DAXRMAP_GUARD_WATCH);
	EXPECT_EQ(-EINVAL, dr_guard_ask(DAXRMAP_IOC_GUARD_SET, &value));
	value = -1;
	EXPECT_EQ(-EINVAL, dr_guard_ask(DAXRMAP_IOC_GUARD_SET, &value));
	EXPECT_EQ(-EFAULT, dr_guard_ask(DAXRMAP_IOC_GUARD_SET, NULL));
	ASSERT_EQ(0, dr_guard_status(&g));
	EXPECT_NE(0, g.flags & DAXRMAP_GUARD_WATCH);
	ASSERT_EQ(0, dr_guard_watch(0));
	ASSERT_EQ(0, dr_guard_watch(0));
	ASSERT_EQ(0, dr_guard_status(&g));
	EXPECT_EQ(0, g.flags);
	for (size_t i = 0; i < sizeof(g.reserved) / sizeof(*g.reserved); i++)
		EXPECT_EQ(0, g.reserved[i]);
}

/* What fails is heard of, and counted for its device only; with the guard off it is not. */
TEST_F(guard_control, counters)
{
	struct daxrmap_guard_device a, b, other;
	struct daxrmap_guard g, h;

	ASSERT_EQ(0, dr_create("f", 4, 1));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &a));
	ASSERT_EQ(0, dr_guard_device(PMEM1, &other));
	ASSERT_EQ(0, dr_guard_status(&g));
	ASSERT_EQ(0, dr_poison_pfn(dr_pfn_in_file("f", 1)));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f", 2)));
	ASSERT_EQ(0, dr_guard_status(&h));
	EXPECT_EQ(g.events + 1, h.events);
	EXPECT_EQ(g.dropped, h.dropped);
	ASSERT_EQ(0, dr_guard_device(PMEM0, &b));
	EXPECT_EQ(a.events + 1, b.events);
	EXPECT_EQ(a.failed_pages + 1, b.failed_pages);
	EXPECT_EQ(a.owners + 1, b.owners);
	EXPECT_EQ(a.owners_mapped, b.owners_mapped);
	EXPECT_EQ(a.joined, b.joined);
	EXPECT_EQ(a.uncovered, b.uncovered);
	EXPECT_STREQ("pmem0", b.name);
	EXPECT_EQ(dr_sectors(PMEM0) / 8, b.pages);
	ASSERT_EQ(0, dr_guard_device(PMEM1, &b));
	EXPECT_EQ(other.events, b.events);
	EXPECT_EQ(other.failed_pages, b.failed_pages);
}

TEST_F(guard_control, devices)
{
	struct daxrmap_guard_device d = { 0 };
	struct daxrmap_guard g;
	unsigned int n = 0;

	ASSERT_EQ(0, dr_guard_status(&g));
	while (!dr_guard_ask(DAXRMAP_IOC_GUARD_DEVICE, &d)) {
		EXPECT_EQ(0, strncmp(d.name, "pmem", 4));
		EXPECT_LT(0, d.pages);
		EXPECT_EQ(0, d.flags & ~(DAXRMAP_GUARD_HELD | DAXRMAP_GUARD_OWN));
		n++;
		ASSERT_GE(g.devices, n);
		d = (struct daxrmap_guard_device){ .major = d.major, .minor = d.minor };
	}
	EXPECT_EQ(g.devices, n);
	EXPECT_EQ(-ENODEV, dr_guard_ask(DAXRMAP_IOC_GUARD_DEVICE, &d));
	memset(&d, 0, sizeof(d));
	d.reserved0 = 1;
	EXPECT_EQ(-EINVAL, dr_guard_ask(DAXRMAP_IOC_GUARD_DEVICE, &d));
	memset(&d, 0, sizeof(d));
	d.reserved[5] = 1;
	EXPECT_EQ(-EINVAL, dr_guard_ask(DAXRMAP_IOC_GUARD_DEVICE, &d));
	EXPECT_EQ(-EFAULT, dr_guard_ask(DAXRMAP_IOC_GUARD_DEVICE, NULL));
	EXPECT_EQ(-EFAULT, dr_guard_ask(DAXRMAP_IOC_GUARD_STATUS, NULL));
}

TEST_F(guard_control, hold)
{
	struct daxrmap_guard_hold h = whole(PMEM0), none = { .major = 4095, .minor = 7 };
	struct daxrmap_guard_device d;

	EXPECT_EQ(-ENOENT, dr_guard_release(PMEM0));
	ASSERT_EQ(0, dr_guard_hold(PMEM0, 0));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	EXPECT_EQ(DAXRMAP_GUARD_HELD, d.flags);
	EXPECT_EQ(-EALREADY, dr_guard_hold(PMEM0, 0));
	EXPECT_EQ(-EALREADY, dr_guard_hold(PMEM0, DAXRMAP_GUARD_FORCE));
	EXPECT_EQ(-EINVAL, dr_guard_hold(PMEM0, 2));
	EXPECT_EQ(-EINVAL, dr_guard_hold(PMEM0, ~0u));
	h.reserved = 1;
	EXPECT_EQ(-EINVAL, dr_guard_ask(DAXRMAP_IOC_GUARD_HOLD, &h));
	EXPECT_EQ(-EINVAL, dr_guard_ask(DAXRMAP_IOC_GUARD_RELEASE, &h));
	h.reserved = 0;
	h.flags = DAXRMAP_GUARD_FORCE;		/* for the other one only */
	EXPECT_EQ(-EINVAL, dr_guard_ask(DAXRMAP_IOC_GUARD_RELEASE, &h));
	EXPECT_EQ(-ENODEV, dr_guard_ask(DAXRMAP_IOC_GUARD_HOLD, &none));
	EXPECT_TRUE(dr_guard_ask(DAXRMAP_IOC_GUARD_RELEASE, &none) < 0);
	EXPECT_EQ(-EFAULT, dr_guard_ask(DAXRMAP_IOC_GUARD_HOLD, NULL));
	EXPECT_EQ(-EFAULT, dr_guard_ask(DAXRMAP_IOC_GUARD_RELEASE, NULL));
	ASSERT_EQ(0, dr_guard_release(PMEM0));
	EXPECT_EQ(-ENOENT, dr_guard_release(PMEM0));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	EXPECT_EQ(0, d.flags);
}

TEST_F(guard_control, uncovered)
{
	struct daxrmap_guard_hold h = whole(PMEM0);
	struct daxrmap_guard_uncovered u = { .major = h.major, .minor = h.minor };

	EXPECT_EQ(-ENOENT, dr_guard_ask(DAXRMAP_IOC_GUARD_UNCOVERED, &u));
	u.index = ~0ULL;
	EXPECT_EQ(-ENOENT, dr_guard_ask(DAXRMAP_IOC_GUARD_UNCOVERED, &u));
	u.reserved[1] = 1;
	EXPECT_EQ(-EINVAL, dr_guard_ask(DAXRMAP_IOC_GUARD_UNCOVERED, &u));
	u = (struct daxrmap_guard_uncovered){ .major = 4095, .minor = 7 };
	EXPECT_EQ(-ENODEV, dr_guard_ask(DAXRMAP_IOC_GUARD_UNCOVERED, &u));
	EXPECT_EQ(-EFAULT, dr_guard_ask(DAXRMAP_IOC_GUARD_UNCOVERED, NULL));
}

/* A partition, a loop device, a file's descriptor: no devices of that kind. */
TEST_F(guard_control, what_is_none)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct daxrmap_guard g;

	EXPECT_EQ(-ENODEV, dr_guard_hold("/dev/null", 0));
	EXPECT_EQ(-ENODEV, dr_guard_hold("/dev/null", DAXRMAP_GUARD_FORCE));
	EXPECT_ERR(ENOTTY, ioctl(fd, DAXRMAP_IOC_GUARD_STATUS, &g));
	close(fd);
	fd = open(GUARD, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	for (int nr = 0; nr < 256; nr++)
		if (nr < 16 || nr > 21)
			EXPECT_ERR(ENOTTY, ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 0xDA, nr, 64), &g));
	EXPECT_ERR(ENOTTY, ioctl(fd, _IOR(0xDA, 17, __u32), &g));	/* another size */
	close(fd);
}

/* XFS takes the device when it is mounted, and has no DAX if it is somebody's. */
TEST_F(guard_control, xfs_directly)
{
	struct dr_stack xfs = { "xfs", ON_PMEM, NULL };

	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, system("mkfs.xfs -fq -l size=64m " PMEM0));
	EXPECT_EQ(-EPERM, dr_guard_hold(PMEM0, 0));
	EXPECT_EQ(0, dr_guard_hold(PMEM0, DAXRMAP_GUARD_FORCE));
	ASSERT_EQ(0, dr_guard_release(PMEM0));
	ASSERT_EQ(0, dr_stack_mount(&xfs));
	EXPECT_EQ(-EBUSY, dr_guard_hold(PMEM0, 0));
	EXPECT_EQ(-EBUSY, dr_guard_hold(PMEM0, DAXRMAP_GUARD_FORCE));
	EXPECT_EQ(0, dr_create("f", 1, 1));
}

/* Our own filesystem needs no guard. */
TEST_F(guard_control, daxrmap_itself)
{
	struct daxrmap_guard_device d;

	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mount());
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	EXPECT_EQ(DAXRMAP_GUARD_OWN, d.flags);
	EXPECT_EQ(-EBUSY, dr_guard_hold(PMEM0, 0));
	EXPECT_EQ(-EBUSY, dr_guard_hold(PMEM0, DAXRMAP_GUARD_FORCE));
	ASSERT_EQ(0, dr_create("f", 4, 1));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_poison("f", 1));
	EXPECT_EQ(1, dr_counter("notifies"));
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	EXPECT_EQ(0, dr_check());
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	EXPECT_EQ(0, d.owners);
}

static int somebody(void *arg)
{
	(void)arg;
	return open(GUARD, O_RDONLY | O_CLOEXEC) < 0 ? -1 : 0;
}

/* Opened by root, and asked by somebody who is not. */
static int inherited_fd;
static int asks(void *arg)
{
	return ioctl(inherited_fd, (unsigned long)arg, &(char[512]){ 0 });
}

TEST_F(guard_control, unprivileged)
{
	static const unsigned long all[] = { DAXRMAP_IOC_GUARD_SET, DAXRMAP_IOC_GUARD_STATUS,
		DAXRMAP_IOC_GUARD_DEVICE, DAXRMAP_IOC_GUARD_HOLD, DAXRMAP_IOC_GUARD_RELEASE,
		DAXRMAP_IOC_GUARD_UNCOVERED };
	struct stat st;

	ASSERT_EQ(0, stat(GUARD, &st));
	EXPECT_EQ(S_IFCHR | 0600, st.st_mode);
	EXPECT_EQ(-EACCES, dr_as(1000, 1000, somebody, NULL));
	inherited_fd = open(GUARD, O_RDWR);
	ASSERT_LE(0, inherited_fd);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		EXPECT_EQ(-EPERM, dr_as(1000, 1000, asks, (void *)all[i]));
	close(inherited_fd);
}

TEST_HARNESS_MAIN
