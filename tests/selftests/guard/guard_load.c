// SPDX-License-Identifier: GPL-2.0
/*
 * Pages fail while others map, read and write, while the guard is switched, other filesystems
 * come and go, and dm gets new tables: nobody reads what is lost, and nobody else is told.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/random.h"
#include "common/device/stack.h"
#include "common/module/guard.h"

#define RW	(PROT_READ | PROT_WRITE)
#define BLOCKS	128
#define FILES	4
#define WORKERS	4
#define EVENTS	40
#define OTHER	"/tmp/other"
#define PATIENCE 20000		/* ms: the debug kernel is slow */

FIXTURE(guard_load) { struct dr_stacked state; };
FIXTURE_VARIANT(guard_load) { struct dr_stack stack; };
FIXTURE_SETUP(guard_load)
{
	umount(OTHER);		/* of a test that ended half way */
	ASSERT_EQ(0, dr_stack_up(&variant->stack, &self->state));
}
FIXTURE_TEARDOWN_PARENT(guard_load)
{
	EXPECT_EQ(0, dr_stack_down(&variant->stack, &self->state));
}
DR_STACK(guard_load, ext4, "ext4", ON_PMEM);
DR_STACK(guard_load, ext4_striped, "ext4", ON_STRIPED);
DR_STACK(guard_load, xfs_pieces, "xfs", ON_PIECES);

/* Of a page: whether its failure has begun, and whether the guard has dealt with it. */
struct shared {
	volatile int begun[FILES][BLOCKS], over[FILES][BLOCKS];
	volatile int end;
	volatile long reads, told, advised, silent, wrong, writes;
	bool clones;		/* all files have the same pages */
	int next;
};

static const char *file_name(int i)
{
	static char name[16];

	snprintf(name, sizeof(name), "f%d", i);
	return name;
}

static void add(volatile long *counter, long n)
{
	__atomic_add_fetch(counter, n, __ATOMIC_RELAXED);
}

/* What came without a touch is of a page that fails, and at its address. */
static void advised(struct shared *s, int file, const char *base)
{
	struct dr_sig sigs[64];
	int n = dr_signals(sigs, 64);

	for (int i = 0; i < n; i++) {
		unsigned long page = (sigs[i].addr - base) / BLK;
		bool right = sigs[i].code == BUS_MCEERR_AO && page < BLOCKS &&
			     s->begun[file][page];

		add(right ? &s->advised : &s->wrong, 1);
	}
}

/* One look at a page: it began after the failure was over, or it did not. */
static void look(struct shared *s, int file, char *base, unsigned long page, bool by_read)
{
	int over = s->over[file][page];
	struct dr_touch t = { 0 };

	if (by_read) {
		if (dr_read1(file_name(file), page, &t.byte))
			t.sig.signo = SIGBUS;
	} else {
		t = dr_load(base + page * BLK);
	}
	add(&s->reads, 1);
	if (!t.sig.signo) {
		add(&s->silent, over != 0);
		add(&s->wrong, t.byte != dr_byte(1, page));
	} else if (!s->begun[file][page] ||
		   (!by_read && !dr_sig_is(t.sig, BUS_MCEERR_AR, base + page * BLK, 12))) {
		add(&s->wrong, 1);
	} else {
		add(&s->told, 1);
	}
}

/* Every other one asks for early kill. A mapping lasts as long as its signals can be its own. */
static int work(void *arg)
{
	struct shared *s = arg;
	int me = __atomic_fetch_add(&s->next, 1, __ATOMIC_SEQ_CST), file = me % FILES;
	char *p = dr_map(file_name(file), 0, BLOCKS * BLK, RW, MAP_SHARED);

	if (!p || (me % 2 && prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0)))
		return 1;
	dr_seed(me);
	while (!s->end) {
		for (int i = 0; i < 50; i++)
			look(s, file, p, dr_pick(BLOCKS), !dr_pick(4));
		advised(s, file, p);
		if (!dr_pick(8))
			madvise(p, BLOCKS * BLK, MADV_DONTNEED);
	}
	advised(s, file, p);
	return 0;
}

/* A filesystem on the other device, which has files in memory, comes and goes. */
static int come_and_go(void *arg)
{
	struct shared *s = arg;

	for (int i = 0; !s->end; i++) {
		int fd;

		if (mount(PMEM1, OTHER, "ext4", 0, "dax=always"))
			return 1;
		fd = open(OTHER "/f", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0 || pwrite(fd, "x", 1, i * BLK) != 1)
			return 2;
		close(fd);
		while (umount(OTHER))
			if (errno != EBUSY)
				return 3;
	}
	return 0;
}

/* Another way to be guarded, and in between both. */
static int change(const struct dr_stack *stack, int i)
{
	int r = 0;

	if (i % 2)
		r = dr_guard_watch(1) ?: i > 1 ? dr_stack_release(stack) : 0;
	else
		r = dr_stack_hold(stack) ?: dr_guard_watch(0);
	if (dr_stack_dm(stack))
		r = r ?: dr_stack_reload(stack);
	return r;
}

static void mark(struct shared *s, volatile int (*what)[BLOCKS], int file, unsigned long page)
{
	for (int i = 0; i < FILES; i++)
		if (i == file || s->clones)
			what[i][page] = 1;
}

TEST_F(guard_load, all_at_once)
{
	struct shared *s = dr_shared_mem(sizeof(*s));
	const struct dr_stack *stack = &variant->stack;
	bool other = stack->on != ON_STRIPED;
	pid_t pid[WORKERS], mounts = 0;

	s->clones = dr_stack_reflink(stack);
	for (int i = 0; i < FILES; i++)
		ASSERT_EQ(0, i && s->clones ? dr_clone("f0", file_name(i)) :
					      dr_create(file_name(i), BLOCKS, 1));
	sync();
	if (other) {
		mkdir(OTHER, 0755);
		ASSERT_EQ(0, system("mkfs.ext4 -Fq -E nodiscard " PMEM1));
		mounts = dr_spawn(come_and_go, s);
	}
	for (int i = 0; i < WORKERS; i++)
		pid[i] = dr_spawn(work, s);
	ASSERT_EQ(0, dr_guard_watch(1));
	dr_seed(1);
	for (int i = 0; i < EVENTS; i++) {
		int file = dr_pick(FILES);
		unsigned long page = dr_pick(BLOCKS);
		long pfn;

		if (i % 5 == 4)
			ASSERT_EQ(0, change(stack, i / 5 + 1));
		if (s->begun[file][page])
			continue;
		pfn = dr_pfn_in_file(file_name(file), page);
		ASSERT_LT(0, pfn);
		mark(s, s->begun, file, page);
		ASSERT_EQ(0, dr_guard_poison(pfn));
		mark(s, s->over, file, page);
	}
	s->end = 1;
	for (int i = 0; i < WORKERS; i++)
		EXPECT_EQ(0, dr_wait_for(pid[i], PATIENCE));
	if (other)
		EXPECT_EQ(0, dr_wait_for(mounts, PATIENCE));
	printf("# %ld reads, %ld told, %ld advised, %ld silent, %ld wrong\n", s->reads, s->told,
	       s->advised, s->silent, s->wrong);
	EXPECT_LT(0, s->told);
	EXPECT_LT(0, s->advised);
	EXPECT_EQ(0, s->silent);
	EXPECT_EQ(0, s->wrong);
	/* And who comes later. */
	for (int i = 0; i < FILES; i++)
		for (int page = 0; page < BLOCKS; page++) {
			unsigned char byte;

			EXPECT_EQ(s->begun[i][page] ? -EIO : 0, dr_read1(file_name(i), page, &byte));
		}
}

struct change_of {
	unsigned long page;
	int how;
};

/* The page leaves the file, or gets new data. */
static int lose(void *arg)
{
	struct change_of *c = arg;

	switch (c->how) {
	case 0:
		return dr_fallocate("f0", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    c->page * BLK, BLK) ? 1 : 0;
	case 1:
		return truncate(dr_path("f0"), c->page * BLK) ? 1 : 0;
	default:
		return dr_write_blocks("f0", c->page, 1, 3) ? 1 : 0;
	}
}

/* While its page fails: the file is as if that had come before, or after. */
TEST_F(guard_load, the_page_leaves_meanwhile)
{
	char *p;
	struct dr_touch t;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	p = dr_map("f0", 0, BLOCKS * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, dr_guard_watch(1));
	for (int i = 0; i < 30; i++) {
		struct change_of c = { BLOCKS - 1 - i, i % 3 };
		long pfn = dr_pfn_in_file("f0", c.page);
		pid_t pid;

		EXPECT_BYTE(dr_load(p + c.page * BLK), dr_byte(1, c.page));
		pid = dr_spawn(lose, &c);
		usleep(i * 100);
		ASSERT_EQ(0, dr_guard_poison(pfn));
		ASSERT_EQ(0, dr_wait_for(pid, PATIENCE));
		t = dr_load(p + c.page * BLK);
		if (c.how == 0)
			EXPECT_BYTE(t, 0);
		else if (c.how == 1)		/* behind the end of the file */
			EXPECT_SIG(t.sig, BUS_ADRERR, p + c.page * BLK, 0);
		else if (t.sig.signo)
			EXPECT_POISON(t, p + c.page * BLK);
		else
			EXPECT_EQ(dr_byte(3, c.page), t.byte);
		EXPECT_BYTE(dr_load(p + (c.page - 1) * BLK), dr_byte(1, c.page - 1));
	}
	munmap(p, BLOCKS * BLK);
}

TEST_HARNESS_MAIN
