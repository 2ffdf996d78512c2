// SPDX-License-Identifier: GPL-2.0
/*
 * The drivers' lists of bad blocks: an e820 device forgets its own, and the tool
 * puts it back; one that is longer than sysfs can show is whole all the same; and
 * where device-mapper hides whose they are, it says so. (What it does with a list of
 * which sysfs shows a part only, if no module is loaded, is tested without a kernel:
 * this one warns of that whenever it is read.)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/device/dm.h"
#include "common/device/driver.h"
#include "common/module/guard.h"
#include "common/module/log.h"
#include "common/module/tool.h"

#define LIST	"/sys/block/pmem0/badblocks"
#define STATE	"/tmp/state"
#define DM	"lists"
/* Of a list of ranges from this block on, a page of text has 455. */
#define HIGH	32768
#define RANGES	500

FIXTURE(lists) { char device[64]; };

FIXTURE_SETUP(lists)
{
	if (dr_xfs() || getenv("DAXRMAP_TEST_DEV"))
		SKIP(return, "is about an e820 device");
	ASSERT_EQ(0, dr_find_device(self->device, sizeof(self->device)));
	setenv("DAXRMAP_STATE", STATE, 1);
	(void)!system("rm -rf " STATE);
}

FIXTURE_TEARDOWN_PARENT(lists)
{
	if (!self->device[0])
		return;
	umount(dr_mnt());
	dr_dm_remove(DM);
	EXPECT_EQ(0, dr_rebind(self->device));
}

static int make_ext4(const char *dev)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "mkfs.ext4 -Fq -b 4096 -E lazy_itable_init=0 %s 64M >/dev/null", dev);
	mkdir(dr_mnt(), 0755);
	if (system(cmd))
		return -EIO;
	return mount(dev, dr_mnt(), "ext4", 0, "") ? dr_errno() : 0;
}

/* What the list is, in `text`. */
static int shown(char *text, size_t size)
{
	ssize_t n = dr_slurp(LIST, text, size);

	return n < 0 ? n : 0;
}

TEST_F(lists, saved_and_restored)
{
	char before[4096], after[4096];

	ASSERT_EQ(0, tool_run("guard", "save"));
	EXPECT_STREQ("", tool_out);
	ASSERT_EQ(0, dr_put(LIST, "4096 16"));
	ASSERT_EQ(0, dr_put(LIST, "8192 1"));
	ASSERT_EQ(0, shown(before, sizeof(before)));
	ASSERT_EQ(0, tool_run("guard", "save"));
	ASSERT_EQ(0, dr_rebind(self->device));
	ASSERT_EQ(1, dr_list_empty());
	/* One that comes before anybody has put the list back takes nothing away. */
	ASSERT_EQ(0, tool_run("guard", "save"));
	ASSERT_EQ(0, tool_run("guard", "restore"));
	EXPECT_STREQ("", tool_out);
	ASSERT_EQ(0, shown(after, sizeof(after)));
	EXPECT_STREQ(before, after);
	/* What is there already does no harm. */
	ASSERT_EQ(0, dr_rebind(self->device));
	ASSERT_EQ(0, dr_put(LIST, "4096 8"));
	ASSERT_EQ(0, tool_run("guard", "restore"));
	ASSERT_EQ(0, shown(after, sizeof(after)));
	EXPECT_STREQ(before, after);
}

TEST_F(lists, not_to_another_device)
{
	ASSERT_EQ(0, dr_put(LIST, "4096 16"));
	ASSERT_EQ(0, tool_run("guard", "save"));
	ASSERT_EQ(0, dr_rebind(self->device));
	ASSERT_EQ(0, system("sed -i 's/\"address\": [0-9]*/\"address\": 4096/' " STATE
			    "/guard.json"));
	EXPECT_EQ(1, tool_run("guard", "restore"));
	EXPECT_EQ(1, tool_count_lines());
	EXPECT_EQ(0, strncmp(tool_out, "daxrmap: pmem0: the device of this name", 39));
	EXPECT_EQ(1, dr_list_empty());
}

/* How many ranges the list has, as the module tells them; or -errno. */
static int count_ranges(void)
{
	struct daxrmap_guard_bad bad = { 0 };
	struct stat st;
	int n, r = 0;

	if (stat("/dev/pmem0", &st))
		return dr_errno();
	for (n = 0; !r; n += !r) {
		bad.major = major(st.st_rdev);
		bad.minor = minor(st.st_rdev);
		bad.index = n;
		r = dr_guard_ask(DAXRMAP_IOC_GUARD_BAD, &bad);
	}
	return r == -ENOENT ? n : r;
}

/* An ext4 of which all blocks have numbers with many digits on the disk. */
static int mount_high(bool make)
{
	char table[64];
	int r;

	snprintf(table, sizeof(table), "0 131072 linear /dev/pmem0 %d\n", HIGH * 8);
	r = dr_dm_make(DM, table);
	if (r)
		return r;
	if (make)
		return make_ext4(dr_dm_path(DM));
	return mount(dr_dm_path(DM), dr_mnt(), "ext4", 0, "") ? dr_errno() : 0;
}

/* The module tells all of the list; the kernel warns if it is read in sysfs. */
TEST_F(lists, longer_than_a_page_of_text)
{
	unsigned long long seq = dr_log_seq();
	char block[32], *mnt = (char *)dr_mnt();

	ASSERT_EQ(0, mount_high(true));
	ASSERT_EQ(0, dr_create("f", 2 * RANGES, 1));
	sync();
	for (int i = 0; i < RANGES; i++)
		ASSERT_EQ(0, dr_list_bad(HIGH + dr_block("f", 2 * i, NULL), 1));
	ASSERT_EQ(RANGES, count_ranges());
	ASSERT_EQ(0, tool_run("lost", mnt));
	EXPECT_EQ(RANGES, tool_count_lines());
	for (int i = 0; i < RANGES; i++)
		EXPECT_LINE("%s/f: offset %lu, length 4096, block %ld, owners 1", mnt, 2 * i * BLK,
			    dr_block("f", 2 * i, NULL));
	snprintf(block, sizeof(block), "%ld", dr_block("f", 2 * RANGES - 2, NULL));
	ASSERT_EQ(0, tool_run("owners", "--json", mnt, block));
	EXPECT_LINE("  \"bad\": true,");
	ASSERT_EQ(0, tool_run("guard", "save"));
	EXPECT_STREQ("", tool_out);
	/* All of it is put back, and still there when it is written down anew. */
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_dm_remove(DM));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, dr_rebind(self->device));
		ASSERT_EQ(0, count_ranges());
		ASSERT_EQ(0, tool_run("guard", "restore"));
		ASSERT_EQ(RANGES, count_ranges());
		ASSERT_EQ(0, tool_run("guard", "save"));
	}
	ASSERT_EQ(0, tool_run("guard", "status"));
	ASSERT_EQ(0, mount_high(false));
	ASSERT_EQ(0, tool_run("lost", mnt));
	EXPECT_EQ(RANGES, tool_count_lines());
	ASSERT_EQ(0, dr_umount());
	EXPECT_EQ(0, dr_log_count(seq, "WARNING:"));
	EXPECT_EQ(0, dr_log_count(seq, "bad count"));
}

TEST_F(lists, a_target_that_leads_nowhere)
{
	char dev[64], text[256], *mnt = (char *)dr_mnt();

	ASSERT_EQ(0, dr_dm_make(DM, "0 262144 linear /dev/pmem0 0\n"
				"262144 8 error\n262152 8 error\n"));
	snprintf(dev, sizeof(dev), "%s", dr_dm_path(DM));
	ASSERT_EQ(0, make_ext4(dev));
	snprintf(text, sizeof(text),
		 "%s: cannot tell which bytes of it are where below: its device-mapper target "
		 "\"error\" is neither linear nor striped", strrchr(dev, '/') + 1);
	EXPECT_ERROR(text, "lost", mnt);
	EXPECT_ERROR(text, "owners", mnt, "1");
	EXPECT_EQ(0, dr_umount());
	EXPECT_EQ(0, dr_dm_remove(DM));
}

TEST_HARNESS_MAIN
