// SPDX-License-Identifier: GPL-2.0
/*
 * Real machine checks below ext4 and XFS, on pmem and on dm: what the kernel does by itself, and
 * what it does with the guard. A process consumes poison (SRAR) of a page that others map.
 *
 * mce.c says how a machine check is asked for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/processes/party.h"
#include "machine.h"

enum { EACH = 4, BLOCKS = 32 };

/* Pages that fail: of stripes of 64 KiB, on the one device and on the other. */
enum { WITHOUT = 1, WATCHED = 20, HELD = 6 };

/* How the consumer is told. */
enum how {
	OF_THE_PAGE,	/* by memory_failure(): with the address of the page */
	AT_ITS_LOAD,	/* it goes on, and faults: with the address of the byte */
	OF_NOTHING,	/* memory_failure() knows nobody, and the kernel kills it: without one */
};

/* What the kernel does by itself. */
struct alone {
	enum how how;
	int early;	/* who asked to be told early, and is */
	int read;	/* what read(2) of the page gives */
};

FIXTURE(mce_stacks) {
	struct dr_stacked state;
	long failed[8];		/* page frames */
	int n;
	int cpu;		/* the consumer's; everybody else is on CPU 0 */
};

FIXTURE_VARIANT(mce_stacks) { struct dr_stack stack; struct alone alone; };
#define STACK(name, ...)	FIXTURE_VARIANT_ADD(mce_stacks, name) { __VA_ARGS__ }
STACK(ext4, { "ext4", ON_PMEM, NULL }, { OF_THE_PAGE, EACH, -EFAULT });
STACK(ext4_linear, { "ext4", ON_LINEAR, NULL }, { OF_THE_PAGE, EACH, -EFAULT });
/* Files that share the page: who reads it takes it from all others, and they are not told. */
STACK(xfs, { "xfs", ON_PMEM, NULL }, { OF_THE_PAGE, 0, -EFAULT });
STACK(xfs_linear, { "xfs", ON_LINEAR, NULL }, { OF_NOTHING, 0, 0 });
STACK(xfs_striped, { "xfs", ON_STRIPED, NULL }, { OF_NOTHING, 0, 0 });

FIXTURE_SETUP(mce_stacks)
{
	const char *why = no_machine_checks();

	if (why)
		SKIP(return, "%s", why);
	self->cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	ASSERT_EQ(0, run_on(0));
	ASSERT_EQ(0, dr_stack_up(&variant->stack, &self->state));
}

static bool has(const char *dev, long pfn, long *page)
{
	struct daxrmap_guard_device d;

	if (dr_guard_device(dev, &d) || pfn < (long)d.first_pfn)
		return false;
	*page = pfn - d.first_pfn;
	return *page < (long)d.pages;
}

/*
 * The page is good again: the kernel has taken it out of its own map, where it stays out if
 * the driver takes the device anew, and the next mkfs would be an oops. A block that is on the
 * driver's list of bad ones is put back when it is rewritten.
 */
static int mend(long pfn)
{
	const char *dev = PMEM0;
	static char zeroes[BLK] __attribute__((aligned(BLK)));
	char file[64], text[64];
	long page;
	int r, fd;

	if (!has(dev, pfn, &page)) {
		dev = PMEM1;
		if (!has(dev, pfn, &page))
			return -ENODEV;
	}
	snprintf(file, sizeof(file), "/sys/block/%s/badblocks", dev + strlen("/dev/"));
	snprintf(text, sizeof(text), "%ld 8\n", page * 8);
	r = dr_put(file, text);
	if (r)
		return r;
	fd = open(dev, O_WRONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		return dr_errno();
	r = pwrite(fd, zeroes, BLK, page * BLK) == BLK ? 0 : dr_errno();
	close(fd);
	return r;
}

FIXTURE_TEARDOWN_PARENT(mce_stacks)
{
	int r;

	if (no_machine_checks())
		return;
	r = dr_umount();
	/* A test may have left without a mount. */
	EXPECT_TRUE(!r || r == -EINVAL);
	for (int i = 0; i < self->n; i++)
		EXPECT_EQ(0, mend(self->failed[i]));
	EXPECT_EQ(0, dr_stack_down(&variant->stack, &self->state));
}

struct scene {
	struct peer early[EACH], late[EACH];
	struct peer elsewhere;	/* maps another page of the file */
	struct peer stranger;	/* maps another file */
	int files;
	struct consumer *consumer;
};

static const char *file_name(int i)
{
	static char name[16];

	snprintf(name, sizeof(name), "f%d", i);
	return name;
}

/* One file, or as many clones as there are processes of a kind. */
static void start(struct __test_metadata *_metadata, const struct dr_stack *stack, struct scene *s)
{
	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, dr_create("stranger", BLOCKS, 2));
	s->files = dr_stack_reflink(stack) ? EACH : 1;
	for (int i = 1; i < s->files; i++)
		ASSERT_EQ(0, dr_clone("f0", file_name(i)));
	ASSERT_EQ(0, party_open(s->early, EACH, true, s->files, BLOCKS));
	ASSERT_EQ(0, party_open(s->late, EACH, false, s->files, BLOCKS));
	ASSERT_EQ(0, peer_start(&s->elsewhere, true));
	ASSERT_EQ(0, peer_map(&s->elsewhere, "f0", 0, BLK, PROT_READ | PROT_WRITE, MAP_SHARED));
	ASSERT_EQ(0, peer_open(&s->stranger, true, "stranger", BLOCKS * BLK, -1));
}

static void stop(struct scene *s)
{
	party_stop(s->early, EACH);
	party_stop(s->late, EACH);
	peer_stop(&s->elsewhere);
	peer_stop(&s->stranger);
}

/* Everybody has the page; a process consumes it, on a CPU of its own. */
#define CONSUME(s, page) do {							\
	long _checks = machine_checks(), _pfn = dr_pfn_in_file("f0", page);	\
										\
	ASSERT_LT(0, _pfn);							\
	self->failed[self->n++] = _pfn;						\
	ASSERT_EQ(EACH, party_loads((s)->early, EACH, page, dr_byte(1, page)));	\
	ASSERT_EQ(EACH, party_loads((s)->late, EACH, page, dr_byte(1, page)));	\
	EXPECT_BYTE(peer_load(&(s)->elsewhere, 0), dr_byte(1, 0));		\
	EXPECT_BYTE(peer_load(&(s)->stranger, (page) * BLK), dr_byte(2, page));	\
	(s)->consumer = consumer_start(self->cpu, "f0", page);			\
	ASSERT_NE(NULL, (s)->consumer);						\
	request("srar", self->cpu, _pfn * BLK + 0x240, (s)->consumer->byte);	\
	ASSERT_EQ(0, consumer_told((s)->consumer));				\
	EXPECT_LT(_checks, machine_checks());					\
} while (0)

static void told_consumer(struct __test_metadata *_metadata, struct consumer *c, enum how how)
{
	switch (how) {
	case OF_THE_PAGE:
		EXPECT_SIG(c->first.sig, BUS_MCEERR_AR, c->page, 12);
		break;
	case AT_ITS_LOAD:
		EXPECT_POISON(c->first, c->byte);
		break;
	case OF_NOTHING:
		EXPECT_SIG(c->first.sig, SI_KERNEL, NULL, 0);
		break;
	}
	EXPECT_BYTE(c->beside, dr_byte(1, c->blk + 1));
	EXPECT_EQ(0, c->strays);
}

/* How many of the early ones were told, and told right. In silence, if it was not. */
static int early_told(struct scene *s, unsigned long page)
{
	struct dr_sig sigs[4];
	int told = 0;

	for (int i = 0; i < EACH; i++)
		told += peer_signals(&s->early[i], sigs, 4) == 1 &&
			dr_sig_is(sigs[0], BUS_MCEERR_AO, s->early[i].base + page * BLK, 12);
	return told;
}

/* How many of all read on. */
static int silent(struct scene *s, unsigned long page)
{
	return party_loads(s->early, EACH, page, dr_byte(1, page)) +
		party_loads(s->late, EACH, page, dr_byte(1, page));
}

/*
 * How many are told at a load. No stores: for one to a shared page, XFS takes a new block, cannot
 * copy to it, and frees it; the file's DAX entry goes on to name it, and the kernel warns when
 * the block is another file's.
 */
static int told_at_load(struct peer *p, unsigned long page)
{
	int told = 0;

	for (int i = 0; i < EACH; i++)
		told += dr_sig_is(peer_load(&p[i], page * BLK + 123).sig, BUS_MCEERR_AR,
				  p[i].base + page * BLK + 123, 12);
	return told;
}

static void say(const char *by, const struct scene *s, int early, int silent, int read)
{
	printf("# %s: consumer: SIGBUS code %d, address %p; early kill told: %d of %d; silent: %d of %d; "
	       "read(2): %s\n", by, s->consumer->first.sig.code,
	       (void *)s->consumer->first.sig.addr, early, EACH, silent, 2 * EACH,
	       read == 0 ? "silent" : read == -EIO ? "EIO" : read == -EFAULT ? "EFAULT" : "?");
}

static void nobody_else(struct __test_metadata *_metadata, struct scene *s, unsigned long page)
{
	EXPECT_EQ(1, party_quiet(&s->elsewhere, 1));
	EXPECT_BYTE(peer_load(&s->elsewhere, 0), dr_byte(1, 0));
	EXPECT_EQ(1, party_quiet(&s->stranger, 1));
	EXPECT_BYTE(peer_load(&s->stranger, page * BLK), dr_byte(2, page));
	for (int i = 0; i < s->files; i++) {
		EXPECT_EQ(0, dr_verify(file_name(i), page - 1, 1, 1, page - 1));
		EXPECT_EQ(0, dr_verify(file_name(i), page + 1, 1, 1, page + 1));
	}
}

/* Whatever is said of it, the kernel alone lets everybody read on. */
static void alone(struct __test_metadata *_metadata, struct scene *s, const struct alone *want)
{
	unsigned char byte;
	int early, saw, read;

	EXPECT_EQ(0, consumer_end(s->consumer));
	told_consumer(_metadata, s->consumer, want->how);
	EXPECT_BYTE(s->consumer->again, s->consumer->before.byte);
	early = early_told(s, WITHOUT);
	EXPECT_EQ(EACH, party_quiet(s->late, EACH));
	saw = silent(s, WITHOUT);
	read = dr_read1("f0", WITHOUT, &byte);
	say("without the guard", s, early, saw, read);
	EXPECT_EQ(want->early, early);
	EXPECT_EQ(2 * EACH, saw);
	EXPECT_EQ(want->read, read);
	nobody_else(_metadata, s, WITHOUT);
}

/* Everybody is told who has to be, once, and nobody else. */
static void guarded(struct __test_metadata *_metadata, struct scene *s, unsigned long page,
		    const char *by, enum how how)
{
	unsigned char byte;
	int early, saw, eio = 0;

	EXPECT_EQ(0, consumer_end(s->consumer));
	told_consumer(_metadata, s->consumer, how);
	EXPECT_POISON(s->consumer->again, s->consumer->byte);
	early = early_told(s, page);
	EXPECT_EQ(EACH, party_quiet(s->late, EACH));
	saw = silent(s, page);
	for (int i = 0; i < s->files; i++)
		eio += dr_read1(file_name(i), page, &byte) == -EIO;
	say(by, s, early, saw, dr_read1("f0", page, &byte));
	EXPECT_EQ(EACH, early);
	EXPECT_EQ(0, saw);
	EXPECT_EQ(s->files, eio);
	EXPECT_EQ(EACH, told_at_load(s->early, page));
	EXPECT_EQ(EACH, told_at_load(s->late, page));
	/* Not a second time. */
	EXPECT_EQ(EACH, party_quiet(s->early, EACH));
	EXPECT_EQ(EACH, party_quiet(s->late, EACH));
	/* The driver refuses; or XFS cannot read what it wants to copy. */
	EXPECT_EQ(s->files > 1 ? -EIO : -EFAULT, dr_write_part("f0", page));
	nobody_else(_metadata, s, page);
}

/* Files can be made, mapped, and healed where they are not shared. */
static void life_goes_on(struct __test_metadata *_metadata, const struct scene *s)
{
	struct peer p;

	ASSERT_EQ(0, dr_create("new", 64, 3));
	ASSERT_EQ(0, peer_open(&p, true, "new", 64 * BLK, 1));
	EXPECT_EQ(0, peer_store(&p, 2 * BLK, dr_byte(3, 2)).sig.signo);
	EXPECT_EQ(1, party_quiet(&p, 1));
	EXPECT_EQ(0, peer_stop(&p));
	EXPECT_EQ(0, dr_verify("new", 0, 64, 3, 0));
	EXPECT_EQ(0, dr_verify("stranger", 0, BLOCKS, 2, 0));
	if (s->files > 1)
		return;
	EXPECT_EQ(0, dr_write_blocks("f0", WATCHED, 1, 4));
	EXPECT_EQ(0, dr_verify("f0", WATCHED, 1, 4, WATCHED));
}

TEST_F(mce_stacks, consumed)
{
	const struct dr_stack *stack = &variant->stack;
	struct scene s;
	long dealt;

	start(_metadata, stack, &s);
	CONSUME(&s, WITHOUT);
	alone(_metadata, &s, &variant->alone);

	/* The kernel is through before a worker of the guard begins: what it says stays. */
	ASSERT_EQ(0, dr_guard_watch(1));
	dealt = dr_guard_dealt();
	CONSUME(&s, WATCHED);
	ASSERT_EQ(dealt + 1, dr_guard_settled(dealt + 1));
	guarded(_metadata, &s, WATCHED, "watch", variant->alone.how);
	ASSERT_EQ(0, dr_guard_watch(0));

	if (dr_stack_holdable(stack)) {
		ASSERT_EQ(0, dr_stack_hold(stack));
		dealt = dr_guard_dealt();
		CONSUME(&s, HELD);
		/* All was done before it was told. Who share a page are found by a worker. */
		EXPECT_EQ(dealt + 1, dr_guard_dealt());
		guarded(_metadata, &s, HELD, "hold", s.files > 1 ? AT_ITS_LOAD : OF_THE_PAGE);
		ASSERT_EQ(0, dr_stack_release(stack));
	}
	life_goes_on(_metadata, &s);
	stop(&s);
}

TEST_HARNESS_MAIN
