// SPDX-License-Identifier: GPL-2.0
/*
 * Failures that come at the same time from several CPUs: of one page, of ranges
 * that overlap, of pages that have nothing to do with each other. Each of them
 * is dealt with as if it were alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(pairs)

#define RW	(PROT_READ | PROT_WRITE)
#define SPAN	16UL		/* blocks of a round */
#define ROUNDS	4UL
#define LEN	(SPAN * ROUNDS * BLK)

/* On a CPU of its own, as far as there are any. */
static void pin(int nr)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(nr % sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* All who are in a round begin together. */
struct start {
	int ready, told;
	volatile int go;
};

static void wait_for_start(struct start *s, int nr)
{
	pin(nr);
	__atomic_add_fetch(&s->ready, 1, __ATOMIC_SEQ_CST);
	while (!s->go)
		sched_yield();
}

static void start_all(struct start *s, int n)
{
	while (__atomic_load_n(&s->ready, __ATOMIC_SEQ_CST) < n)
		sched_yield();
	s->go = 1;
}

struct shot {
	struct start *start;
	int nr;
	unsigned long block, count;
};

static int shoot(void *arg)
{
	struct shot *s = arg;

	wait_for_start(s->start, s->nr);
	return -dr_notify(s->block * BLK, s->count * BLK);
}

struct range { unsigned long from, to; };

FIXTURE(two) { struct dr_fs fs; };
FIXTURE_VARIANT(two) { struct range a, b; bool shared; int delay_ms; };
FIXTURE_VARIANT_ADD(two, same_page) { { 3, 4 }, { 3, 4 }, false, 0 };
FIXTURE_VARIANT_ADD(two, same_page_slowly) { { 3, 4 }, { 3, 4 }, false, 30 };
FIXTURE_VARIANT_ADD(two, same_shared_page) { { 3, 4 }, { 3, 4 }, true, 0 };
FIXTURE_VARIANT_ADD(two, same_shared_page_slowly) { { 3, 4 }, { 3, 4 }, true, 30 };
FIXTURE_VARIANT_ADD(two, overlapping) { { 0, 8 }, { 4, 12 }, true, 0 };
FIXTURE_VARIANT_ADD(two, overlapping_slowly) { { 0, 8 }, { 4, 12 }, true, 30 };
FIXTURE_VARIANT_ADD(two, one_in_the_other) { { 0, 12 }, { 5, 6 }, true, 30 };
FIXTURE_VARIANT_ADD(two, neighbours) { { 2, 5 }, { 5, 9 }, true, 30 };
FIXTURE_VARIANT_ADD(two, apart) { { 1, 2 }, { 9, 10 }, false, 0 };
FIXTURE_VARIANT_ADD(two, apart_and_shared) { { 1, 2 }, { 9, 10 }, true, 30 };
FIXTURE_SETUP(two) { ASSERT_EQ(0, dr_setup(&self->fs)); }
FIXTURE_TEARDOWN_PARENT(two) { EXPECT_EQ(0, dr_teardown(&self->fs)); }

static bool in(struct range r, unsigned long i)
{
	return i >= r.from && i < r.to;
}

TEST_F(two, at_once)
{
	struct peer early, late;
	unsigned char byte;
	long block, bad = 0;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", ROUNDS * SPAN, 1));
	block = dr_block("f", 0, NULL);
	ASSERT_EQ(block + ROUNDS * SPAN - 1, dr_block("f", ROUNDS * SPAN - 1, NULL));
	if (variant->shared)
		ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, peer_open(&early, true, "f", LEN, -1));
	ASSERT_EQ(0, peer_open(&late, false, variant->shared ? "g" : "f", LEN, -1));
	ASSERT_EQ(0, dr_notify_delay(variant->delay_ms));
	for (unsigned long round = 0; round < ROUNDS; round++) {
		struct start *start = dr_shared_mem(sizeof(*start));
		unsigned long at = round * SPAN;
		struct shot a = { start, 0, block + at + variant->a.from,
				  variant->a.to - variant->a.from };
		struct shot b = { start, 1, block + at + variant->b.from,
				  variant->b.to - variant->b.from };
		pid_t pid[2];
		struct dr_sig s[8];
		int n;

		for (unsigned long i = at; i < at + SPAN; i++) {
			ASSERT_EQ(0, peer_load(&early, i * BLK).sig.signo);
			ASSERT_EQ(0, peer_load(&late, i * BLK).sig.signo);
		}
		pid[0] = dr_spawn(shoot, &a);
		pid[1] = dr_spawn(shoot, &b);
		start_all(start, 2);
		EXPECT_EQ(0, dr_wait(pid[0]));
		EXPECT_EQ(0, dr_wait(pid[1]));
		munmap(start, sizeof(*start));

		/* A signal may stand for several, but none for what is good. */
		n = peer_signals(&early, s, 8);
		EXPECT_GE(n, 1);
		if (a.count == 1 && a.block == b.block)
			EXPECT_EQ(1, n);
		for (int i = 0; i < n && i < 8; i++) {
			unsigned long page = (s[i].addr - early.base) / BLK - at;

			EXPECT_EQ(BUS_MCEERR_AO, s[i].code);
			EXPECT_TRUE(in(variant->a, page) || in(variant->b, page));
		}
		EXPECT_EQ(0, peer_signals(&late, s, 8));
		for (unsigned long i = 0; i < SPAN; i++) {
			unsigned long off = (at + i) * BLK;

			if (in(variant->a, i) || in(variant->b, i)) {
				bad++;
				EXPECT_POISON(peer_load(&early, off), early.base + off);
				EXPECT_POISON(peer_load(&late, off), late.base + off);
				EXPECT_EQ(-EIO, dr_read1("f", at + i, &byte));
			} else {
				EXPECT_BYTE(peer_load(&early, off), dr_byte(1, at + i));
				EXPECT_BYTE(peer_load(&late, off), dr_byte(1, at + i));
				EXPECT_EQ(0, dr_verify("f", at + i, 1, 1, at + i));
			}
		}
		EXPECT_EQ(bad, dr_counter("blocks_bad"));
		EXPECT_EQ(bad, dr_counter("failed_blocks"));
		EXPECT_EQ(2 * (round + 1), dr_counter("notifies"));
	}
	EXPECT_EQ(0, dr_counter("moved"));
	peer_stop(&early);
	peer_stop(&late);
}

/* ---- two owners inject into the same page through their own mappings ---- */

struct owner {
	struct start *start;
	int nr;
	unsigned long page;
};

static int poison_mine(void *arg)
{
	struct owner *o = arg;
	char name[2] = { 'a' + o->nr, 0 };
	char *p = dr_map(name, 0, LEN, RW, MAP_SHARED), *at;
	struct dr_sig s[4];
	struct dr_touch t;
	int n, r;

	if (!p)
		return 1;
	at = p + o->page * BLK;
	if (dr_load(at).sig.signo)
		return 2;
	wait_for_start(o->start, o->nr);
	r = dr_poison_addr(at);
	n = dr_signals(s, 4);
	/* Who comes second may have nothing mapped any more: no signal then. */
	for (int i = 0; i < n && i < 4; i++)
		if (s[i].addr != at || s[i].lsb != 12 ||
		    (s[i].code != BUS_MCEERR_AR && s[i].code != BUS_MCEERR_AO))
			return 3;
	if (!r && n)
		__atomic_add_fetch(&o->start->told, 1, __ATOMIC_SEQ_CST);
	t = dr_load(at);
	if (!dr_sig_is(t.sig, BUS_MCEERR_AR, at, 12))
		return 4;
	t = dr_load(p + (o->page ^ 1) * BLK);
	return t.sig.signo || t.byte != dr_byte(1, o->page ^ 1) ? 5 : 0;
}

TEST_F(pairs, sharers_poison_one_page)
{
	enum { OWNERS = 4 };

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("a", ROUNDS * SPAN, 1));
	for (int i = 1; i < OWNERS; i++)
		ASSERT_EQ(0, dr_clone("a", (char [2]){ 'a' + i, 0 }));
	for (unsigned long page = 0; page < 32; page += 2) {
		struct start *start = dr_shared_mem(sizeof(*start));
		pid_t pid[OWNERS];

		for (int i = 0; i < OWNERS; i++) {
			struct owner o = { start, i, page };

			pid[i] = dr_spawn(poison_mine, &o);
		}
		start_all(start, OWNERS);
		for (int i = 0; i < OWNERS; i++)
			EXPECT_EQ(0, dr_wait(pid[i]));
		EXPECT_GE(start->told, 1);
		munmap(start, sizeof(*start));
		EXPECT_EQ(page / 2 + 1, dr_counter("blocks_bad"));
	}
	for (int i = 0; i < OWNERS; i++) {
		unsigned char byte;

		for (unsigned long k = 0; k < 40; k++)
			EXPECT_EQ(k < 32 && k % 2 == 0 ? -EIO : 0,
				  dr_read1((char [2]){ 'a' + i, 0 }, k, &byte));
	}
}

/* ---- many at once, by all ways ---- */

enum { SHOOTERS = 6, SHOTS = 16, PAGES = 256 };

struct many {
	struct start start;
	unsigned char hit[PAGES];	/* asked to be bad */
	int errors;
};

struct shooter {
	struct many *m;
	int nr;
	long block, pfn;
};

static int shoot_on(void *arg)
{
	struct shooter *me = arg;
	unsigned int x = me->nr * 7919 + 1;

	wait_for_start(&me->m->start, me->nr);
	for (int i = 0; i < SHOTS; i++) {
		unsigned int page, n;

		x = x * 1103515245 + 12345;
		page = x / 65536 % (PAGES - 4);
		n = i % 3 ? 1 : 4;
		for (unsigned int k = 0; k < n; k++)
			me->m->hit[page + k] = 1;
		if (n == 1 && i % 2 ? dr_poison_pfn(me->pfn + page) :
				      dr_notify((me->block + page) * BLK, n * BLK))
			__atomic_add_fetch(&me->m->errors, 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

TEST_F(pairs, many)
{
	static const char *const name[] = { "a", "b", "c" };
	struct many *m = dr_shared_mem(sizeof(*m));
	pid_t pid[SHOOTERS];
	struct peer peer[3];
	int bad = 0;
	long block;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("a", PAGES, 1));
	block = dr_block("a", 0, NULL);
	ASSERT_EQ(block + PAGES - 1, dr_block("a", PAGES - 1, NULL));
	ASSERT_EQ(0, dr_clone_range("a", 0, PAGES / 2 * BLK, "b", 0));
	ASSERT_EQ(0, dr_clone("b", "c"));
	ASSERT_EQ(0, truncate(dr_path("b"), PAGES * BLK));
	ASSERT_EQ(0, truncate(dr_path("c"), PAGES * BLK));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, peer_open(&peer[i], false, name[i], PAGES * BLK, -1));
		for (int k = 0; k < PAGES; k++)
			ASSERT_EQ(0, peer_load(&peer[i], k * BLK).sig.signo);
	}
	for (int i = 0; i < SHOOTERS; i++) {
		struct shooter s = { m, i, block, dr_pfn_of_block(block) };

		pid[i] = dr_spawn(shoot_on, &s);
	}
	start_all(&m->start, SHOOTERS);
	for (int i = 0; i < SHOOTERS; i++)
		EXPECT_EQ(0, dr_wait(pid[i]));
	EXPECT_EQ(0, m->errors);
	EXPECT_EQ(SHOOTERS * SHOTS, dr_counter("notifies"));
	for (int k = 0; k < PAGES; k++) {
		bad += m->hit[k];
		for (int i = 0; i < 3; i++) {
			unsigned char want = i && k >= PAGES / 2 ? 0 : dr_byte(1, k);
			bool lost = m->hit[k] && (!i || k < PAGES / 2);
			struct dr_touch t = peer_load(&peer[i], k * BLK);
			unsigned char byte;

			EXPECT_EQ(lost ? -EIO : 0, dr_read1(name[i], k, &byte));
			if (lost)
				EXPECT_POISON(t, peer[i].base + k * BLK);
			else
				EXPECT_BYTE(t, want);
		}
	}
	TH_LOG("%d events, %d bad blocks", SHOOTERS * SHOTS, bad);
	EXPECT_EQ(bad, dr_counter("blocks_bad"));
	EXPECT_EQ(bad, dr_counter("failed_blocks"));
	for (int i = 0; i < 3; i++)
		peer_stop(&peer[i]);
}

TEST_HARNESS_MAIN
