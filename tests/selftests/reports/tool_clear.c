// SPDX-License-Identifier: GPL-2.0
/*
 * `daxrmap clear`: blocks return to use, and what is said of those that do not.
 * What the kernel does is tested in clear.c.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"
#include "common/module/tool.h"

#define STILL_BAD	"daxrmap: %s: still bad: "
#define OWNED		" owned by files (heal or remove these first, " \
			"daxrmap owners tells which)"
#define NOT_CLEARED	" not cleared by the driver, or not on its list"

DR_LISTING_FIXTURE(tool_clear, "XFS has no such thing")

/* A line for each fate. */
#define EXPECT_FATES(cleared, busy, refused) do {			\
	EXPECT_LINE("returned to use:  %d", cleared);			\
	EXPECT_LINE("owned by files:   %d", busy);			\
	EXPECT_LINE("not cleared:      %d", refused);			\
	EXPECT_LINE("failed the test:  0");				\
} while (0)

/* A number as an argument. */
static char *dec(char *text, long number)
{
	sprintf(text, "%ld", number);
	return text;
}

/* The driver lists a block of a file, which is removed then. */
TEST_F(tool_clear, returned_to_use)
{
	char at[32], text[512], *mnt = (char *)dr_mnt();
	long block;

	NEEDS_CLEARING();
	ASSERT_EQ(0, dr_create("f", 16, 1));
	block = dr_block("f", 4, NULL);
	ASSERT_LE(0, block);
	dec(at, block);
	snprintf(text, sizeof(text), "%s: block %ld is not bad", mnt, block);
	EXPECT_ERROR(text, "clear", mnt, at);
	ASSERT_EQ(0, dr_list_bad(block, 1));
	ASSERT_EQ(0, dr_notify(block * BLK, BLK));
	EXPECT_EQ(1, tool_run("clear", mnt, at));
	EXPECT_FATES(0, 1, 0);
	EXPECT_LINE(STILL_BAD "1" OWNED, mnt);
	EXPECT_EQ(5, tool_count_lines());
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	ASSERT_EQ(0, unlink(dr_path("f")));
	EXPECT_USED(1);

	EXPECT_EQ(0, tool_run("clear", mnt, at));
	EXPECT_FATES(1, 0, 0);
	EXPECT_EQ(4, tool_count_lines());
	EXPECT_EQ(0, dr_counter("blocks_bad"));
	EXPECT_EQ(1, dr_list_empty());
	EXPECT_USED(0);
	EXPECT_ERROR(text, "clear", mnt, at);
	EXPECT_EQ(0, tool_run("status", mnt));
	EXPECT_LINE("bad blocks:       0");
	EXPECT_LINE("returned to use:  1");
	EXPECT_EQ(0, tool_run("status", "--json", mnt));
	EXPECT_LINE("  \"cleared\": 1,");
}

/* The kernel was told of it (MADV_HWPOISON), the driver was not. */
TEST_F(tool_clear, reported_only)
{
	char at[32], *mnt = (char *)dr_mnt();

	ASSERT_EQ(0, dr_create("f", 16, 1));
	dec(at, dr_block("f", 4, NULL));
	ASSERT_EQ(0, dr_poison("f", 4));
	EXPECT_EQ(1, tool_run("clear", mnt, at));
	EXPECT_FATES(0, 1, 0);
	EXPECT_LINE(STILL_BAD "1" OWNED, mnt);
	ASSERT_EQ(0, dr_write_blocks("f", 4, 1, 1));
	EXPECT_EQ(1, tool_run("clear", mnt, at));
	EXPECT_FATES(0, 0, 1);
	EXPECT_LINE(STILL_BAD "1" NOT_CLEARED, mnt);
	EXPECT_EQ(5, tool_count_lines());
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	EXPECT_EQ(0, dr_counter("cleared"));
}

/* Of three blocks one returns. */
TEST_F(tool_clear, range)
{
	char at[32], total[32], *mnt = (char *)dr_mnt();
	long first, blocks = dr_counter("blocks_total");

	NEEDS_CLEARING();
	ASSERT_EQ(0, dr_create("f", 16, 1));
	first = dr_block("f", 4, NULL);
	ASSERT_EQ(first + 2, dr_block("f", 6, NULL));
	dec(at, first);
	/* listed and healed, listed and owned, healed only */
	ASSERT_EQ(0, dr_list_bad(first, 2));
	ASSERT_EQ(0, dr_notify(first * BLK, 3 * BLK));
	ASSERT_EQ(0, dr_write_blocks("f", 4, 1, 1));
	ASSERT_EQ(0, dr_write_blocks("f", 6, 1, 1));
	EXPECT_EQ(1, tool_run("clear", mnt, at, "0x3"));
	EXPECT_FATES(1, 1, 1);
	EXPECT_LINE(STILL_BAD "1" OWNED "; 1" NOT_CLEARED, mnt);
	EXPECT_EQ(5, tool_count_lines());
	EXPECT_EQ(2, dr_counter("blocks_bad"));
	EXPECT_EQ(1, tool_run("clear", "--json", mnt, "0", dec(total, blocks)));
	EXPECT_LINE("  \"block\": 0,");
	EXPECT_LINE("  \"count\": %ld,", blocks);
	EXPECT_LINE("  \"cleared\": 0,");
	EXPECT_LINE("  \"busy\": 1,");
	EXPECT_LINE("  \"refused\": 1,");
	EXPECT_LINE("  \"failed\": 0");
	EXPECT_LINE(STILL_BAD "1" OWNED "; 1" NOT_CLEARED, mnt);
}

TEST_F(tool_clear, errors)
{
	char at[32], text[512], *mnt = (char *)dr_mnt();
	long total = dr_counter("blocks_total");

	EXPECT_ERROR("/tmp: not a daxrmap filesystem", "clear", "/tmp", "1");
	EXPECT_EQ(1, tool_run_without(CAP_SYS_ADMIN, "clear", mnt, "1"));
	EXPECT_LINE("daxrmap: %s: Operation not permitted", mnt);
	EXPECT_EQ(2, tool_run("clear", mnt));
	EXPECT_EQ(2, tool_run("clear", mnt, "1", "0"));
	snprintf(text, sizeof(text), "%s: none of 3 blocks from 1 on is bad", mnt);
	EXPECT_ERROR(text, "clear", mnt, "1", "3");
	snprintf(text, sizeof(text), "%s: block %ld is not here: it has 0 to %ld",
		 mnt, total, total - 1);
	EXPECT_ERROR(text, "clear", mnt, dec(at, total));
	snprintf(text, sizeof(text),
		 "%s: 2 blocks from %ld on are not here: it has 0 to %ld", mnt,
		 total - 1, total - 1);
	EXPECT_ERROR(text, "clear", mnt, dec(at, total - 1), "2");
	ASSERT_EQ(0, mount(NULL, mnt, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	snprintf(text, sizeof(text), "%s: Read-only file system", mnt);
	EXPECT_ERROR(text, "clear", mnt, "1");
}

TEST_HARNESS_MAIN
