// SPDX-License-Identifier: GPL-2.0
/*
 * `daxrmap guard`: what it tells the module, what it refuses, and the device of
 * device-mapper that it makes over an XFS, in place.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/device/dm.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/module/tool.h"

#define STATE	"/tmp/state"
#define WRAP	"/dev/mapper/pmem0-guard"
#define NO_DAX	"an XFS is on it, which wants to be the holder itself, and would be mounted without DAX: " \
	"have it watched (`daxrmap guard on`), or wrap it (`daxrmap guard wrap`)"

/* Each test makes what it wants on clean devices; what it leaves is taken away. */
FIXTURE(guard_tool) { struct dr_stacked state; };

static const struct dr_stack ext4 = { "ext4", ON_PMEM, NULL };
static const struct dr_stack xfs = { "xfs", ON_PMEM, NULL };
static const struct dr_stack xfs_dm = { "xfs", ON_LINEAR, NULL };
static const struct dr_stack xfs_part = { "xfs", ON_PARTITION, "-m reflink=0" };

FIXTURE_SETUP(guard_tool)
{
	if (dr_xfs() || getenv("DAXRMAP_TEST_DEV"))
		SKIP(return, "makes its own filesystems, on two e820 devices");
	setenv("DAXRMAP_STATE", STATE, 1);
	(void)!system("rm -rf " STATE);
	ASSERT_EQ(0, dr_stack_up(&ext4, &self->state));
	ASSERT_EQ(0, dr_umount());
}

FIXTURE_TEARDOWN_PARENT(guard_tool)
{
	if (dr_xfs() || getenv("DAXRMAP_TEST_DEV"))
		return;
	umount(dr_mnt());
	dr_dm_remove("pmem0-guard");
	EXPECT_EQ(0, dr_stack_down(&ext4, &self->state));
}

static unsigned int flags_of(const char *dev)
{
	struct daxrmap_guard_device d;

	return dr_guard_device(dev, &d) ? ~0U : d.flags;
}

TEST_F(guard_tool, watch)
{
	struct daxrmap_guard g;

	for (int on = 1; on >= 0; on--) {
		/* Twice is no matter. */
		for (int i = 0; i < 2; i++)
			ASSERT_EQ(0, tool_run("guard", on ? "on" : "off"));
		EXPECT_STREQ("", tool_out);
		ASSERT_EQ(0, dr_guard_status(&g));
		EXPECT_EQ(on, !!(g.flags & DAXRMAP_GUARD_WATCH));
		ASSERT_EQ(0, tool_run("guard", "status"));
		EXPECT_LINE("watch:            %s", on ? "on" : "off");
		EXPECT_LINE("device:           pmem0");
		EXPECT_LINE("device:           pmem1");
		ASSERT_EQ(0, tool_run("guard", "status", "--json"));
		EXPECT_LINE("  \"watch\": %s,", on ? "true" : "false");
	}
	EXPECT_EQ(1, tool_run_without(CAP_SYS_ADMIN, "guard", "on"));
	EXPECT_LINE("daxrmap: /dev/daxrmap: Operation not permitted");
}

/* What was heard and done is told. */
TEST_F(guard_tool, numbers)
{
	struct daxrmap_guard_device d;
	char line[64];

	ASSERT_EQ(0, dr_stack_mount(&ext4));
	ASSERT_EQ(0, dr_create("f", 4, 1));
	ASSERT_EQ(0, tool_run("guard", "on"));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f", 2)));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	ASSERT_LE(1, d.failed_pages);
	ASSERT_EQ(0, tool_run("guard", "status"));
	EXPECT_LINE("first pfn:        %#llx", (unsigned long long)d.first_pfn);
	ASSERT_EQ(0, tool_run("guard", "status", "--json"));
	EXPECT_LINE("      \"failed_pages\": %llu,", (unsigned long long)d.failed_pages);
	/* And who has lost something. */
	ASSERT_EQ(0, tool_run("lost", (char *)dr_mnt()));
	EXPECT_LINE("%s/f: offset 8192, length 4096, block %ld, owners 1", dr_mnt(),
		    dr_block("f", 2, NULL));
	EXPECT_EQ(1, tool_count_lines());
	/* It is written down, and is there again after the driver has forgotten it. */
	ASSERT_EQ(0, tool_run("guard", "save"));
	ASSERT_EQ(0, tool_run("guard", "off"));
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_pmem_unbind(PMEM0));
	ASSERT_EQ(0, dr_pmem_bind(PMEM0));
	ASSERT_EQ(0, tool_run("guard", "on"));
	EXPECT_STREQ("", tool_out);
	ASSERT_LT(0, dr_slurp("/sys/block/pmem0/badblocks", line, sizeof(line)));
	ASSERT_EQ(0, dr_stack_mount(&ext4));
	ASSERT_EQ(0, tool_run("lost", (char *)dr_mnt()));
	EXPECT_EQ(1, tool_count_lines());
}

TEST_F(guard_tool, hold)
{
	ASSERT_EQ(0, tool_run("guard", "hold", PMEM0));
	EXPECT_STREQ("", tool_out);
	EXPECT_EQ(DAXRMAP_GUARD_HELD, flags_of(PMEM0));
	EXPECT_EQ(0, flags_of(PMEM1));
	ASSERT_EQ(0, tool_run("guard", "status", "--json"));
	EXPECT_LINE("      \"held\": true,");
	EXPECT_ERROR(PMEM0 ": the guard holds it already", "guard", "hold", PMEM0);
	/* ext4 does not want it, and has DAX. */
	ASSERT_EQ(0, dr_stack_mount(&ext4));
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, tool_run("guard", "release", PMEM0));
	EXPECT_EQ(0, flags_of(PMEM0));
	EXPECT_ERROR(PMEM0 ": the guard does not hold it", "guard", "release", PMEM0);
	EXPECT_ERROR("/dev/null: not a block device", "guard", "hold", "/dev/null");
}

TEST_F(guard_tool, hold_refused)
{
	ASSERT_EQ(0, dr_stack_up(&xfs, &self->state));
	EXPECT_ERROR("pmem0: " NO_DAX, "guard", "hold", PMEM0);
	EXPECT_ERROR(PMEM0 ": a filesystem that is mounted on it holds it itself (XFS and daxrmap do): "
		     "`daxrmap guard on` watches it all the same", "guard", "hold", "--force", PMEM0);
	ASSERT_EQ(0, dr_umount());
	EXPECT_ERROR("pmem0: " NO_DAX, "guard", "hold", PMEM0);
	EXPECT_EQ(0, flags_of(PMEM0));
	ASSERT_EQ(0, tool_run("guard", "status"));
	EXPECT_LINE("advice:           XFS is on pmem0 itself, where it can deadlock when pages fail: "
		    "daxrmap guard wrap /dev/pmem0");
	/* On a partition it is on the device as well. */
	ASSERT_EQ(0, dr_stack_up(&xfs_part, &self->state));
	EXPECT_ERROR("pmem0p1: " NO_DAX, "guard", "hold", PMEM0);
	EXPECT_ERROR(PMEM0 "p1: a partition has no holder of its own: hold /dev/pmem0", "guard",
		     "hold", PMEM0 "p1");
	ASSERT_EQ(0, dr_umount());
	/* On device-mapper it is not. */
	ASSERT_EQ(0, dr_stack_up(&xfs_dm, &self->state));
	ASSERT_EQ(0, tool_run("guard", "hold", PMEM0));
	ASSERT_EQ(0, tool_run("guard", "release", PMEM0));
	ASSERT_EQ(0, dr_stack_down(&xfs_dm, &self->state));
	/* Ours needs no guard; and nothing is what may become an XFS. */
	ASSERT_EQ(0, dr_mkfs(PMEM0));
	EXPECT_ERROR("pmem0: a daxrmap filesystem is on it, which needs no guard", "guard", "hold",
		     PMEM0);
	ASSERT_EQ(0, system("for i in 0 511; do dd if=/dev/zero of=" PMEM0 " bs=1M count=1 seek=$i 2>/dev/null || exit 1; done"));
	EXPECT_ERROR("pmem0: there is nothing on it: make a filesystem first, or --force, if it will "
		     "not be an XFS", "guard", "hold", PMEM0);
	ASSERT_EQ(0, tool_run("guard", "hold", PMEM0, "--force"));
	EXPECT_EQ(DAXRMAP_GUARD_HELD, flags_of(PMEM0));
	ASSERT_EQ(0, tool_run("guard", "release", PMEM0));
}

static int mount_wrap(void)
{
	return mount(WRAP, dr_mnt(), "xfs", 0, "dax=always") ? dr_errno() : 0;
}

TEST_F(guard_tool, wrap)
{
	long sectors = dr_sectors(PMEM0);
	char *dev = PMEM0;
	struct stat st;

	if (system("command -v dmsetup >/dev/null")) {
		EXPECT_EQ(1, tool_run("guard", "wrap", "--yes", dev));
		SKIP(return, "a guest without dmsetup");
	}
	ASSERT_NE(0, access(WRAP, F_OK));
	EXPECT_ERROR(PMEM0 ": ext4 is on it, and no XFS", "guard", "wrap", "--yes", dev);
	ASSERT_EQ(0, dr_stack_up(&xfs, &self->state));
	ASSERT_EQ(0, dr_create("f", 4, 1));
	EXPECT_ERROR(PMEM0 ": it is mounted on /mnt: unmount it first", "guard", "wrap", "--yes", dev);
	ASSERT_EQ(0, dr_umount());
	EXPECT_ERROR("a/b: not a name for a device: letters, digits and #+-.:=@_ only, 127 at most",
		     "guard", "wrap", "--yes", "--name", "a/b", dev);
	/* Nobody is there to be asked. */
	ASSERT_EQ(0, stat(dev, &st));
	EXPECT_EQ(1, tool_run("guard", "wrap", dev));
	EXPECT_LINE("    dmsetup create pmem0-guard --table '0 %ld linear %u:%u 0'", sectors,
		    major(st.st_rdev), minor(st.st_rdev));
	EXPECT_LINE("daxrmap: there is nobody to ask: say --yes");
	ASSERT_NE(0, access(WRAP, F_OK));

	ASSERT_EQ(0, tool_run("guard", "wrap", "--yes", dev));
	EXPECT_LINE("    mount -t xfs -o dax=always " WRAP " MNT");
	EXPECT_LINE("    daxrmap guard hold /dev/pmem0");
	/* All of it is there, and the device below is free. */
	ASSERT_EQ(0, mount_wrap());
	EXPECT_EQ(0, dr_verify("f", 0, 4, 1, 0));
	ASSERT_EQ(0, tool_run("guard", "hold", dev));
	EXPECT_EQ(DAXRMAP_GUARD_HELD, flags_of(PMEM0));
	ASSERT_EQ(0, tool_run("guard", "status"));
	EXPECT_EQ(NULL, strstr(tool_out, "advice:"));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f", 2)));
	ASSERT_EQ(0, tool_run("lost", (char *)dr_mnt()));
	EXPECT_LINE("%s/f: offset 8192, length 4096, block %ld, owners 1", dr_mnt(),
		    dr_block("f", 2, NULL));
	EXPECT_ERROR(WRAP ": there is such a device already; take another --name", "guard", "wrap",
		     "--yes", dev);
	EXPECT_ERROR(PMEM0 ": dm-0 is on it already", "guard", "wrap", "--yes", "--name", "x", dev);
	EXPECT_ERROR(WRAP ": it is mounted on /mnt: unmount it first", "guard", "unwrap", dev);
	ASSERT_EQ(0, dr_umount());
	/* After a boot it is made again. */
	ASSERT_EQ(0, system("dmsetup remove --verifyudev pmem0-guard"));
	ASSERT_NE(0, access(WRAP, F_OK));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, tool_run("guard", "wrap", "--all"));
	ASSERT_EQ(0, mount_wrap());
	EXPECT_EQ(0, dr_verify("f", 0, 2, 1, 0));
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, tool_run("guard", "unwrap", "pmem0-guard"));
	ASSERT_NE(0, access(WRAP, F_OK));
	EXPECT_ERROR(PMEM0 ": nothing is written down that was made over it, or is called so", "guard",
		     "unwrap", dev);
	ASSERT_EQ(0, tool_run("guard", "wrap", "--all"));
	ASSERT_NE(0, access(WRAP, F_OK));
	ASSERT_EQ(0, tool_run("guard", "release", dev));
	/* It is as it was. */
	ASSERT_EQ(0, dr_stack_mount(&xfs));
	EXPECT_EQ(0, dr_verify("f", 0, 2, 1, 0));
	ASSERT_EQ(0, dr_umount());
}

TEST_HARNESS_MAIN
