// SPDX-License-Identifier: GPL-2.0
/*
 * DAXRMAP_IOC_CLEAR: a bad block that nobody owns, that the driver has cleared
 * and that passes a test returns to use; any other stays in quarantine, and the
 * answer says why.
 *
 * Blocks get on the driver's list through sysfs; a new binding of the driver
 * empties it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>
#include <uapi/daxrmap.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"
#include "common/device/places.h"

#define RW		(PROT_READ | PROT_WRITE)
#define NOBODY		65534
#define DELAY		500

DR_LISTING_FIXTURE(clear, "XFS has no such thing")

static int ask(void *arg)
{
	int fd = dr_open(".", O_RDONLY);
	int ret;

	if (fd < 0)
		return fd;
	ret = ioctl(fd, DAXRMAP_IOC_CLEAR, arg) ? -errno : 0;
	close(fd);
	return ret;
}

/* What the last call said. */
static struct daxrmap_clear said;

static int clear(unsigned long block, unsigned long count)
{
	said = (struct daxrmap_clear){ .block = block, .count = count };
	return ask(&said);
}

#define EXPECT_SAID(cleared, busy_, refused_) do {			\
	EXPECT_EQ(cleared, said.count);					\
	EXPECT_EQ(busy_, said.busy);					\
	EXPECT_EQ(refused_, said.refused);				\
	EXPECT_EQ(0, said.failed);					\
} while (0)

static void add_bad(const struct fsmap *r, void *sum)
{
	if (r->fmr_flags & FMR_OF_SPECIAL_OWNER && r->fmr_owner == DR_OWN_BAD)
		*(long *)sum += r->fmr_length / BLK;
}

/* Bad blocks that nobody owns, as GETFSMAP has it; negative: -errno. */
static long defective(void)
{
	int r, fd = dr_open(".", O_RDONLY);
	long sum = 0;

	if (fd < 0)
		return fd;
	r = dr_places(fd, add_bad, &sum);
	close(fd);
	return r ?: sum;
}

/*
 * The file's block is on the driver's list, found there, and the file is gone
 * then: the block, or -errno. Nothing else is bad.
 */
static long quarantined(const char *name, unsigned long blk)
{
	long block = dr_block(name, blk, NULL);
	unsigned char byte;
	int ret;

	if (block < 0)
		return block;
	ret = dr_list_bad(block, 1);
	if (ret)
		return ret;
	if (dr_read1(name, blk, &byte) != -EIO)
		return -EILSEQ;
	if (dr_counter_settled("blocks_bad", 1) != 1 || unlink(dr_path(name)))
		return -EUCLEAN;
	/* fanotify lets go of the file in its own time */
	ret = dr_settle();
	if (ret)
		return ret;
	return defective() == 1 ? block : -EUCLEAN;
}

TEST_F(clear, returned_to_use)
{
	long block, bad_free = self->fs.free_at_start - 1;
	struct peer p;

	NEEDS_CLEARING();
	ASSERT_EQ(0, dr_create("f", 16, 1));
	block = quarantined("f", 4);
	ASSERT_LE(0, block);
	EXPECT_EQ(bad_free, dr_free_blocks());
	EXPECT_EQ(1, defective());
	EXPECT_EQ(0, dr_list_empty());

	EXPECT_EQ(0, clear(block, 1));
	EXPECT_SAID(1, 0, 0);
	EXPECT_EQ(block, said.block);
	EXPECT_EQ(1, dr_list_empty());
	EXPECT_EQ(self->fs.free_at_start, dr_free_blocks());
	EXPECT_EQ(0, dr_counter("blocks_bad"));
	EXPECT_EQ(1, dr_counter("cleared"));
	EXPECT_EQ(0, defective());
	EXPECT_EQ(1, dr_log_count(self->fs.log_seq,
				  "count 1 cleared and tested, returned to use"));
	EXPECT_EQ(0, dr_check());
	/* now it is good */
	EXPECT_EQ(-ENODATA, clear(block, 1));

	/* it is used again, holds data, and is mapped */
	ASSERT_EQ(0, dr_create("g", 16, 2));
	EXPECT_EQ(block, dr_block("g", 4, NULL));
	EXPECT_EQ(0, dr_verify("g", 0, 16, 2, 0));
	ASSERT_EQ(0, peer_open(&p, false, "g", 16 * BLK, 4));
	EXPECT_EQ(0, peer_store(&p, 4 * BLK, 0x5a).sig.signo);
	EXPECT_BYTE(peer_load(&p, 4 * BLK), 0x5a);

	/* and can fail again: its owner is told as any other */
	EXPECT_EQ(0, peer_poison(&p, 4 * BLK));
	EXPECT_POISON(peer_load(&p, 4 * BLK), p.base + 4 * BLK);
	peer_stop(&p);
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	EXPECT_EQ(-EBUSY, clear(block, 1));
}

/* What a failure report alone says of a block, nobody takes back. */
TEST_F(clear, reported_only)
{
	long block;
	char *p;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	block = dr_block("f", 4, NULL);
	p = dr_map("f", 0, 16 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	EXPECT_EQ(dr_byte(1, 4), dr_load(p + 4 * BLK).byte);
	EXPECT_EQ(0, dr_poison_addr(p + 4 * BLK));
	ASSERT_EQ(0, munmap(p, 16 * BLK));
	EXPECT_EQ(-EBUSY, clear(block, 1));
	EXPECT_SAID(0, 1, 0);
	EXPECT_EQ(0, dr_write_blocks("f", 4, 1, 1));

	EXPECT_EQ(-EOPNOTSUPP, clear(block, 1));
	EXPECT_SAID(0, 0, 1);
	EXPECT_EQ(1, dr_log_count(self->fs.log_seq,
				  "quarantine: the driver does not list it"));
	EXPECT_EQ(1, defective());
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	EXPECT_EQ(0, dr_counter("cleared"));
	EXPECT_USED(17);
}

/* Reported first; then the driver lists it too, and so can clear it. */
TEST_F(clear, reported_and_listed)
{
	long block;

	NEEDS_CLEARING();
	ASSERT_EQ(0, dr_create("f", 16, 1));
	block = dr_block("f", 4, NULL);
	ASSERT_EQ(0, dr_poison("f", 4));
	ASSERT_EQ(0, dr_write_blocks("f", 4, 1, 1));
	EXPECT_EQ(-EOPNOTSUPP, clear(block, 1));
	ASSERT_EQ(0, dr_list_bad(block, 1));
	EXPECT_EQ(0, clear(block, 1));
	EXPECT_SAID(1, 0, 0);
	EXPECT_USED(16);
}

/* On the list, and there it stays. */
TEST_F(clear, driver_cannot)
{
	long block;

	if (dr_driver_clears())
		SKIP(return, "this driver clears");
	ASSERT_EQ(0, dr_create("f", 16, 1));
	block = quarantined("f", 4);
	ASSERT_LE(0, block);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(-EOPNOTSUPP, clear(block, 1));
		EXPECT_SAID(0, 0, 1);
	}
	EXPECT_EQ(2, dr_log_count(self->fs.log_seq,
				  "quarantine: the driver cannot clear it"));
	EXPECT_EQ(0, dr_list_empty());
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	EXPECT_EQ(0, dr_counter("cleared"));
	EXPECT_EQ(1, defective());
	EXPECT_USED(1);
	ASSERT_EQ(0, dr_create("g", 16, 2));
	EXPECT_NE(block, dr_block("g", 4, NULL));
	EXPECT_EQ(0, dr_verify("g", 0, 16, 2, 0));
}

/* On the list at mount, and cleared by a write to the block device itself. */
TEST_F(clear, cleared_behind_our_back)
{
	long total = dr_end_block();
	char *page;
	int fd;

	NEEDS_CLEARING();
	ASSERT_EQ(0, dr_list_bad(total - 4, 3));
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mount_again());
	ASSERT_EQ(3, dr_counter("blocks_bad"));
	page = aligned_alloc(BLK, BLK);
	ASSERT_NE(NULL, page);
	memset(page, 0, BLK);
	fd = open(dr_dev(), O_WRONLY | O_DIRECT);
	if (fd < 0)
		SKIP(return, "no writing to devices that are mounted");
	EXPECT_EQ(BLK, pwrite(fd, page, BLK, (total - 3) * BLK));
	close(fd);
	free(page);
	EXPECT_EQ(3, dr_counter("blocks_bad"));
	EXPECT_EQ(0, clear(total - 3, 1));
	EXPECT_SAID(1, 0, 0);
	EXPECT_EQ(2, dr_counter("blocks_bad"));
	EXPECT_EQ(0, clear(0, total));
	EXPECT_SAID(2, 0, 0);
	EXPECT_EQ(self->fs.free_at_start, dr_free_blocks());
}

/* Of a range, each block gets what is right for it. */
TEST_F(clear, range)
{
	long first, total = dr_counter("blocks_total");

	NEEDS_CLEARING();
	ASSERT_EQ(0, dr_create("f", 40, 1));
	first = dr_block("f", 0, NULL);
	ASSERT_EQ(first + 39, dr_block("f", 39, NULL));
	ASSERT_EQ(0, dr_list_bad(first + 8, 6));
	ASSERT_EQ(0, dr_notify((first + 8) * BLK, 8 * BLK));
	ASSERT_EQ(8, dr_counter("blocks_bad"));
	EXPECT_EQ(-EBUSY, clear(0, total));
	EXPECT_SAID(0, 8, 0);
	EXPECT_EQ(1, dr_log_count(self->fs.log_seq, "count 8 stays"));

	/* the file keeps two of those that the driver lists */
	EXPECT_EQ(0, dr_write_blocks("f", 10, 20, 2));
	EXPECT_EQ(0, clear(first, 40));
	EXPECT_SAID(4, 2, 2);
	EXPECT_EQ(4, dr_counter("blocks_bad"));
	EXPECT_EQ(2, defective());
	EXPECT_EQ(-EOPNOTSUPP, clear(first + 10, 20));
	EXPECT_SAID(0, 0, 2);
	EXPECT_EQ(-ENODATA, clear(first + 10, 4));
	EXPECT_SAID(0, 0, 0);
	EXPECT_EQ(-EBUSY, clear(first, 40));
	EXPECT_EQ(0, dr_verify("f", 10, 20, 2, 10));
	EXPECT_USED(42);
}

TEST_F(clear, arguments)
{
	unsigned long total = dr_counter("blocks_total");
	struct daxrmap_clear arg = { .count = 1, .flags = 1 };

	EXPECT_EQ(-EINVAL, clear(0, 0));
	EXPECT_EQ(-EINVAL, clear(total, 1));
	EXPECT_EQ(-EINVAL, clear(total - 1, 2));
	EXPECT_EQ(-EINVAL, clear(1, ~0UL));
	EXPECT_EQ(-EINVAL, clear(~0UL, 1));
	EXPECT_EQ(-EINVAL, clear(~0UL, ~0UL));
	EXPECT_EQ(-EINVAL, ask(&arg));
	arg = (struct daxrmap_clear){ .count = 1, .reserved = 1 };
	EXPECT_EQ(-EINVAL, ask(&arg));
	EXPECT_EQ(-EFAULT, ask((void *)8));
	EXPECT_EQ(-ENODATA, clear(total - 1, 1));
	EXPECT_EQ(-ENODATA, clear(0, total));
	EXPECT_SAID(0, 0, 0);
	ASSERT_EQ(0, mount(NULL, dr_mnt(), NULL, MS_REMOUNT | MS_BIND | MS_RDONLY,
			   NULL));
	EXPECT_EQ(-EROFS, clear(0, total));
}

static int as_nobody(void *block)
{
	struct daxrmap_clear arg = { .block = (long)block, .count = 1 };
	int fd = dr_open(".", O_RDONLY);

	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		return 1;
	return ioctl(fd, DAXRMAP_IOC_CLEAR, &arg) && errno == EPERM ? 0 : 2;
}

TEST_F(clear, unprivileged)
{
	long block;

	ASSERT_EQ(0, dr_create("f", 4, 1));
	block = quarantined("f", 1);
	ASSERT_LE(0, block);
	EXPECT_EQ(0, dr_wait(dr_spawn(as_nobody, (void *)block)));
	EXPECT_EQ(1, dr_counter("blocks_bad"));
}

struct scribbler {
	int fd;
	long block;
	volatile long writes;
};

/* Somebody writes to the block through the device, on and on. */
static int scribble_on(void *arg)
{
	struct scribbler *s = arg;
	char *page = aligned_alloc(BLK, BLK);

	if (!page)
		return 1;
	for (;;) {
		memset(page, ++page[0], BLK);
		if (pwrite(s->fd, page, BLK, s->block * BLK) != BLK)
			return 1;
		s->writes++;
	}
}

/*
 * The driver clears it, as it says, but what is written is not what is read.
 * That the driver has nothing against it does not count then.
 */
TEST_F(clear, fails_the_test)
{
	struct scribbler *s = dr_shared_mem(sizeof(*s));
	pid_t pid;
	long block;

	NEEDS_CLEARING();
	s->fd = open(dr_dev(), O_WRONLY | O_DIRECT);
	if (s->fd < 0)
		SKIP(return, "no writing to devices that are mounted");
	ASSERT_EQ(0, dr_create("f", 4, 1));
	block = quarantined("f", 1);
	ASSERT_LE(0, block);
	/* A write takes it off the list, and is not what clears here. */
	s->block = block;
	pid = dr_spawn(scribble_on, s);
	for (int i = 0; i < dr_patience(1000) && s->writes < 10; i++)
		usleep(10000);
	ASSERT_EQ(0, dr_list_bad(block, 1));
	ASSERT_EQ(0, dr_notify_delay(DELAY));
	EXPECT_EQ(-EIO, clear(block, 1));
	ASSERT_EQ(0, dr_notify_delay(0));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(s->fd);
	EXPECT_EQ(0, said.count);
	EXPECT_EQ(1, said.failed);
	EXPECT_EQ(1, dr_list_empty());
	EXPECT_EQ(-EOPNOTSUPP, clear(block, 1));
	EXPECT_SAID(0, 0, 1);
	EXPECT_EQ(1, dr_log_count(self->fs.log_seq,
				  "quarantine: it failed the test"));
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	EXPECT_EQ(0, dr_counter("cleared"));
	EXPECT_EQ(0, dr_check());
}

/* ---- failures of the same block meanwhile ---- */

static int clear_it(void *block)
{
	return clear((long)block, 1) ? 1 : 0;
}

/*
 * The block has passed the test, and fails before it is returned. Whoever
 * reports it waits until it is, and then it is bad again.
 */
TEST_F(clear, fails_between_test_and_return)
{
	long block;
	pid_t pid;

	NEEDS_CLEARING();
	ASSERT_EQ(0, dr_create("f", 4, 1));
	block = quarantined("f", 1);
	ASSERT_LE(0, block);
	EXPECT_USED(1);
	ASSERT_EQ(0, dr_notify_delay(DELAY));
	pid = dr_spawn(clear_it, (void *)block);
	while (!dr_list_empty())	/* the test follows, and then the sleep */
		usleep(1000);
	usleep(DELAY * 1000 / 10);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	EXPECT_EQ(0, dr_notify(block * BLK, BLK));
	EXPECT_EQ(0, dr_wait(pid));
	EXPECT_EQ(1, dr_counter("cleared"));
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	EXPECT_USED(1);
	EXPECT_EQ(-EOPNOTSUPP, clear(block, 1));
}

struct storm {
	volatile int stop;
	volatile long cleared, refused, odd, failures;
	long block, count;
};

static int clear_on(void *arg)
{
	struct storm *s = arg;

	while (!s->stop) {
		int ret = clear(s->block, s->count);

		s->cleared += said.count;
		s->refused += said.refused;
		s->odd += (ret && ret != -EOPNOTSUPP && ret != -ENODATA) ||
			  said.busy || said.failed;
	}
	return 0;
}

static int fail_on(void *arg)
{
	struct storm *s = arg;

	for (unsigned int i = 1; !s->stop; i = i * 5 + 1) {
		long block = s->block + i / 8 % s->count;

		if (i & 1)
			dr_list_bad(block, 1);
		if (dr_notify(block * BLK, BLK))
			s->odd++;
		s->failures++;
	}
	return 0;
}

/* Blocks that nobody owns fail and are cleared, beside files that come and go. */
TEST_F(clear, storm)
{
	struct storm *s = dr_shared_mem(sizeof(*s));
	pid_t pid[3];
	long bad;
	int i;

	NEEDS_CLEARING();
	/* far behind what the files below use */
	s->block = dr_end_block() - 8;
	s->count = 8;
	pid[0] = dr_spawn(clear_on, s);
	pid[1] = dr_spawn(clear_on, s);
	pid[2] = dr_spawn(fail_on, s);
	for (i = 0; i < 40 || s->cleared < 50 || s->failures < 200; i++) {
		ASSERT_EQ(0, dr_create("f", 64, i));
		ASSERT_EQ(0, dr_verify("f", 0, 64, i, 0));
		ASSERT_EQ(0, dr_check());
	}
	s->stop = 1;
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, dr_wait(pid[i]));
	TH_LOG("%ld failures, %ld cleared, %ld refused", s->failures,
	       s->cleared, s->refused);
	EXPECT_EQ(0, s->odd);
	EXPECT_EQ(s->cleared, dr_counter("cleared"));
	bad = dr_counter("blocks_bad");
	EXPECT_EQ(dr_counter("failed_blocks"), s->cleared + bad);
	EXPECT_EQ(bad, defective());
	EXPECT_USED(64 + bad);
	EXPECT_EQ(0, dr_check());
	/* All of them, so that none is left on the list. */
	EXPECT_EQ(0, dr_notify(s->block * BLK, s->count * BLK));
	EXPECT_EQ(0, dr_list_bad(s->block, s->count));
	EXPECT_EQ(0, clear(s->block, s->count));
	EXPECT_EQ(s->count, said.count);
	EXPECT_USED(64);
}

/*
 * The device goes while a block is between its test and its return, and there is
 * no file in core: the removal waits for that all the same.
 */
TEST_F(clear, removal_waits)
{
	const int delay = 1500;		/* twice in the test, once after it */
	long block = dr_first_block() + 5;
	pid_t pid;
	int ms;

	NEEDS_CLEARING();
	ASSERT_EQ(0, dr_notify(block * BLK, BLK));
	ASSERT_EQ(0, dr_list_bad(block, 1));
	ASSERT_EQ(0, dr_notify_delay(delay));
	pid = dr_spawn(clear_it, (void *)block);
	usleep(delay * 1000 * 23 / 10);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	EXPECT_EQ(0, dr_unbind(self->device));
	for (ms = 0; ms < 2 * delay && !waitpid(pid, NULL, WNOHANG); ms += 10)
		usleep(10000);
	EXPECT_LT(ms, delay / 3);
	EXPECT_EQ(0, dr_bring_back(self->device));
}

TEST_HARNESS_MAIN
