// SPDX-License-Identifier: GPL-2.0
/*
 * Failures of pages while the guard holds the device and there is no memory: each allocation of
 * the notifier fails once, and all of the worker that finds the owners. Whoever maps the page is told
 * at the latest when he touches it, and nobody reads it. Wants a kernel with failslab and
 * fail_page_alloc.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/module/inject.h"
#include "common/processes/party.h"

#define PEERS	3
#define BLOCKS	128
#define MOST	50		/* allocations of one event, or there is something wrong */

DR_STACK_FIXTURE(guard_memory)
DR_STACK(guard_memory, ext4, "ext4", ON_PMEM);
DR_STACK(guard_memory, xfs_linear, "xfs", ON_LINEAR);

struct event {
	int fd, n;
	char text[32];
};

static int fire(void *arg)
{
	struct event *e = arg;

	return write(e->fd, e->text, e->n) == e->n ? 0 : -errno;
}

/*
 * Fails that page while the nth allocation does. Whether one did in *hit, and whether it became an event
 * at all in *happened: what comes before memory_failure() needs memory, too.
 */
static void fail_page(struct __test_metadata *_metadata, int fd, unsigned long page, int nth,
		      bool *hit, bool *happened)
{
	long before = dr_guard_dealt(), pfn = dr_pfn_in_file("f0", page);
	struct event e = { .fd = fd };
	int r;

	ASSERT_LE(0, before);
	ASSERT_LT(0, pfn);
	e.n = snprintf(e.text, sizeof(e.text), "0x%lx", pfn);
	r = dr_inject(nth, fire, &e, hit);
	*happened = dr_guard_dealt() != before;
	/* With hold all is done when it returns; without memory it never came so far. */
	EXPECT_TRUE(*happened || r == -ENOMEM || r == -EFAULT);
}

/* "f0" and its clones, where there can be any; peers that map them, and asked for nothing. */
static void make_party(struct __test_metadata *_metadata, const struct dr_stack *s,
		       struct peer *late, int *fd)
{
	int clones = dr_stack_reflink(s) ? PEERS : 1;
	char name[8];

	*fd = open(DEBUGFS "/hwpoison/corrupt-pfn", O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, *fd);
	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	for (int i = 1; i < clones; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		ASSERT_EQ(0, dr_clone("f0", name));
	}
	ASSERT_EQ(0, party_open(late, PEERS, false, clones, BLOCKS));
	ASSERT_EQ(0, dr_stack_hold(s));
}

static void end_party(struct peer *late, int fd)
{
	dr_inject_end();
	dr_guard_off();
	party_stop(late, PEERS);
	close(fd);
}

/* Nobody has the page any more, and everybody has the one behind it. */
static void lost(struct __test_metadata *_metadata, struct peer *late, unsigned long page)
{
	unsigned char byte;

	EXPECT_EQ(PEERS, party_told_at_touch(late, PEERS, page));
	EXPECT_EQ(-EIO, dr_read1("f0", page, &byte));
	EXPECT_EQ(PEERS, party_loads(late, PEERS, page + 1, dr_byte(1, page + 1)));
}

TEST_F(guard_memory, each_allocation)
{
	struct peer late[PEERS];
	unsigned long page = 1;
	bool hit = true, happened = false;
	int fd, r;

	r = dr_inject_start();
	if (r == -ENOENT)
		SKIP(return, "this kernel cannot make allocations fail");
	ASSERT_EQ(0, r);
	make_party(_metadata, &variant->stack, late, &fd);
	/* Until none is left to fail: then it must have happened. */
	for (int nth = 1; nth <= MOST && hit; nth++, page += 2) {
		EXPECT_EQ(PEERS, party_loads(late, PEERS, page, dr_byte(1, page)));
		fail_page(_metadata, fd, page, nth, &hit, &happened);
		if (happened)
			lost(_metadata, late, page);
		else
			EXPECT_EQ(PEERS, party_loads(late, PEERS, page, dr_byte(1, page)));
	}
	EXPECT_FALSE(hit);
	EXPECT_TRUE(happened);
	end_party(late, fd);
}

TEST_F(guard_memory, workers_without_any)
{
	struct peer late[PEERS];
	long pfn;
	int fd, r;

	r = dr_inject_start();
	if (r == -ENOENT)
		SKIP(return, "this kernel cannot make allocations fail");
	ASSERT_EQ(0, r);
	make_party(_metadata, &variant->stack, late, &fd);
	for (unsigned long page = 1; page < 12; page += 2) {
		EXPECT_EQ(PEERS, party_loads(late, PEERS, page, dr_byte(1, page)));
		pfn = dr_pfn_in_file("f0", page);
		ASSERT_LT(0, pfn);
		ASSERT_EQ(0, dr_inject_workers(true));
		r = dr_guard_poison(pfn);
		ASSERT_EQ(0, dr_inject_workers(false));
		EXPECT_EQ(0, r);
		lost(_metadata, late, page);
	}
	end_party(late, fd);
}

TEST_HARNESS_MAIN
