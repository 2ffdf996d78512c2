// SPDX-License-Identifier: GPL-2.0
/*
 * The driver is unbound while everything at once goes on: reads, writes, loads,
 * stores, clones, truncates, holes, unlinks, and failures of pages. Whoever is
 * at work comes back, and gets nothing but errors from then on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"

#define RW	(PROT_READ | PROT_WRITE)
#define BLOCKS	64UL
#define LEN	(BLOCKS * BLK)
#define FILES	4
#define ROUNDS	4
#define PATIENCE 30000		/* ms: the debug kernel is slow */

DR_REMOVING_FIXTURE(removal_io, "XFS does not come back from the unbind")

/* What all of them know. */
struct work {
	volatile bool gone;	/* the unbind has ended */
	volatile long rounds[16];	/* of each worker */
};

struct worker {
	struct work *w;
	int nr;
	int (*step)(int file);	/* 0, or -errno of what it did last */
};

static const char *file_name(int i)
{
	static char name[4][8];
	static int next;

	next = (next + 1) % 4;
	snprintf(name[next], sizeof(*name), "%d", i % FILES);
	return name[next];
}

static char buf[LEN];

static int step_read(int i)
{
	int fd = dr_open(file_name(i), O_RDONLY), r;

	if (fd < 0)
		return fd;
	r = pread(fd, buf, LEN, 0) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int step_write(int i)
{
	int fd = dr_open(file_name(i), O_RDWR), r;

	if (fd < 0)
		return fd;
	r = pwrite(fd, buf, LEN, i % 3 * 100) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int step_clone(int i)
{
	return dr_clone(file_name(i), file_name(i + 1));
}

static int step_truncate(int i)
{
	if (truncate(dr_path(file_name(i)), 1 + i % 7 * 5000))
		return -errno;
	return truncate(dr_path(file_name(i)), LEN) ? -errno : 0;
}

static int step_punch(int i)
{
	return dr_fallocate(file_name(i), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			    i % BLOCKS * BLK + 100, 3 * BLK);
}

static int step_create(int i)
{
	char name[16];
	int r;

	snprintf(name, sizeof(name), "new%d", i % 3);
	r = dr_create(name, 20, 1);
	unlink(dr_path(name));
	return r;
}

/* Works until the device has gone, and then finds it gone, each time. */
static int work_on(void *arg)
{
	struct worker *me = arg;
	int i = me->nr;

	while (!me->w->gone) {
		me->step(i++);
		me->w->rounds[me->nr]++;
	}
	/* EIO; or EINVAL, if two sizes do not fit for a clone. */
	for (int k = 0; k < FILES; k++) {
		int r = me->step(k);

		if (r != -EIO && (r != -EINVAL || me->step != step_clone))
			return 1;
	}
	return 0;
}

/* The same through a mapping, by loads and stores. */
static int touch_on(void *arg)
{
	struct worker *me = arg;
	char *p = dr_map(file_name(me->nr), 0, LEN, RW, MAP_SHARED);
	bool stores = me->nr % 2;

	if (!p)
		return 2;
	for (unsigned long i = 0; !me->w->gone; i++) {
		if (stores)
			dr_store(p + i % BLOCKS * BLK, 1);
		else
			dr_load(p + i % BLOCKS * BLK);
		if (i % 100 == 50)
			dr_signals(NULL, 0);
		if (stores && i % 200 == 199)
			msync(p, LEN, MS_SYNC);
		me->w->rounds[me->nr]++;
	}
	for (unsigned long i = 0; i < BLOCKS; i++) {
		struct dr_touch t = dr_load(p + i * BLK);

		if (t.sig.signo != SIGBUS || t.sig.code != BUS_ADRERR)
			return 1;
	}
	return 0;
}

/* Pages fail, by page frame, while there are any. */
static int fail_on(void *arg)
{
	struct worker *me = arg;
	long pfn = dr_pfn_of_block(0);

	for (unsigned long i = 0; !me->w->gone; i++) {
		dr_poison_pfn(pfn + i * 37 % 1024);
		me->w->rounds[me->nr]++;
		usleep(5000);
	}
	return 0;
}

static const struct {
	int (*fn)(void *);
	int (*step)(int file);
} job[] = {
	{ work_on, step_read }, { work_on, step_write }, { work_on, step_clone },
	{ work_on, step_truncate }, { work_on, step_punch }, { work_on, step_create },
	{ work_on, step_write }, { touch_on, NULL }, { touch_on, NULL },
	{ touch_on, NULL }, { touch_on, NULL }, { fail_on, NULL },
};

#define JOBS	((int)(sizeof(job) / sizeof(*job)))

/* `jobs` of them; the failures are the last. */
static void rounds(struct __test_metadata *_metadata,
		   FIXTURE_DATA(removal_io) *self, int jobs)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct work *w = dr_shared_mem(sizeof(*w));
		pid_t pid[JOBS];
		struct peer p;

		for (int i = 0; i < FILES; i++)
			ASSERT_EQ(0, dr_create(file_name(i), BLOCKS, i));
		for (int i = 0; i < jobs; i++) {
			struct worker me = { w, i, job[i].step };

			pid[i] = dr_spawn(job[i].fn, &me);
		}
		for (int i = 0; i < jobs; i++)
			for (int k = 0; k < 3000 && w->rounds[i] < 3; k++)
				usleep(10000);
		usleep(round * 7000);
		ASSERT_EQ(0, dr_unbind(self->device));
		w->gone = true;
		for (int i = 0; i < jobs; i++) {
			EXPECT_GE(w->rounds[i], 3);
			EXPECT_EQ(0, dr_wait_for(pid[i], PATIENCE)) {
				TH_LOG("job %d", i);
			}
		}
		EXPECT_EQ(-EIO, dr_create("new", 1, 1));
		EXPECT_EQ(0, dr_check());
		EXPECT_EQ(0, dr_umount_in(PATIENCE));

		ASSERT_EQ(0, dr_bind(self->device));
		ASSERT_EQ(0, dr_mount());
		ASSERT_EQ(0, dr_create("f", BLOCKS, 5));
		ASSERT_EQ(0, dr_clone("f", "g"));
		ASSERT_EQ(0, peer_open(&p, true, "g", LEN, 3));
		ASSERT_EQ(0, dr_poison("f", 3));
		EXPECT_EARLY(&p, p.base + 3 * BLK);
		peer_stop(&p);
		EXPECT_EQ(0, dr_verify("g", 4, BLOCKS - 4, 5, 4));
		EXPECT_EQ(0, dr_check());
		munmap(w, sizeof(*w));
	}
}

TEST_F(removal_io, everything)
{
	rounds(_metadata, self, JOBS - 1);
}

TEST_F(removal_io, everything_and_failures)
{
	rounds(_metadata, self, JOBS);
}

TEST_HARNESS_MAIN
