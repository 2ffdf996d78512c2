// SPDX-License-Identifier: GPL-2.0
/* Pages that failed while the guard watched, and what makes them good again. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/processes/party.h"

#define RW	(PROT_READ | PROT_WRITE)
#define BLOCKS	16

DR_STACK_FIXTURE(guard_heal)
DR_STACK(guard_heal, ext4, "ext4", ON_PMEM);
DR_STACK(guard_heal, xfs, "xfs", ON_PMEM);
DR_STACK(guard_heal, xfs_pieces, "xfs", ON_PIECES);

/* All that are mapped see the new data, and are told when the page fails once more. */
TEST_F(guard_heal, by_write)
{
	struct peer early, late;

	NEEDS_CLEARING();
	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, party_open(&early, 1, true, 1, BLOCKS));
	ASSERT_EQ(0, party_open(&late, 1, false, 1, BLOCKS));
	ASSERT_EQ(0, dr_guard_watch(1));
	/* Twice: a third time is too much for XFS (tests/kernel-faults/xfs-poison-deadlock.c). */
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(1, party_loads(&early, 1, 5, dr_byte(1 + i, 5)));
		ASSERT_EQ(1, party_loads(&late, 1, 5, dr_byte(1 + i, 5)));
		ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f0", 5)));
		EXPECT_EQ(1, party_told_early(&early, 1, 5, 12));
		EXPECT_EQ(1, party_told_late(&late, 1, 5));
		EXPECT_NO_PART("f0", 5);
		ASSERT_EQ(0, dr_write_blocks("f0", 5, 1, 2 + i));
		EXPECT_EQ(0, dr_verify("f0", 5, 1, 2 + i, 5));
		EXPECT_EQ(1, party_loads(&early, 1, 5, dr_byte(2 + i, 5)));
		EXPECT_EQ(1, party_loads(&late, 1, 5, dr_byte(2 + i, 5)));
		EXPECT_EQ(1, party_quiet(&early, 1));
		EXPECT_EQ(1, party_quiet(&late, 1));
	}
	EXPECT_EQ(0, dr_verify("f0", 0, 5, 1, 0));
	EXPECT_EQ(0, dr_verify("f0", 6, 10, 1, 6));
	peer_stop(&early);
	peer_stop(&late);
}

TEST_F(guard_heal, by_hole_and_truncate)
{
	struct peer p;

	NEEDS_CLEARING();
	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, party_open(&p, 1, false, 1, BLOCKS));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f0", 3)));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f0", 12)));
	ASSERT_EQ(0, dr_fallocate("f0", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 3 * BLK, BLK));
	ASSERT_EQ(0, truncate(dr_path("f0"), 8 * BLK));
	ASSERT_EQ(0, truncate(dr_path("f0"), BLOCKS * BLK));
	EXPECT_EQ(0, dr_verify_zero("f0", 3 * BLK, BLK));
	EXPECT_EQ(0, dr_verify_zero("f0", 8 * BLK, 8 * BLK));
	EXPECT_BYTE(peer_load(&p, 3 * BLK), 0);
	EXPECT_BYTE(peer_load(&p, 12 * BLK), 0);
	EXPECT_EQ(0, dr_verify("f0", 0, 3, 1, 0));
	EXPECT_EQ(0, dr_verify("f0", 4, 4, 1, 4));
	peer_stop(&p);
}

/* Watch on or off: what was lost stays so, and a mount does not bring it back. */
TEST_F(guard_heal, not_by_itself)
{
	unsigned char byte;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f0", 3)));
	ASSERT_EQ(0, dr_guard_watch(0));
	EXPECT_EQ(-EIO, dr_read1("f0", 3, &byte));
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_stack_mount(&variant->stack));
	EXPECT_EQ(-EIO, dr_read1("f0", 3, &byte));
	ASSERT_EQ(0, dr_guard_watch(1));
	EXPECT_EQ(-EIO, dr_read1("f0", 3, &byte));
	EXPECT_EQ(0, dr_verify("f0", 4, 12, 1, 4));
}

TEST_HARNESS_MAIN
