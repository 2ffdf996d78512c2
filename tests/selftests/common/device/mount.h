/* SPDX-License-Identifier: GPL-2.0 */
/* A fresh mount for each test; names of the device and the mount point. */
#ifndef DAXRMAP_TEST_MOUNT_H
#define DAXRMAP_TEST_MOUNT_H

#include <stdbool.h>

/* Lives in memory that the test and its teardown share. */
struct dr_fs {
	unsigned long long log_seq;	/* last log record before the test */
	long free_at_start;
};

bool dr_xfs(void);
const char *dr_dev(void);		/* "/dev/pmem0" */
const char *dr_mnt(void);
int dr_mkfs(const char *dev);		/* 0 or -errno, like all below */
int dr_mkfs_with(const char *dev, const char *options);
int dr_mount(void);			/* a new filesystem */
int dr_mount_small(void);		/* a new one whose log is full soon */
int dr_mount_again(void);		/* the one that is there */
/* The blocks of a new filesystem that are not metadata: where they begin, and end. */
long dr_first_block(void);
long dr_end_block(void);
int dr_umount(void);			/* waits for processes on their way out */
/* The same in a child; -ETIMEDOUT if that is not done after `ms` milliseconds. */
int dr_umount_in(int ms);
int dr_setup(struct dr_fs *fs);
/*
 * 0 if `check` says ok, all is the same after a mount, the log is clean, and
 * the umount worked.
 */
int dr_teardown(struct dr_fs *fs);

#define DR_FIXTURE(name)						\
	FIXTURE(name) { struct dr_fs fs; };				\
	FIXTURE_SETUP(name) { ASSERT_EQ(0, dr_setup(&self->fs)); }	\
	FIXTURE_TEARDOWN_PARENT(name)					\
	{ EXPECT_EQ(0, dr_teardown(&self->fs)); }

#define SKIP_ON_XFS() \
	do { if (dr_xfs()) SKIP(return, "asks daxrmap's debugfs"); } while (0)

/* Blocks taken since the mount. (XFS has metadata among them.) */
#define EXPECT_USED(n) do {						\
	long _free = self->fs.free_at_start - (long)(n);		\
	if (!dr_xfs())							\
		EXPECT_EQ(_free, dr_free_settled(_free));		\
} while (0)

#endif
