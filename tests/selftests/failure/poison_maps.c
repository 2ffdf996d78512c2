// SPDX-License-Identifier: GPL-2.0
/*
 * Poison under mappings of other kinds than a shared one of 4 KiB pages:
 * huge, private, read-only, several in one process; and what a clone, a
 * truncate or a write makes of a bad block.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(poison_maps)

#define RW	(PROT_READ | PROT_WRITE)
#define LEN	(16 * BLK)

/*
 * A huge mapping: the early signal says 2 MiB and the page's address; after
 * that the one page is bad and the other 511 are not.
 */
TEST_F(poison_maps, huge_early)
{
	struct dr_failure f;
	struct peer p, q;
	struct dr_sig s[4];

	ASSERT_EQ(0, dr_create("f", 1024, 1));
	ASSERT_EQ(0, peer_open(&p, true, "f", 1024 * BLK, 0));
	ASSERT_EQ(0, peer_open(&q, false, "f", 1024 * BLK, 0));
	ASSERT_EQ(0, dr_poison("f", 77));
	ASSERT_EQ(1, peer_signals(&p, s, 4));
	EXPECT_SIG(s[0], BUS_MCEERR_AO, p.base + 77 * BLK, 21);
	EXPECT_EQ(0, peer_signals(&q, s, 4));
	for (int i = 0; i < 1024; i++) {
		struct dr_touch t = peer_load(&q, i * BLK);

		if (i == 77)
			EXPECT_POISON(t, q.base + 77 * BLK);
		else
			EXPECT_BYTE(t, dr_byte(1, i));
	}
	EXPECT_POISON(peer_load(&p, 77 * BLK + 9), p.base + 77 * BLK + 9);
	EXPECT_BYTE(peer_store(&p, 78 * BLK, 5), 5);
	EXPECT_BYTE(peer_load(&q, 78 * BLK), 5);
	peer_stop(&p);
	peer_stop(&q);
	if (dr_xfs())
		return;
	ASSERT_EQ(0, dr_last_failure(&f));
	EXPECT_EQ(1, f.owners);
	EXPECT_EQ(77, f.o[0].pgoff);	/* not the huge page's first */
	EXPECT_EQ(1, f.o[0].count);
}

TEST_F(poison_maps, huge_late_by_madvise)
{
	struct peer p, q;
	struct dr_sig s[4];

	ASSERT_EQ(0, dr_create("f", 1024, 1));
	ASSERT_EQ(0, peer_open(&p, false, "f", 1024 * BLK, 0));
	ASSERT_EQ(0, peer_open(&q, false, "f", 1024 * BLK, 600));
	ASSERT_EQ(0, peer_load(&q, 0).sig.signo);
	ASSERT_EQ(0, peer_poison(&p, 511 * BLK));
	ASSERT_EQ(1, peer_signals(&p, s, 4));
	EXPECT_SIG(s[0], BUS_MCEERR_AR, p.base + 511 * BLK, 21);
	EXPECT_EQ(0, peer_signals(&q, s, 4));
	EXPECT_POISON(peer_load(&q, 511 * BLK), q.base + 511 * BLK);
	EXPECT_BYTE(peer_load(&q, 510 * BLK), dr_byte(1, 510));
	EXPECT_BYTE(peer_load(&q, 512 * BLK), dr_byte(1, 512));
	peer_stop(&p);
	peer_stop(&q);
}

/* Huge in one file, then cloned: the clones' owners by pages. */
TEST_F(poison_maps, clone_of_a_huge_mapping)
{
	struct peer a, b;

	ASSERT_EQ(0, dr_create("a", 1024, 1));
	ASSERT_EQ(0, peer_open(&a, true, "a", 1024 * BLK, 300));
	ASSERT_EQ(0, dr_clone("a", "b"));
	ASSERT_EQ(0, peer_open(&b, true, "b", 1024 * BLK, 300));
	ASSERT_EQ(0, peer_load(&a, 300 * BLK).sig.signo);
	ASSERT_EQ(0, dr_poison("a", 300));
	EXPECT_EARLY(&a, a.base + 300 * BLK);
	EXPECT_EARLY(&b, b.base + 300 * BLK);
	EXPECT_POISON(peer_load(&a, 300 * BLK), a.base + 300 * BLK);
	EXPECT_POISON(peer_store(&b, 300 * BLK, 1), b.base + 300 * BLK);
	EXPECT_BYTE(peer_load(&b, 301 * BLK), dr_byte(1, 301));
	peer_stop(&a);
	peer_stop(&b);
}

/* A private page that was copied is the process's own; else it is lost. */
TEST_F(poison_maps, private)
{
	struct peer copied, not_copied, never;
	struct dr_sig s[4];

	ASSERT_EQ(0, dr_create("a", 16, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	ASSERT_EQ(0, peer_start(&copied, true));
	ASSERT_EQ(0, peer_start(&not_copied, true));
	ASSERT_EQ(0, peer_start(&never, false));
	ASSERT_EQ(0, peer_map(&copied, "b", 0, LEN, RW, MAP_PRIVATE));
	ASSERT_EQ(0, peer_map(&not_copied, "b", 0, LEN, RW, MAP_PRIVATE));
	ASSERT_EQ(0, peer_map(&never, "b", 0, LEN, RW, MAP_PRIVATE));
	EXPECT_BYTE(peer_store(&copied, 3 * BLK + 1, 9), 9);
	EXPECT_BYTE(peer_load(&not_copied, 3 * BLK), dr_byte(1, 3));
	ASSERT_EQ(0, dr_poison("a", 3));

	EXPECT_EARLY(&not_copied, not_copied.base + 3 * BLK);
	EXPECT_POISON(peer_load(&not_copied, 3 * BLK), not_copied.base + 3 * BLK);
	EXPECT_POISON(peer_store(&not_copied, 3 * BLK, 1), not_copied.base + 3 * BLK);
	EXPECT_POISON(peer_store(&never, 3 * BLK, 1), never.base + 3 * BLK);
	/*
	 * The kernel cannot tell a copied page from the file's while it makes
	 * its list: it may advise this process, too. The data is there.
	 */
	EXPECT_LE(peer_signals(&copied, s, 4), 1);
	EXPECT_BYTE(peer_load(&copied, 3 * BLK), dr_byte(1, 3));
	EXPECT_BYTE(peer_load(&copied, 3 * BLK + 1), 9);
	EXPECT_BYTE(peer_store(&copied, 3 * BLK + 2, 8), 8);
	peer_stop(&copied);
	peer_stop(&not_copied);
	peer_stop(&never);
}

TEST_F(poison_maps, read_only_and_exec)
{
	struct peer p, q;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	ASSERT_EQ(0, peer_start(&p, true));
	ASSERT_EQ(0, peer_map(&p, "f", 0, LEN, PROT_READ, MAP_SHARED));
	ASSERT_EQ(0, peer_start(&q, true));
	ASSERT_EQ(0, peer_map(&q, "f", 2 * BLK, LEN - 2 * BLK,
			      PROT_READ | PROT_EXEC, MAP_PRIVATE));
	ASSERT_EQ(0, peer_load(&p, 8 * BLK).sig.signo);
	ASSERT_EQ(0, peer_load(&q, 6 * BLK).sig.signo);
	ASSERT_EQ(0, dr_poison("f", 8));
	EXPECT_EARLY(&p, p.base + 8 * BLK);
	EXPECT_EARLY(&q, q.base + 6 * BLK);	/* maps from block 2 on */
	EXPECT_POISON(peer_load(&p, 8 * BLK), p.base + 8 * BLK);
	EXPECT_POISON(peer_load(&q, 6 * BLK), q.base + 6 * BLK);
	peer_stop(&p);
	peer_stop(&q);
}

/* One process, two mappings of two files: each of them is taken away. */
TEST_F(poison_maps, two_mappings_of_one_process)
{
	char *a, *b;

	ASSERT_EQ(0, dr_create("a", 16, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	a = dr_map("a", 0, LEN, RW, MAP_SHARED);
	b = dr_map("b", 0, LEN, RW, MAP_SHARED);
	ASSERT_TRUE(a && b);
	EXPECT_BYTE(dr_load(a + 6 * BLK), dr_byte(1, 6));
	EXPECT_BYTE(dr_load(b + 6 * BLK), dr_byte(1, 6));
	ASSERT_EQ(0, dr_poison("b", 6));
	EXPECT_POISON(dr_load(a + 6 * BLK), a + 6 * BLK);
	EXPECT_POISON(dr_load(b + 6 * BLK), b + 6 * BLK);
	/* The kernel itself meets it, too: a system call's buffer. */
	EXPECT_EQ(-1, open(a + 6 * BLK, O_RDONLY));
	EXPECT_EQ(EFAULT, errno);
	/* So it does if it is to be poisoned once more: nobody gets the page. */
	if (!dr_xfs()) {
		EXPECT_EQ(-EFAULT, dr_poison_addr(a + 6 * BLK));
		EXPECT_EQ(-EFAULT, dr_poison_addr(b + 6 * BLK));
	}
}

TEST_F(poison_maps, clone_of_bad_blocks)
{
	unsigned char byte;

	ASSERT_EQ(0, dr_create("a", 16, 1));
	ASSERT_EQ(0, dr_create("b", 16, 2));
	ASSERT_EQ(0, dr_poison("a", 5));
	EXPECT_EQ(-EIO, dr_clone("a", "c"));
	EXPECT_EQ(-EIO, dr_clone_range("a", 4 * BLK, 4 * BLK, "b", 0));
	EXPECT_EQ(0, dr_verify("b", 0, 16, 2, 0));	/* all or nothing */
	EXPECT_EQ(0, dr_clone_range("a", 6 * BLK, 4 * BLK, "b", 0));
	EXPECT_EQ(0, dr_verify("b", 0, 4, 1, 6));
	/* Over a bad block: the file has good ones there now. */
	EXPECT_EQ(0, dr_clone_range("b", 8 * BLK, BLK, "a", 5 * BLK));
	EXPECT_EQ(0, dr_read1("a", 5, &byte));
	EXPECT_EQ(dr_byte(2, 8), byte);
}

/* A read that runs into the bad block gives what stands before it. */
TEST_F(poison_maps, read_across)
{
	char buf[16 * BLK];
	struct stat st;
	int fd;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	ASSERT_EQ(0, dr_poison("f", 5));
	fd = dr_open("f", O_RDWR);
	EXPECT_EQ(5 * BLK, pread(fd, buf, LEN, 0));
	EXPECT_TRUE(dr_same(buf + 4 * BLK, 1, 4));
	EXPECT_EQ(-1, pread(fd, buf, LEN, 5 * BLK));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(10 * BLK, pread(fd, buf, LEN, 6 * BLK));
	EXPECT_TRUE(dr_same(buf, 1, 6));
	/* Truncating inside it does not make it good, if it works at all. */
	if (ftruncate(fd, 5 * BLK + 100))
		EXPECT_EQ(EIO, errno);
	EXPECT_EQ(0, ftruncate(fd, 12 * BLK));
	EXPECT_EQ(-1, pread(fd, buf, 1, 5 * BLK));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(12 * BLK, st.st_size);
	EXPECT_EQ(0, ftruncate(fd, 5 * BLK));
	EXPECT_EQ(0, ftruncate(fd, 16 * BLK));
	EXPECT_EQ(0, dr_verify_zero("f", 5 * BLK, 11 * BLK));
	close(fd);
}

TEST_HARNESS_MAIN
