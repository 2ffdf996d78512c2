// SPDX-License-Identifier: GPL-2.0
/*
 * Failures by the thousand do not flood the log: of the lines about them 32 are
 * let through in each 5 s, it is said how many were not, and the counters
 * have all.
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/clock.h"

DR_FIXTURE(storm)

#define EVENTS	10000
#define BURST	32
#define SECONDS	5
/* A kernel that is slow with all its checks need not get through all of them. */
#define ENOUGH	1000
#define PATIENCE	15

TEST_F(storm, log_is_not_flooded)
{
	double from;
	long block, lines, most, seconds, n;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 1, 1));
	block = dr_block("f", 0, NULL);
	from = dr_now();
	for (n = 0; n < EVENTS; n++) {
		if (n >= ENOUGH && dr_now() - from >= PATIENCE)
			break;
		ASSERT_EQ(0, dr_notify(block * BLK, BLK));
	}
	seconds = dr_now() - from;
	EXPECT_EQ(n, dr_counter("notifies"));
	EXPECT_EQ(n, dr_counter("owners"));
	EXPECT_EQ(n, dr_counter("tree") + dr_counter("shortcut"));
	EXPECT_EQ(1, dr_counter("failed_blocks"));
	EXPECT_EQ(1, dr_counter("blocks_bad"));

	/* However long it took: so many intervals can have begun meanwhile. */
	most = BURST * ((seconds + 1) / SECONDS + 1);
	ASSERT_LT(most, n);
	lines = dr_log_count(self->fs.log_seq, " failed: ");
	EXPECT_LE(BURST, lines);
	EXPECT_GE(most, lines);
	TH_LOG("%ld events, %ld lines, %ld s", n, lines, seconds);

	/* The last ones are accounted for when the mount ends. */
	ASSERT_EQ(0, dr_umount());
	EXPECT_EQ(n - lines,
		  dr_log_sum(self->fs.log_seq, "failures: ", " callbacks suppressed"));
	/* Another mount begins anew. */
	ASSERT_EQ(0, dr_mount());
	ASSERT_EQ(0, dr_notify(block * BLK, BLK));
	EXPECT_EQ(lines + 1, dr_log_count(self->fs.log_seq, " failed: "));
}

TEST_HARNESS_MAIN
