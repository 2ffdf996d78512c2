// SPDX-License-Identifier: GPL-2.0
/*
 * Events of a mount: what is told of pages that fail and heal, of space, of a mount that comes and
 * goes, and of a device that does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"
#include "common/module/guard.h"
#include "common/module/listen.h"

#define BLOCKS	16

DR_REMOVING_FIXTURE(events_mount, "asks daxrmap")

TEST_F(events_mount, owners_of_a_page)
{
	unsigned int want = DAXRMAP_EVENT_F_TOLD;
	struct daxrmap_event e;
	struct peer p, q;
	struct stat st;
	unsigned long at;
	int fd, seen = 0;

	ASSERT_EQ(0, dr_create("f", BLOCKS, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, dr_clone_range("f", 4 * BLK, 4 * BLK, "h", 8 * BLK));
	ASSERT_EQ(0, stat(dr_path("f"), &st));
	dr_drop_caches();
	/* Who asked for it is signalled, the other one only loses the page. */
	ASSERT_EQ(0, peer_open(&p, true, "g", BLOCKS * BLK, 5));
	ASSERT_EQ(0, peer_open(&q, false, "g", BLOCKS * BLK, 5));
	at = dr_block("f", 5, NULL) * BLK;
	fd = ev_mount(0);
	ASSERT_LE(0, fd);
	EXPECT_QUIET(fd);
	ASSERT_EQ(0, dr_poison("f", 5));

	EXPECT_EVENT(fd, &e, FAILURE);
	EXPECT_EQ(DAXRMAP_CAUSE_MEMORY_FAILURE, e.cause);
	EXPECT_EQ(at, e.physical);
	EXPECT_EQ(BLK, e.length);
	EXPECT_EQ(0, e.sequence);
	EXPECT_EQ(0, e.flags);
	EXPECT_LT(1700000000ULL * 1000000000, e.time);
	EXPECT_EQ(st.st_dev, (dev_t)e.major << 8 | e.minor);
	for (int i = 1; i <= 3; i++) {
		EXPECT_EVENT(fd, &e, OWNER);
		EXPECT_EQ(i, e.sequence);
		EXPECT_EQ(at, e.physical);
		EXPECT_EQ(BLK, e.length);
		EXPECT_EQ(e.major, e.fs_major);
		EXPECT_EQ(e.minor, e.fs_minor);
		if (ev_names(&e, "g")) {
			seen |= 1;
			EXPECT_EQ(5 * BLK, e.offset);
			EXPECT_EQ(want | DAXRMAP_EVENT_F_MAPPED, e.flags);
			EXPECT_EQ(1, e.told);
		} else if (ev_names(&e, "h")) {
			seen |= 2;
			EXPECT_EQ(9 * BLK, e.offset);
			EXPECT_EQ(want, e.flags & ~DAXRMAP_EVENT_F_ABSENT);
			EXPECT_EQ(0, e.told);
		} else {
			EXPECT_TRUE(ev_names(&e, "f"));
			seen |= 4;
			EXPECT_EQ(5 * BLK, e.offset);
		}
	}
	EXPECT_EQ(7, seen);
	EXPECT_EVENT(fd, &e, DONE);
	EXPECT_EQ(3, e.count);
	EXPECT_EQ(want, e.flags);
	EXPECT_EQ(1, e.told);
	EXPECT_EQ(4, e.sequence);
	EXPECT_QUIET(fd);
	EXPECT_EARLY(&p, p.base + 5 * BLK);
	peer_stop(&p);
	peer_stop(&q);

	/* One of them heals by a write, one becomes a hole. */
	ASSERT_EQ(0, dr_write_blocks("f", 5, 1, 1));
	EXPECT_EVENT(fd, &e, HEALED);
	EXPECT_TRUE(ev_names(&e, "f"));
	EXPECT_EQ(5 * BLK, e.offset);
	EXPECT_EQ(at, e.physical);
	EXPECT_EQ(BLK, e.length);
	ASSERT_EQ(0, dr_fallocate("h", 3 /* punch, keep size */, 9 * BLK, BLK));
	EXPECT_EVENT(fd, &e, HEALED);
	EXPECT_TRUE(ev_names(&e, "h"));
	EXPECT_EQ(9 * BLK, e.offset);
	EXPECT_QUIET(fd);
	close(fd);
}

TEST_F(events_mount, listed_and_cleared)
{
	struct daxrmap_clear c = { .count = 1 };
	struct daxrmap_event e;
	unsigned char byte;
	int fd, dir;

	NEEDS_CLEARING();
	ASSERT_EQ(0, dr_create("f", BLOCKS, 1));
	c.block = dr_block("f", 3, NULL);
	fd = ev_mount(0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dr_list_bad(c.block, 1));
	EXPECT_EQ(-EIO, dr_read1("f", 3, &byte));
	EXPECT_EVENT(fd, &e, DISCOVERED);
	EXPECT_EQ(DAXRMAP_CAUSE_LISTED, e.cause);
	EXPECT_EQ(c.block * BLK, e.physical);
	EXPECT_EVENT(fd, &e, FAILURE);
	EXPECT_EQ(DAXRMAP_CAUSE_LISTED, e.cause);
	EXPECT_EVENT(fd, &e, OWNER);
	EXPECT_TRUE(ev_names(&e, "f"));
	EXPECT_EVENT(fd, &e, DONE);
	ASSERT_EQ(0, unlink(dr_path("f")));
	dr_free_settled(self->fs.free_at_start - 1);
	dir = dr_open(".", O_RDONLY);
	ASSERT_EQ(0, ioctl(dir, DAXRMAP_IOC_CLEAR, &c));
	close(dir);
	EXPECT_EVENT(fd, &e, CLEARED);
	EXPECT_EQ(c.block * BLK, e.physical);
	EXPECT_EQ(BLK, e.length);
	EXPECT_QUIET(fd);
	close(fd);
}

TEST_F(events_mount, space)
{
	struct daxrmap_event e;
	int fd = ev_mount(0);

	ASSERT_LE(0, fd);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, dr_fallocate("g", 0, 0, dr_free_blocks() * BLK));
		EXPECT_QUIET(fd);
		for (int j = 0; j < 3; j++)
			EXPECT_EQ(-ENOSPC, dr_create("h", 1, 1));
		EXPECT_EVENT(fd, &e, SPACE);
		EXPECT_EQ(0, e.flags);
		EXPECT_QUIET(fd);
		ASSERT_EQ(0, unlink(dr_path("g")));
		dr_free_settled(self->fs.free_at_start);
		EXPECT_EQ(0, dr_create("h", 1, 1));
		ASSERT_EQ(0, unlink(dr_path("h")));
	}
	EXPECT_QUIET(fd);
	close(fd);
}

/* Who listens holds no mount up, and one that is asked for by its device outlives it. */
TEST_F(events_mount, comes_and_goes)
{
	struct daxrmap_event e;
	int of_mount = ev_mount(0), of_device = ev_device(dr_dev(), 0), of_other;

	of_other = ev_device(strcmp(dr_dev(), "/dev/pmem1") ? "/dev/pmem1" : "/dev/pmem0", 0);
	ASSERT_LE(0, of_mount);
	ASSERT_LE(0, of_device);
	ASSERT_EQ(0, dr_umount());
	EXPECT_EVENT(of_mount, &e, UNMOUNTED);
	EXPECT_EVENT(of_device, &e, UNMOUNTED);
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_EVENT(of_mount, &e, MOUNTED);
	EXPECT_EQ(1, e.sequence);
	EXPECT_EVENT(of_device, &e, MOUNTED);
	EXPECT_EQ(dr_end_block() > 0, e.length > 0);
	EXPECT_QUIET(of_mount);
	if (of_other >= 0) {
		EXPECT_QUIET(of_other);
		close(of_other);
	}
	close(of_mount);
	close(of_device);
}

TEST_F(events_mount, removal)
{
	struct daxrmap_event e;
	int of_mount = ev_mount(0), all = ev_device(NULL, 0);

	ASSERT_LE(0, of_mount);
	ASSERT_LE(0, all);
	ASSERT_EQ(0, dr_create("f", BLOCKS, 1));
	ASSERT_EQ(0, dr_unbind(self->device));
	EXPECT_EVENT(of_mount, &e, GONE);
	EXPECT_EQ(DAXRMAP_CAUSE_REMOVAL, e.cause);
	EXPECT_EQ(0, e.flags);
	EXPECT_EVENT(of_mount, &e, SHUTDOWN);
	EXPECT_EQ(DAXRMAP_CAUSE_REMOVAL, e.cause);
	ASSERT_EQ(1, ev_next_of(all, &e, DAXRMAP_EVENT_SHUTDOWN, EV_SOON));
	/* The disk is told of too, whoever has it. */
	ASSERT_EQ(1, ev_next_of(all, &e, DAXRMAP_EVENT_GONE, EV_SOON));
	EXPECT_EQ(DAXRMAP_EVENT_F_GUARD, e.flags);
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(1, ev_next_of(of_mount, &e, DAXRMAP_EVENT_UNMOUNTED, EV_SOON));
	close(of_mount);
	close(all);
}

TEST_HARNESS_MAIN
