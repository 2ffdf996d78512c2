// SPDX-License-Identifier: GPL-2.0
/*
 * Failures of pages when there is no memory: each allocation on the way fails
 * once, or all of them at once. No owner may be forgotten, and nobody reads the
 * block later. Wants a kernel with failslab and fail_page_alloc.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/module/inject.h"
#include "common/module/listen.h"

#define RW	(PROT_READ | PROT_WRITE)
#define PAGES	256
#define CLONES	18	/* more than a batch without memory has */
#define LEN	(PAGES * BLK)

/* How the failure comes. */
enum how { NOTIFY, MADVISE, CORRUPT_PFN };

FIXTURE(memory) {
	struct dr_fs fs;
	int notify, corrupt;		/* debugfs files, open */
	char *map;			/* this process maps 1 */
	int open[CLONES / 2];		/* in core; the other half is not */
};

FIXTURE_VARIANT(memory) { enum how how; };
FIXTURE_VARIANT_ADD(memory, by_notify) { NOTIFY };
FIXTURE_VARIANT_ADD(memory, by_madvise) { MADVISE };
FIXTURE_VARIANT_ADD(memory, by_corrupt_pfn) { CORRUPT_PFN };

/* They map f, and 0. (Not in the fixture, which they would share.) */
static struct peer early, late;

static const char *clone_name(int i)
{
	static char name[8];

	snprintf(name, sizeof(name), "%d", i);
	return name;
}

FIXTURE_SETUP(memory)
{
	char path[128];
	int r;

	if (dr_xfs())
		SKIP(return, "asks daxrmap's debugfs");
	r = dr_inject_start();
	if (r == -ENOENT)
		SKIP(return, "this kernel cannot make allocations fail");
	ASSERT_EQ(0, r);
	ASSERT_EQ(0, dr_setup(&self->fs));
	snprintf(path, sizeof(path), DEBUGFS "/daxrmap/%s/notify",
		 strrchr(dr_dev(), '/') + 1);
	self->notify = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_GE(self->notify, 0);
	self->corrupt = open(DEBUGFS "/hwpoison/corrupt-pfn", O_WRONLY | O_CLOEXEC);
	ASSERT_GE(self->corrupt, 0);

	ASSERT_EQ(0, dr_create("f", PAGES, 1));
	for (int i = 0; i < CLONES; i++)
		ASSERT_EQ(0, dr_clone("f", clone_name(i)));
	dr_drop_caches();
	for (int i = 0; i < CLONES / 2; i++) {
		self->open[i] = dr_open(clone_name(i), O_RDONLY);
		ASSERT_GE(self->open[i], 0);
	}
	self->map = dr_map("1", 0, LEN, RW, MAP_SHARED);
	ASSERT_NE(NULL, self->map);
	ASSERT_EQ(0, peer_open(&early, true, "f", LEN, -1));
	ASSERT_EQ(0, peer_open(&late, false, "0", LEN, -1));
}

FIXTURE_TEARDOWN_PARENT(memory)
{
	dr_inject_end();
	EXPECT_EQ(0, dr_xfs() ? 0 : dr_teardown(&self->fs));
}

/* ---- one event ---- */

struct event {
	enum how how;
	int fd, n;
	char text[48];
	char *addr;
};

static int fire(void *arg)
{
	struct event *e = arg;

	if (e->how == MADVISE)
		return dr_poison_addr(e->addr);
	return write(e->fd, e->text, e->n) == e->n ? 0 : -errno;
}

/* A failure of page `at` of all files while allocations fail. */
static int fail_page(FIXTURE_DATA(memory) *self, enum how how, long at, int nth,
		     bool *hit)
{
	long block = dr_block("f", at, NULL);
	struct event e = { .how = how, .addr = self->map + at * BLK };

	if (block < 0)
		return block;
	if (how == NOTIFY) {
		e.fd = self->notify;
		e.n = snprintf(e.text, sizeof(e.text), "%lu %lu", block * BLK, BLK);
	} else {
		e.fd = self->corrupt;
		e.n = snprintf(e.text, sizeof(e.text), "%#lx", dr_pfn_of_block(block));
	}
	return dr_inject(nth, fire, &e, hit);
}

/* Everybody who maps the file has the page. */
static int touch_all(FIXTURE_DATA(memory) *self, long at)
{
	return dr_load(self->map + at * BLK).sig.signo ||
		peer_load(&early, at * BLK).sig.signo ||
		peer_load(&late, at * BLK).sig.signo;
}

/*
 * A signal that came by itself: for this page, if there was memory to say so.
 * Without, it comes from nobody, for no address. Or none came.
 */
static bool early_is_right(const struct dr_sig *s, int n, const char *at)
{
	if (n == 0)
		return true;
	if (n == 1 && s->code == SI_USER)
		return s->addr == NULL;
	return n == 1 && s->addr == at && s->lsb == 12 &&
		(s->code == BUS_MCEERR_AO || s->code == BUS_MCEERR_AR);
}

/* Who maps the page meets the failure at the next touch. */
static void expect_poison(struct __test_metadata *_metadata,
			  FIXTURE_DATA(memory) *self, long at)
{
	EXPECT_POISON(dr_load(self->map + at * BLK), self->map + at * BLK);
	EXPECT_POISON(peer_load(&early, at * BLK), early.base + at * BLK);
	EXPECT_POISON(peer_load(&late, at * BLK), late.base + at * BLK);
}

/* So does who has it open. */
static void expect_eio(struct __test_metadata *_metadata,
		       FIXTURE_DATA(memory) *self, long at)
{
	unsigned char byte;

	EXPECT_EQ(-EIO, dr_read1("f", at, &byte));
	for (int i = 0; i < CLONES / 2; i++) {
		EXPECT_EQ(-1, pread(self->open[i], &byte, 1, at * BLK));
		EXPECT_EQ(EIO, errno);
	}
}

/* And who opens it later. Until then nobody may, or it is in core. */
static void expect_eio_later(struct __test_metadata *_metadata, long at)
{
	unsigned char byte;

	for (int i = CLONES / 2; i < CLONES; i++)
		EXPECT_EQ(-EIO, dr_read1(clone_name(i), at, &byte));
}

/* ---- tests ---- */

/* The 1st allocation fails, the 2nd, ... until there are no more. */
TEST_F(memory, each_allocation)
{
	int nth, signalled = 0, refused = 0, absent = 0;
	bool lost[PAGES] = { false };
	struct dr_failure f;
	struct dr_sig s[4];
	bool hit = true;

	for (nth = 1; hit && nth < PAGES; nth++) {
		long at = nth, bad = dr_counter("blocks_bad");
		int r, n;

		ASSERT_EQ(0, touch_all(self, at));
		r = fail_page(self, variant->how, at, nth, &hit);
		if (r) {
			/* It did not come so far as to be a failure. */
			EXPECT_EQ(bad, dr_counter("blocks_bad"));
			EXPECT_EQ(0, touch_all(self, at));
			refused++;
			continue;
		}
		EXPECT_EQ(bad + 1, dr_counter("blocks_bad"));
		ASSERT_EQ(0, dr_last_failure(&f));
		EXPECT_EQ(dr_block("f", at, NULL), f.block);
		EXPECT_EQ(CLONES + 1, f.owners);
		n = peer_signals(&early, s, 4);
		EXPECT_TRUE(early_is_right(s, n, early.base + at * BLK));
		signalled += n == 1 && s[0].addr;
		EXPECT_EQ(0, peer_signals(&late, s, 4));
		n = dr_signals(s, 4);
		EXPECT_TRUE(early_is_right(s, n, self->map + at * BLK));
		expect_poison(_metadata, self, at);
		expect_eio(_metadata, self, at);
		for (int i = 0; i < f.lines; i++)
			absent += !f.o[i].incore;
		lost[at] = true;
	}
	TH_LOG("%d allocations failed in turn; %d events never began, %d signals with an address",
	       nth - 2, refused, signalled);
	EXPECT_FALSE(hit);		/* the last round had none to fail */
	EXPECT_GE(nth - 2, 3);		/* batch, lines, list of processes */
	EXPECT_GT(signalled, 0);
	EXPECT_GT(absent, 0);
	for (long at = 0; at < PAGES; at++)
		if (lost[at])
			expect_eio_later(_metadata, at);
	EXPECT_EQ(0, dr_check());
	for (int i = 0; i < CLONES; i += 5)
		EXPECT_EQ(0, dr_verify(clone_name(i), nth, PAGES - nth, 1, nth));
}

/*
 * No memory for anything, event after event; pages apart, so that no two are
 * one range. No transaction comes between, which would make room again: nobody
 * reads or writes, as that sets times. Returns the first error.
 */
static int fail_many(struct __test_metadata *_metadata, FIXTURE_DATA(memory) *self,
		     enum how how, int max, int *n)
{
	struct dr_sig s[4];
	bool hit;

	for (*n = 0; *n < max; ++*n) {
		long bad = dr_counter("blocks_bad");
		int r;

		EXPECT_EQ(0, touch_all(self, *n * 2));
		r = fail_page(self, how, *n * 2, DR_ALL, &hit);
		if (r)
			return r;
		EXPECT_EQ(bad + 1, dr_counter("blocks_bad"));
		peer_signals(&early, s, 4);
		dr_signals(s, 4);
		expect_poison(_metadata, self, *n * 2);
	}
	return 0;
}

TEST_F(memory, none_at_all)
{
	int n;

	/* What the bad set has room for at least. */
	ASSERT_EQ(0, fail_many(_metadata, self, variant->how, 64, &n));
	for (int i = 0; i < n; i++) {
		expect_eio(_metadata, self, i * 2);
		expect_eio_later(_metadata, i * 2);
	}
	EXPECT_EQ(0, dr_check());
	for (int i = 0; i < CLONES; i += 5)
		for (int k = 0; k < n; k++)
			EXPECT_EQ(0, dr_verify(clone_name(i), k * 2 + 1, 1, 1, k * 2 + 1));
}

/* The bad set is full, and cannot grow: the one too many shuts the mount down. */
TEST_F(memory, one_too_many)
{
	unsigned long long seq = dr_log_seq();
	struct daxrmap_event e;
	unsigned char byte;
	int n, r, fd;
	struct peer p;

	/* For all owners of all failures. */
	fd = ev_mount(PAGES / 2 * (CLONES + 3));
	ASSERT_LE(0, fd);
	r = fail_many(_metadata, self, variant->how, PAGES / 2, &n);
	TH_LOG("%d failures without any memory, then errno %d", n, -r);
	ASSERT_EQ(-ENOMEM, r);
	EXPECT_EQ(1, ev_next_of(fd, &e, DAXRMAP_EVENT_SHUTDOWN, 0));
	EXPECT_EQ(DAXRMAP_CAUSE_UNKNOWN, e.cause);
	EXPECT_EQ(0, ev_next_of(fd, &e, DAXRMAP_EVENT_SHUTDOWN, 0));
	close(fd);
	EXPECT_GE(n, 64);
	EXPECT_EQ(n, dr_counter("blocks_bad"));
	EXPECT_EQ(1, dr_log_count(seq, "cannot be remembered: shutting down"));

	/* The one that nobody remembers: no owner reads it, nor anything else. */
	for (long at = n * 2; at <= n * 2 + 1; at++) {
		for (int i = 0; i < CLONES; i++)
			EXPECT_EQ(-EIO, dr_read1(clone_name(i), at, &byte));
		EXPECT_EQ(-EIO, dr_read1("f", at, &byte));
		EXPECT_EQ(-EIO, dr_write_part("f", at));
	}
	/* Who had it mapped has not any more. */
	EXPECT_EQ(SIGBUS, dr_load(self->map + n * 2 * BLK).sig.signo);
	EXPECT_EQ(SIGBUS, peer_load(&early, n * 2 * BLK).sig.signo);
	EXPECT_EQ(SIGBUS, peer_load(&late, n * 2 * BLK).sig.signo);
	ASSERT_EQ(0, peer_open(&p, true, "5", LEN, -1));
	EXPECT_EQ(SIGBUS, peer_load(&p, n * 2 * BLK).sig.signo);
	EXPECT_EQ(SIGBUS, peer_load(&p, 255 * BLK).sig.signo);
	peer_stop(&p);
	EXPECT_EQ(-EIO, dr_clone("f", "g"));
	EXPECT_EQ(-EIO, dr_create("g", 1, 1));
	EXPECT_EQ(0, dr_check());

	/* A new mount is a new beginning. */
	peer_stop(&early);
	peer_stop(&late);
	munmap(self->map, LEN);
	for (int i = 0; i < CLONES / 2; i++)
		close(self->open[i]);
	close(self->notify);
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mount());
	EXPECT_EQ(0, dr_create("f", PAGES, 2));
	EXPECT_EQ(0, dr_verify("f", 0, PAGES, 2, 0));
	ASSERT_EQ(0, peer_open(&early, false, "f", LEN, 0));
	ASSERT_EQ(0, peer_open(&late, false, "f", LEN, 0));
}

TEST_HARNESS_MAIN
