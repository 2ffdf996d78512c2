// SPDX-License-Identifier: GPL-2.0
/*
 * Failures that come while a mount comes or goes, or the module does: of blocks
 * that are in use, from all CPUs, by the ways that hold nothing of the module.
 * No crash, no hang, and what comes after is good.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/module/module.h"

DR_FIXTURE(comings)

#define RW	(PROT_READ | PROT_WRITE)
#define BLOCKS	64UL
#define LEN	(BLOCKS * BLK)
#define PATIENCE 30000		/* ms: the debug kernel is slow */
enum { INJECTORS = 2 };

/* ---- those that inject ---- */

struct injector {
	volatile int *stop;
	volatile long *events;		/* so many were let in by the kernel */
	long pfn;			/* of the device's first block */
	int nr;
};

/* Page frames that the next mount uses first of all, and some that it does not. */
static int inject_on(void *arg)
{
	struct injector *me = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(me->nr % sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (unsigned int i = me->nr; !*me->stop; i++) {
		long at = i % 3 ? i * 7 % (4 * BLOCKS) : 5000 + i % 100;

		if (!dr_poison_pfn(me->pfn + at))
			__atomic_add_fetch(me->events, 1, __ATOMIC_SEQ_CST);
		/* Each is a line in the log, and the console is slow. */
		usleep(2000 + i % 7 * 1000);
	}
	return 0;
}

struct gang {
	volatile int stop;
	volatile long events;
};

static void start_gang(struct gang *g, pid_t *pid)
{
	for (int i = 0; i < INJECTORS; i++) {
		struct injector in = { &g->stop, &g->events, dr_pfn_of_block(0), i };

		pid[i] = dr_spawn(inject_on, &in);
	}
}

static int stop_gang(struct gang *g, const pid_t *pid)
{
	int r = 0;

	g->stop = 1;
	for (int i = 0; i < INJECTORS; i++)
		r |= dr_wait_for(pid[i], PATIENCE);
	return r;
}

/* ---- work that leaves something behind for a failure to find ---- */

/* Maps and clones; any block of it may fail meanwhile, which is no error. */
static int use(void *arg)
{
	char *p;

	(void)arg;
	dr_create("a", BLOCKS, 1);
	dr_clone("a", "b");
	dr_create("b", 1, 2);
	p = dr_map("a", 0, LEN, RW, MAP_SHARED);
	if (!p)
		return 1;
	for (unsigned long i = 0; i < BLOCKS; i++) {
		struct dr_touch t = dr_load(p + i * BLK);

		if (t.sig.signo && t.sig.code != BUS_MCEERR_AR)
			return 2;
		dr_store(p + i * BLK, 1);
	}
	return 0;
}

/* After all that, a mount that nothing happens to is as good as any. */
static void expect_good(struct __test_metadata *_metadata)
{
	long bad = dr_counter("blocks_bad");
	struct peer p;

	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mount());
	EXPECT_EQ(0, dr_counter("blocks_bad"));
	EXPECT_GE(bad, 0);
	ASSERT_EQ(0, dr_create("f", 2 * BLOCKS, 3));
	ASSERT_EQ(0, dr_clone("f", "g"));
	EXPECT_EQ(0, dr_verify("f", 0, 2 * BLOCKS, 3, 0));
	ASSERT_EQ(0, peer_open(&p, true, "g", 2 * LEN, 7));
	ASSERT_EQ(0, dr_poison("f", 7));
	EXPECT_EARLY(&p, p.base + 7 * BLK);
	EXPECT_POISON(peer_load(&p, 7 * BLK), p.base + 7 * BLK);
	peer_stop(&p);
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	EXPECT_EQ(0, dr_check());
}

TEST_F_TIMEOUT(comings, mount_and_unmount, 180)
{
	struct gang *g = dr_shared_mem(sizeof(*g));
	pid_t pid[INJECTORS];
	long met = 0;

	SKIP_ON_XFS();
	start_gang(g, pid);
	for (int i = 0; i < (dr_all_checked() ? 10 : 20); i++) {
		EXPECT_EQ(0, dr_wait_for(dr_spawn(use, NULL), PATIENCE));
		met += dr_counter("blocks_bad");
		EXPECT_EQ(0, dr_check());
		ASSERT_EQ(0, dr_umount_in(PATIENCE));
		ASSERT_EQ(0, dr_mount());
	}
	EXPECT_EQ(0, stop_gang(g, pid));
	TH_LOG("%ld events, %ld blocks became bad in a mount", g->events, met);
	EXPECT_GT(g->events, 20);
	EXPECT_GT(met, 0);
	expect_good(_metadata);
}

/*
 * Lazily: the mount goes when the last process that maps a file does, and that
 * one poisons its pages by MADV_HWPOISON to its very end.
 */
static int poison_to_the_end(void *arg)
{
	volatile int *ready = arg;
	char *p = dr_map("f", 0, LEN, RW, MAP_SHARED);

	*ready = 1;
	if (!p)
		return 1;
	for (unsigned long i = 0;; i++) {
		char *at = p + i % BLOCKS * BLK;

		dr_load(at);
		dr_poison_addr(at);
		dr_signals(NULL, 0);
		usleep(1000);
	}
}

TEST_F_TIMEOUT(comings, detached, 180)
{
	struct gang *g = dr_shared_mem(sizeof(*g));
	int *ready = dr_shared_mem(sizeof(*ready) * 2);
	pid_t pid[INJECTORS], user[2];

	SKIP_ON_XFS();
	start_gang(g, pid);
	for (int i = 0; i < 10; i++) {
		int tries = 0;

		ready[0] = ready[1] = 0;
		/* Whether a failure is quicker than this does not matter. */
		(void)dr_create("f", BLOCKS, 1);
		for (int k = 0; k < 2; k++)
			user[k] = dr_spawn(poison_to_the_end, &ready[k]);
		while (!ready[0] || !ready[1])
			usleep(1000);
		ASSERT_EQ(0, umount2(dr_mnt(), MNT_DETACH));
		usleep(i * 3000);
		for (int k = 0; k < 2; k++) {
			kill(user[k], SIGKILL);
			EXPECT_NE(-ETIMEDOUT, dr_wait_for(user[k], PATIENCE));
		}
		/* The device is free when the last put is through. */
		while (dr_mount() && tries++ < dr_patience(500))
			usleep(10000);
		ASSERT_LT(tries, dr_patience(500));
	}
	EXPECT_EQ(0, stop_gang(g, pid));
	expect_good(_metadata);
}

TEST_F_TIMEOUT(comings, module, 180)
{
	struct gang *g = dr_shared_mem(sizeof(*g));
	pid_t pid[INJECTORS];
	long met = 0;

	SKIP_ON_XFS();
	if (!dr_module_file())
		SKIP(return, "no daxrmap.ko here: set DAXRMAP_KO");
	start_gang(g, pid);
	for (int i = 0; i < 8; i++) {
		int r;

		EXPECT_EQ(0, dr_wait_for(dr_spawn(use, NULL), PATIENCE));
		met += dr_counter("blocks_bad");
		ASSERT_EQ(0, dr_umount_in(PATIENCE));
		/* The last put of a super block may be on its way. */
		for (int k = 0; k < 500 && (r = dr_rmmod()) == -EAGAIN; k++)
			usleep(10000);
		ASSERT_EQ(0, r);
		usleep(i % 4 * 2000);	/* failures that nobody hears of */
		ASSERT_EQ(0, dr_insmod());
		ASSERT_EQ(0, dr_mount());
		EXPECT_EQ(0, dr_check());
	}
	EXPECT_EQ(0, stop_gang(g, pid));
	TH_LOG("%ld events, %ld blocks became bad in a mount", g->events, met);
	EXPECT_GT(met, 0);
	expect_good(_metadata);
}

TEST_HARNESS_MAIN
