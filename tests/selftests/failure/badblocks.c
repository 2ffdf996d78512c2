// SPDX-License-Identifier: GPL-2.0
/*
 * The driver has a list of bad blocks of its own. What is on it at mount time
 * is never used; what appears there later is found by the next access, and its
 * owners are told as if somebody had reported it.
 *
 * Blocks get on the list through sysfs; a new binding of the driver empties it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/device/driver.h"
#include "common/module/inject.h"

#define RW	(PROT_READ | PROT_WRITE)

DR_LISTING_FIXTURE(badblocks, "XFS puts its metadata there")

TEST_F(badblocks, at_mount)
{
	long first = dr_first_block(), end = dr_end_block();
	long free = dr_counter("blocks_free");
	unsigned long i;

	/* some that would be the first to be used, in two runs, and the last */
	ASSERT_EQ(0, dr_list_bad(first + 2, 3));
	ASSERT_EQ(0, dr_list_bad(first + 600, 1));
	ASSERT_EQ(0, dr_list_bad(end - 1, 1));
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_EQ(5, dr_counter("blocks_bad"));
	EXPECT_EQ(5, dr_counter("discovered"));
	EXPECT_EQ(free - 5, dr_counter("blocks_free"));
	ASSERT_EQ(0, dr_create("f", 64, 1));
	EXPECT_EQ(0, dr_verify("f", 0, 64, 1, 0));
	for (i = 0; i < 64; i++) {
		long block = dr_block("f", i, NULL);

		EXPECT_TRUE(block < first + 2 || block > first + 4);
	}
	ASSERT_EQ(0, dr_create("big", 1024, 2));
	EXPECT_EQ(0, dr_verify("big", 0, 1024, 2, 0));
	for (i = 0; i < 1024; i++)
		EXPECT_NE(first + 600, dr_block("big", i, NULL));
	EXPECT_EQ(0, dr_counter("late_io"));
}

TEST_F(badblocks, a_part_of_a_block_is_all_of_it)
{
	char file[128], sectors[32];

	snprintf(file, sizeof(file), "/sys/block/%s/badblocks",
		 strrchr(dr_dev(), '/') + 1);
	/* the last sector of a block, the first of the next */
	snprintf(sectors, sizeof(sectors), "%ld 2", dr_first_block() * 8 + 87);
	ASSERT_EQ(0, dr_put(file, sectors));
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_EQ(2, dr_counter("blocks_bad"));
}

TEST_F(badblocks, found_by_read)
{
	struct peer mapper, clone;
	struct dr_sig s[4];
	unsigned char byte;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, peer_open(&mapper, true, "f", 16 * BLK, 4));
	ASSERT_EQ(0, peer_open(&clone, false, "g", 16 * BLK, 4));
	ASSERT_EQ(0, dr_list_bad(dr_block("f", 4, NULL), 1));
	EXPECT_EQ(0, dr_counter("notifies"));
	EXPECT_EQ(-EIO, dr_read1("g", 4, &byte));
	ASSERT_EQ(1, dr_counter_settled("blocks_bad", 1));
	EXPECT_EQ(2, dr_counter_settled("owners", 2));
	/* both owners, as by a report */
	ASSERT_EQ(1, peer_signals(&mapper, s, 4));
	EXPECT_SIG(s[0], BUS_MCEERR_AO, mapper.base + 4 * BLK, 12);
	EXPECT_POISON(peer_load(&clone, 4 * BLK), clone.base + 4 * BLK);
	EXPECT_EQ(0, peer_load(&clone, 5 * BLK).sig.signo);
	EXPECT_EQ(-EIO, dr_read1("f", 4, &byte));
	EXPECT_EQ(0, dr_verify("f", 5, 11, 1, 5));
	EXPECT_EQ(0, dr_verify("g", 0, 4, 1, 0));
	EXPECT_EQ(1, dr_counter("notifies"));
	peer_stop(&mapper);
	peer_stop(&clone);
}

TEST_F(badblocks, found_by_fault)
{
	struct peer p;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	ASSERT_EQ(0, dr_list_bad(dr_block("f", 7, NULL), 2));
	ASSERT_EQ(0, peer_open(&p, false, "f", 16 * BLK, -1));
	EXPECT_POISON(peer_load(&p, 8 * BLK), p.base + 8 * BLK);
	EXPECT_BYTE(peer_load(&p, 6 * BLK), dr_byte(1, 6));
	ASSERT_LE(1, dr_counter_settled("blocks_bad", 1));
	EXPECT_POISON(peer_store(&p, 7 * BLK, 1), p.base + 7 * BLK);
	EXPECT_EQ(2, dr_counter_settled("blocks_bad", 2));
	EXPECT_BYTE(peer_load(&p, 9 * BLK), dr_byte(1, 9));
	peer_stop(&p);
}

/* The worker that tells owners is at one block when the next one is found. */
TEST_F(badblocks, found_while_others_are_told)
{
	struct peer p;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	ASSERT_EQ(0, dr_list_bad(dr_block("f", 5, NULL), 1));
	ASSERT_EQ(0, dr_list_bad(dr_block("f", 7, NULL), 2));
	ASSERT_EQ(0, peer_open(&p, false, "f", 16 * BLK, -1));
	ASSERT_EQ(0, dr_notify_delay(500));
	for (int i = 5; i < 9; i++)
		if (i != 6)
			EXPECT_POISON(peer_load(&p, i * BLK), p.base + i * BLK);
	EXPECT_EQ(3, dr_counter_settled("blocks_bad", 3));
	ASSERT_EQ(0, dr_notify_delay(0));
	peer_stop(&p);
}

TEST_F(badblocks, found_by_write_and_healed)
{
	ASSERT_EQ(0, dr_create("f", 16, 1));
	ASSERT_EQ(0, dr_list_bad(dr_block("f", 7, NULL), 1));
	/* the one that finds it may fail, the next one heals */
	(void)!dr_write_blocks("f", 7, 1, 2);
	ASSERT_EQ(1, dr_counter_settled("blocks_bad", 1));
	EXPECT_EQ(0, dr_write_blocks("f", 7, 1, 2));
	EXPECT_EQ(0, dr_verify("f", 7, 1, 2, 7));
	EXPECT_EQ(0, dr_verify("f", 8, 8, 1, 8));
	EXPECT_EQ(1, dr_counter("healed"));
}

static int notify(void *arg)
{
	return -dr_notify(*(long *)arg * BLK, BLK);
}

/*
 * A block is reported while another failure is dealt with, and found on the
 * list in the meantime: that is one failure, and it was reported first.
 */
TEST_F(badblocks, reported_first)
{
	long other, block;
	pid_t first, second;
	unsigned char byte;
	int fd;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	other = dr_block("f", 2, NULL);
	block = dr_block("f", 7, NULL);
	fd = dr_open("f", O_RDONLY);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, dr_notify_delay(1000));
	first = dr_spawn(notify, &other);
	ASSERT_EQ(1, dr_counter_settled("notifies", 1));
	second = dr_spawn(notify, &block);
	usleep(200000);		/* it waits */
	ASSERT_EQ(0, dr_list_bad(block, 1));
	EXPECT_EQ(-EIO, dr_read1("f", 7, &byte));
	EXPECT_EQ(0, dr_wait(first));
	EXPECT_EQ(0, dr_wait(second));
	ASSERT_EQ(0, dr_notify_delay(0));
	/* what is told after it comes behind the discovery */
	other = dr_block("f", 9, NULL);
	EXPECT_EQ(0, notify(&other));
	EXPECT_EQ(3, dr_counter("blocks_bad"));
	EXPECT_EQ(3, dr_counter("notifies"));
	EXPECT_EQ(0, dr_counter("discovered"));
	close(fd);
}

struct access { int fd; unsigned long page; };

static int read_on(void *arg)
{
	struct access *a = arg;
	unsigned char byte;

	return pread(a->fd, &byte, 1, a->page * BLK) == 1 ? 0 : -errno;
}

/*
 * Who finds it has no memory to tell the others: he gets his error, and the
 * others are told when anybody meets it again.
 */
TEST_F(badblocks, found_without_memory)
{
	struct access a = { .page = 0 };
	struct peer mapper;
	bool hit = true;
	int r = dr_inject_start();

	if (r == -ENOENT)
		SKIP(return, "this kernel cannot make allocations fail");
	ASSERT_EQ(0, r);
	ASSERT_EQ(0, dr_create("f", 64, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, peer_open(&mapper, false, "g", 64 * BLK, -1));
	a.fd = dr_open("f", O_RDONLY);
	ASSERT_GE(a.fd, 0);
	while (hit && a.page < 63) {
		unsigned long page = ++a.page;	/* also: which allocation fails */

		ASSERT_EQ(0, peer_load(&mapper, page * BLK).sig.signo);
		ASSERT_EQ(0, dr_list_bad(dr_block("f", page, NULL), 1));
		EXPECT_EQ(-EIO, dr_inject(page, read_on, &a, &hit));
		EXPECT_EQ(-EIO, read_on(&a));
		EXPECT_EQ(page, dr_counter_settled("blocks_bad", page));
		EXPECT_EQ(2 * page, dr_counter_settled("owners", 2 * page));
		EXPECT_POISON(peer_load(&mapper, page * BLK), mapper.base + page * BLK);
	}
	dr_inject_end();
	TH_LOG("%lu allocations failed in turn", a.page - 1);
	EXPECT_FALSE(hit);
	EXPECT_GE(a.page, 2);
	EXPECT_EQ(0, dr_verify("g", a.page + 1, 63 - a.page, 1, a.page + 1));
	close(a.fd);
	peer_stop(&mapper);
}

TEST_HARNESS_MAIN
