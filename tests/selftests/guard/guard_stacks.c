// SPDX-License-Identifier: GPL-2.0
/*
 * The guard's table: a page fails below a file that eight processes map, on ext4 and XFS,
 * on pmem, on a partition of it and on dm. Without the guard all of them read on; with it
 * nobody does, by watching, by holding the device, and by both.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/processes/party.h"

#define RW	(PROT_READ | PROT_WRITE)
#define PEERS	8
#define BLOCKS	32

/* Pages that fail. In stripes of 64 KiB, these are on both devices. */
enum { WITHOUT = 1, WATCHED = 4, HELD = 20, BOTH = 26 };

DR_STACK_FIXTURE(guard_stacks)
DR_STACK(guard_stacks, ext4, "ext4", ON_PMEM);
DR_STACK(guard_stacks, ext4_partition, "ext4", ON_PARTITION);
DR_STACK(guard_stacks, ext4_linear, "ext4", ON_LINEAR);
DR_STACK(guard_stacks, ext4_pieces, "ext4", ON_PIECES);
DR_STACK(guard_stacks, ext4_striped, "ext4", ON_STRIPED);
DR_STACK(guard_stacks, xfs, "xfs", ON_PMEM);
DR_STACK(guard_stacks, xfs_without_rmapbt, "xfs", ON_PMEM, "-m rmapbt=0");
DR_STACK(guard_stacks, xfs_partition, "xfs", ON_PARTITION, "-m reflink=0");
DR_STACK(guard_stacks, xfs_linear, "xfs", ON_LINEAR);
DR_STACK(guard_stacks, xfs_linear_without_rmapbt, "xfs", ON_LINEAR, "-m rmapbt=0");
DR_STACK(guard_stacks, xfs_striped, "xfs", ON_STRIPED);

struct crowd {
	struct peer late[PEERS], early[PEERS];
	struct peer elsewhere;	/* maps the file, but not the page that fails */
	struct peer stranger;	/* maps another file */
	int files;
};

static void *file_name(int i)
{
	static char name[16];

	snprintf(name, sizeof(name), "f%d", i);
	return name;
}

/* One file, or as many clones as there are peers. */
static int make_files(const struct dr_stack *s, struct crowd *c)
{
	int r = dr_create("f0", BLOCKS, 1) ?: dr_create("stranger", BLOCKS, 2);

	c->files = dr_stack_reflink(s) ? PEERS : 1;
	for (int i = 1; i < c->files && !r; i++)
		r = dr_clone("f0", file_name(i));
	return r;
}

static void direct_read(struct __test_metadata *_metadata, unsigned long page)
{
	int fd = dr_open("f0", O_RDONLY | O_DIRECT);
	char *buf = aligned_alloc(BLK, BLK);

	ASSERT_LE(0, fd);
	EXPECT_ERR(EIO, pread(fd, buf, BLK, page * BLK));
	EXPECT_EQ(BLK, pread(fd, buf, BLK, (page + 1) * BLK));
	EXPECT_TRUE(dr_same(buf, 1, page + 1));
	close(fd);
	free(buf);
}

/* Everybody is told who has to be, just once, and nobody else. */
static void told(struct __test_metadata *_metadata, struct crowd *c, unsigned long page,
		 const char *how)
{
	int silent, early, late, eio = 0;
	unsigned char byte;

	early = party_told_early(c->early, PEERS, page, 12);
	silent = party_loads(c->late, PEERS, page, dr_byte(1, page));
	silent += party_loads(c->early, PEERS, page, dr_byte(1, page));
	late = party_told_late(c->late, PEERS, page);
	for (int i = 0; i < PEERS; i++)
		eio += dr_read1(file_name(i % c->files), page, &byte) == -EIO;
	printf("# %s: %d of %d silent, %d of %d early kill told, %d of %d EIO\n", how, silent,
	       2 * PEERS, early, PEERS, eio, PEERS);
	EXPECT_EQ(0, silent);
	EXPECT_EQ(PEERS, early);
	EXPECT_EQ(PEERS, late);
	EXPECT_EQ(PEERS, eio);
	EXPECT_EQ(PEERS, party_told_at_touch(c->early, PEERS, page));
	/* Not a second time. */
	EXPECT_EQ(PEERS, party_quiet(c->early, PEERS));
	direct_read(_metadata, page);
	for (int i = 0; i < c->files; i++) {
		EXPECT_NO_PART(file_name(i), page);
		EXPECT_EQ(0, dr_verify(file_name(i), page - 1, 1, 1, page - 1));
		EXPECT_EQ(0, dr_verify(file_name(i), page + 1, 1, 1, page + 1));
	}
	EXPECT_EQ(PEERS, party_loads(c->late, PEERS, page + 1, dr_byte(1, page + 1)));
	EXPECT_EQ(1, party_quiet(&c->elsewhere, 1));
	EXPECT_BYTE(peer_load(&c->elsewhere, 0), dr_byte(1, page + 1));
	EXPECT_EQ(1, party_quiet(&c->stranger, 1));
	EXPECT_BYTE(peer_load(&c->stranger, page * BLK), dr_byte(2, page));
}

/* Fails the page while the guard is as it is, and has everybody looked at. */
static void fail(struct __test_metadata *_metadata, struct crowd *c, unsigned long page,
		 const char *how, bool held)
{
	long before = dr_guard_dealt(), pfn;
	int r;

	ASSERT_LE(0, before);
	ASSERT_EQ(0, peer_start(&c->elsewhere, true));
	ASSERT_EQ(0, peer_map(&c->elsewhere, "f0", (page + 1) * BLK, BLK, RW, MAP_SHARED));
	EXPECT_BYTE(peer_load(&c->elsewhere, 0), dr_byte(1, page + 1));
	EXPECT_BYTE(peer_load(&c->stranger, page * BLK), dr_byte(2, page));
	EXPECT_EQ(PEERS, party_loads(c->late, PEERS, page, dr_byte(1, page)));
	EXPECT_EQ(PEERS, party_loads(c->early, PEERS, page, dr_byte(1, page)));
	/* On XFS, to look at a shared page takes it from who has it there; they are told as well. */
	pfn = dr_pfn_in_file("f0", page);
	ASSERT_LT(0, pfn);
	r = dr_poison_pfn(pfn);
	if (held) {
		/* The kernel's own result is right, and all is done when it returns. */
		EXPECT_EQ(0, r);
		EXPECT_LT(before, dr_guard_dealt());
	} else {
		/* What it says of XFS on dm is that nobody was told. */
		EXPECT_TRUE(!r || r == -EBUSY);
		EXPECT_EQ(before + 1, dr_guard_settled(before + 1));
	}
	told(_metadata, c, page, how);
	peer_stop(&c->elsewhere);
}

TEST_F(guard_stacks, table)
{
	const struct dr_stack *s = &variant->stack;
	struct daxrmap_guard_device d, e;
	struct crowd c;
	unsigned char byte;
	int silent, r;

	ASSERT_EQ(0, make_files(s, &c));
	ASSERT_EQ(0, party_open(c.late, PEERS, false, c.files, BLOCKS));
	ASSERT_EQ(PEERS, party_loads(c.late, PEERS, WITHOUT, dr_byte(1, WITHOUT)));
	r = dr_poison_pfn(dr_pfn_in_file("f0", WITHOUT));
	EXPECT_TRUE(!r || r == -EBUSY);
	silent = party_loads(c.late, PEERS, WITHOUT, dr_byte(1, WITHOUT));
	printf("# without the guard: %d of %d silent\n", silent, PEERS);
	EXPECT_EQ(PEERS, silent);
	EXPECT_EQ(0, dr_read1("f0", WITHOUT, &byte));

	ASSERT_EQ(0, party_open(c.early, PEERS, true, c.files, BLOCKS));
	ASSERT_EQ(0, peer_open(&c.stranger, true, "stranger", BLOCKS * BLK, 0));
	ASSERT_EQ(0, dr_guard_watch(1));
	fail(_metadata, &c, WATCHED, "watch", false);
	ASSERT_EQ(0, dr_guard_watch(0));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	EXPECT_STREQ("pmem0", d.name);
	EXPECT_LT(0, d.pages);
	ASSERT_EQ(0, dr_guard_device(PMEM1, &e));
	EXPECT_LE(1, d.failed_pages + e.failed_pages);
	EXPECT_LE(c.files, d.owners + e.owners);
	EXPECT_LE(c.files, d.owners_mapped + e.owners_mapped);
	if (dr_stack_holdable(s)) {
		ASSERT_EQ(0, dr_stack_hold(s));
		fail(_metadata, &c, HELD, "hold", true);
		ASSERT_EQ(0, dr_guard_watch(1));
		fail(_metadata, &c, BOTH, "watch and hold", true);
		ASSERT_EQ(0, dr_stack_release(s));
	} else {
		EXPECT_EQ(-EBUSY, dr_stack_hold(s));
		ASSERT_EQ(0, dr_guard_watch(1));
		fail(_metadata, &c, BOTH, "watch", false);
	}
	party_stop(c.late, PEERS);
	party_stop(c.early, PEERS);
	peer_stop(&c.stranger);
}

TEST_HARNESS_MAIN
