// SPDX-License-Identifier: GPL-2.0
/*
 * DAXRMAP_IOC_SCRUB: poison that nobody knows of is found, and all who have the page are told, on
 * daxrmap, ext4 and XFS; what it refuses, what it does not read, and the device going meanwhile.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/device/dm.h"
#include "common/device/driver.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/module/latent.h"
#include "common/module/listen.h"
#include "common/processes/party.h"

#define PEERS	4
#define BLOCKS	32
#define PATIENCE 30000		/* ms: the debug kernel is slow */

FIXTURE(scrub) { struct dr_stacked state; };
FIXTURE_VARIANT(scrub) { struct dr_stack stack; };
FIXTURE_SETUP(scrub)
{
	if (!dr_latent_there())
		SKIP(return, "there is no latent.ko");
	dr_latent_off();	/* of a test that ended half way */
	ASSERT_EQ(0, dr_stack_up(&variant->stack, &self->state));
}
FIXTURE_TEARDOWN_PARENT(scrub)
{
	if (!dr_latent_there())
		return;
	EXPECT_EQ(0, dr_latent_off());
	EXPECT_EQ(0, dr_stack_down(&variant->stack, &self->state));
}
DR_STACK(scrub, ext4, "ext4", ON_PMEM);
DR_STACK(scrub, xfs, "xfs", ON_PMEM);
DR_STACK(scrub, xfs_linear, "xfs", ON_LINEAR);

/* What is asked for `count` pages of a device. */
static struct daxrmap_scrub pages(const char *dev, unsigned long page, unsigned long count)
{
	struct daxrmap_scrub s = { .page = page, .count = count };
	struct stat st;

	if (!stat(dev, &st)) {
		s.major = major(st.st_rdev);
		s.minor = minor(st.st_rdev);
	}
	return s;
}

/* The page of a device that a page frame is, or -1. */
static long page_of(const char *dev, long pfn)
{
	struct daxrmap_guard_device d;

	if (dr_guard_device(dev, &d) || pfn < (long)d.first_pfn ||
	    pfn >= (long)(d.first_pfn + d.pages))
		return -1;
	return pfn - d.first_pfn;
}

static int ask(struct daxrmap_scrub *s)
{
	return dr_guard_ask(DAXRMAP_IOC_SCRUB, s);
}

TEST_F(scrub, refused)
{
	long all = dr_sectors(PMEM0) / 8;
	struct daxrmap_scrub s = pages(PMEM0, 0, 1), bad;

	ASSERT_EQ(0, ask(&s));
	bad = pages(PMEM0, 0, 0);
	EXPECT_EQ(-EINVAL, ask(&bad));
	bad = pages(PMEM0, all - 1, 2);
	EXPECT_EQ(-EINVAL, ask(&bad));
	bad = pages(PMEM0, all, 1);
	EXPECT_EQ(-EINVAL, ask(&bad));
	bad = pages(PMEM0, ~0ULL, 1);
	EXPECT_EQ(-EINVAL, ask(&bad));
	bad = pages(PMEM0, 1, ~0ULL);
	EXPECT_EQ(-EINVAL, ask(&bad));
	bad = pages(PMEM0, 0, 1);
	bad.flags = 1;
	EXPECT_EQ(-EINVAL, ask(&bad));
	bad = pages(PMEM0, 0, 1);
	bad.reserved[3] = 1;
	EXPECT_EQ(-EINVAL, ask(&bad));
	bad = pages("/dev/null", 0, 1);
	EXPECT_EQ(-ENODEV, ask(&bad));
	bad.major = 1 << 12;
	EXPECT_EQ(-EINVAL, ask(&bad));
	EXPECT_EQ(-EFAULT, ask(NULL));
	s = pages(PMEM0, all - 1, 1);
	ASSERT_EQ(0, ask(&s));
	EXPECT_EQ(1, s.read + s.known);
	EXPECT_EQ(all, s.page);
	EXPECT_EQ(0, s.count);
}

/* A call does not do more than it may; all together have read the device, and found nothing. */
TEST_F(scrub, clean)
{
	long all = dr_sectors(PMEM0) / 8;
	struct daxrmap_scrub s = pages(PMEM0, 0, all);
	unsigned long read = 0, calls = 0;

	if (dr_stack_xfs(&variant->stack))
		SKIP(return, "takes long, and does not look at what is on the device");
	while (s.count) {
		unsigned long from = s.page, left = s.count;

		s.found = s.untold = s.known = 77;	/* of no interest to the kernel */
		ASSERT_EQ(0, ask(&s));
		ASSERT_EQ(left < DAXRMAP_SCRUB_PAGES ? left : DAXRMAP_SCRUB_PAGES, s.page - from);
		ASSERT_EQ(all, s.page + s.count);
		ASSERT_EQ(0, s.found + s.known + s.untold);
		read += s.read;
		calls++;
	}
	EXPECT_EQ(all, read);
	EXPECT_EQ((all + DAXRMAP_SCRUB_PAGES - 1) / DAXRMAP_SCRUB_PAGES, calls);
}

/* What is on the driver's list, or flagged, is not read, and is no find. */
TEST_F(scrub, known)
{
	struct daxrmap_scrub s;
	long page, pfn, listed;
	char line[64];

	ASSERT_EQ(0, dr_create("f", BLOCKS, 1));
	pfn = dr_pfn_in_file("f", 3);
	page = page_of(PMEM0, pfn);
	ASSERT_LE(0, page);
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(pfn));
	ASSERT_EQ(0, dr_guard_watch(0));
	/* Two of another file, which the driver knows alone, one of them a part of it. */
	listed = page_of(PMEM0, dr_pfn_in_file("f", 10));
	ASSERT_LE(0, listed);
	snprintf(line, sizeof(line), "%ld 9", listed * 8);
	ASSERT_EQ(0, dr_put("/sys/block/pmem0/badblocks", line));
	s = pages(PMEM0, page, 1);
	ASSERT_EQ(0, ask(&s));
	EXPECT_EQ(1, s.known);
	EXPECT_EQ(0, s.read + s.found);
	s = pages(PMEM0, listed - 1, 4);
	ASSERT_EQ(0, ask(&s));
	EXPECT_EQ(2, s.known);
	EXPECT_EQ(2, s.read);
	EXPECT_EQ(0, s.found + s.count);
}

static const char *file_name(int i)
{
	static char name[4][16];
	static int next;

	next = (next + 1) % 4;
	snprintf(name[next], sizeof(*name), "f%d", i);
	return name[next];
}

/* Who listens has been told that a scrub has found one page, and of nothing else. */
static void told_of_find(struct __test_metadata *_metadata, int fd, unsigned long page, unsigned int flags)
{
	struct daxrmap_event e;

	EXPECT_EVENT(fd, &e, FAILURE);
	EXPECT_EQ(DAXRMAP_CAUSE_SCRUB, e.cause);
	EXPECT_EQ(page * BLK, e.physical);
	EXPECT_EQ(flags, e.flags);
	do {
		ASSERT_EQ(1, ev_next(fd, &e, EV_SOON));
	} while (e.type == DAXRMAP_EVENT_OWNER);
	EXPECT_EQ(DAXRMAP_EVENT_DONE, e.type);
	EXPECT_EQ(DAXRMAP_CAUSE_SCRUB, e.cause);
	EXPECT_QUIET(fd);
	close(fd);
}

/* Nobody knows it; then the scrub does, and so do all who have the page. */
static void find(struct __test_metadata *_metadata, const struct dr_stack *stack, unsigned long page,
		 const char *how)
{
	int files = dr_stack_reflink(stack) ? PEERS : 1, early, late;
	struct peer earlies[PEERS], lates[PEERS];
	struct daxrmap_scrub s;
	unsigned char byte;
	long pfn, at;
	int fd = ev_device(PMEM0, 0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, party_open(earlies, PEERS, true, files, BLOCKS));
	ASSERT_EQ(0, party_open(lates, PEERS, false, files, BLOCKS));
	pfn = dr_pfn_in_file("f0", page);
	at = page_of(PMEM0, pfn);
	ASSERT_LE(0, at);
	EXPECT_EQ(PEERS, party_loads(lates, PEERS, page, dr_byte(1, page)));
	EXPECT_EQ(PEERS, party_loads(earlies, PEERS, page, dr_byte(1, page)));
	ASSERT_EQ(0, dr_latent(&pfn, 1));
	/* It is as it was to them. */
	EXPECT_EQ(PEERS, party_loads(lates, PEERS, page, dr_byte(1, page)));
	s = pages(PMEM0, at - 2, 8);
	ASSERT_EQ(0, ask(&s));
	EXPECT_EQ(1, s.found);
	EXPECT_EQ(at, s.bad[0]);
	EXPECT_EQ(0, s.bad[1]);
	EXPECT_EQ(0, s.untold);
	EXPECT_EQ(7, s.read);
	EXPECT_EQ(0, s.count);
	/* All is done when it returns. */
	told_of_find(_metadata, fd, at, DAXRMAP_EVENT_F_GUARD);
	early = party_told_early(earlies, PEERS, page, 0);
	late = party_told_late(lates, PEERS, page);
	printf("# %s: %d of %d early kill told, %d of %d late\n", how, early, PEERS, late, PEERS);
	EXPECT_EQ(PEERS, early);
	EXPECT_EQ(PEERS, late);
	for (int i = 0; i < files; i++)
		EXPECT_EQ(-EIO, dr_read1(file_name(i), page, &byte));
	EXPECT_EQ(PEERS, party_loads(lates, PEERS, page + 1, dr_byte(1, page + 1)));
	/* Now it is known. */
	s = pages(PMEM0, at - 2, 8);
	ASSERT_EQ(0, ask(&s));
	EXPECT_EQ(0, s.found);
	EXPECT_EQ(1, s.known);
	EXPECT_EQ(7, s.read);
	ASSERT_EQ(0, dr_latent_off());
	party_stop(earlies, PEERS);
	party_stop(lates, PEERS);
}

TEST_F(scrub, all_owners)
{
	const struct dr_stack *stack = &variant->stack;
	int files = dr_stack_reflink(stack) ? PEERS : 1;
	struct daxrmap_guard before, after;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	for (int i = 1; i < files; i++)
		ASSERT_EQ(0, dr_clone("f0", file_name(i)));
	ASSERT_EQ(0, dr_guard_status(&before));
	find(_metadata, stack, 4, "off");
	ASSERT_EQ(0, dr_guard_watch(1));
	find(_metadata, stack, 12, "watch");
	ASSERT_EQ(0, dr_guard_watch(0));
	if (dr_stack_holdable(stack)) {
		ASSERT_EQ(0, dr_stack_hold(stack));
		find(_metadata, stack, 20, "hold");
		ASSERT_EQ(0, dr_stack_release(stack));
	}
	/* Each was dealt with once: who watches does not hear of what a scrub deals with. */
	ASSERT_EQ(0, dr_guard_status(&after));
	EXPECT_EQ(before.dropped, after.dropped);
	EXPECT_GE(before.events + 1, after.events);
}

/* More than one call can tell of. */
TEST_F(scrub, many)
{
	struct daxrmap_scrub s;
	long pfns[20], first;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	for (int i = 0; i < 20; i++)
		pfns[i] = dr_pfn_in_file("f0", i);
	first = page_of(PMEM0, pfns[0]);
	ASSERT_LE(0, first);
	ASSERT_EQ(pfns[0] + 19, pfns[19]);
	ASSERT_EQ(0, dr_latent(pfns, 20));
	s = pages(PMEM0, first, 24);
	ASSERT_EQ(0, ask(&s));
	EXPECT_EQ(DAXRMAP_SCRUB_FINDS, s.found);
	EXPECT_EQ(first + DAXRMAP_SCRUB_FINDS, s.page);
	EXPECT_EQ(24 - DAXRMAP_SCRUB_FINDS, s.count);
	for (int i = 0; i < DAXRMAP_SCRUB_FINDS; i++)
		EXPECT_EQ(first + i, s.bad[i]);
	ASSERT_EQ(0, ask(&s));
	EXPECT_EQ(4, s.found);
	EXPECT_EQ(first + 19, s.bad[3]);
	EXPECT_EQ(0, s.bad[4]);
	EXPECT_EQ(0, s.count);
}

/* Scrubs over and over until the device is gone: 0 if that ends as it should. */
static int scrub_for_ever(void *arg)
{
	long all = dr_sectors(PMEM0) / 8;
	int r = 0;

	(void)arg;
	while (!r) {
		struct daxrmap_scrub s = pages(PMEM0, 0, all);

		if (!s.major)
			return 0;	/* there is no such device any more */
		while (s.count && !r)
			r = ask(&s);
	}
	return r == -ENXIO || r == -ENODEV ? 0 : -r;
}

TEST_F(scrub, removal)
{
	pid_t pid[2];

	ASSERT_EQ(0, dr_umount());
	if (dr_stack_dm(&variant->stack))
		SKIP(return, "device mapper has the device open");
	for (int i = 0; i < 2; i++)
		pid[i] = dr_spawn(scrub_for_ever, NULL);
	usleep(300000);
	EXPECT_EQ(0, dr_pmem_unbind(PMEM0));
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, dr_wait_for(pid[i], PATIENCE));
	EXPECT_EQ(0, dr_pmem_bind(PMEM0));
}

/* A mount of ours, whose owners are told by itself. */
DR_LISTING_FIXTURE(scrub_own, "is about daxrmap's own owners")

TEST_F(scrub_own, all_owners)
{
	struct peer early, late;
	struct daxrmap_scrub s;
	unsigned char byte;
	long pfn, at, bad;
	int fd;

	if (!dr_latent_there())
		SKIP(return, "there is no latent.ko");
	ASSERT_EQ(0, dr_latent_off());
	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, dr_clone("f0", "f1"));
	ASSERT_EQ(0, peer_open(&early, true, "f0", BLOCKS * BLK, 4));
	ASSERT_EQ(0, peer_open(&late, false, "f1", BLOCKS * BLK, 4));
	bad = dr_counter("blocks_bad");
	pfn = dr_pfn_of_block(dr_block("f0", 4, NULL));
	at = page_of(dr_dev(), pfn);
	ASSERT_LE(0, at);
	ASSERT_EQ(0, dr_latent(&pfn, 1));
	fd = ev_mount(0);
	ASSERT_LE(0, fd);
	s = pages(dr_dev(), at - 3, 8);
	EXPECT_EQ(0, ask(&s));
	told_of_find(_metadata, fd, at, 0);
	EXPECT_EQ(1, s.found);
	EXPECT_EQ(at, s.bad[0]);
	EXPECT_EQ(7, s.read);
	EXPECT_EQ(0, s.untold + s.known + s.count);
	EXPECT_EARLY(&early, early.base + 4 * BLK);
	EXPECT_EQ(1, party_told_late(&late, 1, 4));
	EXPECT_EQ(-EIO, dr_read1("f0", 4, &byte));
	EXPECT_EQ(-EIO, dr_read1("f1", 4, &byte));
	EXPECT_EQ(bad + 1, dr_counter("blocks_bad"));
	s = pages(dr_dev(), at - 3, 8);
	EXPECT_EQ(0, ask(&s));
	EXPECT_EQ(0, s.found);
	EXPECT_EQ(1, s.known);
	EXPECT_EQ(0, dr_latent_off());
	peer_stop(&early);
	peer_stop(&late);
}

/* A block that nobody has is not given to anybody after that. */
TEST_F(scrub_own, free_block)
{
	struct daxrmap_scrub s;
	long pfn, at, bad;

	if (!dr_latent_there())
		SKIP(return, "there is no latent.ko");
	ASSERT_EQ(0, dr_latent_off());
	bad = dr_counter("blocks_bad");
	pfn = dr_pfn_of_block(dr_end_block() - 1);
	at = page_of(dr_dev(), pfn);
	ASSERT_LE(0, at);
	ASSERT_EQ(0, dr_latent(&pfn, 1));
	s = pages(dr_dev(), at, 1);
	EXPECT_EQ(0, ask(&s));
	EXPECT_EQ(1, s.found);
	EXPECT_EQ(bad + 1, dr_counter("blocks_bad"));
	EXPECT_EQ(0, dr_latent_off());
}

TEST_HARNESS_MAIN
