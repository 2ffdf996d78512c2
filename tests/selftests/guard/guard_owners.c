// SPDX-License-Identifier: GPL-2.0
/*
 * Whose a page is that has failed, while the guard watches: files that nobody has open, that
 * have no name, that have the page no more; a hundred of them; nobody at all.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/processes/party.h"

#define RW	(PROT_READ | PROT_WRITE)
#define BLOCKS	16
#define MANY	101

DR_STACK_FIXTURE(guard_owners)
DR_STACK(guard_owners, ext4_striped, "ext4", ON_STRIPED);
DR_STACK(guard_owners, xfs, "xfs", ON_PMEM);
DR_STACK(guard_owners, xfs_pieces, "xfs", ON_PIECES, "-m rmapbt=0");

static const char *file_name(int i)
{
	static char name[16];

	snprintf(name, sizeof(name), "f%d", i);
	return name;
}

/* "f0" and its clones, where there can be any: how many there are, or -errno. */
static int make_files(const struct dr_stack *s, int most)
{
	int r = dr_create("f0", BLOCKS, 1), n = dr_stack_reflink(s) ? most : 1;

	for (int i = 1; i < n && !r; i++)
		r = dr_clone("f0", file_name(i));
	return r ?: n;
}

/* The page cannot be had in any way, and its neighbours can. */
static void nobody_reads(struct __test_metadata *_metadata, const char *name, unsigned long page)
{
	unsigned char byte;
	char *p;

	EXPECT_EQ(-EIO, dr_read1(name, page, &byte));
	EXPECT_NO_PART(name, page);
	p = dr_map(name, 0, BLOCKS * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	EXPECT_POISON(dr_load(p + page * BLK + 123), p + page * BLK + 123);
	EXPECT_EQ(SIGBUS, dr_store(p + page * BLK + 7, 1).sig.signo);
	EXPECT_BYTE(dr_load(p + (page + 1) * BLK), dr_byte(1, page + 1));
	munmap(p, BLOCKS * BLK);
	EXPECT_EQ(0, dr_verify(name, page - 1, 1, 1, page - 1));
	EXPECT_EQ(0, dr_verify(name, page + 1, 1, 1, page + 1));
}

/* Forgotten, and nobody's in memory; but one of them is open. */
TEST_F(guard_owners, not_in_core)
{
	int fd, n = make_files(&variant->stack, 9);
	long first, second;
	unsigned char byte;

	ASSERT_LE(1, n);
	first = dr_pfn_in_file("f0", 2);
	second = dr_pfn_in_file("f0", 7);
	dr_drop_caches();
	/* Without the guard: as if nothing had happened. */
	dr_poison_pfn(first);
	EXPECT_EQ(0, dr_read1("f0", 2, &byte));
	dr_drop_caches();
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(second));
	for (int i = 0; i < n; i++)
		nobody_reads(_metadata, file_name(i), 7);
	/* Once more, with one that is open; and the mount goes and comes back. */
	fd = dr_open("f0", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file(file_name(n - 1), 11)));
	EXPECT_ERR(EIO, pread(fd, &byte, 1, 11 * BLK));
	close(fd);
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_stack_mount(&variant->stack));
	for (int i = 0; i < n; i++) {
		nobody_reads(_metadata, file_name(i), 7);
		nobody_reads(_metadata, file_name(i), 11);
	}
}

TEST_F(guard_owners, many)
{
	struct daxrmap_guard_device d = { 0 }, e = { 0 };
	struct peer p[MANY];
	int n = make_files(&variant->stack, MANY);

	ASSERT_LE(1, n);
	ASSERT_EQ(0, party_open(p, MANY, true, n, BLOCKS));
	ASSERT_EQ(MANY, party_loads(p, MANY, 5, dr_byte(1, 5)));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	ASSERT_EQ(0, dr_guard_device(PMEM1, &e));
	long owners = d.owners + e.owners;

	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f0", 5)));
	EXPECT_EQ(MANY, party_told_early(p, MANY, 5, 12));
	EXPECT_EQ(0, party_loads(p, MANY, 5, dr_byte(1, 5)));
	EXPECT_EQ(MANY, party_told_at_touch(p, MANY, 5));
	EXPECT_EQ(MANY, party_quiet(p, MANY));
	EXPECT_EQ(MANY, party_loads(p, MANY, 6, dr_byte(1, 6)));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	ASSERT_EQ(0, dr_guard_device(PMEM1, &e));
	EXPECT_EQ(owners + n, (long)(d.owners + e.owners));
	party_stop(p, MANY);
}

/* Open and mapped, but without a name. */
TEST_F(guard_owners, without_a_name)
{
	struct peer early, late;
	unsigned char byte;
	long pfn;
	int fd;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, peer_open(&early, true, "f0", BLOCKS * BLK, 3));
	ASSERT_EQ(0, peer_open(&late, false, "f0", BLOCKS * BLK, 3));
	fd = dr_open("f0", O_RDWR);
	ASSERT_LE(0, fd);
	pfn = dr_pfn_in_file("f0", 3);
	ASSERT_EQ(0, unlink(dr_path("f0")));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(pfn));
	EXPECT_EQ(1, party_told_early(&early, 1, 3, 12));
	EXPECT_EQ(1, party_told_late(&late, 1, 3));
	EXPECT_ERR(EIO, pread(fd, &byte, 1, 3 * BLK));
	EXPECT_EQ(1, pread(fd, &byte, 1, 4 * BLK));
	close(fd);
	peer_stop(&early);
	peer_stop(&late);
}

/* Who had the page before is not told, and reads what he has now. */
TEST_F(guard_owners, punched_and_truncated)
{
	struct peer p[2];
	long punched, truncated;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, party_open(p, 2, true, 1, BLOCKS));
	ASSERT_EQ(2, party_loads(p, 2, 3, dr_byte(1, 3)));
	ASSERT_EQ(2, party_loads(p, 2, 12, dr_byte(1, 12)));
	punched = dr_pfn_in_file("f0", 3);
	truncated = dr_pfn_in_file("f0", 12);
	ASSERT_EQ(0, dr_fallocate("f0", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 3 * BLK, BLK));
	ASSERT_EQ(0, truncate(dr_path("f0"), 8 * BLK));
	ASSERT_EQ(0, truncate(dr_path("f0"), BLOCKS * BLK));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(punched));
	ASSERT_EQ(0, dr_guard_poison(truncated));
	EXPECT_EQ(2, party_quiet(p, 2));
	EXPECT_EQ(2, party_loads(p, 2, 3, 0));
	EXPECT_EQ(2, party_loads(p, 2, 12, 0));
	EXPECT_EQ(0, dr_verify_zero("f0", 3 * BLK, BLK));
	EXPECT_EQ(0, dr_verify_zero("f0", 8 * BLK, 8 * BLK));
	EXPECT_EQ(0, dr_verify("f0", 0, 3, 1, 0));
	party_stop(p, 2);
}

/* The driver knows of it all the same: it is on one of the lists. */
TEST_F(guard_owners, nobody)
{
	struct daxrmap_guard_device d = { 0 }, e = { 0 };
	unsigned long failed, owners;
	char list[4096];
	long pfn;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	pfn = dr_pfn_in_file("f0", 3);
	ASSERT_EQ(0, unlink(dr_path("f0")));
	dr_drop_caches();
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	ASSERT_EQ(0, dr_guard_device(PMEM1, &e));
	failed = d.failed_pages + e.failed_pages;
	owners = d.owners + e.owners;
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(pfn));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	ASSERT_EQ(0, dr_guard_device(PMEM1, &e));
	EXPECT_EQ(failed + 1, d.failed_pages + e.failed_pages);
	EXPECT_EQ(owners, d.owners + e.owners);
	EXPECT_LT(0, dr_slurp("/sys/block/pmem0/badblocks", list, sizeof(list)) +
		     dr_slurp("/sys/block/pmem1/badblocks", list, sizeof(list)));
}

TEST_HARNESS_MAIN
