// SPDX-License-Identifier: GPL-2.0
/*
 * Owners that change while the failure handler works. Between the moment it
 * learns of an owner and the moment it locks the file it sleeps here
 * (debugfs notify_delay_ms): whoever is not an owner any more when it wakes
 * up must not be signalled, and whoever is must be.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/clock.h"

DR_FIXTURE(race)

#define RW	(PROT_READ | PROT_WRITE)
#define LEN	(16 * BLK)
#define DELAY	500

static int inject(void *pfn)
{
	return dr_poison_pfn((long)pfn) ? 1 : 0;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

/*
 * Starts a failure of a file's block and returns when the handler has it in
 * the bad set. It resolves the owners next and then sleeps; nothing tells
 * when, so give it a tenth of its sleep.
 */
static pid_t start(const char *name, unsigned long blk)
{
	long bad = dr_counter("blocks_bad");
	pid_t pid;

	if (dr_notify_delay(DELAY))
		return -1;
	pid = dr_spawn(inject, (void *)dr_pfn_of_block(dr_block(name, blk, NULL)));
	for (int i = 0; i < 5000 && dr_counter("blocks_bad") == bad; i++)
		nap();
	for (int i = 0; i < DELAY / 10 / 2; i++)
		nap();
	return pid;
}

/* It must still be asleep, or the test tested nothing. */
#define EXPECT_RUNNING(pid) EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG))

FIXTURE(moved) { struct dr_fs fs; };
FIXTURE_VARIANT(moved) { bool shared; enum { TRUNCATE, COW, OVER } how; };
FIXTURE_VARIANT_ADD(moved, shortcut_truncate) { false, TRUNCATE };
FIXTURE_VARIANT_ADD(moved, shortcut_clone_over) { false, OVER };
FIXTURE_VARIANT_ADD(moved, tree_truncate) { true, TRUNCATE };
FIXTURE_VARIANT_ADD(moved, tree_clone_over) { true, OVER };
FIXTURE_SETUP(moved) { ASSERT_EQ(0, dr_setup(&self->fs)); }
FIXTURE_TEARDOWN_PARENT(moved) { EXPECT_EQ(0, dr_teardown(&self->fs)); }

/*
 * The file has another block there when the handler comes, mapped by an
 * early-kill process: to signal it, or to revoke that page, is wrong.
 */
TEST_F(moved, not_signalled)
{
	struct peer p, q;
	struct dr_failure f;
	struct dr_sig s[4];
	pid_t pid;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("a", 16, 1));
	ASSERT_EQ(0, dr_create("other", 16, 2));
	if (variant->shared)
		ASSERT_EQ(0, dr_clone("a", "b"));
	ASSERT_EQ(0, peer_open(&p, true, "a", LEN, 6));
	if (variant->shared)
		ASSERT_EQ(0, peer_open(&q, true, "b", LEN, 6));
	pid = start("a", 6);
	ASSERT_GT(pid, 0);
	if (variant->how == TRUNCATE) {
		ASSERT_EQ(0, truncate(dr_path("a"), 0));
		ASSERT_EQ(0, dr_write_blocks("a", 0, 16, 2));
	} else {
		ASSERT_EQ(0, dr_clone("other", "a"));
	}
	EXPECT_BYTE(peer_load(&p, 6 * BLK), dr_byte(2, 6));
	EXPECT_RUNNING(pid);
	EXPECT_EQ(0, dr_wait(pid));

	EXPECT_EQ(0, peer_signals(&p, s, 4));
	EXPECT_BYTE(peer_load(&p, 6 * BLK), dr_byte(2, 6));
	EXPECT_EQ(0, dr_verify("a", 0, 16, 2, 0));
	EXPECT_EQ(0, dr_verify("other", 0, 16, 2, 0));
	if (variant->shared) {		/* who stayed is told all the same */
		EXPECT_EARLY(&q, q.base + 6 * BLK);
		EXPECT_POISON(peer_load(&q, 6 * BLK), q.base + 6 * BLK);
		peer_stop(&q);
	}
	peer_stop(&p);
	EXPECT_EQ(1, dr_counter("moved"));
	ASSERT_EQ(0, dr_last_failure(&f));
	/* Unshared: the shortcut's answer was stale, and then there is none. */
	EXPECT_EQ(variant->shared, !strcmp(f.via, "tree"));
	EXPECT_EQ(variant->shared, f.owners);
	EXPECT_EQ(1 + variant->shared, f.lines);
	for (int i = 0; i < f.lines; i++)
		EXPECT_STREQ(f.o[i].ino == (unsigned long)dr_ino("a") ?
			     "moved" : "killed", f.o[i].what);
	EXPECT_USED(variant->how == TRUNCATE ? 32 + (variant->shared ? 16 : 1) :
					       16 + (variant->shared ? 16 : 1));
}

/* Unlinked meanwhile: mapped, it is an owner; else it is gone. No hang. */
TEST_F(race, unlink)
{
	struct peer p;
	pid_t pid;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("a", 16, 1));
	ASSERT_EQ(0, dr_clone("a", "mapped"));
	ASSERT_EQ(0, dr_clone("a", "gone"));
	ASSERT_EQ(0, peer_open(&p, true, "mapped", LEN, 6));
	pid = start("a", 6);
	ASSERT_GT(pid, 0);
	EXPECT_EQ(0, unlink(dr_path("mapped")));
	EXPECT_EQ(0, unlink(dr_path("gone")));
	EXPECT_EQ(0, unlink(dr_path("a")));
	EXPECT_RUNNING(pid);
	EXPECT_EQ(0, dr_wait(pid));
	EXPECT_EARLY(&p, p.base + 6 * BLK);
	EXPECT_POISON(peer_load(&p, 6 * BLK), p.base + 6 * BLK);
	EXPECT_BYTE(peer_load(&p, 7 * BLK), dr_byte(1, 7));
	EXPECT_USED(16);
	peer_stop(&p);
	EXPECT_USED(1);		/* the bad one */
	EXPECT_EQ(0, dr_counter("owner_records"));
}

/* All owners gone, and their inodes' numbers perhaps used again. */
TEST_F(race, unlink_of_all)
{
	pid_t pid;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("a", 16, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	pid = start("a", 6);
	ASSERT_GT(pid, 0);
	EXPECT_EQ(0, unlink(dr_path("a")));
	EXPECT_EQ(0, unlink(dr_path("b")));
	EXPECT_EQ(0, dr_create("c", 16, 3));
	EXPECT_EQ(0, dr_create("d", 16, 4));
	EXPECT_RUNNING(pid);
	EXPECT_EQ(0, dr_wait(pid));
	EXPECT_EQ(0, dr_verify("c", 0, 16, 3, 0));
	EXPECT_EQ(0, dr_verify("d", 0, 16, 4, 0));
	EXPECT_USED(33);
}

/* The block is published as bad first: no new owner comes in behind. */
TEST_F(race, new_owners)
{
	struct peer p, q;
	unsigned char byte;
	pid_t pid;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("a", 16, 1));
	ASSERT_EQ(0, peer_open(&p, true, "a", LEN, 6));
	pid = start("a", 6);
	ASSERT_GT(pid, 0);
	EXPECT_EQ(-EIO, dr_clone("a", "b"));
	EXPECT_EQ(-EIO, dr_clone_range("a", 6 * BLK, BLK, "c", 0));
	EXPECT_EQ(-EIO, dr_read1("a", 6, &byte));
	EXPECT_EQ(-EIO, dr_write_part("a", 6));
	/* Who maps it now does not get it, either. */
	ASSERT_EQ(0, peer_open(&q, true, "a", LEN, -1));
	EXPECT_POISON(peer_load(&q, 6 * BLK), q.base + 6 * BLK);
	EXPECT_RUNNING(pid);
	EXPECT_EQ(0, dr_wait(pid));
	EXPECT_EARLY(&p, p.base + 6 * BLK);
	EXPECT_POISON(peer_load(&p, 6 * BLK), p.base + 6 * BLK);
	peer_stop(&p);
	peer_stop(&q);
}

/* ---- everything at once ---- */

enum { FILES = 4, PAGES = 16, ROUNDS = 6 };

struct storm {
	volatile int stop, poisoned[PAGES];
	volatile long loads[FILES], sigbus[FILES], silent, wrong, changes;
};

struct toucher {
	struct storm *s;
	int nr;
};

/* Faults its pages again and again; knows which are told to be poisoned. */
static int touch_on(void *arg)
{
	struct toucher *me = arg;
	struct storm *s = me->s;
	char name[8];
	char *p;

	snprintf(name, sizeof(name), "%d", me->nr);
	p = dr_map(name, 0, PAGES * BLK, RW, MAP_SHARED);
	if (!p)
		return 1;
	for (unsigned int i = me->nr; !s->stop; i = i * 5 + 1) {
		int page = i / 8 % PAGES, was = s->poisoned[page];
		char *at = p + page * BLK;
		struct dr_touch t = dr_load(at);

		if (t.sig.signo) {
			s->sigbus[me->nr]++;
			if (t.sig.code != BUS_MCEERR_AR || t.sig.addr != at ||
			    t.sig.lsb != 12)
				s->wrong++;
		} else {
			s->loads[me->nr]++;
			if (was)
				s->silent++;
			if (t.byte != dr_byte(1, page))
				s->wrong++;
		}
		if (i % 3 == 0)
			madvise(p, PAGES * BLK, MADV_DONTNEED);
	}
	return 0;
}

/* Clones, CoWs, truncates and unlinks beside it: shares the same blocks. */
static int change_on(void *arg)
{
	struct storm *s = arg;

	for (int i = 0; !s->stop; i++) {
		dr_clone_range("0", 0, 4 * BLK, "x", i % 3 * 8 * BLK);
		dr_write_part("x", i % 4);
		dr_clone("1", "y");	/* -EIO once something is bad */
		truncate(dr_path("x"), i % 7 * 1000);
		if (i % 5 == 0) {
			unlink(dr_path("x"));
			unlink(dr_path("y"));
		}
		s->changes++;
	}
	return 0;
}

TEST_F(race, poison_in_a_storm)
{
	struct storm *s = dr_shared_mem(sizeof(*s));
	double start;
	pid_t pid[FILES + 1];
	char name[8];

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("0", PAGES, 1));
	for (int i = 1; i < FILES; i++) {
		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, dr_clone("0", name));
	}
	for (int i = 0; i < FILES; i++) {
		struct toucher me = { s, i };

		pid[i] = dr_spawn(touch_on, &me);
	}
	pid[FILES] = dr_spawn(change_on, s);
	for (int i = 0; i < FILES; i++)
		while (!s->loads[i])
			nap();
	while (!s->changes)
		nap();
	start = dr_now();
	for (int i = 0; i < ROUNDS; i++) {
		long before[FILES], ms;
		int moved;

		ASSERT_EQ(0, dr_poison("2", i * 2 + 1));
		s->poisoned[i * 2 + 1] = 1;
		for (int k = 0; k < FILES; k++)
			before[k] = s->sigbus[k];
		do {	/* 2 s in all, and until everybody met poison again */
			nap();
			ms = (dr_now() - start) * 1000;
			moved = 0;
			for (int k = 0; k < FILES; k++)
				moved += s->sigbus[k] > before[k];
		} while (ms < (i + 1) * 2000 / ROUNDS ||
			 (moved < FILES && ms < 60000));
		EXPECT_EQ(FILES, moved);
	}
	s->stop = 1;
	for (int i = 0; i <= FILES; i++)
		EXPECT_EQ(0, dr_wait(pid[i]));
	TH_LOG("%ld loads, %ld SIGBUS in file 0; %ld changes", s->loads[0],
	       s->sigbus[0], s->changes);
	EXPECT_EQ(0, s->silent);
	EXPECT_EQ(0, s->wrong);
	for (int i = 0; i < FILES; i++)
		EXPECT_GT(s->sigbus[i], 0);
	EXPECT_EQ(ROUNDS, dr_counter("blocks_bad"));
	for (int i = 0; i < FILES; i++)
		for (int k = 0; k < PAGES; k++) {
			unsigned char byte = 0;

			snprintf(name, sizeof(name), "%d", i);
			EXPECT_EQ(s->poisoned[k] ? -EIO : 0, dr_read1(name, k, &byte));
			if (!s->poisoned[k])
				EXPECT_EQ(dr_byte(1, k), byte);
		}
	EXPECT_EQ(0, dr_check());
}

struct huge_store {
	int go;
	char *map;
	struct dr_touch t;
};

static void *store_first(void *arg)
{
	struct huge_store *h = arg;

	__atomic_store_n(&h->go, 1, __ATOMIC_SEQ_CST);
	h->t = dr_store(h->map, 'x');
	return NULL;
}

/*
 * A store to a hole of a PMD's size gets one, unless part of it has been shared
 * meanwhile: then it is about one page, and makes no copies of the others.
 */
TEST_F(race, huge_store_beside_a_clone)
{
	struct huge_store h;
	pthread_t thread;
	int fd, huge = 0;

	ASSERT_EQ(0, dr_create("src", 1, 1));
	fd = dr_open("a", O_RDWR | O_CREAT);
	ASSERT_EQ(0, ftruncate(fd, HUGE_SIZE));
	for (int i = 0; i < 200; i++) {
		/* Where pages were mapped one by one a PMD is not tried again. */
		h.map = dr_map("a", 0, HUGE_SIZE, RW, MAP_SHARED);
		ASSERT_NE(NULL, h.map);
		ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				       0, HUGE_SIZE));
		h.go = 0;
		pthread_create(&thread, NULL, store_first, &h);
		while (!__atomic_load_n(&h.go, __ATOMIC_SEQ_CST))
			sched_yield();
		for (volatile int k = i % 50 * 200; k; k--)
			;
		EXPECT_EQ(0, dr_clone_range("src", 0, BLK, "a", 300 * BLK));
		pthread_join(thread, NULL);
		EXPECT_EQ(0, h.t.sig.signo);
		ASSERT_EQ(dr_block("src", 0, NULL), dr_block("a", 300, NULL));
		EXPECT_EQ(dr_byte(1, 0), dr_load(h.map + 300 * BLK).byte);
		huge += dr_block("a", 1, NULL) >= 0;
		munmap(h.map, HUGE_SIZE);
	}
	TH_LOG("%d of 200 were huge", huge);
	close(fd);
}

TEST_HARNESS_MAIN
