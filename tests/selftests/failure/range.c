// SPDX-License-Identifier: GPL-2.0
/*
 * Notifications of many pages at once, through the door that a driver uses:
 * over several extents and owners, clamped to the device, or outside of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(range)

#define RW	(PROT_READ | PROT_WRITE)

static int bad_bytes(const char *name, unsigned long from, unsigned long to)
{
	unsigned char byte;
	int n = 0;

	for (unsigned long i = from; i < to; i++)
		n += dr_read1(name, i, &byte) == -EIO;
	return n;
}

static const struct dr_owner *owner(const struct dr_failure *f, const char *name)
{
	for (int i = 0; i < f->lines; i++)
		if (f->o[i].ino == (unsigned long)dr_ino(name))
			return &f->o[i];
	return NULL;
}

/*
 * Blocks B..B+30 hold a (10), b (10), c (10), of which d shares the middle
 * of b at another offset. The range is the last 5 of a to the first 5 of c.
 */
TEST_F(range, several_extents_and_owners)
{
	const struct dr_owner *o;
	struct peer pa, pb, pc, pd;
	struct dr_failure f;
	struct dr_sig s[8];
	long block;
	int n;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("all", 30, 1));
	block = dr_block("all", 0, NULL);
	ASSERT_EQ(block + 29, dr_block("all", 29, NULL));
	ASSERT_EQ(0, dr_clone_range("all", 0, 10 * BLK, "a", 0));
	ASSERT_EQ(0, dr_clone_range("all", 10 * BLK, 10 * BLK, "b", 0));
	ASSERT_EQ(0, dr_clone_range("all", 20 * BLK, 10 * BLK, "c", 0));
	ASSERT_EQ(0, unlink(dr_path("all")));
	ASSERT_EQ(0, dr_clone_range("b", 3 * BLK, 4 * BLK, "d", 100 * BLK));
	ASSERT_EQ(0, peer_open(&pa, true, "a", 10 * BLK, 7));
	ASSERT_EQ(0, peer_open(&pb, true, "b", 10 * BLK, 0));
	ASSERT_EQ(0, peer_open(&pc, true, "c", 10 * BLK, 9));	/* outside */
	ASSERT_EQ(0, peer_open(&pd, true, "d", 104 * BLK, 102));

	ASSERT_EQ(0, dr_notify((block + 5) * BLK, 20 * BLK));
	EXPECT_EARLY(&pa, pa.base + 7 * BLK);
	EXPECT_EARLY(&pb, pb.base);
	EXPECT_EARLY(&pd, pd.base + 102 * BLK);
	EXPECT_EQ(0, peer_signals(&pc, s, 8));
	EXPECT_EQ(0, bad_bytes("a", 0, 5));
	EXPECT_EQ(5, bad_bytes("a", 5, 10));
	EXPECT_EQ(10, bad_bytes("b", 0, 10));
	EXPECT_EQ(5, bad_bytes("c", 0, 5));
	EXPECT_EQ(0, bad_bytes("c", 5, 10));
	EXPECT_EQ(4, bad_bytes("d", 100, 104));
	for (n = 0; n < 10; n++) {
		EXPECT_POISON(peer_load(&pb, n * BLK), pb.base + n * BLK);
		if (n < 5) {
			EXPECT_BYTE(peer_load(&pa, n * BLK), dr_byte(1, n));
			EXPECT_POISON(peer_load(&pc, n * BLK), pc.base + n * BLK);
		} else {
			EXPECT_POISON(peer_load(&pa, n * BLK), pa.base + n * BLK);
			EXPECT_BYTE(peer_load(&pc, n * BLK), dr_byte(1, 20 + n));
		}
	}
	peer_stop(&pa);
	peer_stop(&pb);
	peer_stop(&pc);
	peer_stop(&pd);

	EXPECT_EQ(20, dr_counter("blocks_bad"));
	EXPECT_EQ(1, dr_counter("notifies"));
	EXPECT_EQ(20, dr_counter("failed_blocks"));
	ASSERT_EQ(0, dr_last_failure(&f));
	EXPECT_EQ(block + 5, f.block);
	EXPECT_EQ(20, f.count);
	EXPECT_STREQ("tree", f.via);
	/* Each owner with the part that is his. */
	ASSERT_NE(NULL, o = owner(&f, "a"));
	EXPECT_EQ(5, o->pgoff);
	EXPECT_EQ(5, o->count);
	ASSERT_NE(NULL, o = owner(&f, "c"));
	EXPECT_EQ(0, o->pgoff);
	EXPECT_EQ(5, o->count);
	ASSERT_NE(NULL, o = owner(&f, "d"));
	EXPECT_EQ(100, o->pgoff);
	EXPECT_EQ(4, o->count);
	n = 0;
	for (int i = 0; i < f.lines; i++)
		if (f.o[i].ino == (unsigned long)dr_ino("b"))
			n += f.o[i].count;
	EXPECT_EQ(10, n);	/* in one piece, or cut where d begins and ends */
}

/* Several pages of one process: a signal for one of them at least. */
TEST_F(range, many_pages_of_one_mapping)
{
	struct peer p;
	struct dr_sig s[8];
	long block;
	int n;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 64, 1));
	block = dr_block("f", 0, NULL);
	ASSERT_EQ(0, peer_open(&p, true, "f", 64 * BLK, 0));
	for (int i = 0; i < 64; i++)
		ASSERT_EQ(0, peer_load(&p, i * BLK).sig.signo);
	ASSERT_EQ(0, dr_notify((block + 16) * BLK, 32 * BLK));
	n = peer_signals(&p, s, 8);
	EXPECT_GE(n, 1);
	for (int i = 0; i < n && i < 8; i++) {
		EXPECT_EQ(BUS_MCEERR_AO, s[i].code);
		EXPECT_EQ(12, s[i].lsb);
		EXPECT_EQ(0, (unsigned long)s[i].addr % BLK);
		EXPECT_GE(s[i].addr, p.base + 16 * BLK);
		EXPECT_LT(s[i].addr, p.base + 48 * BLK);
	}
	for (int i = 0; i < 64; i++) {
		struct dr_touch t = peer_load(&p, i * BLK);

		if (i >= 16 && i < 48)
			EXPECT_POISON(t, p.base + i * BLK);
		else
			EXPECT_BYTE(t, dr_byte(1, i));
	}
	peer_stop(&p);
}

/* Bytes, not blocks: a block is bad as soon as one of its bytes is. */
TEST_F(range, bytes_within_a_block)
{
	long block;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 8, 1));
	block = dr_block("f", 0, NULL);
	ASSERT_EQ(0, dr_notify((block + 2) * BLK + 512, 512));
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	EXPECT_EQ(1, bad_bytes("f", 2, 3));
	ASSERT_EQ(0, dr_notify((block + 5) * BLK - 64, 128));
	EXPECT_EQ(3, dr_counter("blocks_bad"));
	EXPECT_EQ(2, bad_bytes("f", 4, 6));
	EXPECT_EQ(3, bad_bytes("f", 0, 8));
}

TEST_F(range, holes_and_free_blocks_in_it)
{
	struct dr_failure f;
	long block;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 64, 1));
	block = dr_block("f", 0, NULL);
	ASSERT_EQ(0, truncate(dr_path("f"), 8 * BLK));
	/* 4 owned, and 28 that are free */
	ASSERT_EQ(0, dr_notify((block + 4) * BLK, 32 * BLK));
	EXPECT_EQ(32, dr_counter("blocks_bad"));
	EXPECT_USED(8 + 28);
	ASSERT_EQ(0, dr_last_failure(&f));
	EXPECT_EQ(1, f.owners);
	EXPECT_EQ(4, f.o[0].count);
	ASSERT_EQ(0, unlink(dr_path("f")));
	EXPECT_USED(32);
	EXPECT_EQ(0, dr_check());
}

TEST_F(range, at_the_device_end)
{
	unsigned long size = dr_counter("blocks_total") * BLK;
	struct dr_failure f;

	SKIP_ON_XFS();
	/* begins inside, ends outside: clamped */
	ASSERT_EQ(0, dr_notify(size - 2 * BLK, 100 * BLK));
	ASSERT_EQ(0, dr_last_failure(&f));
	EXPECT_EQ(size / BLK - 2, f.block);
	EXPECT_EQ(2, f.count);
	EXPECT_EQ(2, dr_counter("blocks_bad"));
	EXPECT_EQ(0, dr_notify(size - 5 * BLK, ~0UL));
	EXPECT_EQ(5, dr_counter("blocks_bad"));
	/* all of it outside */
	EXPECT_EQ(-ENXIO, dr_notify(size, BLK));
	EXPECT_EQ(-ENXIO, dr_notify(size + (1UL << 40), BLK));
	EXPECT_EQ(-ENXIO, dr_notify(~0UL - BLK, BLK));
	EXPECT_EQ(5, dr_counter("blocks_bad"));
	/* a superblock, which was not free; the log has moved, and left the rest */
	EXPECT_USED(4);
	EXPECT_EQ(1, dr_log_count(self->fs.log_seq, "metadata log was on bad blocks"));
	EXPECT_EQ(0, dr_create("f", 100, 1));
	EXPECT_EQ(0, dr_verify("f", 0, 100, 1, 0));
}

/* More owners than one batch may hold: nobody is forgotten. */
TEST_F(range, thousand_owners)
{
	struct dr_failure f;
	long block;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 1, 1));
	for (int i = 1; i < 1024; i *= 2)
		ASSERT_EQ(0, dr_clone_range("f", 0, i * BLK, "f", i * BLK));
	EXPECT_USED(1);
	block = dr_block("f", 0, NULL);
	ASSERT_EQ(0, dr_notify(block * BLK, BLK));
	dr_last_failure(&f);	/* shows as many as it likes */
	EXPECT_EQ(1024, f.owners);
	EXPECT_EQ(1024, dr_counter("owners"));
	EXPECT_EQ(1024, bad_bytes("f", 0, 1024));
}

TEST_HARNESS_MAIN
