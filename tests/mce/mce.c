// SPDX-License-Identifier: GPL-2.0
/*
 * Real machine checks, on pmem from memmap= and on an NVDIMM that ACPI's NFIT
 * describes: a CPU reports poison that a scrubber found (SRAO) or that a process
 * consumed (SRAR). The exception, the kernel's handler and memory_failure()
 * are the real ones; only the memory is good.
 *
 * A machine check is raised from outside, when this program asks for it:
 *
 *	# MCE-REQUEST srao|srar CPU PHYSICAL-ADDRESS VIRTUAL-ADDRESS
 *
 * scripts/tests/mce.sh reads that on the console, and has QEMU do it. An SRAR
 * comes when that CPU is in user mode, with the virtual address in a register.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"
#include "machine.h"

enum { BAD = 5, SHIFT = 3, BLOCKS = 16 };
#define LEN	(BLOCKS * BLK)

FIXTURE(mce) {
	struct dr_fs fs;
	long bad_at_start;
	int cpu;		/* the consumer's; everybody else is on CPU 0 */
};

FIXTURE_VARIANT(mce) { const char *provider; bool consumed; };
FIXTURE_VARIANT_ADD(mce, memmap_srao) { MEMMAP, false };
FIXTURE_VARIANT_ADD(mce, memmap_srar) { MEMMAP, true };
FIXTURE_VARIANT_ADD(mce, nfit_srao) { NFIT, false };
FIXTURE_VARIANT_ADD(mce, nfit_srar) { NFIT, true };

FIXTURE_SETUP(mce)
{
	const char *why = no_machine_checks();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, use_pmem(variant->provider));
	self->cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	ASSERT_EQ(0, run_on(0));
	ASSERT_EQ(0, dr_setup(&self->fs));
	self->bad_at_start = dr_counter("blocks_bad");
}

FIXTURE_TEARDOWN_PARENT(mce)
{
	if (no_machine_checks())
		return;
	EXPECT_EQ(0, use_pmem(variant->provider));
	EXPECT_EQ(0, dr_teardown(&self->fs));
}

/*
 * A block with four owners fails. Who maps it in which way, and who does
 * something else.
 */
struct scene {
	struct peer early, late, shifted, other_file, other_block;
	struct consumer *consumer;
	long block, checks;
	unsigned long paddr;	/* of a cache line in the block */
};

static void start(struct __test_metadata *_metadata, struct scene *s, int cpu)
{
	ASSERT_EQ(0, dr_create("a", BLOCKS, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	ASSERT_EQ(0, dr_clone_range("b", 0, LEN, "c", SHIFT * BLK));
	ASSERT_EQ(0, dr_clone("a", "only-read"));
	ASSERT_EQ(0, dr_create("other", BLOCKS, 2));
	ASSERT_EQ(0, peer_open(&s->early, true, "b", LEN, BAD));
	ASSERT_EQ(0, peer_open(&s->late, false, "a", LEN, BAD));
	ASSERT_EQ(0, peer_open(&s->shifted, true, "c", LEN + SHIFT * BLK, BAD + SHIFT));
	ASSERT_EQ(0, peer_open(&s->other_file, true, "other", LEN, BAD));
	ASSERT_EQ(0, peer_open(&s->other_block, true, "a", LEN, BAD + 1));
	s->block = dr_block("a", BAD, NULL);
	ASSERT_LE(0, s->block);
	s->paddr = dr_pfn_of_block(s->block) * BLK + 0x240;
	s->checks = machine_checks();
	s->consumer = consumer_start(cpu, "b", BAD);
	ASSERT_NE(NULL, s->consumer);
}

static void stop(struct __test_metadata *_metadata, struct scene *s)
{
	EXPECT_EQ(0, peer_stop(&s->early));
	EXPECT_EQ(0, peer_stop(&s->late));
	EXPECT_EQ(0, peer_stop(&s->shifted));
	EXPECT_EQ(0, peer_stop(&s->other_file));
	EXPECT_EQ(0, peer_stop(&s->other_block));
}

/* Every owner is told; nobody else is. */
static void all_are_told(struct __test_metadata *_metadata, struct scene *s)
{
	struct dr_sig sigs[4];
	unsigned char byte;

	EXPECT_EARLY(&s->early, s->early.base + BAD * BLK);
	EXPECT_EARLY(&s->shifted, s->shifted.base + (BAD + SHIFT) * BLK);
	EXPECT_EQ(0, peer_signals(&s->late, sigs, 4));
	EXPECT_POISON(peer_load(&s->late, BAD * BLK + 9), s->late.base + BAD * BLK + 9);
	EXPECT_POISON(peer_store(&s->early, BAD * BLK, 1), s->early.base + BAD * BLK);
	EXPECT_EQ(-EIO, dr_read1("only-read", BAD, &byte));
	EXPECT_EQ(-EIO, dr_read1("c", BAD + SHIFT, &byte));
	EXPECT_EQ(-EIO, dr_write_part("a", BAD));
	EXPECT_EQ(0, peer_signals(&s->other_file, sigs, 4));
	EXPECT_EQ(0, peer_signals(&s->other_block, sigs, 4));
	EXPECT_BYTE(peer_load(&s->other_file, BAD * BLK), dr_byte(2, BAD));
	EXPECT_BYTE(peer_load(&s->other_block, (BAD + 1) * BLK), dr_byte(1, BAD + 1));
}

/* All that was not in the block is there. */
static void nothing_else_lost(struct __test_metadata *_metadata)
{
	static const struct { const char *name; unsigned long shift; } f[] = {
		{ "a", 0 }, { "b", 0 }, { "c", SHIFT }, { "only-read", 0 } };

	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(0, dr_verify(f[i].name, f[i].shift, BAD, 1, 0));
		EXPECT_EQ(0, dr_verify(f[i].name, f[i].shift + BAD + 1,
				       BLOCKS - BAD - 1, 1, BAD + 1));
	}
	EXPECT_EQ(0, dr_verify("other", 0, BLOCKS, 2, 0));
}

/* Files can be made, cloned, mapped and healed. */
static void life_goes_on(struct __test_metadata *_metadata, long block)
{
	struct peer p;

	ASSERT_EQ(0, dr_create("new", 64, 3));
	ASSERT_EQ(0, dr_clone("new", "new-too"));
	ASSERT_EQ(0, peer_open(&p, false, "new-too", 64 * BLK, 1));
	EXPECT_EQ(0, peer_store(&p, 2 * BLK, dr_byte(3, 2)).sig.signo);
	EXPECT_EQ(0, peer_stop(&p));
	EXPECT_EQ(0, dr_verify("new", 0, 64, 3, 0));
	EXPECT_EQ(0, dr_verify("new-too", 0, 64, 3, 0));
	EXPECT_EQ(0, dr_write_blocks("a", BAD, 1, 4));
	EXPECT_EQ(0, dr_verify("a", BAD, 1, 4, BAD));
	EXPECT_EQ(-EIO, dr_verify("b", BAD, 1, 1, BAD));
	for (unsigned long i = 0; i < 64; i++)
		EXPECT_NE(block, dr_block("new", i, NULL));
}

static void counted(struct __test_metadata *_metadata, long block, long bad_at_start)
{
	struct dr_failure f;

	EXPECT_EQ(1, dr_counter("notifies"));
	EXPECT_EQ(1, dr_counter("failed_blocks"));
	EXPECT_EQ(bad_at_start, dr_counter("discovered"));
	EXPECT_EQ(bad_at_start + 1, dr_counter("blocks_bad"));
	ASSERT_EQ(0, dr_last_failure(&f));
	EXPECT_EQ(block, f.block);
	EXPECT_EQ(1, f.count);
	EXPECT_EQ(4, f.owners);
	for (int i = 0; i < f.lines; i++)
		EXPECT_EQ(0, f.o[i].err);
}

/* A file for which what comes before the block is not enough. */
static void uses_all_but(struct __test_metadata *_metadata, long block)
{
	ASSERT_EQ(0, dr_create("big", block + 64, 5));
	EXPECT_EQ(0, dr_verify("big", 0, block + 64, 5, 0));
	for (long i = 0; i < block + 64; i++)
		EXPECT_NE(block, dr_block("big", i, NULL));
}

/*
 * A mount that has been told nothing does not use the block: the kernel has it
 * out of its own map, so that even to zero it would be an oops. Nor when the
 * driver has taken the device anew.
 */
static void next_mount_knows(struct __test_metadata *_metadata, long block, long bad)
{
	char device[64];

	/* The handler takes it out an instant after we were told. */
	for (int i = 0; i < dr_patience(100); i++) {
		ASSERT_EQ(0, dr_umount());
		ASSERT_EQ(0, dr_mount());
		if (dr_counter("blocks_bad") == bad)
			break;
		usleep(10000);
	}
	ASSERT_EQ(bad, dr_counter("blocks_bad"));
	uses_all_but(_metadata, block);

	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_find_device(device, sizeof(device)));
	ASSERT_EQ(0, dr_unbind(device));
	ASSERT_EQ(0, dr_bind(device));
	ASSERT_EQ(0, dr_mount());
	ASSERT_EQ(bad, dr_counter("blocks_bad"));
	uses_all_but(_metadata, block);
}

TEST_F(mce, every_owner_is_told)
{
	struct scene s = { 0 };
	struct consumer *c;
	char *want;

	start(_metadata, &s, self->cpu);
	c = s.consumer;
	request(variant->consumed ? "srar" : "srao", variant->consumed ? self->cpu : 0,
		s.paddr, c->byte);
	ASSERT_EQ(1, dr_counter_settled("notifies", 1));
	ASSERT_EQ(4, dr_counter_settled("owners", 4));
	EXPECT_LT(s.checks, machine_checks());

	/* Who consumed it is told of the page; who comes later, of the byte. */
	want = variant->consumed ? c->page : c->byte;
	EXPECT_EQ(0, consumer_end(c));
	EXPECT_SIG(c->first.sig, BUS_MCEERR_AR, want, 12);
	EXPECT_POISON(c->again, c->byte);
	EXPECT_BYTE(c->beside, dr_byte(1, BAD + 1));
	EXPECT_EQ(0, c->strays);

	all_are_told(_metadata, &s);
	nothing_else_lost(_metadata);
	life_goes_on(_metadata, s.block);
	/* The NFIT driver hears of it too: it is the same failure. */
	if (!strcmp(variant->provider, NFIT))
		EXPECT_EQ(0, wait_listed(s.block));
	EXPECT_EQ(-EIO, dr_read1("b", BAD, &(unsigned char){ 0 }));
	counted(_metadata, s.block, self->bad_at_start);
	stop(_metadata, &s);
	next_mount_knows(_metadata, s.block, self->bad_at_start + 1);
}

/*
 * A new block fails while it is filled: the kernel takes it out of its own map, and
 * a store to it is an oops. So that must wait for who has found it good.
 */
FIXTURE(mce_filled) { struct dr_fs fs; };

FIXTURE_SETUP(mce_filled)
{
	const char *why = no_machine_checks();

	if (why)
		SKIP(return, "%s", why);
	/* Not the NFIT's, whose driver would see it and let the block alone. */
	ASSERT_EQ(0, use_pmem(MEMMAP));
	ASSERT_EQ(0, run_on(0));
	ASSERT_EQ(0, dr_setup(&self->fs));
}

FIXTURE_TEARDOWN_PARENT(mce_filled)
{
	if (no_machine_checks())
		return;
	EXPECT_EQ(0, use_pmem(MEMMAP));
	dr_touch_delay(0);
	EXPECT_EQ(0, dr_teardown(&self->fs));
}

static int write_new(void *arg)
{
	*(volatile int *)arg = 1;
	return -dr_write_blocks("new", 0, 1, 3);
}

TEST_F(mce_filled, by_zeroes)
{
	int *begun = dr_shared_mem(sizeof(*begun));
	unsigned long paddr;
	long block, bad;
	pid_t pid;

	/* There is one free block, which is it. */
	ASSERT_EQ(0, dr_create("new", 0, 3));
	ASSERT_EQ(0, dr_create("one", 1, 1));
	block = dr_block("one", 0, NULL);
	ASSERT_LE(0, block);
	ASSERT_EQ(0, dr_fallocate("big", 0, 0, dr_free_blocks() * BLK));
	ASSERT_EQ(0, unlink(dr_path("one")));
	ASSERT_EQ(1, dr_free_settled(1));
	paddr = dr_pfn_of_block(block) * BLK + 0x240;
	bad = dr_counter("blocks_bad");

	ASSERT_EQ(0, dr_touch_delay(5000));
	pid = dr_spawn(write_new, begun);
	while (!*(volatile int *)begun)
		usleep(1000);
	usleep(500000);
	request("srao", 0, paddr, NULL);
	EXPECT_EQ(ENOSPC, dr_wait(pid));
	ASSERT_EQ(1, dr_counter_settled("notifies", 1));
	EXPECT_EQ(bad + 1, dr_counter("blocks_bad"));
	EXPECT_EQ(0, dr_counter("owners"));
	EXPECT_EQ(0, dr_free_blocks());
	EXPECT_EQ(0, dr_size("new"));
	dr_touch_delay(0);
	EXPECT_EQ(0, unlink(dr_path("big")));
	EXPECT_EQ(0, dr_write_blocks("new", 0, 1, 3));
	EXPECT_EQ(0, dr_verify("new", 0, 1, 3, 0));
}

FIXTURE(mce_nfit) { struct dr_fs fs; long bad_at_start; };

FIXTURE_SETUP(mce_nfit)
{
	const char *why = no_machine_checks();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, use_pmem(NFIT));
	ASSERT_EQ(0, run_on(0));
	ASSERT_EQ(0, dr_setup(&self->fs));
	self->bad_at_start = dr_counter("blocks_bad");
}

FIXTURE_TEARDOWN_PARENT(mce_nfit)
{
	if (no_machine_checks())
		return;
	EXPECT_EQ(0, use_pmem(NFIT));
	EXPECT_EQ(0, dr_teardown(&self->fs));
}

/* The driver knows of the poison first; the report is late, and tells nobody twice. */
TEST_F(mce_nfit, listed_then_reported)
{
	struct scene s = { 0 };
	unsigned char byte;
	struct dr_sig sigs[4];

	start(_metadata, &s, 0);
	ASSERT_EQ(0, mention_poison(s.paddr));
	ASSERT_EQ(0, wait_listed(s.block));
	EXPECT_EQ(0, dr_counter("notifies"));
	EXPECT_EQ(-EIO, dr_read1("only-read", BAD, &byte));
	ASSERT_EQ(4, dr_counter_settled("owners", 4));
	EXPECT_EQ(self->bad_at_start + 1, dr_counter("discovered"));
	EXPECT_EQ(0, consumer_end(s.consumer));
	EXPECT_POISON(s.consumer->first, s.consumer->byte);
	all_are_told(_metadata, &s);

	request("srao", 0, s.paddr, NULL);
	ASSERT_EQ(2, dr_counter_settled("notifies", 2));
	ASSERT_EQ(8, dr_counter_settled("owners", 8));
	EXPECT_EQ(0, peer_signals(&s.early, sigs, 4));
	EXPECT_EQ(0, peer_signals(&s.shifted, sigs, 4));
	EXPECT_EQ(1, dr_counter("failed_blocks"));
	EXPECT_EQ(self->bad_at_start + 1, dr_counter("discovered"));
	EXPECT_EQ(self->bad_at_start + 1, dr_counter("blocks_bad"));
	nothing_else_lost(_metadata);
	life_goes_on(_metadata, s.block);
	stop(_metadata, &s);
	next_mount_knows(_metadata, s.block, self->bad_at_start + 1);
}

TEST_HARNESS_MAIN
