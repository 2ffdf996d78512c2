// SPDX-License-Identifier: GPL-2.0
/*
 * Events of pages that ext4 and XFS have: the guard tells of them, when it watches and when it holds
 * the device. And of a device that goes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/module/listen.h"

#define BLOCKS	16

DR_STACK_FIXTURE(events_guard)
DR_STACK(events_guard, ext4, "ext4", ON_PMEM);
DR_STACK(events_guard, ext4_partition, "ext4", ON_PARTITION);
DR_STACK(events_guard, xfs, "xfs", ON_PMEM);
DR_STACK(events_guard, xfs_linear, "xfs", ON_LINEAR);

/* A failure with its owners, "f0" which a peer maps, and "f1" if there can be clones. */
static void told_of(struct __test_metadata *_metadata, const struct dr_stack *s, int fd, long pfn,
		    bool knows)
{
	int owners = dr_stack_reflink(s) ? 2 : 1, seen = 0;
	unsigned long at = (pfn - dr_pfn_of_block(0)) * BLK;
	struct daxrmap_event e;
	struct stat st;

	ASSERT_EQ(0, stat(dr_path("f0"), &st));
	ASSERT_EQ(1, ev_next(fd, &e, dr_patience(EV_SOON)));
	EXPECT_EQ(DAXRMAP_EVENT_FAILURE, e.type);
	EXPECT_EQ(DAXRMAP_EVENT_F_GUARD, e.flags);
	EXPECT_EQ(DAXRMAP_CAUSE_MEMORY_FAILURE, e.cause);
	EXPECT_EQ(at, e.physical);
	EXPECT_EQ(BLK, e.length);
	for (int i = 0; i < owners; i++) {
		ASSERT_EQ(1, ev_next(fd, &e, dr_patience(EV_SOON)));
		ASSERT_EQ(DAXRMAP_EVENT_OWNER, e.type);
		EXPECT_EQ(at, e.physical);
		EXPECT_EQ(major(st.st_dev), e.fs_major);
		EXPECT_EQ(minor(st.st_dev), e.fs_minor);
		EXPECT_EQ(3 * BLK, e.offset);
		EXPECT_EQ(BLK, e.length);
		if (ev_names(&e, "f0")) {
			seen |= 1;
			EXPECT_TRUE(e.flags & DAXRMAP_EVENT_F_MAPPED);
			EXPECT_EQ(knows, !!(e.flags & DAXRMAP_EVENT_F_TOLD));
			EXPECT_EQ(knows, e.told);
		} else {
			EXPECT_TRUE(ev_names(&e, "f1"));
			seen |= 2;
		}
	}
	EXPECT_EQ(owners == 2 ? 3 : 1, seen);
	ASSERT_EQ(1, ev_next(fd, &e, dr_patience(EV_SOON)));
	EXPECT_EQ(DAXRMAP_EVENT_DONE, e.type);
	EXPECT_EQ(owners, e.count);
	EXPECT_EQ(0, ev_next(fd, &e, 0));
}

static int make_files(const struct dr_stack *s, struct peer *p)
{
	int r = dr_create("f0", BLOCKS, 1);

	if (!r && dr_stack_reflink(s))
		r = dr_clone("f0", "f1");
	return r ?: peer_open(p, true, "f0", BLOCKS * BLK, 3);
}

TEST_F(events_guard, watch)
{
	struct peer p;
	long pfn;
	int fd;

	ASSERT_EQ(0, make_files(&variant->stack, &p));
	fd = ev_device(PMEM0, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dr_guard_watch(1));
	pfn = dr_pfn_in_file("f0", 3);
	if (dr_stack_reflink(&variant->stack))
		ASSERT_EQ(pfn, dr_pfn_in_file("f1", 3));
	ASSERT_EQ(0, dr_guard_poison(pfn));
	/* The kernel tells who maps a page, but not of one below dm. */
	told_of(_metadata, &variant->stack, fd, pfn, dr_stack_dm(&variant->stack));
	peer_stop(&p);
	close(fd);
}

TEST_F(events_guard, hold)
{
	struct peer p;
	long pfn;
	int fd;

	if (!dr_stack_holdable(&variant->stack))
		SKIP(return, "XFS is the holder");
	ASSERT_EQ(0, make_files(&variant->stack, &p));
	ASSERT_EQ(0, dr_stack_hold(&variant->stack));
	pfn = dr_pfn_in_file("f0", 3);
	if (dr_stack_reflink(&variant->stack))
		ASSERT_EQ(pfn, dr_pfn_in_file("f1", 3));
	fd = ev_device(PMEM0, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dr_guard_poison(pfn));
	/* A page of one file is taken at once, before anybody counts. */
	told_of(_metadata, &variant->stack, fd, pfn, dr_stack_reflink(&variant->stack));
	peer_stop(&p);
	close(fd);
}

/* A device without a filesystem goes: whether the guard watches it, holds it, or does nothing. */
DR_REMOVING_FIXTURE(events_gone, "asks daxrmap")

TEST_F(events_gone, nothing_mounted)
{
	struct daxrmap_event e;

	ASSERT_EQ(0, dr_umount());
	for (int how = 0; how < 3; how++) {
		int all = ev_device(NULL, 0), own = ev_device(dr_dev(), 0);

		ASSERT_LE(0, all);
		ASSERT_LE(0, own);
		ASSERT_EQ(0, dr_guard_watch(how == 1));
		if (how == 2)
			ASSERT_EQ(0, dr_guard_hold(dr_dev(), DAXRMAP_GUARD_FORCE));
		ASSERT_EQ(0, dr_unbind(self->device));
		EXPECT_EVENT(own, &e, GONE);
		EXPECT_EQ(DAXRMAP_CAUSE_REMOVAL, e.cause);
		EXPECT_EQ(DAXRMAP_EVENT_F_GUARD, e.flags);
		EXPECT_EQ(0, e.sequence);
		EXPECT_EVENT(all, &e, GONE);
		/* It comes back in silence. */
		ASSERT_EQ(0, dr_bind(self->device));
		EXPECT_QUIET(own);
		EXPECT_QUIET(all);
		close(own);
		close(all);
	}
	dr_guard_off();
	ASSERT_EQ(0, dr_mount_again());
}

TEST_HARNESS_MAIN
