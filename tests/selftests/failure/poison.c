// SPDX-License-Identifier: GPL-2.0
/*
 * A page fails: every process that maps it through any file is told, whoever
 * comes later meets SIGBUS or EIO, and nobody else notices anything.
 *
 * What the kernel's mf_dax_kill_procs() sends: BUS_MCEERR_AR to the process
 * that injects by MADV_HWPOISON, BUS_MCEERR_AO to early-kill processes that
 * have the page mapped, nothing to others; those meet BUS_MCEERR_AR at their
 * next touch.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(poison)

#define RW	(PROT_READ | PROT_WRITE)
#define LEN	(16 * BLK)

/* The block of a file cannot be had in any way, and its neighbours can. */
static void nobody_reads(struct __test_metadata *_metadata, const char *name,
			 unsigned long blk, int seed, unsigned long pat)
{
	unsigned char byte;
	char *p;

	EXPECT_EQ(-EIO, dr_read1(name, blk, &byte));
	EXPECT_EQ(-EIO, dr_write_part(name, blk));
	p = dr_map(name, 0, (blk + 2) * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	EXPECT_POISON(dr_load(p + blk * BLK + 123), p + blk * BLK + 123);
	EXPECT_POISON(dr_store(p + blk * BLK + 7, 1), p + blk * BLK + 7);
	/* not even after a store that failed (trap 5) */
	EXPECT_POISON(dr_load(p + blk * BLK + 4095), p + blk * BLK + 4095);
	EXPECT_BYTE(dr_load(p + (blk + 1) * BLK), dr_byte(seed, pat + 1));
	if (blk)
		EXPECT_BYTE(dr_load(p + (blk - 1) * BLK), dr_byte(seed, pat - 1));
	munmap(p, (blk + 2) * BLK);
	if (blk)
		EXPECT_EQ(0, dr_verify(name, blk - 1, 1, seed, pat - 1));
	EXPECT_EQ(0, dr_verify(name, blk + 1, 1, seed, pat + 1));
}

/* A peer that was mapped all the time: its next touch says so. */
static void told_late(struct __test_metadata *_metadata, struct peer *p,
		      unsigned long blk)
{
	struct dr_sig s[4];

	EXPECT_EQ(0, peer_signals(p, s, 4));
	EXPECT_POISON(peer_load(p, blk * BLK + 5), p->base + blk * BLK + 5);
	EXPECT_POISON(peer_store(p, blk * BLK, 1), p->base + blk * BLK);
	EXPECT_EQ(0, peer_load(p, (blk + 1) * BLK).sig.signo);
}

TEST_F(poison, one_owner)
{
	struct peer map, early, other;
	struct dr_sig s[4];
	struct stat st;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	ASSERT_EQ(0, dr_create("g", 16, 2));
	ASSERT_EQ(0, peer_open(&map, false, "f", LEN, 4));
	ASSERT_EQ(0, peer_open(&early, true, "f", LEN, 4));
	ASSERT_EQ(0, peer_open(&other, true, "g", LEN, 4));
	ASSERT_EQ(0, dr_poison("f", 4));
	EXPECT_EARLY(&early, early.base + 4 * BLK);
	told_late(_metadata, &map, 4);
	told_late(_metadata, &early, 4);
	EXPECT_EQ(0, peer_signals(&other, s, 4));
	EXPECT_BYTE(peer_load(&other, 4 * BLK), dr_byte(2, 4));
	nobody_reads(_metadata, "f", 4, 1, 4);
	EXPECT_EQ(0, dr_verify("g", 0, 16, 2, 0));
	EXPECT_EQ(0, stat(dr_path("f"), &st));
	EXPECT_EQ(16 * BLK, st.st_size);
	peer_stop(&map);
	peer_stop(&early);
	peer_stop(&other);
}

/* Who injects by MADV_HWPOISON is told at once, as one who consumed it. */
TEST_F(poison, madvise)
{
	struct dr_sig s[4];
	struct peer p, q;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, peer_open(&p, false, "f", LEN, 4));
	ASSERT_EQ(0, peer_open(&q, true, "g", LEN, 4));
	ASSERT_EQ(0, peer_poison(&p, 4 * BLK));
	ASSERT_EQ(1, peer_signals(&p, s, 4));
	EXPECT_SIG(s[0], BUS_MCEERR_AR, p.base + 4 * BLK, 12);
	EXPECT_EARLY(&q, q.base + 4 * BLK);
	told_late(_metadata, &p, 4);
	told_late(_metadata, &q, 4);
	/* Where it is gone already there is nothing to inject into. */
	EXPECT_NE(0, peer_poison(&p, 4 * BLK));
	peer_stop(&p);
	peer_stop(&q);
	nobody_reads(_metadata, "f", 4, 1, 4);
	nobody_reads(_metadata, "g", 4, 1, 4);
}

FIXTURE(clones) { struct dr_fs fs; };
FIXTURE_VARIANT(clones) { int n; enum { LATE, PRCTL, SYSCTL } how; };
FIXTURE_VARIANT_ADD(clones, two_late) { 2, LATE };
FIXTURE_VARIANT_ADD(clones, two_prctl) { 2, PRCTL };
FIXTURE_VARIANT_ADD(clones, two_sysctl) { 2, SYSCTL };
FIXTURE_VARIANT_ADD(clones, three_late) { 3, LATE };
FIXTURE_VARIANT_ADD(clones, three_sysctl) { 3, SYSCTL };
/* From the 17th on the module walks the processes itself. */
FIXTURE_VARIANT_ADD(clones, fifteen_prctl) { 15, PRCTL };
FIXTURE_VARIANT_ADD(clones, sixteen_prctl) { 16, PRCTL };
FIXTURE_VARIANT_ADD(clones, seventeen_late) { 17, LATE };
FIXTURE_VARIANT_ADD(clones, seventeen_prctl) { 17, PRCTL };
FIXTURE_VARIANT_ADD(clones, seventeen_sysctl) { 17, SYSCTL };
FIXTURE_VARIANT_ADD(clones, sixty_four_late) { 64, LATE };
FIXTURE_VARIANT_ADD(clones, sixty_four_prctl) { 64, PRCTL };
FIXTURE_VARIANT_ADD(clones, sixty_four_sysctl) { 64, SYSCTL };
FIXTURE_SETUP(clones) { ASSERT_EQ(0, dr_setup(&self->fs)); }
FIXTURE_TEARDOWN_PARENT(clones) { EXPECT_EQ(0, dr_teardown(&self->fs)); }

/* n owners, each mapped by a process of its own, each told. */
TEST_F(clones, all_are_told)
{
	struct peer p[64], other;
	struct dr_failure f;
	struct dr_sig s[4];
	char name[16];
	long block;
	int n = variant->n;

	ASSERT_EQ(0, dr_create("0", 16, 1));
	ASSERT_EQ(0, dr_create("other", 16, 2));
	for (int i = 1; i < n; i++) {
		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, dr_clone("0", name));
	}
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, peer_open(&p[i], variant->how == PRCTL, name, LEN, 9));
	}
	ASSERT_EQ(0, peer_open(&other, variant->how == PRCTL, "other", LEN, 9));
	if (variant->how == SYSCTL)
		ASSERT_EQ(0, dr_early_kill(1));
	block = dr_block("0", 9, NULL);
	ASSERT_EQ(0, dr_poison("0", 9));
	for (int i = 0; i < n; i++) {
		if (variant->how != LATE)
			EXPECT_EARLY(&p[i], p[i].base + 9 * BLK);
		told_late(_metadata, &p[i], 9);
	}
	EXPECT_EQ(0, peer_signals(&other, s, 4));
	EXPECT_BYTE(peer_load(&other, 9 * BLK), dr_byte(2, 9));
	for (int i = 0; i < n; i++) {
		peer_stop(&p[i]);
		snprintf(name, sizeof(name), "%d", i);
		nobody_reads(_metadata, name, 9, 1, 9);
	}
	peer_stop(&other);
	EXPECT_EQ(0, dr_verify("other", 0, 16, 2, 0));
	if (dr_xfs())
		return;
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	ASSERT_EQ(0, dr_last_failure(&f));
	EXPECT_EQ(block, f.block);
	EXPECT_EQ(1, f.count);
	EXPECT_STREQ("tree", f.via);
	EXPECT_EQ(n, f.owners);
	EXPECT_EQ(n, f.lines);
	for (int i = 0; i < f.lines; i++) {
		EXPECT_EQ(9, f.o[i].pgoff);
		EXPECT_EQ(1, f.o[i].count);
		EXPECT_TRUE(f.o[i].incore);
		EXPECT_TRUE(f.o[i].mapped);
		EXPECT_STREQ("killed", f.o[i].what);
		EXPECT_EQ(0, f.o[i].err);
	}
	EXPECT_EQ(1, dr_log_count(self->fs.log_seq, " owners"));
}

/* Owners that hold the block at other offsets: the address is theirs. */
TEST_F(poison, other_offsets)
{
	/* name and page of block 6 of "a" in it: clone, clone of clone, ... */
	static const struct { const char *from; unsigned long soff, len;
		const char *to; unsigned long doff, at; } c[] = {
		{ "a", 0, 16, "b", 1, 7 },
		{ "b", 4, 8, "c", 20, 23 },
		{ "c", 23, 1, "d", 0, 0 },	/* part of the extent */
		{ "a", 6, 2, "a", 40, 40 },	/* the same file once more */
		{ "a", 6, 2, "e", 1000, 1000 },
	};
	struct peer p[5], twice;
	struct dr_failure f;
	struct dr_sig s[4];
	unsigned char byte;

	ASSERT_EQ(0, dr_create("a", 16, 1));
	for (int i = 0; i < 5; i++)
		ASSERT_EQ(0, dr_clone_range(c[i].from, c[i].soff * BLK,
					    c[i].len * BLK, c[i].to, c[i].doff * BLK));
	for (int i = 0; i < 5; i++)
		ASSERT_EQ(0, peer_open(&p[i], true, c[i].to, (c[i].at + 1) * BLK,
				       c[i].at));
	ASSERT_EQ(0, peer_open(&twice, false, "a", 42 * BLK, 6));
	ASSERT_EQ(0, peer_load(&twice, 40 * BLK).sig.signo);
	ASSERT_EQ(0, dr_poison("b", 7));
	for (int i = 0; i < 5; i++) {
		EXPECT_EARLY(&p[i], p[i].base + c[i].at * BLK);
		EXPECT_POISON(peer_load(&p[i], c[i].at * BLK),
			      p[i].base + c[i].at * BLK);
		EXPECT_EQ(-EIO, dr_read1(c[i].to, c[i].at, &byte));
		EXPECT_EQ(0, peer_stop(&p[i]));
	}
	/* Both places in "a", and only those. */
	EXPECT_EQ(0, peer_signals(&twice, s, 4));
	EXPECT_POISON(peer_load(&twice, 6 * BLK), twice.base + 6 * BLK);
	EXPECT_POISON(peer_load(&twice, 40 * BLK), twice.base + 40 * BLK);
	EXPECT_BYTE(peer_load(&twice, 41 * BLK), dr_byte(1, 7));
	EXPECT_BYTE(peer_load(&twice, 7 * BLK), dr_byte(1, 7));
	peer_stop(&twice);
	EXPECT_EQ(0, dr_verify("b", 8, 9, 1, 7));
	EXPECT_EQ(0, dr_verify("c", 20, 3, 1, 3));
	EXPECT_EQ(0, dr_verify("e", 1001, 1, 1, 7));
	if (dr_xfs())
		return;
	ASSERT_EQ(0, dr_last_failure(&f));
	EXPECT_EQ(6, f.owners);		/* a twice, b, c, d, e */
	for (int i = 0; i < 5; i++) {
		int found = 0;

		for (int k = 0; k < f.lines; k++)
			found += f.o[k].ino == (unsigned long)dr_ino(c[i].to) &&
				 f.o[k].pgoff == c[i].at && f.o[k].count == 1;
		EXPECT_EQ(1, found);
	}
}

/* Owners that no process maps; mapped later; opened later; not in core. */
TEST_F(poison, owners_that_nobody_maps)
{
	struct dr_failure f;
	struct peer late;
	unsigned char byte;
	long pfn;
	int fd;

	ASSERT_EQ(0, dr_create("mapped-later", 16, 1));
	ASSERT_EQ(0, dr_clone("mapped-later", "open"));
	ASSERT_EQ(0, dr_clone("mapped-later", "opened-later"));
	pfn = dr_pfn_of_block(dr_block("open", 3, NULL));
	ASSERT_GT(pfn, 0);
	dr_drop_caches();
	fd = dr_open("open", O_RDWR);
	ASSERT_EQ(0, peer_open(&late, true, "mapped-later", LEN, -1));
	ASSERT_EQ(0, dr_poison_pfn(pfn));
	EXPECT_EQ(-1, pread(fd, &byte, 1, 3 * BLK));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(1, pread(fd, &byte, 1, 4 * BLK));
	told_late(_metadata, &late, 3);
	nobody_reads(_metadata, "open", 3, 1, 3);
	nobody_reads(_metadata, "opened-later", 3, 1, 3);
	nobody_reads(_metadata, "mapped-later", 3, 1, 3);
	peer_stop(&late);
	close(fd);
	/* Forgotten and read again: bad all the same. */
	dr_drop_caches();
	nobody_reads(_metadata, "opened-later", 3, 1, 3);
	if (dr_xfs())
		return;
	ASSERT_EQ(0, dr_last_failure(&f));
	EXPECT_EQ(3, f.owners);
	for (int i = 0; i < f.lines; i++) {
		bool absent = f.o[i].ino == (unsigned long)dr_ino("opened-later");

		EXPECT_EQ(!absent, f.o[i].incore);
		EXPECT_EQ(f.o[i].ino == (unsigned long)dr_ino("mapped-later"),
			  f.o[i].mapped);
		EXPECT_EQ(0, f.o[i].err);
	}
	EXPECT_GT(dr_counter("late_faults"), 0);
	EXPECT_GT(dr_counter("late_io"), 0);
}

/* Nothing mapped, nothing open, one owner: hwpoison_inject by page frame. */
TEST_F(poison, corrupt_pfn_of_an_idle_file)
{
	struct dr_failure f;
	long pfn;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	pfn = dr_pfn_of_block(dr_block("f", 0, NULL));
	dr_drop_caches();
	ASSERT_EQ(0, dr_poison_pfn(pfn));
	nobody_reads(_metadata, "f", 0, 1, 0);
	if (dr_xfs())
		return;
	ASSERT_EQ(0, dr_last_failure(&f));
	EXPECT_STREQ("tree", f.via);	/* nothing mapped: folio->mapping is NULL */
	EXPECT_EQ(1, f.owners);
	EXPECT_EQ(dr_ino("f"), f.o[0].ino);
	EXPECT_FALSE(f.o[0].incore);
	EXPECT_FALSE(f.o[0].mapped);
}

TEST_F(poison, same_page_again)
{
	struct peer a, b;
	struct dr_sig s[4];
	long pfn, bad;

	ASSERT_EQ(0, dr_create("a", 16, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	ASSERT_EQ(0, peer_open(&a, true, "a", LEN, 2));
	ASSERT_EQ(0, peer_open(&b, true, "b", LEN, 2));
	pfn = dr_pfn_of_block(dr_block("a", 2, NULL));
	ASSERT_EQ(0, dr_poison_pfn(pfn));
	EXPECT_EARLY(&a, a.base + 2 * BLK);
	EXPECT_EARLY(&b, b.base + 2 * BLK);
	bad = dr_counter("blocks_bad");
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, dr_poison_pfn(pfn));
		/* Nobody has it mapped any more: nobody is told twice. */
		EXPECT_EQ(0, peer_signals(&a, s, 4));
		EXPECT_EQ(0, peer_signals(&b, s, 4));
	}
	EXPECT_EQ(bad, dr_counter("blocks_bad"));
	told_late(_metadata, &a, 2);
	told_late(_metadata, &b, 2);
	peer_stop(&a);
	peer_stop(&b);
	nobody_reads(_metadata, "b", 2, 1, 2);
	/* Its neighbour is a case of its own. */
	ASSERT_EQ(0, dr_poison_pfn(pfn + 2));
	nobody_reads(_metadata, "a", 4, 1, 4);
}

/* The shortcut: one owner, mapped; the tree need not be asked. */
TEST_F(poison, shortcut_and_tree)
{
	struct dr_failure f;
	struct peer p;
	long n;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 16, 1));
	ASSERT_EQ(0, peer_open(&p, true, "f", LEN, 5));
	n = dr_counter("shortcut");
	ASSERT_EQ(0, dr_poison("f", 5));
	EXPECT_EARLY(&p, p.base + 5 * BLK);
	EXPECT_EQ(n + 1, dr_counter("shortcut"));
	ASSERT_EQ(0, dr_last_failure(&f));
	EXPECT_STREQ("shortcut", f.via);
	EXPECT_EQ(1, f.owners);
	EXPECT_EQ(5, f.o[0].pgoff);
	EXPECT_STREQ("killed", f.o[0].what);
	n = dr_counter("tree");
	ASSERT_EQ(0, dr_clone_range("f", 8 * BLK, BLK, "g", 0));
	ASSERT_EQ(0, peer_load(&p, 8 * BLK).sig.signo);
	ASSERT_EQ(0, dr_poison("f", 8));
	EXPECT_EARLY(&p, p.base + 8 * BLK);
	EXPECT_EQ(n + 1, dr_counter("tree"));
	EXPECT_EQ(2, dr_counter("notifies"));
	peer_stop(&p);
}

TEST_HARNESS_MAIN
