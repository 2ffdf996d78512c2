// SPDX-License-Identifier: GPL-2.0
/*
 * Copy on write of shared blocks, by write(2) and by mmap, alone and against
 * each other. The traps of the kernel's DAX code that are tried here (most are in
 * Documentation/failure.rst, Traps): 1 readers that unmap each other, 2 huge
 * mappings of shared blocks, 3 write(2) under a reader, 4 zeroes instead of old
 * data, 7 two owners leave at once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(cow)

#define RW (PROT_READ | PROT_WRITE)

/* Block `blk` is the pattern but for `len` bytes of `c` at `at`: trap 4. */
static bool same_but(const char *name, unsigned long blk, int seed, int at,
		     char c, int len)
{
	char want[BLK], got[BLK];
	int fd = dr_open(name, O_RDONLY);
	bool ok;

	dr_fill(want, seed, blk);
	memset(want + at, c, len);
	ok = pread(fd, got, BLK, blk * BLK) == (ssize_t)BLK &&
	     !memcmp(want, got, BLK);
	close(fd);
	return ok;
}

static int write_at(const char *name, unsigned long off, char c, size_t len)
{
	char *buf = malloc(len);
	int fd = dr_open(name, O_RDWR);
	ssize_t r;

	memset(buf, c, len);
	r = pwrite(fd, buf, len, off);
	close(fd);
	free(buf);
	return r == (ssize_t)len ? 0 : -1;
}

TEST_F(cow, by_write)
{
	ASSERT_EQ(0, dr_create("a", 16, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	/* a whole block */
	ASSERT_EQ(0, dr_write_blocks("b", 2, 1, 2));
	EXPECT_USED(17);
	/* part of one: head, middle, tail */
	ASSERT_EQ(0, write_at("b", 4 * BLK, 'h', 10));
	ASSERT_EQ(0, write_at("b", 5 * BLK + 1000, 'm', 10));
	ASSERT_EQ(0, write_at("b", 7 * BLK - 10, 't', 10));
	EXPECT_USED(20);
	/* across three, neither end aligned; by the source */
	ASSERT_EQ(0, write_at("a", 9 * BLK + 4000, 's', BLK + 200));
	EXPECT_USED(23);

	EXPECT_EQ(0, dr_verify("a", 0, 9, 1, 0));
	EXPECT_TRUE(same_but("a", 9, 1, 4000, 's', 96));
	EXPECT_TRUE(same_but("a", 10, 1, 0, 's', BLK));
	EXPECT_TRUE(same_but("a", 11, 1, 0, 's', 104));
	EXPECT_EQ(0, dr_verify("a", 12, 4, 1, 12));
	EXPECT_EQ(0, dr_verify("b", 0, 2, 1, 0));
	EXPECT_EQ(0, dr_verify("b", 2, 1, 2, 2));
	EXPECT_TRUE(same_but("b", 4, 1, 0, 'h', 10));
	EXPECT_TRUE(same_but("b", 5, 1, 1000, 'm', 10));
	EXPECT_TRUE(same_but("b", 6, 1, 4086, 't', 10));
	EXPECT_EQ(0, dr_verify("b", 7, 9, 1, 7));
	EXPECT_FALSE(dr_shared("a", 2));
	EXPECT_FALSE(dr_shared("b", 10));
	EXPECT_TRUE(dr_shared("b", 0));
	EXPECT_TRUE(dr_shared("a", 15));

	/* A block that is shared no more is written in place. */
	ASSERT_EQ(0, dr_write_blocks("a", 2, 1, 3));
	EXPECT_USED(23);
	EXPECT_EQ(0, dr_verify("b", 2, 1, 2, 2));
}

TEST_F(cow, by_mmap)
{
	struct peer ra, rb;
	char *a, *b;

	ASSERT_EQ(0, dr_create("a", 8, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	/* Others have it mapped and read it, on both sides. */
	ASSERT_EQ(0, peer_open(&ra, false, "a", 8 * BLK, 3));
	ASSERT_EQ(0, peer_open(&rb, false, "b", 8 * BLK, 3));
	a = dr_map("a", 0, 8 * BLK, RW, MAP_SHARED);
	b = dr_map("b", 0, 8 * BLK, RW, MAP_SHARED);
	ASSERT_TRUE(a && b);

	b[3 * BLK + 500] = 'B';			/* write first */
	EXPECT_TRUE(same_but("b", 3, 1, 500, 'B', 1));
	EXPECT_EQ(0, dr_verify("a", 0, 8, 1, 0));
	EXPECT_BYTE(peer_load(&rb, 3 * BLK + 500), 'B');
	EXPECT_NE('B', peer_load(&ra, 3 * BLK + 500).byte);
	EXPECT_TRUE(dr_same(a + 4 * BLK, 1, 4));
	a[4 * BLK + 600] = 'A';			/* read first, by the source */
	EXPECT_TRUE(same_but("a", 4, 1, 600, 'A', 1));
	EXPECT_TRUE(dr_same(b + 4 * BLK, 1, 4));
	EXPECT_USED(10);
	b[4 * BLK + 700] = 'C';			/* the last owner: in place */
	EXPECT_USED(10);
	EXPECT_TRUE(same_but("a", 4, 1, 600, 'A', 1));
	EXPECT_TRUE(same_but("b", 4, 1, 700, 'C', 1));
	EXPECT_BYTE(peer_load(&ra, 4 * BLK + 600), 'A');
	peer_stop(&ra);
	peer_stop(&rb);
}

/* A private copy is the process's own: no block is taken, none changes. */
TEST_F(cow, private_mapping)
{
	char *p;

	ASSERT_EQ(0, dr_create("a", 2, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	p = dr_map("b", 0, 2 * BLK, RW, MAP_PRIVATE);
	ASSERT_NE(NULL, p);
	p[10] = 'P';
	EXPECT_USED(2);
	EXPECT_TRUE(dr_shared("b", 0));
	EXPECT_EQ(0, dr_verify("a", 0, 2, 1, 0));
	EXPECT_EQ(0, dr_verify("b", 0, 2, 1, 0));
	p[10] = dr_byte(1, 0);
	EXPECT_TRUE(dr_same(p + BLK, 1, 1));
}

/*
 * A huge page of a file, of which one process maps all and others a page each:
 * when the file gives up one page of it, none of the others may stay mapped.
 */
TEST_F(cow, part_of_a_huge_page)
{
	static const unsigned long page[] = { 300, 511 };
	struct peer whole, one[2];

	ASSERT_EQ(0, dr_create("a", 1024, 1));
	ASSERT_EQ(0, dr_create("b", 1, 2));
	for (int i = 0; i < 4; i++) {
		int fd = dr_open("a", O_RDWR);

		ASSERT_EQ(0, peer_open(&whole, false, "a", 512 * BLK, 0));
		for (int k = 0; k < 2; k++) {
			ASSERT_EQ(0, peer_start(&one[k], false));
			ASSERT_EQ(0, peer_map(&one[k], "a", page[k] * BLK, BLK, RW, MAP_SHARED));
			EXPECT_BYTE(peer_load(&one[k], 0), dr_byte(1, page[k]));
		}
		switch (i) {
		case 0:
			EXPECT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE |
					       FALLOC_FL_KEEP_SIZE, 5 * BLK, BLK));
			EXPECT_BYTE(peer_load(&whole, 5 * BLK), 0);
			ASSERT_EQ(0, dr_create("a", 1024, 1));
			break;
		case 1:
			EXPECT_EQ(0, dr_clone_range("a", 7 * BLK, BLK, "b", 0));
			ASSERT_EQ(0, dr_create("a", 1024, 1));
			break;
		case 2:
			EXPECT_EQ(0, dr_clone_range("b", 0, BLK, "a", 9 * BLK));
			EXPECT_BYTE(peer_load(&whole, 9 * BLK), dr_byte(1, 7));
			ASSERT_EQ(0, dr_create("a", 1024, 1));
			break;
		case 3:
			EXPECT_EQ(0, ftruncate(fd, 512 * BLK - 1));
			break;
		}
		for (int k = 0; k < 2; k++) {
			EXPECT_BYTE(peer_load(&one[k], 0), dr_byte(1, page[k]));
			EXPECT_BYTE(peer_load(&whole, page[k] * BLK), dr_byte(1, page[k]));
			peer_stop(&one[k]);
		}
		peer_stop(&whole);
		close(fd);
	}
	EXPECT_EQ(0, dr_verify("b", 0, 1, 1, 7));
}

/* Trap 2: a file that huge pages map is cloned, then both are used. */
TEST_F(cow, clone_of_a_huge_mapping)
{
	enum { N = 1024 };
	long faults;
	char *a, *b;

	ASSERT_EQ(0, dr_create("a", N, 1));
	a = dr_map("a", 0, N * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, a);
	faults = -dr_faults();
	for (int i = 0; i < N; i++)
		ASSERT_EQ(dr_byte(1, i), dr_load(a + i * BLK).byte);
	a[5 * BLK] = dr_byte(1, 5);		/* dirty, writable */
	faults += dr_faults();
	EXPECT_LE(faults, 8);			/* they were huge */
	ASSERT_EQ(0, dr_clone("a", "b"));
	b = dr_map("b", 0, N * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, b);
	for (int i = 0; i < N; i += 3)
		ASSERT_EQ(dr_byte(1, i), dr_load(b + i * BLK).byte);
	for (int i = 0; i < N; i += 5)
		EXPECT_BYTE(dr_store(a + i * BLK + 9, 'a'), 'a');
	for (int i = 0; i < N; i += 7)
		EXPECT_BYTE(dr_store(b + i * BLK + 9, 'b'), 'b');
	for (int i = 0; i < N; i++) {
		char buf[BLK];

		dr_fill(buf, 1, i);
		if (i % 5 == 0)
			buf[9] = 'a';
		ASSERT_EQ(0, memcmp(buf, a + i * BLK, BLK));
		dr_fill(buf, 1, i);
		if (i % 7 == 0)
			buf[9] = 'b';
		ASSERT_EQ(0, memcmp(buf, b + i * BLK, BLK));
	}
	EXPECT_EQ(0, dr_check());
}

/* Trap 1: readers of one shared file do not unmap each other. */
static void readers(struct __test_metadata *_metadata, bool one_file)
{
	static const char *const name[] = { "a", "b", "c", "d" };
	struct peer p[4];
	long faults, sum = 0;

	ASSERT_EQ(0, dr_create("src", 1024, 1));
	/* Not where huge pages fit: XFS would map even shared blocks huge. */
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0, dr_clone_range("src", 0, 0, name[i], BLK));
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, peer_start(&p[i], false));
		ASSERT_EQ(0, peer_map(&p[i], name[one_file ? 0 : i], BLK,
				      1024 * BLK, RW, MAP_SHARED));
	}
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0, peer_passes_start(&p[i], 20, 1));
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(0, peer_passes_end(&p[i], &faults));
		sum += faults;
	}
	TH_LOG("%ld minor faults", sum);
	EXPECT_GE(sum, 4096 * 99 / 100);
	EXPECT_LE(sum, 4096 * 101 / 100);
	for (int i = 0; i < 4; i++) {
		/* Its writes still copy. */
		EXPECT_BYTE(peer_store(&p[i], (10 + i) * BLK, i + 1), i + 1);
		EXPECT_EQ(0, peer_stop(&p[i]));
	}
	EXPECT_EQ(0, dr_verify("src", 0, 1024, 1, 0));
	EXPECT_EQ(0, dr_verify("d", 11, 3, 1, 10));
	EXPECT_EQ(0, dr_verify("a", 15, 3, 1, 14));
}

TEST_F(cow, readers_of_one_shared_file)
{
	readers(_metadata, true);
}

TEST_F(cow, readers_of_four_clones)
{
	readers(_metadata, false);
}

/* Trap 3: who reads while write(2) copies sees old or new, and no signal. */
struct reader {
	volatile int ready, stop;
	volatile long bad, loads;
};

static int read_on(void *arg)
{
	struct reader *r = arg;
	char *p = dr_map("b", 0, BLK, PROT_READ, MAP_SHARED);

	if (!p)
		return 1;
	while (!r->stop) {
		struct dr_touch t = dr_load(p);

		/* The writer's bytes are 1..99, the pattern's is above. */
		if (t.sig.signo || (t.byte >= 100 && t.byte != dr_byte(5, 0)) ||
		    !t.byte)
			r->bad++;
		r->loads++;
		r->ready = 1;
	}
	return 0;
}

TEST_F(cow, write_under_a_reader)
{
	struct reader *r = dr_shared_mem(sizeof(*r));
	pid_t pid;

	ASSERT_GE(dr_byte(5, 0), 100);
	ASSERT_EQ(0, dr_create("a", 1, 5));
	ASSERT_EQ(0, dr_clone("a", "b"));
	pid = dr_spawn(read_on, r);
	while (!r->ready)
		;
	for (int i = 0; i < 300; i++) {
		ASSERT_EQ(0, write_at("b", 0, i % 99 + 1, i % 2 ? BLK : 100));
		EXPECT_EQ(0, dr_verify("a", 0, 1, 5, 0));
		ASSERT_EQ(0, dr_clone("a", "b"));
	}
	r->stop = 1;
	EXPECT_EQ(0, dr_wait(pid));
	EXPECT_EQ(0, r->bad);
	EXPECT_GT(r->loads, 300);
}

/* Trap 7: both owners of a block leave it at the same moment. */
struct leaver {
	pthread_barrier_t *start;
	char *map;		/* by mmap, or */
	int fd;			/* by write(2) */
	char c;
	struct dr_touch t;
};

static void *leave(void *arg)
{
	struct leaver *l = arg;

	pthread_barrier_wait(l->start);
	if (l->map)
		l->t = dr_store(l->map + 100, l->c);
	else if (pwrite(l->fd, &l->c, 1, 100) != 1)
		l->t.sig.signo = -errno;
	return NULL;
}

/*
 * Each of two processes is the first of its file to touch pages that both files
 * share: the kernel counts the files in the page, without a lock. Then one file
 * gives the pages up under the other.
 */
struct toucher {
	int *here;		/* of both, for each page */
	char *map;
	unsigned long pages;
};

static void *touch_all(void *arg)
{
	struct toucher *t = arg;

	dr_catch_sigbus();
	for (unsigned long i = 0; i < t->pages; i++) {
		__atomic_add_fetch(&t->here[i], 1, __ATOMIC_SEQ_CST);
		/* Not for ever: there may be one CPU. */
		for (int k = 0; k < 100000 &&
		     __atomic_load_n(&t->here[i], __ATOMIC_SEQ_CST) < 2; k++)
			;
		dr_load(t->map + i * BLK);
	}
	return NULL;
}

TEST_F(cow, first_touch_in_two_files)
{
	enum { N = 256 };
	static const char *const name[] = { "a", "b" };
	static int here[N];
	pthread_t th[2];

	ASSERT_EQ(0, dr_create("a", N, 1));
	for (int i = 0; i < 60; i++) {
		struct toucher t[2];

		memset(here, 0, sizeof(here));
		ASSERT_EQ(0, dr_clone("a", "b"));
		for (int k = 0; k < 2; k++) {
			t[k] = (struct toucher){ here, dr_map(name[k], 0, N * BLK,
						 PROT_READ, MAP_SHARED), N };
			ASSERT_NE(NULL, t[k].map);
			pthread_create(&th[k], NULL, touch_all, &t[k]);
		}
		for (int k = 0; k < 2; k++)
			pthread_join(th[k], NULL);
		EXPECT_EQ(0, truncate(dr_path("b"), 0));
		for (int k = 0; k < 2; k++)
			munmap(t[k].map, N * BLK);
	}
	EXPECT_EQ(0, dr_verify("a", 0, N, 1, 0));
}

TEST_F(cow, two_owners_leave_at_once)
{
	pthread_barrier_t start;
	pthread_t th[2];

	pthread_barrier_init(&start, NULL, 2);
	for (int i = 0; i < 200; i++) {
		struct leaver l[2] = { { .start = &start, .c = 'a' },
				       { .start = &start, .c = 'b' } };
		const char *name[] = { "a", "b" };

		ASSERT_EQ(0, dr_create("a", 1, i));
		unlink(dr_path("b"));
		ASSERT_EQ(0, dr_clone("a", "b"));
		for (int k = 0; k < 2; k++) {
			l[k].fd = dr_open(name[k], O_RDWR);
			/* mmap and mmap, mmap and write, write and write */
			if (i % 3 == 0 || (i % 3 == 1 && k == 0))
				l[k].map = dr_map(name[k], 0, BLK, RW, MAP_SHARED);
			if (l[k].map && i % 2)
				dr_load(l[k].map);	/* mapped before */
			pthread_create(&th[k], NULL, leave, &l[k]);
		}
		for (int k = 0; k < 2; k++) {
			pthread_join(th[k], NULL);
			EXPECT_EQ(0, l[k].t.sig.signo);
			EXPECT_TRUE(same_but(name[k], 0, i, 100, l[k].c, 1));
			close(l[k].fd);
			if (l[k].map)
				munmap(l[k].map, BLK);
		}
		EXPECT_FALSE(dr_shared("a", 0));
		EXPECT_NE(dr_block("a", 0, NULL), dr_block("b", 0, NULL));
		EXPECT_USED(2);
	}
	ASSERT_EQ(0, unlink(dr_path("a")));
	ASSERT_EQ(0, unlink(dr_path("b")));
	EXPECT_USED(0);
	EXPECT_EQ(0, dr_check());
}

TEST_HARNESS_MAIN
