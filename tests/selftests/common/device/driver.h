/* SPDX-License-Identifier: GPL-2.0 */
/* The nd_pmem driver takes the device away, and gives it back. */
#ifndef DAXRMAP_TEST_DRIVER_H
#define DAXRMAP_TEST_DRIVER_H

#include <stddef.h>

/* What the driver calls the test's device: namespace0.0. 0 or -errno. */
int dr_find_device(char *name, size_t size);
int dr_unbind(const char *device);	/* 0, -errno, or -ETIMEDOUT */
int dr_bind(const char *device);	/* returns when the device is there */
int dr_rebind(const char *device);	/* both: its list of bad blocks is empty */
/*
 * Mounts the device of a test that ended half way, and may have left without
 * it: others want it. A device with no name was never looked for.
 */
int dr_bring_back(const char *device);
/*
 * Whether the driver takes a block off its list when it is rewritten: 1, 0, or
 * -errno. That of an e820 device does so without asking anybody.
 */
int dr_driver_clears(void);
/* Whether it is virtio-pmem, which wants to be asked to flush: 1, 0, or -errno. */
int dr_is_virtio(void);
/* Puts blocks of the mount on the driver's list, by sysfs. */
int dr_list_bad(unsigned long block, unsigned long count);
/* 1 if there is nothing on it, 0 if there is, or -errno. */
int dr_list_empty(void);

/* A fresh mount, and what the driver calls its device. */
#define DR_DEVICE_SETUP(name, why_not_xfs)				\
	FIXTURE(name) {							\
		struct dr_fs fs;					\
		char device[64];					\
	};								\
	FIXTURE_SETUP(name)						\
	{								\
		if (dr_xfs())						\
			SKIP(return, why_not_xfs);			\
		ASSERT_EQ(0, dr_setup(&self->fs));			\
		ASSERT_EQ(0, dr_find_device(self->device,		\
					    sizeof(self->device)));	\
	}

/* For tests that put blocks on the driver's list: the next one wants it empty. */
#define DR_LISTING_FIXTURE(name, why_not_xfs)				\
	DR_DEVICE_SETUP(name, why_not_xfs)				\
	FIXTURE_TEARDOWN_PARENT(name)					\
	{								\
		if (dr_xfs())						\
			return;						\
		EXPECT_EQ(0, dr_teardown(&self->fs));			\
		EXPECT_EQ(0, dr_rebind(self->device));			\
	}

/* For tests that take the device away. */
#define DR_REMOVING_FIXTURE(name, why_not_xfs)				\
	DR_DEVICE_SETUP(name, why_not_xfs)				\
	FIXTURE_TEARDOWN_PARENT(name)					\
	{								\
		EXPECT_EQ(0, dr_bring_back(self->device));		\
		EXPECT_EQ(0, dr_xfs() ? 0 : dr_teardown(&self->fs));	\
	}

#define NEEDS_CLEARING() do {						\
	int _clears = dr_driver_clears();				\
									\
	ASSERT_LE(0, _clears);						\
	if (!_clears)							\
		SKIP(return, "this driver clears nothing");		\
} while (0)

#endif
