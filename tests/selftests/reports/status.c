// SPDX-License-Identifier: GPL-2.0
/*
 * DAXRMAP_IOC_STATUS, held against what debugfs and statfs(2) say.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <unistd.h>
#include <uapi/daxrmap.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(status)

#define NOBODY		65534

static int ask(void *arg)
{
	int fd = dr_open(".", O_RDONLY);
	int ret;

	if (fd < 0)
		return fd;
	ret = ioctl(fd, DAXRMAP_IOC_STATUS, arg) ? -errno : 0;
	close(fd);
	return ret;
}

TEST_F(status, numbers)
{
	struct daxrmap_status s = {};
	unsigned char byte;
	struct statfs st;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, dr_poison("f", 3));
	EXPECT_EQ(-EIO, dr_read1("f", 3, &byte));
	ASSERT_EQ(0, dr_write_blocks("f", 3, 1, 2));
	ASSERT_EQ(0, ask(&s));
	ASSERT_EQ(0, statfs(dr_mnt(), &st));
	EXPECT_EQ(0, s.iflags);
	EXPECT_EQ(0, s.oflags);
	EXPECT_EQ(BLK, s.block_size);
	EXPECT_EQ(BLK, 1 << s.block_shift);
	/* statfs(2) leaves the metadata out */
	EXPECT_EQ(st.f_blocks, s.blocks - dr_first_block() - (s.blocks - dr_end_block()));
	EXPECT_EQ(dr_counter("log_used"), s.log_used);
	EXPECT_EQ(dr_counter("log_size"), s.log_size);
	EXPECT_EQ(st.f_bfree, s.free_blocks);
	EXPECT_EQ(1, s.bad_blocks);
	EXPECT_EQ(dr_pfn_of_block(0), s.first_pfn);
	EXPECT_EQ(3, s.inodes);
	EXPECT_EQ(dr_counter("owner_records"), s.owner_records);
	EXPECT_EQ(dr_counter("owner_bytes"), s.owner_bytes);
	EXPECT_EQ(1, s.notifies);
	EXPECT_EQ(1, s.failed_blocks);
	EXPECT_EQ(2, s.owners);
	EXPECT_EQ(0, s.owners_mapped);
	EXPECT_EQ(0, s.late_faults);
	EXPECT_EQ(1, s.late_io);
	EXPECT_EQ(0, s.discovered);
	EXPECT_EQ(1, s.healed);
	EXPECT_EQ(0, s.cleared);
	for (size_t i = 0; i < sizeof(s.reserved) / sizeof(*s.reserved); i++)
		EXPECT_EQ(0, s.reserved[i]);
}

TEST_F(status, arguments)
{
	struct daxrmap_status s = { .iflags = 1 };

	SKIP_ON_XFS();
	EXPECT_EQ(-EINVAL, ask(&s));
	s.iflags = 0;
	s.reserved[11] = 1;
	EXPECT_EQ(-EINVAL, ask(&s));
	s.reserved[11] = 0;
	EXPECT_EQ(0, ask(&s));
	/* what came out may go in */
	EXPECT_EQ(0, ask(&s));
	EXPECT_EQ(-EFAULT, ask((void *)8));
}

static int as_nobody(void *arg)
{
	struct daxrmap_status s = {};
	int fd = dr_open(".", O_RDONLY);

	(void)arg;
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		return 1;
	return ioctl(fd, DAXRMAP_IOC_STATUS, &s) && errno == EPERM ? 0 : 2;
}

TEST_F(status, unprivileged)
{
	SKIP_ON_XFS();
	EXPECT_EQ(0, dr_wait(dr_spawn(as_nobody, NULL)));
}

TEST_HARNESS_MAIN
