// SPDX-License-Identifier: GPL-2.0
/*
 * The guard, and mappings of other kinds than a shared one of 4 KiB pages: huge, private,
 * synchronous, read-only, inherited, at other offsets; and who poisons his own page.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/processes/party.h"

#define RW	(PROT_READ | PROT_WRITE)
#define BLOCKS	16
#define LEN	(BLOCKS * BLK)
#define HUGE_BLOCKS	1024

DR_STACK_FIXTURE(guard_maps)
DR_STACK(guard_maps, ext4, "ext4", ON_PMEM);
DR_STACK(guard_maps, ext4_wide_stripes, "ext4", ON_WIDE_STRIPES);
DR_STACK(guard_maps, xfs, "xfs", ON_PMEM);
DR_STACK(guard_maps, xfs_linear, "xfs", ON_LINEAR);

/*
 * The signal says 2 MiB and an address there: the page's, where the guard holds the device. Where
 * it watches, the kernel's own signal comes first, and that has the huge page's on ext4 and on dm.
 * The page is bad, and the other 511 are not.
 */
static void huge(struct __test_metadata *_metadata, struct peer *early, struct peer *late,
		 unsigned long page, bool exact)
{
	struct dr_sig s[4];

	EXPECT_BYTE(peer_load(early, page * BLK), dr_byte(1, page));
	EXPECT_BYTE(peer_load(late, page * BLK), dr_byte(1, page));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f0", page)));
	ASSERT_EQ(1, peer_signals(early, s, 4));
	if (!exact && s[0].addr == early->base + page / 512 * HUGE_SIZE)
		s[0].addr = early->base + page * BLK;
	EXPECT_SIG(s[0], BUS_MCEERR_AO, early->base + page * BLK, 21);
	EXPECT_EQ(1, party_quiet(late, 1));
	EXPECT_EQ(1, party_told_at_touch(late, 1, page));
	for (unsigned long i = page - page % 512 + 5; i < page / 512 * 512 + 512; i += 8)
		if (i != page)
			EXPECT_BYTE(peer_load(late, i * BLK), dr_byte(1, i));
	EXPECT_BYTE(peer_load(late, (page - 1) * BLK), dr_byte(1, page - 1));
	EXPECT_BYTE(peer_load(late, (page + 1) * BLK), dr_byte(1, page + 1));
	EXPECT_EQ(1, party_told_at_touch(early, 1, page));
	EXPECT_EQ(1, party_quiet(early, 1));
}

TEST_F(guard_maps, huge)
{
	struct peer early, late;
	long faults;

	ASSERT_EQ(0, dr_create("f0", HUGE_BLOCKS, 1));
	ASSERT_EQ(0, party_open(&early, 1, true, 1, HUGE_BLOCKS));
	ASSERT_EQ(0, party_open(&late, 1, false, 1, HUGE_BLOCKS));
	/* Two faults are all it takes: so they are huge. */
	ASSERT_EQ(0, peer_passes_start(&late, 1, 1));
	ASSERT_EQ(0, peer_passes_end(&late, &faults));
	ASSERT_GE(8, faults);
	ASSERT_EQ(0, dr_guard_watch(1));
	huge(_metadata, &early, &late, 77, false);
	ASSERT_EQ(0, dr_guard_watch(0));
	if (dr_stack_holdable(&variant->stack)) {
		ASSERT_EQ(0, dr_stack_hold(&variant->stack));
		huge(_metadata, &early, &late, 600, true);
	}
	EXPECT_BYTE(peer_store(&early, 78 * BLK, 5), 5);
	EXPECT_BYTE(peer_load(&late, 78 * BLK), 5);
	peer_stop(&early);
	peer_stop(&late);
}

/* A private page that was copied is the process's own; else it is lost. */
TEST_F(guard_maps, private)
{
	struct peer copied, not_copied, never;
	struct dr_sig s[4];

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, peer_start(&copied, true));
	ASSERT_EQ(0, peer_start(&not_copied, true));
	ASSERT_EQ(0, peer_start(&never, false));
	ASSERT_EQ(0, peer_map(&copied, "f0", 0, LEN, RW, MAP_PRIVATE));
	ASSERT_EQ(0, peer_map(&not_copied, "f0", 0, LEN, RW, MAP_PRIVATE));
	ASSERT_EQ(0, peer_map(&never, "f0", 0, LEN, RW, MAP_PRIVATE));
	EXPECT_BYTE(peer_store(&copied, 3 * BLK + 1, 9), 9);
	EXPECT_BYTE(peer_load(&not_copied, 3 * BLK), dr_byte(1, 3));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f0", 3)));
	EXPECT_EQ(1, party_told_early(&not_copied, 1, 3, 12));
	EXPECT_EQ(1, party_told_at_touch(&not_copied, 1, 3));
	EXPECT_EQ(1, party_told_late(&never, 1, 3));
	/* Who makes the list cannot tell a copy from the file's page; the data is there. */
	EXPECT_LE(peer_signals(&copied, s, 4), 1);
	EXPECT_BYTE(peer_load(&copied, 3 * BLK), dr_byte(1, 3));
	EXPECT_BYTE(peer_load(&copied, 3 * BLK + 1), 9);
	EXPECT_BYTE(peer_store(&copied, 3 * BLK + 2, 8), 8);
	peer_stop(&copied);
	peer_stop(&not_copied);
	peer_stop(&never);
}

TEST_F(guard_maps, sync_read_only_and_elsewhere)
{
	struct peer sync, ro, exec, gone;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, peer_start(&sync, true));
	ASSERT_EQ(0, peer_start(&ro, true));
	ASSERT_EQ(0, peer_start(&exec, true));
	ASSERT_EQ(0, peer_start(&gone, true));
	ASSERT_EQ(0, peer_map(&sync, "f0", 0, LEN, RW, MAP_SHARED_VALIDATE | MAP_SYNC));
	ASSERT_EQ(0, peer_map(&ro, "f0", 0, LEN, PROT_READ, MAP_SHARED));
	/* Maps from block 2 on, and one that maps what lies behind. */
	ASSERT_EQ(0, peer_map(&exec, "f0", 2 * BLK, LEN - 2 * BLK, PROT_READ | PROT_EXEC,
			      MAP_PRIVATE));
	ASSERT_EQ(0, peer_map(&gone, "f0", 9 * BLK, LEN - 9 * BLK, RW, MAP_SHARED));
	EXPECT_BYTE(peer_store(&sync, 8 * BLK + 1, 3), 3);
	EXPECT_BYTE(peer_load(&ro, 8 * BLK + 1), 3);
	EXPECT_BYTE(peer_load(&exec, 6 * BLK + 1), 3);
	EXPECT_BYTE(peer_load(&gone, 0), dr_byte(1, 9));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f0", 8)));
	EXPECT_EQ(1, party_told_early(&sync, 1, 8, 12));
	EXPECT_EQ(1, party_told_early(&ro, 1, 8, 12));
	EXPECT_EQ(1, party_told_early(&exec, 1, 6, 12));
	EXPECT_EQ(1, party_quiet(&gone, 1));
	EXPECT_POISON(peer_store(&sync, 8 * BLK, 1), sync.base + 8 * BLK);
	EXPECT_POISON(peer_load(&ro, 8 * BLK), ro.base + 8 * BLK);
	EXPECT_POISON(peer_load(&exec, 6 * BLK), exec.base + 6 * BLK);
	EXPECT_BYTE(peer_load(&gone, 0), dr_byte(1, 9));
	peer_stop(&sync);
	peer_stop(&ro);
	peer_stop(&exec);
	peer_stop(&gone);
}

/* Nobody has a page there yet, and who asked to be told early is told. */
TEST_F(guard_maps, untouched)
{
	struct peer early, late;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, party_open(&early, 1, true, 1, BLOCKS));
	ASSERT_EQ(0, party_open(&late, 1, false, 1, BLOCKS));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f0", 6)));
	EXPECT_EQ(1, party_told_early(&early, 1, 6, 12));
	EXPECT_EQ(1, party_told_late(&late, 1, 6));
	EXPECT_EQ(1, party_told_at_touch(&early, 1, 6));
	EXPECT_EQ(1, party_quiet(&early, 1));
	EXPECT_EQ(1, party_loads(&early, 1, 7, dr_byte(1, 7)));
	peer_stop(&early);
	peer_stop(&late);
}

struct inherited {
	char *at;		/* the page's address in the parent, and so in the child */
	volatile int ready, failed;
};

/* 0 if it is told once without a touch, and again at each touch. */
static int inherit(void *arg)
{
	struct inherited *in = arg;
	struct dr_sig s[4];
	struct dr_touch t;

	if (prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0))
		return 1;
	if (dr_load(in->at).byte != dr_byte(1, 4))
		return 2;
	__atomic_add_fetch(&in->ready, 1, __ATOMIC_SEQ_CST);
	while (!in->failed)
		usleep(1000);
	if (dr_signals(s, 4) != 1 || !dr_sig_is(s[0], BUS_MCEERR_AO, in->at, 12))
		return 3;
	t = dr_load(in->at + 9);
	if (!dr_sig_is(t.sig, BUS_MCEERR_AR, in->at + 9, 12))
		return 4;
	return dr_load(in->at + BLK).byte == dr_byte(1, 5) ? 0 : 5;
}

TEST_F(guard_maps, fork)
{
	struct inherited *in = dr_shared_mem(sizeof(*in));
	pid_t pid[4];
	char *p;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	p = dr_map("f0", 0, LEN, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, madvise(p, LEN, MADV_DOFORK));
	EXPECT_BYTE(dr_load(p + 4 * BLK), dr_byte(1, 4));
	in->at = p + 4 * BLK;
	for (int i = 0; i < 4; i++)
		pid[i] = dr_spawn(inherit, in);
	for (int i = 0; i < dr_patience(5000) && in->ready < 4; i++)
		usleep(1000);
	ASSERT_EQ(4, in->ready);
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_of(p + 4 * BLK)));
	in->failed = 1;
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(0, dr_wait(pid[i]));
	EXPECT_POISON(dr_load(p + 4 * BLK), p + 4 * BLK);
	munmap(p, LEN);
}

/* Who injects by MADV_HWPOISON is told at once, as one who consumed it, and only then. */
TEST_F(guard_maps, madvise)
{
	struct peer p, q, late;
	struct dr_sig s[4];
	long before;
	int r;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, peer_open(&p, false, "f0", LEN, 4));
	ASSERT_EQ(0, peer_open(&q, true, "f0", LEN, 4));
	ASSERT_EQ(0, peer_open(&late, false, "f0", LEN, 4));
	before = dr_guard_dealt();
	ASSERT_EQ(0, dr_guard_watch(1));
	r = peer_poison(&p, 4 * BLK);
	EXPECT_TRUE(!r || r == -EBUSY);
	ASSERT_EQ(before + 1, dr_guard_settled(before + 1));
	ASSERT_EQ(1, peer_signals(&p, s, 4));
	EXPECT_SIG(s[0], BUS_MCEERR_AR, p.base + 4 * BLK, 12);
	EXPECT_EQ(1, party_told_early(&q, 1, 4, 12));
	EXPECT_EQ(1, party_told_late(&late, 1, 4));
	EXPECT_EQ(1, party_told_late(&p, 1, 4));
	EXPECT_EQ(1, party_told_at_touch(&q, 1, 4));
	EXPECT_EQ(1, party_quiet(&q, 1));
	peer_stop(&p);
	peer_stop(&q);
	peer_stop(&late);
}

/* Clones that have the page elsewhere, and one file that has it twice. */
TEST_F(guard_maps, other_offsets)
{
	static const struct { const char *name; unsigned long from, len, to, at; } c[] = {
		{ "b", 0, 16, 1, 7 }, { "c", 6, 1, 0, 0 }, { "d", 4, 8, 1000, 1002 },
	};
	struct peer p[3], twice;

	if (!dr_stack_reflink(&variant->stack))
		SKIP(return, "this filesystem has no clones");
	ASSERT_EQ(0, dr_create("a", BLOCKS, 1));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, dr_clone_range("a", c[i].from * BLK, c[i].len * BLK, c[i].name,
					    c[i].to * BLK));
	ASSERT_EQ(0, dr_clone_range("a", 6 * BLK, BLK, "a", 20 * BLK));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, peer_open(&p[i], true, c[i].name, (c[i].at + 1) * BLK, c[i].at));
	ASSERT_EQ(0, peer_open(&twice, false, "a", 21 * BLK, 6));
	EXPECT_BYTE(peer_load(&twice, 20 * BLK), dr_byte(1, 6));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("a", 6)));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(1, party_told_early(&p[i], 1, c[i].at, 12));
		EXPECT_EQ(1, party_told_at_touch(&p[i], 1, c[i].at));
		peer_stop(&p[i]);
	}
	EXPECT_EQ(1, party_told_late(&twice, 1, 6));
	EXPECT_EQ(1, party_told_at_touch(&twice, 1, 20));
	EXPECT_BYTE(peer_load(&twice, 7 * BLK), dr_byte(1, 7));
	peer_stop(&twice);
}

TEST_HARNESS_MAIN
