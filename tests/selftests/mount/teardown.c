// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a mount: busy while something is open, clean after; nothing
 * leaks, nothing stays pinned, poisoned or not; the module can go.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/module/module.h"

DR_FIXTURE(teardown)

#define RW	(PROT_READ | PROT_WRITE)
#define LEN	(16 * BLK)

static int umount_now(void)
{
	return umount2(dr_mnt(), 0) ? -errno : 0;
}

TEST_F(teardown, busy_while_in_use)
{
	int fd;
	char *p;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	fd = dr_open("f", O_RDONLY);
	EXPECT_EQ(-EBUSY, umount_now());
	p = dr_map("f", 0, LEN, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	p[0] = p[0];
	close(fd);
	EXPECT_EQ(-EBUSY, umount_now());	/* the mapping holds it, too */
	munmap(p, LEN);
	EXPECT_EQ(0, umount_now());
	ASSERT_EQ(0, dr_mount());
}

/* Lazily: the mount point is free, the file lives on until its last user. */
TEST_F(teardown, detached)
{
	char byte, *p;
	int fd;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 16, 1));
	fd = dr_open("f", O_RDWR);
	p = dr_map("f", 0, LEN, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, umount2(dr_mnt(), MNT_DETACH));
	EXPECT_EQ(1, pread(fd, &byte, 1, 0));
	EXPECT_BYTE(dr_load(p + BLK), dr_byte(1, 1));
	munmap(p, LEN);
	close(fd);
	/* The device is free again: at once, or when the last put is through. */
	for (int i = 0; i < 100 && dr_mount(); i++)
		usleep(20000);
	EXPECT_EQ(-1, access(dr_path("f"), F_OK));
	EXPECT_EQ(0, dr_check());
}

TEST_F(teardown, nothing_left_after_deleting_all)
{
	static const char *const name[] = { "a", "b", "c", "d/e", "d/f" };
	struct peer p[5];
	long inodes;

	SKIP_ON_XFS();
	inodes = dr_counter("inodes");
	ASSERT_EQ(0, mkdir(dr_path("d"), 0755));
	ASSERT_EQ(0, dr_create("a", 600, 1));
	for (int i = 1; i < 5; i++)
		ASSERT_EQ(0, dr_clone("a", name[i]));
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, peer_open(&p[i], i % 2, name[i], 600 * BLK, 599));
		ASSERT_EQ(0, peer_store(&p[i], i * 10 * BLK, 1).sig.signo);
	}
	for (int i = 0; i < 600; i += 100)
		ASSERT_EQ(0, dr_poison("c", i + 5));
	for (int i = 0; i < 5; i++) {
		EXPECT_POISON(peer_load(&p[i], 105 * BLK), p[i].base + 105 * BLK);
		EXPECT_EQ(0, unlink(dr_path(name[i])));
		peer_stop(&p[i]);
	}
	ASSERT_EQ(0, rmdir(dr_path("d")));
	EXPECT_EQ(0, dr_settle());
	EXPECT_EQ(6, dr_counter("blocks_bad"));
	EXPECT_USED(6);
	EXPECT_EQ(0, dr_counter("owner_records"));
	EXPECT_EQ(inodes, dr_counter("inodes"));
	EXPECT_EQ(dr_end_block() - dr_first_block() - 6, dr_counter("blocks_free"));
	EXPECT_EQ(dr_counter("blocks_free"), dr_free_blocks());
}

/* With files, clones, bad blocks and mappings that are just gone. */
TEST_F(teardown, after_poison)
{
	struct peer p, q;

	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, dr_create("a", 600, 1));
		ASSERT_EQ(0, dr_clone("a", "b"));
		ASSERT_EQ(0, peer_open(&p, true, "a", 600 * BLK, i));
		ASSERT_EQ(0, peer_open(&q, false, "b", 600 * BLK, i));
		ASSERT_EQ(0, dr_poison("a", i));
		EXPECT_EARLY(&p, p.base + i * BLK);
		peer_stop(&p);
		peer_stop(&q);
		EXPECT_EQ(0, umount_now());
		ASSERT_EQ(0, dr_mount());
	}
}

/* Failures that come while the file system goes: no crash, no hang. */
static int inject_on(void *arg)
{
	volatile int *stop = arg;

	/* Each is a line in the log, and the console is slow. */
	for (unsigned long i = 0; !*stop; i++) {
		dr_poison_pfn(dr_pfn_of_block(10000 + i % 64 * 1000));
		usleep(300);
	}
	return 0;
}

TEST_F(teardown, poison_while_mounting_and_unmounting)
{
	int *stop = dr_shared_mem(sizeof(*stop));
	pid_t pid;

	SKIP_ON_XFS();
	pid = dr_spawn(inject_on, stop);
	for (int i = 0; i < 40; i++) {
		EXPECT_EQ(0, dr_create("f", 8, 1));
		EXPECT_EQ(0, umount_now());
		ASSERT_EQ(0, dr_mount());
	}
	*stop = 1;
	EXPECT_EQ(0, dr_wait(pid));
}

/* The module goes and comes back. */
TEST_F(teardown, module)
{
	struct peer p;

	SKIP_ON_XFS();
	if (!dr_module_file())
		SKIP(return, "no daxrmap.ko here: set DAXRMAP_KO");
	ASSERT_EQ(0, dr_create("a", 16, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	ASSERT_EQ(0, peer_open(&p, true, "b", LEN, 3));
	ASSERT_EQ(0, dr_poison("a", 3));
	EXPECT_EARLY(&p, p.base + 3 * BLK);
	/* In use: it must not go. */
	EXPECT_EQ(-EAGAIN, dr_rmmod());
	peer_stop(&p);
	ASSERT_EQ(0, umount_now());
	EXPECT_EQ(0, dr_rmmod());
	EXPECT_EQ(-1, access("/sys/kernel/debug/daxrmap", F_OK));
	EXPECT_EQ(-1, mount(dr_dev(), dr_mnt(), "daxrmap", 0, ""));
	EXPECT_EQ(ENODEV, errno);
	/* A failure now has no holder to hear of it; nothing crashes. */
	dr_poison_pfn(dr_pfn_of_block(5000));
	ASSERT_EQ(0, dr_insmod());
	ASSERT_EQ(0, dr_mount());
	EXPECT_EQ(0, dr_create("a", 16, 1));
	EXPECT_EQ(0, dr_verify("a", 0, 16, 1, 0));
}

TEST_HARNESS_MAIN
