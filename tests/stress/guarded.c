// SPDX-License-Identifier: GPL-2.0
/*
 * ext4 or XFS as the subject, and the guard, which is to tell their owners. A bad block is
 * on the driver's list: that is held against what the oracle knows.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include "../selftests/common/basics/clock.h"
#include "../selftests/common/device/dm.h"
#include "control.h"
#include "disturb.h"
#include "good.h"
#include "stack.h"
#include "stress.h"
#include "subject.h"
#include "unstick.h"

enum { DEALT = 20 };		/* seconds */

static void fix_flags(void)
{
	const char *how = getenv("STRESS_GUARD");
	bool xfs_alone = dr_xfs() && !stack->mapped;

	if (!how)
		how = xfs_alone ? "watch" : "hold";
	guard = !strcmp(how, "off") ? GUARD_OFF : !strcmp(how, "watch") ? GUARD_WATCH : GUARD_HOLD;
	/*
	 * Without a holder the kernel locks the page's DAX entry by folio->mapping, and oopses in
	 * dax_unlock_folio() when a fault through a clone has cleared that meanwhile.
	 */
	guarded.clones = dr_xfs() && (guard == GUARD_HOLD || !stack->mapped);
	guarded.clones_lost = guarded.shared_once = dr_xfs();
	guarded.at_once = guard == GUARD_HOLD;
	guarded.huge_whole = guard != GUARD_HOLD;
	/* The third time XFS itself hangs for good (Documentation/kernel-faults.rst). */
	guarded.again = !xfs_alone;
}

/* XFS on a device of dm needs no rmapbt, and has none on one of the two. */
static int make_fs(void)
{
	char cmd[256];

	if (dr_xfs())
		snprintf(cmd, sizeof(cmd), "mkfs.xfs -fq -m reflink=1,rmapbt=%d -l size=64m "
			 "-d agcount=2,su=2m,sw=1,size=%lub -b size=4096 %s >/dev/null 2>&1",
			 strcmp(stack->name, "linear") != 0, stack_blocks(), dr_dev());
	else
		snprintf(cmd, sizeof(cmd), "mkfs.ext4 -qF -b 4096 -m 0 -J size=16 "
			 "-E stride=512,stripe_width=512,lazy_itable_init=0 %s %lu >/dev/null",
			 dr_dev(), stack_blocks());
	return system(cmd) ? -EIO : 0;
}

int guarded_mount(const char *dev, const char *mnt)
{
	return mount(dev, mnt, dr_xfs() ? "xfs" : "ext4", 0, "dax=always") ? dr_errno() : 0;
}

/* A short unwritten part that a write meets is filled with zeroes; the oracle wants that said. */
static void no_zeroout(void)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/fs/ext4/%s/extent_max_zeroout_kb",
		 strrchr(dr_dev(), '/') + 1);
	if (!dr_xfs() && dr_put(path, "0"))
		printf("# no %s\n", path);
}

static int set_up(struct dr_fs *fs)
{
	int r;

	dr_catch_sigbus();
	mount("debugfs", DEBUGFS, "debugfs", 0, "");
	r = dr_early_kill(0) ?: stack_make();
	if (r)
		return r;
	fix_flags();
	r = make_fs() ?: guarded_mount(dr_dev(), dr_mnt());
	if (r)
		return r;
	no_zeroout();
	fs->log_seq = dr_log_seq();
	if (guard != GUARD_OFF)
		r = guard_watch(true) ?: guard == GUARD_HOLD ? guard_hold(true) : 0;
	if (r)
		printf("# the guard: %s\n", strerror(-r));
	return r;
}

static void start(void)
{
	pthread_rwlockattr_t a;
	uint32_t block;

	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_rwlockattr_setkind_np(&a, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&w->guard.lock, &a);
	make_reserve();
	if (guard != GUARD_OFF)
		w->guard.heard = guard_events();
	/* The module that injects is loaded by a child: now, not in a storm. */
	block = pick_reserve();
	inject(&block, 1, false);
	start_to_disturb();
	start_to_unstick();
}

static void stop(void)
{
	stop_to_disturb();
	stop_to_unstick();
}

/* ---- an event ---- */

static void enter(unsigned int n)
{
	if (guard == GUARD_OFF)
		return;
	pthread_rwlock_rdlock(&w->guard.lock);
	__atomic_fetch_add(&w->guard.heard, n, __ATOMIC_SEQ_CST);
}

/* Until the guard has counted what was heard so far, and what others may be about to tell. */
static void wait_until_dealt(uint32_t block)
{
	long is, heard = __atomic_load_n(&w->guard.heard, __ATOMIC_SEQ_CST);
	double end = dr_now() + DEALT * dr_slowness();

	while ((is = guard_events()) < heard) {
		long less = __atomic_load_n(&w->guard.heard, __ATOMIC_SEQ_CST);

		/* Some that was to come has not. */
		if (less < heard)
			heard = less;
		if (is < 0 || dr_now() > end) {
			fault(MISSED, "block %u: the guard has dealt with %ld events, not %ld",
			      block, is, heard);
			return;
		}
		usleep(200);
	}
}

static void leave(const uint32_t *block, unsigned int n, unsigned int happened)
{
	if (guard == GUARD_OFF)
		return;
	__atomic_fetch_sub(&w->guard.heard, n - happened, __ATOMIC_SEQ_CST);
	if (guard == GUARD_WATCH && happened)
		wait_until_dealt(*block);
	pthread_rwlock_unlock(&w->guard.lock);
}

/* Without a holder the kernel may find nobody, and say so. */
static int inject_each(const uint32_t *block, unsigned int n, bool notify)
{
	int r, ret = 0;

	(void)notify;
	while (n--) {
		r = dr_poison_pfn(stack_pfn(*block++));
		if (r && guard == GUARD_HOLD)
			ret = r;
	}
	return ret;
}

/* ---- while all stand still ---- */

static void check_event(uint32_t block, uint32_t n)
{
	bool whole;
	long r;

	if (guard == GUARD_OFF)
		return;
	r = look_at_lists(&whole);
	if (r < 0)
		fault(BOOKS, "the list of bad blocks: error %ld", -r);
	for (; r >= 0 && whole && n; n--, block++)
		if (!is_listed(block))
			fault(MISSED, "block %u is bad, and the driver does not know", block);
}

static void check_counters(void)
{
	long is, n;

	pthread_rwlock_rdlock(&w->guard.lock);
	wait_until_dealt(0);
	is = guard_events();
	if (is != w->guard.heard)
		fault(BOOKS, "the guard counts %ld events of %ld", is, w->guard.heard);
	n = guard_dropped();
	if (n)
		fault(MISSED, "the guard has dropped events: %ld", n);
	n = guard_uncovered();
	if (n)
		fault(MISSED, "the guard does not cover pages: %ld", n);
	pthread_rwlock_unlock(&w->guard.lock);
}

static void check_all(void)
{
	bool whole;

	if (guard == GUARD_OFF)
		return;
	check_counters();
	if (look_at_lists(&whole) < 0) {
		fault(BOOKS, "there is no list of bad blocks");
		return;
	}
	for (unsigned long b = 0; b < w->total; b++) {
		const struct block *k = &w->block[b];
		bool bad = lost(b, tick());

		if (is_listed(b) && (!k->begun || (k->refs && is_healed(k))))
			fault(BOOKS, "block %lu is good, and on the driver's list", b);
		/* One without an owner may be metadata by now. */
		if (whole && bad && k->refs && !is_listed(b))
			fault(MISSED, "block %lu is bad, and not on the driver's list", b);
	}
}

/* XFS itself makes the kernel warn where pages are shared; who reads a list that changes does, too. */
static void check_log(const struct dr_fs *fs)
{
	static const char *const bad[] = { "BUG:", "Oops", "INFO: task", "INFO: possible",
		"KASAN", "kernel BUG" };
	int n = dr_log_count(fs->log_seq, "WARNING:");

	if (n && dr_xfs())
		n -= dr_log_count(fs->log_seq, "WARNING: fs/dax.c");
	if (n)
		n -= dr_log_count(fs->log_seq, "WARNING: block/badblocks.c");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		n += dr_log_count(fs->log_seq, bad[i]);
	if (n)
		fault(BOOKS, "the kernel's log has %d complaints", n);
}

static void end(struct dr_fs *fs)
{
	int r;

	drop_reserve();
	r = dr_umount();
	if (r)
		fault(BOOKS, "umount: %s", strerror(-r));
	r = guarded_mount(dr_dev(), dr_mnt()) ?: dr_umount();
	if (r)
		fault(BOOKS, "the second mount: %s", strerror(-r));
	if (guard != GUARD_OFF) {
		w->n.owners = w->guard.owners + guard_owners();
		r = guard_all(false);
		if (r)
			fault(BOOKS, "switching the guard off: %s", strerror(-r));
	}
	r = stack_drop() ?: stack_fresh();
	if (r)
		fault(BOOKS, "taking the disks down: %s", strerror(-r));
	check_log(fs);
}

static bool all_done(void)
{
	struct counts *n = &w->n;

	return (n->clones || !guarded.clones) && (n->repeated || !guarded.again) && n->ranges &&
		all_disturbed();
}

static void report_guard(void)
{
	struct guard_state *g = &w->guard;

	printf("# %s on %s, guard %s; meanwhile %ld other mounts, %ld reloads of tables, %ld freezes, %ld switches of the guard, %ld loads of the module; blocks made good from below: %ld, all free ones: %ld times; waits that were ended: %ld\n",
	       dr_xfs() ? "xfs" : "ext4", stack ? stack->name : "?",
	       guard == GUARD_OFF ? "off" : guard == GUARD_HOLD ? "holds" : "watches",
	       g->mounts, g->reloads, g->freezes, g->switches, g->loads, g->treated, g->sponges, g->unstuck);
}

struct subject guarded = {
	.heals = true,
	.unwritten = true,
	.filled_by_fault = true,
	.whole_file = true,
	.by_vma = true,
	.mount = set_up,
	.blocks = stack_blocks,
	.pfn = stack_pfn,
	.block_of = stack_block_of,
	.pick_free = pick_reserve,
	.start = start,
	.stop = stop,
	.enter = enter,
	.leave = leave,
	.inject = inject_each,
	.check_event = check_event,
	.check_all = check_all,
	.after_round = make_blocks_good,
	.end = end,
	.all_done = all_done,
	.report = report_guard,
};
