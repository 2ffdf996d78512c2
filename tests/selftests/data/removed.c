// SPDX-License-Identifier: GPL-2.0
/*
 * Files of very many extents that are removed: unlink(2) does not wait until their
 * blocks are free. They come back all the same, by a worker, by who needs room, at
 * unmount, at the thaw, and by the next mount; and nobody has them in between.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <uapi/daxrmap.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"

#ifndef FS_IOC_SHUTDOWN
#define FS_IOC_SHUTDOWN	_IOR('X', 125, unsigned int)
#endif

#define MANY	(dr_all_checked() ? 150L : 2000L)
#define FEW	8			/* are freed at once */

FIXTURE(removed) { struct dr_fs fs; long many; };
FIXTURE_SETUP(removed)
{
	if (dr_xfs())
		SKIP(return, "asks daxrmap's debugfs");
	ASSERT_EQ(0, dr_setup(&self->fs));
	self->many = MANY;
}
FIXTURE_TEARDOWN_PARENT(removed)
{
	EXPECT_EQ(0, dr_xfs() ? 0 : dr_teardown(&self->fs));
}

/* Every other page, each an extent. */
static int make(const char *name, long extents)
{
	int r = dr_create(name, 1, 1);

	for (long i = 1; i < extents && !r; i++)
		r = dr_write_blocks(name, 2 * i, 1, 1);
	return r;
}

static int ask(unsigned long cmd, void *arg)
{
	int fd = dr_open(".", O_RDONLY);
	int r;

	if (fd < 0)
		return fd;
	r = ioctl(fd, cmd, arg) ? dr_errno() : 0;
	close(fd);
	return r;
}

static long dead(void)
{
	return dr_counter("inodes_dead");
}

/* How many pages are lost, of all files. */
static int lost(void)
{
	struct daxrmap_lost_head *h = calloc(1, sizeof(*h) + 64 * sizeof(h->recs[0]));
	int n;

	if (!h)
		return -ENOMEM;
	h->count = 64;
	n = ask(DAXRMAP_IOC_LOST, h);
	if (!n)
		n = h->oflags & DAXRMAP_LOST_END ? (int)h->entries : -E2BIG;
	free(h);
	return n;
}

/* The name is gone, and the file is not yet; a few extents go with the name. */
TEST_F(removed, after_the_call)
{
	long many = 5 * self->many;

	ASSERT_EQ(0, make("f", many));
	ASSERT_EQ(0, make("few", FEW));
	ASSERT_EQ(0, unlink(dr_path("few")));
	EXPECT_EQ(0, dead());
	EXPECT_EQ(many, dr_counter("owner_records"));
	EXPECT_USED(many);

	ASSERT_EQ(0, unlink(dr_path("f")));
	EXPECT_LT(0, dr_counter("owner_records"));
	EXPECT_EQ(-1, access(dr_path("f"), F_OK));
	EXPECT_EQ(0, dr_check());
	EXPECT_USED(0);
	EXPECT_EQ(0, dead());
	EXPECT_EQ(0, dr_check());
}

/* A clone shares all: nothing is free but what it owned alone, and the other is whole. */
TEST_F(removed, clone)
{
	ASSERT_EQ(0, dr_create("f", 64, 1));
	for (long i = 1; i < self->many / 32; i++)
		ASSERT_EQ(0, dr_clone_range("f", 0, 64 * BLK, "f", 2 * i * 64 * BLK));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, dr_clone("f", "g"));
		ASSERT_EQ(0, dr_write_blocks("g", 2 * 64, 64, 2));
		ASSERT_EQ(0, unlink(dr_path("g")));
	}
	EXPECT_USED(64);
	EXPECT_EQ(0, dr_verify("f", 0, 64, 1, 0));
	EXPECT_EQ(0, dr_verify("f", 2 * 64, 64, 1, 0));
	EXPECT_EQ(0, dr_check());
}

/* All there is, while most of it is not free yet. */
TEST_F(removed, no_space)
{
	ASSERT_EQ(0, make("f", self->many));
	ASSERT_EQ(0, dr_fallocate("full", 0, 0, dr_free_blocks() * BLK));
	EXPECT_EQ(-ENOSPC, dr_create("g", 1, 1));
	ASSERT_EQ(0, unlink(dr_path("f")));
	EXPECT_EQ(0, dr_create("g", self->many / 2, 1));
	ASSERT_EQ(0, dr_fallocate("h", 0, 0, (self->many - self->many / 2) * BLK));
	EXPECT_EQ(0, dr_free_blocks());
	EXPECT_EQ(-ENOSPC, dr_fallocate("i", 0, 0, BLK));
	EXPECT_EQ(0, dr_verify("g", 0, self->many / 2, 1, 0));
	EXPECT_EQ(0, dr_check());
}

/* Nothing is written while it is frozen; in between the file is nobody's. */
TEST_F(removed, frozen)
{
	struct dr_failure failure;
	long used, block;
	int fd;

	ASSERT_EQ(0, make("f", self->many));
	ASSERT_EQ(0, dr_clone_range("f", 0, BLK, "g", 0));
	fd = dr_open("f", O_RDONLY);
	ASSERT_LE(0, fd);
	block = dr_block("f", 2, NULL);
	ASSERT_LT(0, block);
	ASSERT_EQ(0, unlink(dr_path("f")));
	ASSERT_EQ(0, ask(FIFREEZE, NULL));
	used = dr_counter("log_used");
	close(fd);
	EXPECT_EQ(1, dead());
	usleep(20000);
	EXPECT_EQ(self->many + 1, dr_counter("owner_records"));
	EXPECT_EQ(used, dr_counter("log_used"));

	/* a block of its own, and one that somebody else has too */
	ASSERT_EQ(0, dr_notify(block * BLK, BLK));
	ASSERT_EQ(0, dr_last_failure(&failure));
	EXPECT_EQ(0, failure.owners);
	EXPECT_EQ(0, lost());
	ASSERT_EQ(0, dr_notify(dr_block("g", 0, NULL) * BLK, BLK));
	ASSERT_EQ(0, dr_last_failure(&failure));
	EXPECT_EQ(1, failure.owners);
	EXPECT_EQ(dr_ino("g"), (long)failure.o[0].ino);
	EXPECT_EQ(1, lost());
	EXPECT_EQ(1, dr_counter("owners"));

	ASSERT_EQ(0, ask(FITHAW, NULL));
	EXPECT_EQ(0, dr_settle());
	EXPECT_EQ(0, dead());
	EXPECT_EQ(2, dr_counter("blocks_bad"));
	EXPECT_USED(2);
	EXPECT_EQ(0, dr_check());
}

/* What a crash leaves of it goes when the next mount may write, and is nobody's before. */
TEST_F(removed, crash)
{
	unsigned int kind = 2;	/* nothing is flushed first */
	long left;
	int fd;

	ASSERT_EQ(0, make("f", self->many));
	ASSERT_EQ(0, dr_create("g", 3, 1));
	fd = dr_open(".", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unlink(dr_path("f")));
	ASSERT_EQ(0, ioctl(fd, FS_IOC_SHUTDOWN, &kind));
	close(fd);
	ASSERT_EQ(0, dr_umount());

	ASSERT_EQ(0, mount(dr_dev(), dr_mnt(), "daxrmap", MS_RDONLY, ""));
	EXPECT_EQ(1, dead());
	left = dr_counter("owner_records");
	EXPECT_LT(1, left);
	EXPECT_USED(left - 1 + 3);
	EXPECT_EQ(0, dr_check());
	ASSERT_EQ(0, mount(NULL, dr_mnt(), NULL, MS_REMOUNT, ""));
	EXPECT_USED(3);
	EXPECT_EQ(0, dead());
	EXPECT_EQ(0, dr_verify("g", 0, 3, 1, 0));

	/* and when the next one comes in the middle of that */
	ASSERT_EQ(0, make("f", self->many));
	ASSERT_EQ(0, unlink(dr_path("f")));
	ASSERT_EQ(0, ask(FS_IOC_SHUTDOWN, &kind));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, dr_umount());
		ASSERT_EQ(0, dr_mount_again());
		ASSERT_EQ(0, ask(FS_IOC_SHUTDOWN, &kind));
	}
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_USED(3);
	EXPECT_EQ(0, dead());
	EXPECT_EQ(0, dr_check());
}

/* Unmount leaves nothing to do, nor does a remount that makes it read-only. */
TEST_F(removed, unmount)
{
	ASSERT_EQ(0, make("f", self->many));
	ASSERT_EQ(0, unlink(dr_path("f")));
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, mount(dr_dev(), dr_mnt(), "daxrmap", MS_RDONLY, ""));
	EXPECT_EQ(0, dead());
	EXPECT_EQ(self->fs.free_at_start, dr_free_blocks());

	ASSERT_EQ(0, mount(NULL, dr_mnt(), NULL, MS_REMOUNT, ""));
	ASSERT_EQ(0, make("f", self->many));
	ASSERT_EQ(0, unlink(dr_path("f")));
	ASSERT_EQ(0, mount(NULL, dr_mnt(), NULL, MS_REMOUNT | MS_RDONLY, ""));
	EXPECT_EQ(0, dead());
	EXPECT_EQ(self->fs.free_at_start, dr_free_blocks());
	EXPECT_EQ(0, dr_check());
}

TEST_HARNESS_MAIN
