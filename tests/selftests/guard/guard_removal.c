// SPDX-License-Identifier: GPL-2.0
/*
 * A device that the guard holds goes from under a filesystem whose files are mapped, read and
 * written. Stock ext4, and XFS on dm, oops then: their processes keep pages whose struct page is
 * gone (tests/kernel-faults/remove-mapped.c). With the guard all of them are told.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/processes/party.h"

#define RW	(PROT_READ | PROT_WRITE)
#define BLOCKS	16
#define PEERS	4
#define PATIENCE 20000		/* ms: the debug kernel is slow */

DR_STACK_FIXTURE(guard_removal)
DR_STACK(guard_removal, ext4, "ext4", ON_PMEM);
DR_STACK(guard_removal, ext4_linear, "ext4", ON_LINEAR);
DR_STACK(guard_removal, xfs_linear, "xfs", ON_LINEAR);
DR_STACK(guard_removal, xfs_striped, "xfs", ON_STRIPED);

struct meanwhile {
	volatile long rounds;
	volatile int end;
	struct dr_sig sig;
};

/* Stores through a mapping, as fast as it can, until a touch fails. */
static int do_stores(void *arg)
{
	struct meanwhile *m = arg;
	char *p = dr_map("stores", 0, BLOCKS * BLK, RW, MAP_SHARED);

	if (!p)
		return 1;
	for (; !m->end; m->rounds++) {
		struct dr_touch t = dr_store(p + m->rounds % BLOCKS * BLK, 1);

		if (t.sig.signo) {
			m->sig = t.sig;
			return t.sig.addr == p + m->rounds % BLOCKS * BLK ? 0 : 2;
		}
	}
	return 3;
}

/* Whatever these say: they must not hang, and nothing may break. */
static int do_io(void *arg)
{
	static char buf[BLOCKS * BLK];
	struct meanwhile *m = arg;
	int fd = dr_open("io", O_RDWR);

	for (; !m->end; m->rounds++) {
		if (pwrite(fd, buf, sizeof(buf), 0) < 0 || pread(fd, buf, sizeof(buf), 0) < 0)
			usleep(1000);
	}
	return 0;
}

static void until(volatile long *rounds, long n)
{
	for (int i = 0; i < dr_patience(1000) && *rounds < n; i++)
		usleep(10000);
}

/* Each peer has a page of its own file, is told of it at once, and has it no more. */
static int revoked(struct peer *p, int n)
{
	int good = 0;

	for (int i = 0; i < n; i++) {
		struct dr_sig s[4];
		int got = peer_signals(&p[i], s, 4);
		struct dr_touch t = peer_store(&p[i], 3 * BLK + 9, 1);

		if (got != 1)
			fprintf(stderr, "# peer %d: %d signals\n", i, got);
		good += got == 1 && dr_sig_is(s[0], BUS_MCEERR_AO, p[i].base + 3 * BLK, 12) &&
			t.sig.signo == SIGBUS && t.sig.addr == p[i].base + 3 * BLK + 9;
	}
	return good;
}

TEST_F(guard_removal, in_use)
{
	struct meanwhile *io = dr_shared_mem(sizeof(*io));
	struct meanwhile *stores = dr_shared_mem(sizeof(*stores));
	struct peer late[PEERS], early[PEERS];
	pid_t io_pid, stores_pid;
	unsigned char byte;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, dr_create("io", BLOCKS, 3));
	ASSERT_EQ(0, dr_create("stores", BLOCKS, 4));
	sync();
	ASSERT_EQ(0, dr_stack_hold(&variant->stack));
	ASSERT_EQ(0, party_open(late, PEERS, false, 1, BLOCKS));
	ASSERT_EQ(0, party_open(early, PEERS, true, 1, BLOCKS));
	/* Read-only so far: a store is a fault, of a page that may be gone. */
	ASSERT_EQ(PEERS, party_loads(late, PEERS, 3, dr_byte(1, 3)));
	ASSERT_EQ(PEERS, party_loads(early, PEERS, 3, dr_byte(1, 3)));
	io_pid = dr_spawn(do_io, io);
	stores_pid = dr_spawn(do_stores, stores);
	until(&io->rounds, 3);
	until(&stores->rounds, 3 * BLOCKS);
	ASSERT_LE(3, io->rounds);
	ASSERT_LE(3 * BLOCKS, stores->rounds);

	ASSERT_EQ(0, dr_pmem_unbind(PMEM0));
	EXPECT_NE(0, access(PMEM0, F_OK));
	if (!dr_stack_dm(&variant->stack) || variant->stack.on == ON_LINEAR) {
		EXPECT_EQ(0, dr_wait_for(stores_pid, PATIENCE));
		EXPECT_EQ(SIGBUS, stores->sig.signo);
	} else {
		/* Some of its pages may be on the other device. */
		stores->end = 1;
		EXPECT_LE(0, dr_wait_for(stores_pid, PATIENCE));
	}
	io->end = 1;
	EXPECT_EQ(0, dr_wait_for(io_pid, PATIENCE));
	if (variant->stack.on != ON_STRIPED) {
		EXPECT_EQ(PEERS, revoked(late, PEERS));
		EXPECT_EQ(PEERS, revoked(early, PEERS));
		EXPECT_NE(0, dr_read1("f0", 3, &byte));
	}
	party_stop(late, PEERS);
	party_stop(early, PEERS);
	EXPECT_EQ(0, dr_umount_in(PATIENCE));
}

/* Held, and removed while nobody maps anything: the guard lets go of it by itself. */
TEST_F(guard_removal, idle)
{
	struct daxrmap_guard_device d;

	if (dr_stack_dm(&variant->stack))
		SKIP(return, "the device has the same end as without dm");
	ASSERT_EQ(0, dr_umount());
	EXPECT_EQ(-EPERM, dr_guard_hold(PMEM0, 0));
	ASSERT_EQ(0, dr_guard_hold(PMEM0, DAXRMAP_GUARD_FORCE));
	ASSERT_EQ(0, dr_pmem_unbind(PMEM0));
	ASSERT_EQ(0, dr_pmem_bind(PMEM0));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	EXPECT_EQ(0, d.flags & DAXRMAP_GUARD_HELD);
	ASSERT_EQ(0, dr_stack_mount(&variant->stack));
	EXPECT_EQ(0, dr_create("f0", BLOCKS, 1));
	/* And it can be held once more. */
	EXPECT_EQ(0, dr_guard_hold(PMEM0, 0));
	EXPECT_EQ(-EALREADY, dr_guard_hold(PMEM0, 0));
	EXPECT_EQ(0, dr_guard_release(PMEM0));
}

TEST_HARNESS_MAIN
