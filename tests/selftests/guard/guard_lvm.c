// SPDX-License-Identifier: GPL-2.0
/*
 * The guard, and volumes that LVM makes: linear and striped, with ext4 and XFS, while LVM gives
 * them other tables. It cannot move them: a dm device that has DAX keeps it, and a mirror, which
 * pvmove and lvconvert want, has none. They must fail then without any harm.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/dm.h"
#include "common/device/lvm.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/processes/party.h"

#define RW	(PROT_READ | PROT_WRITE)
#define PEERS	8
#define BLOCKS	64
#define CHANGES	8

FIXTURE(guard_lvm) { struct dr_stacked state; };
FIXTURE_VARIANT(guard_lvm) { const char *fs, *how; };
FIXTURE_VARIANT_ADD(guard_lvm, ext4_linear) { "ext4", "" };
FIXTURE_VARIANT_ADD(guard_lvm, ext4_striped) { "ext4", "-i 2 -I 64" };
FIXTURE_VARIANT_ADD(guard_lvm, xfs_linear) { "xfs", "" };
FIXTURE_VARIANT_ADD(guard_lvm, xfs_striped) { "xfs", "-i 2 -I 64" };

/* Both devices are clean before and after, as on a stack of them. */
static const struct dr_stack both = { "ext4", ON_STRIPED, NULL };

FIXTURE_SETUP(guard_lvm)
{
	if (!dr_has_lvm())
		SKIP(return, "there is no LVM here");
	ASSERT_EQ(0, dr_stack_up(&both, &self->state));
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_dm_remove("stack"));
	ASSERT_EQ(0, dr_lvm_group());
	ASSERT_EQ(0, dr_lvm_volume(variant->fs, variant->how));
}

FIXTURE_TEARDOWN_PARENT(guard_lvm)
{
	if (!dr_has_lvm())
		return;
	dr_umount();
	dr_lvm_drop();
	EXPECT_EQ(0, dr_stack_down(&both, &self->state));
}

static int make_files(const char *fs)
{
	int r = dr_create("f0", BLOCKS, 1);

	for (int i = 1; i < PEERS && !r && *fs == 'x'; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", i);
		r = dr_clone("f0", name);
	}
	return r;
}

/* Fails a page: nobody has it, everybody else has the rest. */
static void fail(struct __test_metadata *_metadata, struct peer *late, struct peer *early, int page)
{
	long pfn = dr_pfn_in_file("f0", page);
	unsigned char byte;

	ASSERT_EQ(PEERS, party_loads(late, PEERS, page, dr_byte(1, page)));
	ASSERT_EQ(PEERS, party_loads(early, PEERS, page, dr_byte(1, page)));
	ASSERT_EQ(0, dr_guard_poison(pfn));
	EXPECT_EQ(PEERS, party_told_early(early, PEERS, page, 12));
	EXPECT_EQ(0, party_loads(late, PEERS, page, dr_byte(1, page)));
	EXPECT_EQ(PEERS, party_told_late(late, PEERS, page));
	EXPECT_EQ(PEERS, party_told_at_touch(early, PEERS, page));
	EXPECT_EQ(-EIO, dr_read1("f0", page, &byte));
	EXPECT_EQ(0, dr_verify("f0", page + 1, 1, 1, page + 1));
}

TEST_F(guard_lvm, volumes)
{
	struct peer late[PEERS], early[PEERS];
	int files = *variant->fs == 'x' ? PEERS : 1;

	ASSERT_EQ(0, make_files(variant->fs));
	ASSERT_EQ(0, party_open(late, PEERS, false, files, BLOCKS));
	ASSERT_EQ(PEERS, party_loads(late, PEERS, 1, dr_byte(1, 1)));
	dr_poison_pfn(dr_pfn_in_file("f0", 1));
	EXPECT_EQ(PEERS, party_loads(late, PEERS, 1, dr_byte(1, 1)));

	ASSERT_EQ(0, party_open(early, PEERS, true, files, BLOCKS));
	ASSERT_EQ(0, dr_guard_watch(1));
	fail(_metadata, late, early, 4);
	ASSERT_EQ(0, dr_guard_hold(PMEM0, 0));
	/* Where nobody uses it, nobody knows whether it may be held. */
	ASSERT_EQ(*variant->how ? 0 : -EPERM, dr_guard_hold(PMEM1, 0));
	ASSERT_EQ(0, dr_guard_watch(0));
	fail(_metadata, late, early, 20);
	/* LVM writes its own metadata to devices that are held, and gives the volume new tables. */
	EXPECT_EQ(0, dr_lvm("lvextend -qL +64M vg/lv"));
	fail(_metadata, late, early, 40);
	EXPECT_EQ(0, dr_verify("f0", 41, BLOCKS - 41, 1, 41));
	party_stop(late, PEERS);
	party_stop(early, PEERS);
}

struct load {
	volatile int begun[BLOCKS], over[BLOCKS], end;
	volatile long reads, told, silent, wrong;
};

/* A look at each page in turn, over and over. */
static int look(void *arg)
{
	struct load *l = arg;
	char *p = dr_map("f0", 0, BLOCKS * BLK, RW, MAP_SHARED);

	if (!p)
		return 1;
	for (int i = 0; !l->end; i = (i + 1) % BLOCKS) {
		int over = l->over[i];
		struct dr_touch t = dr_load(p + i * BLK);

		if (!i)
			usleep(1000);
		l->reads++;
		if (t.sig.signo)
			*(l->begun[i] && t.sig.code == BUS_MCEERR_AR ? &l->told : &l->wrong) += 1;
		else if (over)
			l->silent++;
		else if (t.byte != dr_byte(1, i))
			l->wrong++;
	}
	return 0;
}

/* LVM changes the volume while pages fail, and others read. */
TEST_F(guard_lvm, while_it_changes)
{
	struct load *l = dr_shared_mem(2 * sizeof(*l));
	pid_t pid[2];

	if ((*variant->fs == 'x') != !*variant->how)
		SKIP(return, "of these, ext4 on stripes and XFS on a linear volume are enough");

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, dr_guard_watch(1));
	for (int i = 0; i < 2; i++)
		pid[i] = dr_spawn(look, &l[i]);
	for (int i = 0; i < CHANGES; i++) {
		long pfn = dr_pfn_in_file("f0", 4 * i);
		pid_t child = fork();

		/* Beside the failure; it may fail where that is said above. */
		if (!child)
			_exit(dr_lvm(i % 4 == 0 ? "lvextend -qL +4M vg/lv" :
				     i % 4 == 1 ? "lvchange --refresh vg/lv" :
				     i % 4 == 2 ? "pvmove -q -i1 -n lv " PMEM0 :
				     "lvconvert -qy --type mirror -m1 --mirrorlog core vg/lv") ? 1 : 0);
		for (int k = 0; k < 2; k++)
			l[k].begun[4 * i] = 1;
		usleep(i * 10000);
		ASSERT_EQ(0, dr_guard_poison(pfn));
		for (int k = 0; k < 2; k++)
			l[k].over[4 * i] = 1;
		EXPECT_EQ(i % 4 > 1, dr_wait(child));
	}
	for (int k = 0; k < 2; k++) {
		l[k].end = 1;
		EXPECT_EQ(0, dr_wait_for(pid[k], 20000));
		EXPECT_LT(0, l[k].told);
		EXPECT_EQ(0, l[k].silent);
		EXPECT_EQ(0, l[k].wrong);
	}
	for (int i = 0; i < BLOCKS; i++) {
		unsigned char byte;

		EXPECT_EQ(i % 4 || i >= 4 * CHANGES ? 0 : -EIO, dr_read1("f0", i, &byte));
	}
}

TEST_HARNESS_MAIN
