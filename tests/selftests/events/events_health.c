// SPDX-License-Identifier: GPL-2.0
/*
 * Events of what a mount does about its metadata, and can do no more: the log moves off failed memory, is
 * full, or cannot move; blocks that the driver lists, at mount and where the log is; FS_IOC_SHUTDOWN.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"
#include "common/device/places.h"
#include "common/module/listen.h"

#ifndef FS_IOC_SHUTDOWN
#define FS_IOC_SHUTDOWN	_IOR('X', 125, unsigned int)
#endif

DR_LISTING_FIXTURE(events_health, "asks daxrmap")

/* A range of the device; what is asked of it is whether it has some bytes, or is some of the log. */
struct part {
	unsigned long long start, len;
	int found;
};

static void is_log(const struct fsmap *rec, void *arg)
{
	struct part *p = arg;

	if (rec->fmr_owner == DR_OWN_LOG && p->start >= rec->fmr_physical &&
	    p->start + p->len <= rec->fmr_physical + rec->fmr_length)
		p->found++;
}

/* Whether all these bytes are the log's. */
static int in_log(unsigned long long start, unsigned long long len)
{
	struct part p = { .start = start, .len = len };
	int dir = dr_open(".", O_RDONLY), r = dr_places(dir, is_log, &p);

	close(dir);
	return r ?: p.found;
}

static void first_log(const struct fsmap *rec, void *arg)
{
	struct part *p = arg;

	if (rec->fmr_owner == DR_OWN_LOG && !p->found++)
		p->start = rec->fmr_physical;
}

/* Where the log has its first byte. */
static long log_start(void)
{
	struct part p = { 0 };
	int dir = dr_open(".", O_RDONLY), r = dr_places(dir, first_log, &p);

	close(dir);
	return r ?: p.found ? (long)p.start : -ENOENT;
}

TEST_F(events_health, metadata_moves)
{
	long start = log_start();
	struct daxrmap_event e;
	int fd = ev_mount(0);

	ASSERT_LT(0, start);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dr_notify(start, BLK));
	EXPECT_EVENT(fd, &e, FAILURE);
	EXPECT_EQ(start, e.physical);
	EXPECT_EVENT(fd, &e, METADATA);
	EXPECT_EQ(start, e.physical);
	EXPECT_EQ(0, e.flags);
	EXPECT_EQ(0, e.length % BLK);
	EXPECT_EQ(0, in_log(start, BLK));
	EXPECT_EQ(1, in_log(e.count, BLK));
	EXPECT_EQ(1, in_log(e.count, e.length));
	/* No file has lost anything. */
	EXPECT_EVENT(fd, &e, DONE);
	EXPECT_EQ(0, e.count);
	EXPECT_EQ(0, e.flags & DAXRMAP_EVENT_F_ERROR);
	EXPECT_EQ(0, dr_create("f", 4, 1));
	EXPECT_QUIET(fd);
	close(fd);
}

/* Nobody has told of it: who writes the log meets it. */
TEST_F(events_health, log_is_listed)
{
	unsigned long long at, found = 0;
	struct daxrmap_event e;
	int fd;

	/* After this it goes where the event says. */
	fd = ev_mount(0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dr_notify(log_start(), BLK));
	ASSERT_EQ(1, ev_next_of(fd, &e, DAXRMAP_EVENT_METADATA, EV_SOON));
	at = e.count;
	EXPECT_EVENT(fd, &e, DONE);
	ASSERT_EQ(0, dr_list_bad(at / BLK, 200));
	EXPECT_QUIET(fd);
	ASSERT_EQ(0, mkdir(dr_path("d"), 0755));
	while (found < 200 * BLK) {
		EXPECT_EVENT(fd, &e, DISCOVERED);
		EXPECT_EQ(DAXRMAP_CAUSE_LISTED, e.cause);
		ASSERT_EQ(at + found, e.physical);
		ASSERT_NE(0, e.length);
		found += e.length;
	}
	EXPECT_EQ(200 * BLK, found);
	EXPECT_EVENT(fd, &e, METADATA);
	EXPECT_EQ(at, e.physical);
	EXPECT_EQ(0, in_log(at, BLK));
	EXPECT_EQ(1, in_log(e.count, BLK));
	ASSERT_EQ(0, rmdir(dr_path("d")));
	EXPECT_QUIET(fd);
	close(fd);
}

TEST_F(events_health, log_cannot_move)
{
	struct daxrmap_event e;
	int fd = ev_mount(0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dr_create("f", 4, 1));
	ASSERT_EQ(0, dr_notify(0, ~0UL));
	EXPECT_EVENT(fd, &e, FAILURE);
	EXPECT_EVENT(fd, &e, READ_ONLY);
	EXPECT_EQ(0, e.flags);
	EXPECT_EVENT(fd, &e, OWNER);
	EXPECT_TRUE(ev_names(&e, "f"));
	EXPECT_EVENT(fd, &e, DONE);
	EXPECT_EQ(1, e.count);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(-1, mkdir(dr_path("d"), 0755));
		EXPECT_EQ(EROFS, errno);
	}
	EXPECT_QUIET(fd);
	ASSERT_EQ(0, dr_umount());
	EXPECT_EVENT(fd, &e, UNMOUNTED);
	EXPECT_QUIET(fd);
	close(fd);
	ASSERT_EQ(0, dr_mount());
}

static int fill_log(const char *path)
{
	static const char value[16384];
	char name[32];

	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "user.%d", i);
		if (setxattr(path, name, value, sizeof(value), 0))
			return errno;
	}
	return 0;
}

TEST_F(events_health, log_is_full)
{
	struct daxrmap_event e;
	int fd;

	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mount_small());
	self->fs.free_at_start = dr_free_blocks();
	fd = ev_mount(0);
	ASSERT_LE(0, fd);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, dr_create("f", 1, 1));
		EXPECT_QUIET(fd);
		ASSERT_EQ(ENOSPC, fill_log(dr_path("f")));
		EXPECT_EVENT(fd, &e, SPACE);
		EXPECT_EQ(DAXRMAP_EVENT_F_LOG, e.flags);
		EXPECT_EQ(ENOSPC, fill_log(dr_path("f")));
		EXPECT_QUIET(fd);
		ASSERT_EQ(0, unlink(dr_path("f")));
		dr_free_settled(self->fs.free_at_start);
	}
	EXPECT_QUIET(fd);
	close(fd);
}

TEST_F(events_health, listed_at_mount)
{
	long first = dr_first_block(), end = dr_end_block(), told;
	const long start[] = { first + 2, end - 1 }, blocks[] = { 3, 1 };
	int fd = ev_device(dr_dev(), 0);
	struct daxrmap_event e;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dr_create("f", 16, 1));
	told = dr_block("f", 9, NULL);
	ASSERT_EQ(0, dr_poison("f", 9));
	EXPECT_EVENT(fd, &e, FAILURE);
	EXPECT_EVENT(fd, &e, OWNER);
	EXPECT_EVENT(fd, &e, DONE);
	ASSERT_LT(first + 5, told);
	ASSERT_EQ(0, dr_umount());
	EXPECT_EVENT(fd, &e, UNMOUNTED);
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, dr_list_bad(start[i], blocks[i]));
	/* What somebody has told of is no discovery, wherever it is written too; what is beside it is. */
	ASSERT_EQ(0, dr_list_bad(told - 1, 3));
	EXPECT_QUIET(fd);
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_EVENT(fd, &e, DISCOVERED);
	EXPECT_EQ(DAXRMAP_CAUSE_LISTED, e.cause);
	EXPECT_EQ(start[0] * BLK, e.physical);
	EXPECT_EQ(blocks[0] * BLK, e.length);
	for (int side = -1; side <= 1; side += 2) {
		EXPECT_EVENT(fd, &e, DISCOVERED);
		EXPECT_EQ((told + side) * BLK, e.physical);
		EXPECT_EQ(BLK, e.length);
	}
	EXPECT_EVENT(fd, &e, DISCOVERED);
	EXPECT_EQ(start[1] * BLK, e.physical);
	EXPECT_EQ(blocks[1] * BLK, e.length);
	EXPECT_EVENT(fd, &e, MOUNTED);
	EXPECT_QUIET(fd);
	/* And that once. */
	ASSERT_EQ(0, dr_umount());
	EXPECT_EVENT(fd, &e, UNMOUNTED);
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_EVENT(fd, &e, MOUNTED);
	EXPECT_QUIET(fd);
	close(fd);
}

TEST_F(events_health, shut_down)
{
	int fd = ev_mount(0), dir = dr_open(".", O_RDONLY);
	struct daxrmap_event e;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dr_create("f", 4, 1));
	EXPECT_QUIET(fd);
	/* Twice, of two kinds: it is told of once. */
	for (unsigned int kind = 0; kind <= 2; kind += 2)
		EXPECT_EQ(0, ioctl(dir, FS_IOC_SHUTDOWN, &kind));
	close(dir);
	EXPECT_EVENT(fd, &e, SHUTDOWN);
	EXPECT_EQ(DAXRMAP_CAUSE_UNKNOWN, e.cause);
	EXPECT_EQ(0, e.flags);
	EXPECT_EQ(0, e.sequence);
	EXPECT_EQ(-1, mkdir(dr_path("d"), 0755));
	EXPECT_EQ(EIO, errno);
	EXPECT_QUIET(fd);
	ASSERT_EQ(0, dr_umount());
	EXPECT_EVENT(fd, &e, UNMOUNTED);
	EXPECT_QUIET(fd);
	close(fd);
	ASSERT_EQ(0, dr_mount_again());
}

TEST_HARNESS_MAIN
