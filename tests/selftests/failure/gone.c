// SPDX-License-Identifier: GPL-2.0
/*
 * Poison of a block that was shared and is no more: who left it, by whatever
 * way, hears nothing, and who stayed is told. And of a block that nobody
 * owns: it is never handed out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include "kselftest_harness.h"
#include "common.h"

#define RW	(PROT_READ | PROT_WRITE)
#define LEN	(16 * BLK)

FIXTURE(gone) { struct dr_fs fs; };
FIXTURE_VARIANT(gone) { enum { UNLINK, TRUNCATE, WRITE, MMAP, OVER, RENAME } how; };
FIXTURE_VARIANT_ADD(gone, by_unlink) { UNLINK };
FIXTURE_VARIANT_ADD(gone, by_truncate) { TRUNCATE };
FIXTURE_VARIANT_ADD(gone, by_cow_of_write) { WRITE };
FIXTURE_VARIANT_ADD(gone, by_cow_of_mmap) { MMAP };
FIXTURE_VARIANT_ADD(gone, by_clone_over_it) { OVER };
FIXTURE_VARIANT_ADD(gone, by_rename_over_it) { RENAME };
FIXTURE_SETUP(gone) { ASSERT_EQ(0, dr_setup(&self->fs)); }
FIXTURE_TEARDOWN_PARENT(gone) { EXPECT_EQ(0, dr_teardown(&self->fs)); }

/* Makes `name` leave its block 6; `p` maps it all the time. */
static int leave(int how, const char *name, struct peer *p)
{
	switch (how) {
	case UNLINK:
		peer_stop(p);
		return unlink(dr_path(name));
	case TRUNCATE:
		return truncate(dr_path(name), 6 * BLK);
	case WRITE:
		return dr_write_part(name, 6);
	case MMAP:
		return peer_store(p, 6 * BLK + 100, 's').sig.signo;
	case OVER:
		return dr_clone("other", name);
	default:
		return rename(dr_path("other"), dr_path(name));
	}
}

/* Both directions: the source leaves, and the clone leaves. */
static void one_leaves(struct __test_metadata *_metadata, int how, bool source)
{
	const char *stays = source ? "b" : "a", *leaves = source ? "a" : "b";
	struct peer p, q;
	struct dr_failure f;
	struct dr_sig s[4];
	unsigned char byte;
	long pfn;

	ASSERT_EQ(0, dr_create("a", 16, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	ASSERT_EQ(0, dr_create("other", 16, 2));
	ASSERT_EQ(0, peer_open(&p, true, leaves, LEN, 6));
	ASSERT_EQ(0, peer_open(&q, true, stays, LEN, 6));
	pfn = dr_pfn_of_block(dr_block(stays, 6, NULL));
	ASSERT_EQ(0, leave(how, leaves, &p));
	EXPECT_EQ(pfn, dr_pfn_of_block(dr_block(stays, 6, NULL)));
	if (how == RENAME) {
		/* The file that had the name is gone when its mapping is. */
		peer_stop(&p);
	} else if (how != UNLINK && how != TRUNCATE) {
		ASSERT_EQ(0, peer_load(&p, 6 * BLK).sig.signo);
	}
	ASSERT_EQ(0, dr_poison_pfn(pfn));

	EXPECT_EARLY(&q, q.base + 6 * BLK);
	EXPECT_POISON(peer_load(&q, 6 * BLK), q.base + 6 * BLK);
	EXPECT_EQ(-EIO, dr_read1(stays, 6, &byte));
	EXPECT_EQ(0, dr_verify(stays, 7, 9, 1, 7));
	peer_stop(&q);
	if (how != UNLINK && how != RENAME) {
		EXPECT_EQ(0, peer_signals(&p, s, 4));
		peer_stop(&p);
	}
	if (how == WRITE || how == MMAP) {
		EXPECT_EQ(0, dr_read1(leaves, 6, &byte));
		EXPECT_EQ(dr_byte(1, 6), byte);
		EXPECT_EQ(0, dr_verify(leaves, 7, 9, 1, 7));
	} else if (how == OVER || how == RENAME) {
		EXPECT_EQ(0, dr_verify(leaves, 0, 16, 2, 0));
	}
	if (dr_xfs())
		return;
	ASSERT_EQ(0, dr_last_failure(&f));
	EXPECT_EQ(1, f.owners);
	EXPECT_EQ(dr_ino(stays), f.o[0].ino);
}

TEST_F(gone, clone_leaves)
{
	one_leaves(_metadata, variant->how, false);
}

TEST_F(gone, source_leaves)
{
	one_leaves(_metadata, variant->how, true);
}

DR_FIXTURE(unowned)

struct filled {
	char *map;
	long first, last;	/* the lowest and the highest block it got */
	long at_first, at_last;	/* and where in the file */
	long hits;		/* times that `block` was among them */
};

/* Fills the device with one file: a huge page at a time as long as it can. */
static int fill(const char *name, long block, struct filled *r)
{
	long n = dr_free_blocks();
	int fd = dr_open(name, O_RDWR | O_CREAT);

	*r = (struct filled){ .first = -1, .last = -1 };
	if (fd < 0 || ftruncate(fd, n * BLK))
		return -errno;
	close(fd);
	r->map = dr_map(name, 0, n * BLK, RW, MAP_SHARED);
	if (!r->map)
		return -errno;
	for (long i = 0, len; i < n; i += len) {
		long b;

		if (dr_store(r->map + i * BLK, 1).sig.signo)
			return -EFAULT;
		b = dr_block(name, i, NULL);
		if (b < 0)
			return b;
		len = i % 512 == 0 && dr_block(name, i + 511, NULL) == b + 511 ?
			512 : 1;
		if (r->first < 0 || b < r->first) {
			r->first = b;
			r->at_first = i;
		}
		if (b + len - 1 > r->last) {
			r->last = b + len - 1;
			r->at_last = i + len - 1;
		}
		r->hits += block >= b && block < b + len;
	}
	return 0;
}

/* A block that nobody owns: no error, no owner, and it is out of use. */
TEST_F(unowned, free_block)
{
	struct filled all;
	struct dr_failure f;
	struct statvfs s;
	long block, total;

	SKIP_ON_XFS();
	ASSERT_EQ(0, statvfs(dr_mnt(), &s));
	total = s.f_blocks;
	ASSERT_EQ(0, dr_create("f", 64, 1));
	block = dr_block("f", 40, NULL);
	ASSERT_EQ(0, unlink(dr_path("f")));
	EXPECT_USED(0);
	ASSERT_EQ(0, dr_poison_pfn(dr_pfn_of_block(block)));
	ASSERT_EQ(0, dr_last_failure(&f));
	EXPECT_EQ(block, f.block);
	EXPECT_STREQ("none", f.via);
	EXPECT_EQ(0, f.owners);
	EXPECT_EQ(0, f.lines);
	EXPECT_USED(1);
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	ASSERT_EQ(0, statvfs(dr_mnt(), &s));
	EXPECT_EQ(total, s.f_blocks);
	/* Once more changes nothing. */
	ASSERT_EQ(0, dr_poison_pfn(dr_pfn_of_block(block)));
	EXPECT_USED(1);
	EXPECT_EQ(0, dr_check());
	ASSERT_EQ(0, fill("all", block, &all));
	EXPECT_EQ(0, all.hits);
	EXPECT_LT(all.first, block);
	EXPECT_GT(all.last, block);
	EXPECT_EQ(0, dr_free_blocks());
}

/* An owned bad block that is freed stays out of use, whoever frees it. */
TEST_F(unowned, freed_bad_block)
{
	long block, other;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("a", 64, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	block = dr_block("a", 10, NULL);
	other = dr_block("a", 20, NULL);
	ASSERT_EQ(0, dr_poison("a", 10));
	ASSERT_EQ(0, dr_poison("a", 20));
	EXPECT_USED(64);
	ASSERT_EQ(0, unlink(dr_path("a")));
	EXPECT_USED(64);
	ASSERT_EQ(0, truncate(dr_path("b"), 15 * BLK));
	EXPECT_USED(15 + 1);
	ASSERT_EQ(0, unlink(dr_path("b")));
	EXPECT_USED(2);
	EXPECT_EQ(2, dr_counter("blocks_bad"));
	EXPECT_EQ(0, dr_counter("owner_records"));
	/* Thousands of allocations later: never one of those. */
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, dr_create("n", 512, i));
		for (int k = 0; k < 512; k++) {
			long b = dr_block("n", k, NULL);

			ASSERT_NE(block, b);
			ASSERT_NE(other, b);
		}
		ASSERT_EQ(0, dr_verify("n", 0, 512, i, 0));
		ASSERT_EQ(0, unlink(dr_path("n")));
	}
	EXPECT_USED(2);
}

/* First and last block of the device, each owned by two files. */
TEST_F(unowned, first_and_last_block)
{
	long n = dr_free_blocks();
	struct filled a;
	struct peer p;

	SKIP_ON_XFS();		/* which has its own blocks there */
	ASSERT_EQ(0, fill("a", -1, &a));
	TH_LOG("first block %ld, last %ld, %ld in all", a.first, a.last, n);
	EXPECT_EQ(n - 1, a.last - a.first);	/* nothing before or after */
	EXPECT_EQ(0, dr_free_blocks());
	ASSERT_EQ(0, dr_clone_range("a", a.at_first * BLK, BLK, "b", 0));
	ASSERT_EQ(0, dr_clone_range("a", a.at_last * BLK, BLK, "b", BLK));
	ASSERT_EQ(0, dr_load(a.map + a.at_first * BLK).sig.signo);
	ASSERT_EQ(0, dr_load(a.map + a.at_last * BLK).sig.signo);
	ASSERT_EQ(0, peer_open(&p, true, "b", 2 * BLK, 0));
	ASSERT_EQ(0, peer_load(&p, BLK).sig.signo);
	ASSERT_EQ(0, dr_poison("b", 0));
	EXPECT_EARLY(&p, p.base);
	ASSERT_EQ(0, dr_poison("b", 1));
	EXPECT_EARLY(&p, p.base + BLK);
	EXPECT_POISON(dr_load(a.map + a.at_first * BLK), a.map + a.at_first * BLK);
	EXPECT_POISON(dr_load(a.map + a.at_last * BLK), a.map + a.at_last * BLK);
	EXPECT_POISON(peer_load(&p, 0), p.base);
	EXPECT_POISON(peer_load(&p, BLK), p.base + BLK);
	peer_stop(&p);
	EXPECT_EQ(2, dr_counter("blocks_bad"));
}

TEST_HARNESS_MAIN
