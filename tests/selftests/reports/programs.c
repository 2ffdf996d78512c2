// SPDX-License-Identifier: GPL-2.0
/*
 * mkfs.daxrmap, fsck.daxrmap and daxrmap dump, on the device of a mount. What
 * they find and correct has tests of its own, which need no kernel (tools/).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"

#define OUT "/tmp/programs.out"

DR_FIXTURE(programs)

/* Runs a program on the device; what it prints is in OUT. Returns its exit status. */
static int run(const char *program)
{
	char cmd[256];
	int status;

	snprintf(cmd, sizeof(cmd), "%s %s >" OUT " 2>&1", program, dr_dev());
	status = system(cmd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Whether it has printed this. */
static bool said(const char *text)
{
	char buf[65536];
	bool found = false;
	FILE *f = fopen(OUT, "r");

	while (f && fgets(buf, sizeof(buf), f))
		found = found || strstr(buf, text);
	if (f)
		fclose(f);
	return found;
}

/* Turns bits of a byte of the device, as it is when nobody has it mounted. */
static int damage(off_t at)
{
	int fd = open(dr_dev(), O_RDWR | O_CLOEXEC), r = -1;
	char c;

	if (fd < 0)
		return -1;
	if (pread(fd, &c, 1, at) == 1) {
		c ^= 0x41;
		if (pwrite(fd, &c, 1, at) == 1)
			r = fsync(fd);
	}
	close(fd);
	return r;
}

TEST_F(programs, a_mount_is_in_use)
{
	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 4, 1));
	EXPECT_EQ(1, run("mkfs.daxrmap"));
	EXPECT_TRUE(said("it is in use"));
	EXPECT_EQ(1, run("mkfs.daxrmap -f"));
	EXPECT_TRUE(said("it is in use"));
	EXPECT_EQ(8, run("fsck.daxrmap -y"));
	EXPECT_TRUE(said("it is in use"));
	EXPECT_EQ(0, run("fsck.daxrmap -n"));
	EXPECT_TRUE(said("it is in use"));
	EXPECT_TRUE(said(": clean: 2 inodes"));
	EXPECT_EQ(0, dr_verify("f", 0, 4, 1, 0));
}

/* The module writes past the page cache, through which the programs read. */
TEST_F(programs, what_they_see_is_new)
{
	char name[32], text[64];

	SKIP_ON_XFS();
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		ASSERT_EQ(0, dr_create(name, 1, 1));
		ASSERT_EQ(0, run("daxrmap dump --log"));
		EXPECT_TRUE(said(name));
		snprintf(text, sizeof(text), ": clean: %d inodes", i + 2);
		ASSERT_EQ(0, run("fsck.daxrmap -n"));
		EXPECT_TRUE(said(text));
	}
}

TEST_F(programs, nothing_is_wrong_after_an_umount)
{
	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, mkdir(dr_path("d"), 0755));
	ASSERT_EQ(0, dr_create("d/h", 2, 2));
	ASSERT_EQ(0, dr_poison("f", 3));
	ASSERT_EQ(0, dr_umount());
	EXPECT_EQ(0, run("fsck.daxrmap -n -v"));
	EXPECT_TRUE(said(": clean: 5 inodes"));
	EXPECT_TRUE(said("bad blocks       1"));
	EXPECT_EQ(1, run("mkfs.daxrmap"));
	EXPECT_TRUE(said("it holds a daxrmap filesystem"));
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_EQ(0, dr_verify("d/h", 0, 2, 2, 0));
}

/* A mount takes what was corrected. */
TEST_F(programs, corrected)
{
	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 4, 1));
	ASSERT_EQ(0, dr_umount());
	/* the first superblock, whichever of its places it is in */
	ASSERT_EQ(0, damage(100));
	ASSERT_EQ(0, damage(512 + 100));
	EXPECT_EQ(4, run("fsck.daxrmap"));
	EXPECT_TRUE(said("the first superblock (block 0) is damaged"));
	EXPECT_EQ(1, run("fsck.daxrmap -y"));
	EXPECT_EQ(0, run("fsck.daxrmap -n"));
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_EQ(0, dr_verify("f", 0, 4, 1, 0));
	EXPECT_EQ(0, dr_create("g", 4, 2));
}

TEST_HARNESS_MAIN
