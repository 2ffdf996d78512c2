// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's list of bad blocks has room for 512 ranges. When it is full, nothing is lost in
 * silence: neighbours are joined, or it is said which pages are not on the list.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/dm.h"
#include "common/device/driver.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/processes/party.h"

#define RW	(PROT_READ | PROT_WRITE)
#define RANGES	512
#define BLOCKS	64
#define PEERS	4

DR_STACK_FIXTURE(guard_list)
DR_STACK(guard_list, ext4, "ext4", ON_PMEM);
DR_STACK(guard_list, xfs_linear, "xfs", ON_LINEAR);

/*
 * Whether a page of the device is on the driver's list: it refuses to read it. (What sysfs
 * shows of a list of that length is not all of it, and a warning comes with it.)
 */
static bool on_list(unsigned long page)
{
	char *buf = aligned_alloc(BLK, BLK);
	int fd = open(PMEM0, O_RDONLY | O_DIRECT | O_CLOEXEC);
	bool bad = pread(fd, buf, BLK, page * BLK) < 0 && errno == EIO;

	close(fd);
	free(buf);
	return bad;
}

/*
 * All but `left` of the ranges are taken, each a page, every `step` pages: of a file that is there for
 * that, or behind the dm device.
 */
static int fill(const struct dr_stack *s, int left, int step)
{
	unsigned long behind = dr_sectors(PMEM0) / 8 - step * RANGES;
	int r = dr_stack_dm(s) ? 0 : dr_fallocate("filler", 0, 0, (long)step * RANGES * BLK);

	for (int i = 0; i < RANGES - left && !r; i++)
		r = dr_list_bad(dr_stack_dm(s) ? (long)behind + step * i :
						 dr_block("filler", (long)step * i, NULL), 1);
	return r;
}

/* As many pages fail as there is room, and then more: ranges that are near each other become one. */
TEST_F(guard_list, full)
{
	struct daxrmap_guard_device before, d;
	unsigned long base = dr_pfn_of_block(0);
	struct peer late[PEERS], early[PEERS];
	unsigned char byte;
	long pfn;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, fill(&variant->stack, 2, 2));
	EXPECT_FALSE(on_list(dr_pfn_in_file("f0", 1) - base));
	ASSERT_EQ(0, party_open(late, PEERS, false, 1, BLOCKS));
	ASSERT_EQ(0, party_open(early, PEERS, true, 1, BLOCKS));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &before));
	for (int page = 1; page < BLOCKS; page += 8) {
		ASSERT_EQ(PEERS, party_loads(late, PEERS, page, dr_byte(1, page)));
		ASSERT_EQ(PEERS, party_loads(early, PEERS, page, dr_byte(1, page)));
		pfn = dr_pfn_in_file("f0", page);
		ASSERT_EQ(0, dr_guard_poison(pfn));
		/* Whatever became of the list: who had it is told. */
		EXPECT_EQ(PEERS, party_told_early(early, PEERS, page, 12));
		EXPECT_TRUE(on_list(pfn - base));
		EXPECT_EQ(-EIO, dr_read1("f0", page, &byte));
		EXPECT_EQ(PEERS, party_told_late(late, PEERS, page));
		EXPECT_EQ(0, dr_guard_uncovered(PMEM0, pfn - base));
	}
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	EXPECT_EQ(before.uncovered, d.uncovered);
	printf("# of %d pages all are on the list; good pages joined to it: %llu\n", BLOCKS / 8,
	       (unsigned long long)(d.joined - before.joined));
	EXPECT_LT(before.joined, d.joined);
	EXPECT_LE(1, dr_log_count(self->state.log_seq, "list of bad blocks"));
	party_stop(late, PEERS);
	party_stop(early, PEERS);
}

/* No two ranges are near enough to become one: what there is no room for is told to be so. */
TEST_F(guard_list, full_of_far_ones)
{
	const int step = 80, wide = 5 * step;
	struct daxrmap_guard_device before, d;
	unsigned long base = dr_pfn_of_block(0);
	int covered = 0, uncovered = 0;
	struct peer early;
	long pfn;

	if (dr_stack_dm(&variant->stack))
		SKIP(return, "there is no room for so many behind the dm device");
	ASSERT_EQ(0, dr_create("f0", wide, 1));
	ASSERT_EQ(0, fill(&variant->stack, 2, step));
	ASSERT_EQ(0, party_open(&early, 1, true, 1, wide));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &before));
	for (int page = 1; page < wide; page += step) {
		ASSERT_EQ(1, party_loads(&early, 1, page, dr_byte(1, page)));
		pfn = dr_pfn_in_file("f0", page);
		ASSERT_EQ(0, dr_guard_poison(pfn));
		/* Whatever became of the list: who had it is told. */
		EXPECT_EQ(1, party_told_early(&early, 1, page, 12));
		covered += on_list(pfn - base);
		/* The driver gives it to whoever asks; so it is told that it is one. */
		uncovered += dr_guard_uncovered(PMEM0, pfn - base) == 1;
	}
	EXPECT_EQ(2, covered);
	EXPECT_EQ(3, uncovered);
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	EXPECT_EQ(before.uncovered + uncovered, d.uncovered);
	EXPECT_EQ(before.joined, d.joined);
	EXPECT_EQ(uncovered, dr_log_count(self->state.log_seq, "READS IT"));
	party_stop(&early, 1);
}

/* Adjacent pages take one range (two, where the file has two pieces), so there is room. */
TEST_F(guard_list, adjacent)
{
	struct daxrmap_guard_device before, d;
	unsigned char byte;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, fill(&variant->stack, 2, 2));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &before));
	for (int page = 8; page < 24; page++)
		ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f0", page)));
	for (int page = 8; page < 24; page++)
		EXPECT_EQ(-EIO, dr_read1("f0", page, &byte));
	EXPECT_EQ(0, dr_verify("f0", 0, 8, 1, 0));
	EXPECT_EQ(0, dr_verify("f0", 24, 8, 1, 24));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	EXPECT_EQ(before.joined, d.joined);
	EXPECT_EQ(before.uncovered, d.uncovered);
}

TEST_HARNESS_MAIN
