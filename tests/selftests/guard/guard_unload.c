// SPDX-License-Identifier: GPL-2.0
/*
 * The module goes while it watches and holds a device, with a filesystem on it, and comes back:
 * it watches and holds nothing then, and does when it is told to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/module/module.h"
#include "common/processes/party.h"

#define RW	(PROT_READ | PROT_WRITE)
#define BLOCKS	16
#define ROUNDS	3

DR_STACK_FIXTURE(guard_unload)
DR_STACK(guard_unload, ext4, "ext4", ON_PMEM);
DR_STACK(guard_unload, xfs_linear, "xfs", ON_LINEAR);

/* It may be in use for an instant. */
static int unload(void)
{
	int r = -EAGAIN;

	for (int i = 0; i < dr_patience(200) && (r == -EAGAIN || r == -EBUSY); i++) {
		r = dr_rmmod();
		if (r)
			usleep(10000);
	}
	return r;
}

TEST_F(guard_unload, on)
{
	struct daxrmap_guard_device d;
	struct daxrmap_guard g;
	struct peer early, late;
	unsigned char byte;

	if (!dr_module_file())
		SKIP(return, "there is no module to load again");
	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, party_open(&early, 1, true, 1, BLOCKS));
	ASSERT_EQ(0, party_open(&late, 1, false, 1, BLOCKS));
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, dr_guard_watch(1));
		ASSERT_EQ(0, dr_stack_hold(&variant->stack));
		ASSERT_EQ(0, unload());
		EXPECT_EQ(-ENOENT, dr_guard_status(&g));
		ASSERT_EQ(0, dr_insmod());
		ASSERT_EQ(0, dr_guard_status(&g));
		EXPECT_EQ(0, g.flags);
		EXPECT_EQ(0, g.events);
		ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
		EXPECT_EQ(0, d.flags);
		EXPECT_EQ(0, d.events);
	}
	/* As without it: there must be nothing left of it that still acts. */
	dr_poison_pfn(dr_pfn_in_file("f0", 2));
	EXPECT_EQ(0, dr_read1("f0", 2, &byte));
	ASSERT_EQ(1, party_loads(&early, 1, 5, dr_byte(1, 5)));
	ASSERT_EQ(1, party_loads(&late, 1, 5, dr_byte(1, 5)));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f0", 5)));
	EXPECT_EQ(1, party_told_early(&early, 1, 5, 12));
	EXPECT_EQ(1, party_told_late(&late, 1, 5));
	EXPECT_EQ(-EIO, dr_read1("f0", 5, &byte));
	peer_stop(&early);
	peer_stop(&late);
}

/* Failures come while it goes: each is dealt with or is not, and nothing breaks. */
static int fail_all(void *pfns)
{
	for (long *pfn = pfns; *pfn > 0; pfn++)
		dr_poison_pfn(*pfn);
	return 0;
}

TEST_F(guard_unload, while_pages_fail)
{
	long *pfns = dr_shared_mem((BLOCKS + 1) * sizeof(*pfns));
	pid_t pid;

	if (!dr_module_file())
		SKIP(return, "there is no module to load again");
	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	for (int i = 0; i < BLOCKS; i++)
		pfns[i] = dr_pfn_in_file("f0", i);
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_stack_hold(&variant->stack));
	pid = dr_spawn(fail_all, pfns);
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, unload());
		ASSERT_EQ(0, dr_insmod());
		ASSERT_EQ(0, dr_guard_watch(1));
		ASSERT_EQ(0, dr_stack_hold(&variant->stack));
	}
	EXPECT_EQ(0, dr_wait_for(pid, 20000));
}

static int load_it(void *arg)
{
	(void)arg;
	return dr_guard_status(&(struct daxrmap_guard){ 0 }) == -ENOENT && dr_insmod() ? 1 : 0;
}

/* A test that ended half way has left without the module: the next ones want it. */
TEST_F(guard_unload, and_is_there)
{
	EXPECT_EQ(0, dr_wait(dr_spawn(load_it, NULL)));
	EXPECT_EQ(0, dr_guard_status(&(struct daxrmap_guard){ 0 }));
}

TEST_HARNESS_MAIN
