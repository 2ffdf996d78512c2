// SPDX-License-Identifier: GPL-2.0
/*
 * What is on the medium: it is there after a mount, as far as the medium can be
 * read. dr_teardown() of every other test compares too. A crash is a matter of
 * scripts/tests/power-cut.sh.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>
#include <linux/falloc.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"
#include "common/device/partition.h"
#include "common/device/places.h"
#include "common/files/snapshot.h"
#include "common/module/tool.h"

#define SUPER	1024		/* bytes of a block that have superblocks */

FIXTURE(persist) {
	struct dr_fs fs;
	char device[64];
};

FIXTURE_SETUP(persist)
{
	if (dr_xfs())
		SKIP(return, "daxrmap's own format");
	ASSERT_EQ(0, dr_setup(&self->fs));
	ASSERT_EQ(0, dr_find_device(self->device, sizeof(self->device)));
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mount_small());
	self->fs.free_at_start = dr_free_blocks();
}

FIXTURE_TEARDOWN_PARENT(persist)
{
	if (dr_xfs())
		return;
	EXPECT_EQ(0, dr_teardown(&self->fs));
	EXPECT_EQ(0, dr_rebind(self->device));
}

/* Writes bytes to the block device, where nothing is mounted. */
static int overwrite(long long at, const void *bytes, size_t len)
{
	int fd = open(dr_dev(), O_WRONLY | O_SYNC);
	int r = fd < 0 || pwrite(fd, bytes, len, at) != (ssize_t)len ? -errno : 0;

	close(fd);
	return r;
}

/* A refusal is one errno and one line. */
#define EXPECT_REFUSED(err, flags, why) do {				\
	unsigned long long _seq = dr_log_seq();				\
									\
	EXPECT_EQ(-1, mount(dr_dev(), dr_mnt(), "daxrmap", flags, ""));	\
	EXPECT_EQ(err, errno);						\
	EXPECT_EQ(1, dr_log_count(_seq, "daxrmap: "));			\
	EXPECT_EQ(1, dr_log_count(_seq, why));				\
} while (0)

static int fill(void)
{
	return dr_create("f", 40, 1) ?:
	       dr_clone("f", "g") ?:
	       dr_clone_range("f", 8 * BLK, 4 * BLK, "h", 2 * BLK);
}

/* Until the log's region is full, and it goes on in the other one. */
static int turn_the_log(void)
{
	long used;

	do {
		used = dr_counter("log_used");
		for (int i = 0; i < 50; i++)
			if (chmod(dr_path("f"), i & 1 ? 0600 : 0644))
				return -errno;
	} while (dr_counter("log_used") > used);
	return 0;
}

TEST_F(persist, everything)
{
	struct timespec t[2] = { { 1, 2 }, { 3, 999999999 } };
	int fd;

	ASSERT_EQ(0, fill());
	ASSERT_EQ(0, mkdir(dr_path("d"), 0750));
	ASSERT_EQ(0, mkdir(dr_path("d/e"), 01777));
	ASSERT_EQ(0, rename(dr_path("g"), dr_path("d/e/moved")));
	ASSERT_EQ(0, chown(dr_path("d/e"), 12, 34));
	ASSERT_EQ(0, utimensat(AT_FDCWD, dr_path("d"), t, 0));
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       5 * BLK + 7, 9 * BLK));
	ASSERT_EQ(0, ftruncate(fd, 33 * BLK + 1234));
	close(fd);
	ASSERT_EQ(0, dr_create("gone", 5, 2));
	ASSERT_EQ(0, unlink(dr_path("gone")));
	EXPECT_EQ(0, dr_persists());
	EXPECT_EQ(0, dr_verify("d/e/moved", 0, 40, 1, 0));
	/* and what is made of it afterwards */
	ASSERT_EQ(0, dr_clone("d/e/moved", "again"));
	ASSERT_EQ(0, dr_write_blocks("again", 3, 2, 9));
	EXPECT_EQ(0, dr_persists());
	EXPECT_EQ(0, dr_verify("again", 3, 2, 9, 3));
	EXPECT_EQ(0, dr_verify("d/e/moved", 0, 40, 1, 0));
}

TEST_F(persist, failures)
{
	unsigned char byte;

	ASSERT_EQ(0, fill());
	ASSERT_EQ(0, dr_poison("f", 9));
	ASSERT_EQ(0, dr_poison("g", 20));
	EXPECT_EQ(0, dr_persists());
	EXPECT_EQ(2, dr_counter("blocks_bad"));
	EXPECT_EQ(-EIO, dr_read1("h", 3, &byte));
	EXPECT_EQ(-EIO, dr_read1("g", 9, &byte));
	EXPECT_EQ(-EIO, dr_read1("f", 20, &byte));
	/* one of them is healed */
	ASSERT_EQ(0, dr_write_blocks("f", 9, 1, 3));
	EXPECT_EQ(0, dr_persists());
	EXPECT_EQ(0, dr_verify("f", 9, 1, 3, 9));
	EXPECT_EQ(-EIO, dr_read1("h", 3, &byte));
	ASSERT_EQ(0, unlink(dr_path("f")));
	ASSERT_EQ(0, unlink(dr_path("g")));
	ASSERT_EQ(0, unlink(dr_path("h")));
	EXPECT_EQ(0, dr_persists());
	EXPECT_USED(2);
}

TEST_F(persist, not_without_mkfs)
{
	static const char none[SUPER], some[16] = "daxrmap";
	long long last = (dr_counter("blocks_total") - 1) * BLK;

	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, overwrite(0, none, sizeof(none)));
	ASSERT_EQ(0, overwrite(last, none, sizeof(none)));
	EXPECT_REFUSED(EINVAL, 0, "mkfs.daxrmap makes one");
	ASSERT_EQ(0, overwrite(0, some, sizeof(some)));
	EXPECT_REFUSED(EUCLEAN, 0, "damaged");
	ASSERT_EQ(0, dr_mount());
}

/* One superblock is damaged, or cannot be read: the other one has it all. */
TEST_F(persist, one_superblock)
{
	static const char none[SUPER];
	unsigned long long seq;
	long last;

	/* The last one is found at the device's end. */
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mount());
	last = dr_counter("blocks_total") - 1;
	ASSERT_EQ(0, fill());
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, dr_umount());
		seq = dr_log_seq();
		ASSERT_EQ(0, overwrite(i ? last * BLK : 0, none, sizeof(none)));
		ASSERT_EQ(0, dr_mount_again());
		EXPECT_EQ(1, dr_log_count(seq, i ? "superblock in the last block" :
						   "superblock in the first block"));
		EXPECT_EQ(0, dr_verify("f", 0, 40, 1, 0));
		/* it was written anew */
		seq = dr_log_seq();
		EXPECT_EQ(0, dr_persists());
		EXPECT_EQ(0, dr_log_count(seq, "superblock in"));
	}
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, dr_list_bad(i ? last : 0, 1));
		ASSERT_EQ(0, dr_umount());
		if (i) {
			EXPECT_REFUSED(EIO, 0, "cannot be read");
			EXPECT_REFUSED(EIO, MS_RDONLY, "cannot be read");
			ASSERT_EQ(0, dr_rebind(self->device));
		}
		ASSERT_EQ(0, dr_mount_again());
		EXPECT_EQ(0, dr_verify("f", 0, 40, 1, 0));
		EXPECT_EQ(1, dr_counter("blocks_bad"));
	}
}

struct nth {
	int left;
	long block;
};

static void count_regions(const struct fsmap *r, void *arg)
{
	struct nth *n = arg;

	if (r->fmr_owner == DR_OWN_LOG && !n->left--)
		n->block = r->fmr_physical / BLK;
}

/* The first block of a region of the log, the nth on the device; -1: none. */
static long region(int nth)
{
	struct nth n = { nth, -1 };
	int r, fd = dr_open(".", O_RDONLY);

	if (fd < 0)
		return -1;
	r = dr_places(fd, count_regions, &n);
	close(fd);
	return r ? -1 : n.block;
}

/* The log's blocks fail, again and again. It moves, and nothing is lost. */
TEST_F(persist, log_on_bad_blocks)
{
	unsigned long long seq = dr_log_seq();
	char name[8];

	ASSERT_EQ(0, fill());
	for (int i = 0; i < 10; i++) {
		long block = region(i / 2 % 2) + i * 7;

		ASSERT_LT(0, block);
		ASSERT_EQ(0, dr_notify(block * BLK, BLK));
		EXPECT_EQ(i + 1, dr_counter("blocks_bad"));
		EXPECT_EQ(i + 1, dr_log_count(seq, "moved from block"));
		EXPECT_TRUE(block < region(0) || block >= region(0) + dr_first_block() - 1);
		EXPECT_TRUE(block < region(1) || block >= region(1) + dr_first_block() - 1);
		snprintf(name, sizeof(name), "n%d", i);
		EXPECT_EQ(0, dr_create(name, 1, i));
		EXPECT_EQ(0, dr_persists());
		EXPECT_EQ(0, dr_verify(name, 0, 1, i, 0));
	}
	EXPECT_USED(40 + 10 + 10);
	/* a superblock stays where it is, and is let alone */
	ASSERT_EQ(0, dr_notify(0, BLK));
	ASSERT_EQ(0, turn_the_log());
	EXPECT_EQ(0, dr_persists());
	EXPECT_EQ(11, dr_counter("blocks_bad"));
	EXPECT_EQ(0, dr_verify("f", 0, 40, 1, 0));
}

/* The log cannot be read at mount: as much as there is twice is still there. */
TEST_F(persist, log_that_cannot_be_read)
{
	unsigned long long seq;

	ASSERT_EQ(0, fill());
	/* the first block of the log: its checkpoint, and all there is so far */
	ASSERT_EQ(0, dr_list_bad(1, 1));
	ASSERT_EQ(0, dr_umount());
	EXPECT_REFUSED(EIO, 0, "cannot be read");
	ASSERT_EQ(0, dr_rebind(self->device));
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_EQ(0, dr_verify("g", 0, 40, 1, 0));

	/* the log before has what the checkpoint has */
	for (int i = 0; i < 300; i++) {
		char name[8];

		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, mkdir(dr_path(name), 0700));
	}
	ASSERT_EQ(0, turn_the_log());
	ASSERT_EQ(0, dr_create("after", 3, 5));
	ASSERT_EQ(0, dr_list_bad(dr_end_block(), 1));
	ASSERT_EQ(0, dr_umount());
	seq = dr_log_seq();
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_EQ(1, dr_log_count(seq, "nothing is lost"));
	EXPECT_EQ(1, dr_log_count(seq, "moved from block"));
	EXPECT_EQ(0, dr_verify("g", 0, 40, 1, 0));
	EXPECT_EQ(0, dr_verify("after", 0, 3, 5, 0));
	EXPECT_EQ(0, access(dr_path("299"), F_OK));
	seq = dr_log_seq();
	EXPECT_EQ(0, dr_persists());
	EXPECT_EQ(0, dr_log_count(seq, "cannot be read"));
	EXPECT_EQ(1, dr_counter("blocks_bad"));
}

/* Nothing is written: what fails is forgotten, until it may be written down. */
TEST_F(persist, read_only)
{
	struct statfs a, b;
	long used;

	ASSERT_EQ(0, fill());
	used = dr_counter("log_used");
	ASSERT_EQ(0, statfs(dr_mnt(), &a));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, dr_umount());
		ASSERT_EQ(0, mount(dr_dev(), dr_mnt(), "daxrmap", MS_RDONLY, ""));
		EXPECT_EQ(0, dr_counter("blocks_bad"));
		EXPECT_EQ(used, dr_counter("log_used"));
		EXPECT_EQ(0, dr_verify("f", 0, 40, 1, 0));
		EXPECT_EQ(-EROFS, dr_create("new", 1, 1));
		EXPECT_EQ(0, dr_poison("f", 3));
		EXPECT_EQ(1, dr_counter("blocks_bad"));
		EXPECT_EQ(used, dr_counter("log_used"));
	}
	ASSERT_EQ(0, mount(NULL, dr_mnt(), NULL, MS_REMOUNT, ""));
	EXPECT_LT(used, dr_counter("log_used"));
	ASSERT_EQ(0, statfs(dr_mnt(), &b));
	EXPECT_EQ(0, memcmp(&a.f_fsid, &b.f_fsid, sizeof(a.f_fsid)));
	ASSERT_EQ(0, dr_create("new", 1, 1));
	EXPECT_EQ(0, dr_persists());
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	ASSERT_EQ(0, mount(NULL, dr_mnt(), NULL, MS_REMOUNT | MS_RDONLY, ""));
	EXPECT_EQ(-EROFS, dr_create("newer", 1, 1));
	ASSERT_EQ(0, tool_run("status", (char *)dr_mnt()));
	EXPECT_LINE("state:            read-only");
	ASSERT_EQ(0, mount(NULL, dr_mnt(), NULL, MS_REMOUNT, ""));
	EXPECT_EQ(0, dr_create("newer", 1, 1));
}

/* The device goes while a file without a name is open: its blocks come back. */
TEST_F(persist, file_without_a_name)
{
	unsigned long long seq;
	int fd;

	ASSERT_EQ(0, dr_create("f", 64, 1));
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unlink(dr_path("f")));
	EXPECT_USED(64);
	ASSERT_EQ(0, dr_unbind(self->device));
	close(fd);
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_bind(self->device));
	ASSERT_EQ(0, mount(dr_dev(), dr_mnt(), "daxrmap", MS_RDONLY, ""));
	EXPECT_USED(64);
	ASSERT_EQ(0, dr_umount());
	seq = dr_log_seq();
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_EQ(1, dr_log_count(seq, "1 inodes without a name"));
	EXPECT_USED(0);
}

/* A name of 255 bytes. */
static void long_name(char name[256], int n)
{
	snprintf(name, 256, "%0255d", n);
}

/* No room for more metadata: an error, and nothing else; and less is possible. */
TEST_F(persist, metadata_is_full)
{
	char name[256];
	int n, r;

	ASSERT_EQ(0, dr_mount_tiny());
	for (n = 0, r = 0; !r; n++) {
		long_name(name, n);
		r = mkdir(dr_path(name), 0700) ? -errno : 0;
	}
	n--;
	TH_LOG("%d directories", n);
	EXPECT_EQ(-ENOSPC, r);
	EXPECT_LT(50, n);
	EXPECT_EQ(0, dr_persists());
	/* what makes it no larger goes on */
	EXPECT_EQ(0, chmod(dr_mnt(), 0700));
	for (int i = 0; i < n; i++) {
		long_name(name, i);
		ASSERT_EQ(0, rmdir(dr_path(name)));
	}
	EXPECT_EQ(0, dr_create("f", 100, 1));
	EXPECT_EQ(0, dr_persists());
	EXPECT_EQ(0, dr_verify("f", 0, 100, 1, 0));
	EXPECT_EQ(0, dr_check());
	ASSERT_EQ(0, dr_leave_tiny());
}

TEST_HARNESS_MAIN
