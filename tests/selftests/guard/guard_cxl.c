// SPDX-License-Identifier: GPL-2.0
/*
 * What a CXL memory device says is heard: also where drivers/cxl comes after the guard, and of a CPU that was
 * away. A module of the tests says it, as the debug kernel has no CXL; scripts/tests/cxl.sh has a device.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/processes/party.h"

#define MODULE	"/samples/cxl_said.ko"
#define SAY	"/sys/module/cxl_said/parameters/say"
#define ONLINE	"/sys/devices/system/cpu/cpu1/online"
#define PEERS	3
#define BLOCKS	16
#define TRIES	200		/* of 50 ms: the debug kernel is slow */

enum { LISTED, INJECTED, CLEARED };

/* 0 or -errno. */
static int said_off(void)
{
	int r = syscall(SYS_delete_module, "cxl_said", O_NONBLOCK) ? dr_errno() : 0;

	return r == -ENOENT ? 0 : r;
}

static int said_on(void)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return dr_errno();
	r = syscall(SYS_finit_module, fd, "", 0) ? dr_errno() : 0;
	close(fd);
	return r;
}

FIXTURE(guard_cxl) { struct dr_stacked state; };
FIXTURE_VARIANT(guard_cxl) { struct dr_stack stack; };
FIXTURE_SETUP(guard_cxl)
{
	if (access(MODULE, R_OK))
		SKIP(return, "there is no cxl_said.ko");
	ASSERT_EQ(0, dr_stack_up(&variant->stack, &self->state));
	ASSERT_EQ(0, said_off());	/* of a test that ended half way */
}
FIXTURE_TEARDOWN_PARENT(guard_cxl)
{
	if (access(MODULE, R_OK))
		return;
	dr_guard_off();
	EXPECT_EQ(0, said_off());
	EXPECT_EQ(0, dr_stack_down(&variant->stack, &self->state));
}
DR_STACK(guard_cxl, ext4, "ext4", ON_PMEM);
DR_STACK(guard_cxl, xfs, "xfs", ON_PMEM);

static int say(long pfn, int type)
{
	char text[64];

	snprintf(text, sizeof(text), "%lx 64 %d", pfn * BLK, type);
	return dr_put(SAY, text);
}

static bool hears(void)
{
	struct daxrmap_guard g;

	for (int i = 0; i < TRIES; i++) {
		if (dr_guard_status(&g))
			return false;
		if (g.flags & DAXRMAP_GUARD_CXL)
			return true;
		usleep(50000);
	}
	return false;
}

/* Says what means nothing until that is heard each time: the kernel may be about to listen anew. */
static bool hears_here(void)
{
	struct daxrmap_guard g, h;

	for (int i = 0, heard = 0; i < TRIES; i++) {
		if (dr_guard_status(&g) || say(0, CLEARED) || dr_guard_status(&h) ||
		    h.cxl_losses != g.cxl_losses)
			return false;
		heard = h.cxl_records == g.cxl_records + 1 ? heard + 1 : 0;
		if (heard == 5)
			return true;
		usleep(50000);
	}
	return false;
}

/* All who have the page are told of it. */
static void lose(struct __test_metadata *_metadata, struct peer *peers, unsigned long page, int type)
{
	long dealt = dr_guard_dealt(), pfn = dr_pfn_in_file("f0", page);

	ASSERT_LT(0, pfn);
	ASSERT_EQ(PEERS, party_loads(peers, PEERS, page, dr_byte(1, page)));
	ASSERT_EQ(0, say(pfn, type));
	ASSERT_EQ(dealt + 1, dr_guard_settled(dealt + 1));
	EXPECT_EQ(PEERS, party_told_late(peers, PEERS, page));
	/* It is known now. */
	ASSERT_EQ(0, say(pfn, type));
}

TEST_F(guard_cxl, said)
{
	int files = dr_stack_reflink(&variant->stack) ? PEERS : 1;
	struct peer peers[PEERS];
	struct daxrmap_guard_device a, b;
	struct daxrmap_guard g, h;
	char name[16];
	cpu_set_t one;

	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_status(&g));
	if (g.flags & DAXRMAP_GUARD_CXL)
		SKIP(return, "the kernel has CXL itself: scripts/tests/cxl.sh");
	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	for (int i = 1; i < files; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		ASSERT_EQ(0, dr_clone("f0", name));
	}
	ASSERT_EQ(0, party_open(peers, PEERS, false, files, BLOCKS));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &a));
	ASSERT_EQ(0, said_on());
	ASSERT_TRUE(hears());
	EXPECT_EQ(-EWOULDBLOCK, said_off());
	lose(_metadata, peers, 1, LISTED);
	lose(_metadata, peers, 2, INJECTED);
	/* On a CPU that has gone and come, which takes long on the debug kernel: once. */
	if (!dr_stack_xfs(&variant->stack)) {
		CPU_ZERO(&one);
		CPU_SET(1, &one);
		ASSERT_EQ(0, dr_put(ONLINE, "0"));
		ASSERT_EQ(0, dr_put(ONLINE, "1"));
		ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
		ASSERT_TRUE(hears_here());
	}
	lose(_metadata, peers, 3, LISTED);
	/* With the guard off nobody is told, and drivers/cxl may go. What was said twice was one failure. */
	ASSERT_EQ(0, dr_guard_watch(0));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &b));
	EXPECT_EQ(a.cxl + 3, b.cxl);
	ASSERT_EQ(0, dr_guard_status(&g));
	ASSERT_EQ(0, say(dr_pfn_in_file("f0", 8), LISTED));
	ASSERT_EQ(0, dr_guard_status(&h));
	EXPECT_EQ(0, h.flags & DAXRMAP_GUARD_CXL);
	EXPECT_EQ(g.cxl_records, h.cxl_records);
	EXPECT_EQ(PEERS, party_loads(peers, PEERS, 8, dr_byte(1, 8)));
	EXPECT_EQ(0, said_off());
	party_stop(peers, PEERS);
}

TEST_HARNESS_MAIN
