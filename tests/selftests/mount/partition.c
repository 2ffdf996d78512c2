// SPDX-License-Identifier: GPL-2.0
/*
 * A mount of a partition is a part of the dax device: failures in front of it,
 * behind it, over its edges and of the whole device. Blocks count from the
 * partition's start; what lies outside is nobody's here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/device/driver.h"
#include "common/device/partition.h"
#include "common/device/places.h"

#define RW	(PROT_READ | PROT_WRITE)
#define MIB	(1UL << 20)
#define BLOCKS	2048UL
#define START	(64 * MIB)
#define END	(START + BLOCKS * BLK)
#define META	33UL		/* at either end: a superblock, a region of the log */
#define FIRST	META		/* what is not metadata */
#define LAST	(BLOCKS - META)
#define DATA	(LAST - FIRST)
#define EDGE	16UL		/* blocks at either end of that which have a second owner */
#define FOREVER	(~0UL)

FIXTURE(partition) { struct dr_fs fs; };
FIXTURE_VARIANT(partition) { bool table; };
FIXTURE_VARIANT_ADD(partition, by_ioctl) { false };
FIXTURE_VARIANT_ADD(partition, by_table) { true };

static int make_partition(bool table)
{
	int r = table ? dr_write_mbr(START, END - START) :
			dr_add_partition(1, START, END - START);

	dr_use_partition(true);
	for (int i = 0; i < dr_patience(500) && !r && access(dr_dev(), F_OK); i++)
		usleep(10000);
	return r;
}

static int remove_partition(bool table)
{
	dr_use_partition(false);
	return table ? dr_write_mbr(0, 0) : dr_del_partition(1);
}

struct runs {
	unsigned long owner;
	int n;
	struct { unsigned long page, block, len; } run[64];
};

static void note_run(const struct fsmap *r, void *arg)
{
	struct runs *runs = arg;

	if (r->fmr_owner != runs->owner || runs->n == 64)
		return;
	runs->run[runs->n].page = r->fmr_offset / BLK;
	runs->run[runs->n].block = r->fmr_physical / BLK;
	runs->run[runs->n++].len = r->fmr_length / BLK;
}

/*
 * Two files have every block that is not metadata, in order; "head" and "tail" the first and the
 * last as well. What is shared is mapped page by page.
 */
static int fill(void)
{
	int r = dr_create("any", DATA, 1) ?: dr_create("all", 0, 1);
	struct runs runs = { .n = 0 };
	int fd = dr_open(".", O_RDONLY);

	/* The allocator has an order of its own. */
	runs.owner = dr_ino("any");
	if (!r)
		r = dr_places(fd, note_run, &runs);
	for (int i = 0; i < runs.n && !r; i++)
		r = dr_clone_range("any", runs.run[i].page * BLK, runs.run[i].len * BLK, "all",
				   (runs.run[i].block - FIRST) * BLK);
	close(fd);
	if (!r)
		r = unlink(dr_path("any")) ? -errno : dr_write_blocks("all", 0, DATA, 1);
	for (unsigned long i = 0; i < DATA && !r; i += 67)
		if (dr_block("all", i, NULL) != (long)(FIRST + i))
			r = -ENOTSUP;
	if (!r)
		r = dr_clone("all", "copy");
	if (!r)
		r = dr_clone_range("all", 0, EDGE * BLK, "head", 0);
	if (!r)
		r = dr_clone_range("all", (DATA - EDGE) * BLK, EDGE * BLK, "tail", 0);
	return r;
}

FIXTURE_SETUP(partition)
{
	if (dr_xfs())
		SKIP(return, "asks daxrmap's debugfs");
	while (!umount2(dr_mnt(), 0))
		;	/* what a test that died left behind */
	ASSERT_EQ(0, make_partition(variant->table));
	ASSERT_EQ(0, dr_setup(&self->fs));
	ASSERT_EQ(0, fill());
}

FIXTURE_TEARDOWN_PARENT(partition)
{
	if (dr_xfs())
		return;
	dr_use_partition(true);
	EXPECT_EQ(0, dr_teardown(&self->fs));
	EXPECT_EQ(0, remove_partition(variant->table));
}

static int begin_again(void)
{
	return dr_umount() ?: dr_mount() ?: fill();
}

/* Whether of `name`'s n blocks just those in [from, to) are lost. */
static bool lost_are(const char *name, unsigned long n, unsigned long from,
		     unsigned long to)
{
	int fd = dr_open(name, O_RDONLY);
	unsigned long wrong = 0;
	unsigned char byte;

	for (unsigned long i = 0; i < n; i++) {
		ssize_t r = pread(fd, &byte, 1, i * BLK);
		bool lost = i >= from && i < to;

		wrong += lost ? r != -1 || errno != EIO : r != 1;
	}
	close(fd);
	if (wrong)
		fprintf(stderr, "# %lu blocks of %s are not as they should be\n",
			wrong, name);
	return !wrong;
}

/* Blocks of the last failure that a file owns. */
static unsigned long owned_by(const struct dr_failure *f, const char *name)
{
	unsigned long n = 0;

	for (int i = 0; i < f->lines; i++)
		if (f->o[i].ino == (unsigned long)dr_ino(name))
			n += f->o[i].count;
	return n;
}

static unsigned long overlap(unsigned long a, unsigned long b, unsigned long c,
			     unsigned long d)
{
	unsigned long from = a > c ? a : c, to = b < d ? b : d;

	return from < to ? to - from : 0;
}

/* Which page a block is, of a file whose first one is `first`. */
static unsigned long page(unsigned long block, unsigned long first)
{
	return block < first ? 0 : block - first;
}

/* ---- tests ---- */

static const struct {
	const char *what;
	unsigned long off, len;		/* bytes of the dax device */
	unsigned long from, to;		/* blocks of the mount; none: ENXIO */
} events[] = {
	{ "the device's first block", 0, BLK, 0, 0 },
	{ "all in front", 0, START, 0, 0 },
	{ "the byte in front", START - 1, 1, 0, 0 },
	{ "the block behind", END, BLK, 0, 0 },
	{ "all behind", END, FOREVER, 0, 0 },
	{ "far behind", 1UL << 50, BLK, 0, 0 },
	{ "the last byte there can be", FOREVER, 1, 0, 0 },
	{ "a byte on either side of the start", START - 1, 2, 0, 1 },
	{ "over the start", START - 8 * MIB, 8 * MIB + (FIRST + 3) * BLK, 0, FIRST + 3 },
	{ "from the start", START, 1, 0, 1 },
	{ "in the middle", START + 105 * BLK + 17, BLK, 105, 107 },
	{ "up to the end", END - (META + 3) * BLK, (META + 3) * BLK, LAST - 3, BLOCKS },
	{ "a byte on either side of the end", END - 1, 2, BLOCKS - 1, BLOCKS },
	{ "over the end", END - (META + 2) * BLK, 1UL << 40, LAST - 2, BLOCKS },
	{ "from the middle on", START + 1000 * BLK, FOREVER, 1000, BLOCKS },
	{ "over both ends", START - BLK, END - START + 2 * BLK, 0, BLOCKS },
	{ "the whole device", 0, FOREVER, 0, BLOCKS },
};

TEST_F(partition, ranges)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++) {
		unsigned long from = events[i].from, to = events[i].to;
		unsigned long n = to - from;
		int r = dr_notify(events[i].off, events[i].len);
		struct dr_failure f;

		TH_LOG("%s: %d", events[i].what, r);
		EXPECT_EQ(n ? 0 : -ENXIO, r);
		EXPECT_EQ(n, dr_counter("blocks_bad"));
		EXPECT_EQ(n, dr_counter("failed_blocks"));
		EXPECT_EQ(!!n, dr_counter("notifies"));
		ASSERT_EQ(0, dr_last_failure(&f));
		if (n) {
			EXPECT_EQ(from, f.block);
			EXPECT_EQ(n, f.count);
		}
		EXPECT_EQ(overlap(from, to, FIRST, LAST), owned_by(&f, "all"));
		EXPECT_EQ(overlap(from, to, FIRST, FIRST + EDGE), owned_by(&f, "head"));
		EXPECT_EQ(overlap(from, to, LAST - EDGE, LAST), owned_by(&f, "tail"));
		EXPECT_TRUE(lost_are("all", DATA, page(from, FIRST), page(to, FIRST)));
		EXPECT_TRUE(lost_are("head", EDGE, page(from, FIRST), page(to, FIRST)));
		EXPECT_TRUE(lost_are("tail", EDGE, page(from, LAST - EDGE),
				     page(to, LAST - EDGE)));
		EXPECT_EQ(0, dr_check());
		if (n)
			ASSERT_EQ(0, begin_again());
	}
}

/* Those who map the blocks at the edges are told, with the right address. */
TEST_F(partition, told_at_the_edges)
{
	const unsigned long last = (EDGE - 1) * BLK, inner = (EDGE - 2) * BLK;
	struct peer head, tail, middle;
	struct dr_sig s[4];

	ASSERT_EQ(0, peer_open(&head, true, "head", EDGE * BLK, 0));
	ASSERT_EQ(0, peer_load(&head, BLK).sig.signo);
	ASSERT_EQ(0, peer_open(&tail, true, "tail", EDGE * BLK, EDGE - 1));
	ASSERT_EQ(0, peer_load(&tail, inner).sig.signo);
	ASSERT_EQ(0, peer_open(&middle, true, "all", DATA * BLK, 1000));

	EXPECT_EQ(-ENXIO, dr_notify(0, START));
	EXPECT_EQ(-ENXIO, dr_notify(END, FOREVER));
	EXPECT_EQ(0, peer_signals(&head, s, 4));
	EXPECT_EQ(0, peer_signals(&tail, s, 4));
	ASSERT_EQ(0, dr_notify(START - BLK, (FIRST + 2) * BLK));
	EXPECT_EARLY(&head, head.base);
	ASSERT_EQ(0, dr_notify(END - (META + 1) * BLK, (META + 2) * BLK));
	EXPECT_EARLY(&tail, tail.base + last);
	EXPECT_EQ(0, peer_signals(&head, s, 4));
	EXPECT_EQ(0, peer_signals(&middle, s, 4));
	EXPECT_POISON(peer_load(&head, 0), head.base);
	EXPECT_BYTE(peer_load(&head, BLK), dr_byte(1, 1));
	EXPECT_POISON(peer_load(&tail, last), tail.base + last);
	EXPECT_BYTE(peer_load(&tail, inner), dr_byte(1, DATA - 2));

	/* Now all of it. */
	ASSERT_EQ(0, dr_notify(0, FOREVER));
	EXPECT_EARLY(&head, head.base + BLK);
	EXPECT_EARLY(&tail, tail.base + inner);
	EXPECT_EARLY(&middle, middle.base + 1000 * BLK);
	for (unsigned long i = 0; i < DATA; i += 89)
		EXPECT_POISON(peer_load(&middle, i * BLK), middle.base + i * BLK);
	EXPECT_EQ(0, dr_free_blocks());
	/* The log has no block left either. */
	EXPECT_EQ(-EROFS, dr_create("new", 1, 1));
	EXPECT_EQ(1, dr_log_count(self->fs.log_seq, "cannot move, read-only now"));
	peer_stop(&head);
	peer_stop(&tail);
	peer_stop(&middle);
	/* What could not be written down is not there after a mount. */
	ASSERT_EQ(0, begin_again());
}

/* By page frames: the partition's first block is not the device's. */
TEST_F(partition, real_poison)
{
	static const unsigned long page[] = { 0, 700, DATA - 1 };
	char *p = dr_map("all", 0, DATA * BLK, RW, MAP_SHARED);
	struct dr_failure f;
	struct dr_sig s[4];

	ASSERT_NE(NULL, p);
	for (int i = 0; i < 3; i++) {
		char *at = p + page[i] * BLK;

		ASSERT_EQ(0, dr_load(at).sig.signo);
		EXPECT_EQ(dr_pfn_of(at), dr_pfn_of_block(FIRST + page[i]));
		ASSERT_EQ(0, dr_poison_addr(at));
		ASSERT_EQ(1, dr_signals(s, 4));
		EXPECT_SIG(s[0], BUS_MCEERR_AR, at, 12);
		EXPECT_POISON(dr_load(at), at);
		ASSERT_EQ(0, dr_last_failure(&f));
		EXPECT_EQ(FIRST + page[i], f.block);
		EXPECT_EQ(1, f.count);
		EXPECT_EQ(2 + (i != 1), f.owners);
		EXPECT_EQ(1, owned_by(&f, "all"));
		EXPECT_EQ(1, owned_by(&f, "copy"));
		EXPECT_EQ(i == 0, owned_by(&f, "head"));
		EXPECT_EQ(i == 2, owned_by(&f, "tail"));
		EXPECT_EQ(i + 1, dr_counter("blocks_bad"));
	}
	/* Page frames of the device that are not of the partition. */
	EXPECT_EQ(-ENXIO, dr_poison_pfn(dr_pfn_of_block(-1)));
	EXPECT_EQ(-ENXIO, dr_poison_pfn(dr_pfn_of_block(-(long)(START / BLK))));
	EXPECT_EQ(-ENXIO, dr_poison_pfn(dr_pfn_of_block(BLOCKS)));
	EXPECT_EQ(3, dr_counter("blocks_bad"));
	EXPECT_EQ(3, dr_counter("notifies"));
	ASSERT_EQ(0, dr_poison_pfn(dr_pfn_of_block(LAST - 2)));
	EXPECT_EQ(4, dr_counter("blocks_bad"));
	EXPECT_POISON(dr_load(p + (DATA - 2) * BLK), p + (DATA - 2) * BLK);
	EXPECT_BYTE(dr_load(p + (DATA - 3) * BLK), dr_byte(1, DATA - 3));
}

/* The dax device has one holder: neither a second part of it nor the whole. */
TEST_F(partition, one_holder)
{
	unsigned long long seq = dr_log_seq();
	char whole[64], second[80];

	dr_use_partition(false);
	snprintf(whole, sizeof(whole), "%s", dr_dev());
	snprintf(second, sizeof(second), "%sp2", whole);
	ASSERT_EQ(0, dr_add_partition(2, 256 * MIB, 8 * MIB));
	ASSERT_EQ(0, dr_mkfs(second));
	/* The partition is none of its metadata. */
	dr_use_partition(true);
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mkfs(whole));
	ASSERT_EQ(0, dr_mount_again());
	mkdir("/tmp/second", 0755);
	EXPECT_EQ(-1, mount(second, "/tmp/second", "daxrmap", 0, ""));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(1, dr_log_count(seq, "the dax device has another holder"));
	EXPECT_EQ(-1, mount(whole, "/tmp/second", "daxrmap", 0, ""));
	EXPECT_EQ(EBUSY, errno);
	/* And the other way round. */
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, mount(whole, "/tmp/second", "daxrmap", 0, ""));
	EXPECT_EQ(-EBUSY, dr_mount_again());
	ASSERT_EQ(0, umount("/tmp/second"));
	dr_use_partition(false);
	EXPECT_EQ(0, dr_del_partition(2));
	dr_use_partition(true);
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_EQ(0, dr_notify(START, (FIRST + 1) * BLK));
	EXPECT_TRUE(lost_are("head", EDGE, 0, 1));
}

/* The driver's list counts sectors of the whole device. */
TEST_F(partition, bad_blocks_of_the_driver)
{
	static const long block[] = { -1, FIRST, LAST - 1, BLOCKS };
	char device[64], list[128], line[64];

	dr_use_partition(false);
	ASSERT_EQ(0, dr_find_device(device, sizeof(device)));
	snprintf(list, sizeof(list), "/sys/block/%s/badblocks",
		 strrchr(dr_dev(), '/') + 1);
	dr_use_partition(true);
	for (int i = 0; i < 4; i++) {
		snprintf(line, sizeof(line), "%lu 8", START / 512 + block[i] * 8);
		ASSERT_EQ(0, dr_put(list, line));
	}
	/* Those that are there are found by whoever meets them. */
	EXPECT_TRUE(lost_are("head", EDGE, 0, 1));
	EXPECT_TRUE(lost_are("tail", EDGE, EDGE - 1, EDGE));
	for (int i = 0; i < dr_patience(500) && dr_counter("blocks_bad") != 2; i++) {
		usleep(10000);
		lost_are("tail", EDGE, EDGE - 1, EDGE);
	}
	EXPECT_EQ(2, dr_counter("blocks_bad"));
	EXPECT_EQ(2, dr_counter("discovered"));
	EXPECT_TRUE(lost_are("all", DATA - 1, 0, 1));
	/* Or at mount. */
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_EQ(2, dr_counter("blocks_bad"));
	EXPECT_TRUE(lost_are("head", EDGE, 0, 1));
	EXPECT_TRUE(lost_are("tail", EDGE, EDGE - 1, EDGE));
	ASSERT_EQ(0, dr_umount());
	/* A new binding of the driver empties the list, and has no partitions. */
	dr_use_partition(false);
	ASSERT_EQ(0, dr_unbind(device));
	ASSERT_EQ(0, dr_bind(device));
	if (!variant->table)
		ASSERT_EQ(0, make_partition(false));
	dr_use_partition(true);
	for (int i = 0; i < dr_patience(500) && access(dr_dev(), F_OK); i++)
		usleep(10000);
	ASSERT_EQ(0, dr_mount());
	EXPECT_EQ(DATA, dr_free_blocks());
}

TEST_HARNESS_MAIN
