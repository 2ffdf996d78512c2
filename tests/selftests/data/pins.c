// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that somebody pins, for as long as he likes: what must wait for him
 * waits, and a failure notification, which must not, does not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"

#define PATIENCE 20000		/* ms: the debug kernel is slow */
#define DELAY	1000		/* ms that the notifier sleeps on its way */

FIXTURE(pins) {
	struct dr_fs fs;
	char device[64];
	int pipe[2];
};

FIXTURE_SETUP(pins)
{
	if (dr_xfs())
		SKIP(return, "XFS does not come back from the unbind");
	ASSERT_EQ(0, dr_setup(&self->fs));
	ASSERT_EQ(0, dr_find_device(self->device, sizeof(self->device)));
	ASSERT_EQ(0, pipe(self->pipe));
}

FIXTURE_TEARDOWN_PARENT(pins)
{
	EXPECT_EQ(0, dr_bring_back(self->device));
	EXPECT_EQ(0, dr_xfs() ? 0 : dr_teardown(&self->fs));
}

/* Has the pipe hold page `blk` of a file, and nothing else. */
static int pin(int to, const char *name, unsigned long blk)
{
	char *p = dr_map(name, blk * BLK, BLK, PROT_READ, MAP_SHARED);
	struct iovec iov = { p, BLK };

	if (!p)
		return -errno;
	if (vmsplice(to, &iov, 1, 0) != (long)BLK)
		return -errno;
	return munmap(p, BLK) ? -errno : 0;
}

struct event {
	long block;
	int fd;			/* not for the child, who would be the last to close it */
};

static int notify(void *arg)
{
	struct event *e = arg;

	close(e->fd);
	return -dr_notify(e->block * BLK, BLK);
}

/*
 * The notifier holds the last reference to a file without a name: its inode
 * goes when the pipe lets the page go, and the notifier is not who waits.
 */
TEST_F(pins, last_reference_is_the_notifiers)
{
	long begun = dr_counter("notifies"), moved = dr_counter("moved");
	struct event e;
	pid_t pid;

	ASSERT_EQ(0, dr_create("f", 2, 1));
	e.block = dr_block("f", 0, NULL);
	e.fd = dr_open("f", O_RDWR);
	ASSERT_GE(e.fd, 0);
	ASSERT_EQ(0, pin(self->pipe[1], "f", 1));
	ASSERT_EQ(0, dr_notify_delay(DELAY));
	pid = dr_spawn(notify, &e);
	ASSERT_EQ(begun + 1, dr_counter_settled("notifies", begun + 1));
	usleep(DELAY * 1000 / 4);
	/* It has the inode by now. The failed page leaves the file. */
	ASSERT_EQ(0, fallocate(e.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BLK));
	ASSERT_EQ(0, unlink(dr_path("f")));
	close(e.fd);
	EXPECT_EQ(0, dr_wait_for(pid, PATIENCE));
	EXPECT_EQ(moved + 1, dr_counter("moved"));
	ASSERT_EQ(0, dr_notify_delay(0));
	/* Nor does anybody else. */
	ASSERT_EQ(0, dr_create("g", 4, 2));
	EXPECT_EQ(0, dr_poison("g", 1));
	/* Two blocks are bad, one is pinned, three are data. */
	EXPECT_USED(2 + 1 + 3);
	close(self->pipe[0]);
	close(self->pipe[1]);
	EXPECT_USED(2 + 3);
}

struct unlinked {
	const char *name;
	const int *pipe;
};

static int unlink_it(void *arg)
{
	struct unlinked *u = arg;

	/* Not for the child, who would be the last to close it. */
	close(u->pipe[0]);
	close(u->pipe[1]);
	return unlink(dr_path(u->name)) ? errno : 0;
}

/*
 * A clone whose page is pinned goes when the pin does, though somebody still maps
 * the same page in another file.
 */
TEST_F(pins, clone_is_unlinked)
{
	struct unlinked u = { "b", self->pipe };
	pid_t pid;
	char *p;

	ASSERT_EQ(0, dr_create("a", 2, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	p = dr_map("a", 0, 2 * BLK, PROT_READ, MAP_SHARED);
	ASSERT_NE(NULL, p);
	EXPECT_BYTE(dr_load(p + BLK), dr_byte(1, 1));
	ASSERT_EQ(0, pin(self->pipe[1], "b", 1));
	pid = dr_spawn(unlink_it, &u);
	usleep(DELAY * 1000 / 4);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	close(self->pipe[0]);
	close(self->pipe[1]);
	EXPECT_EQ(0, dr_wait_for(pid, PATIENCE));
	EXPECT_BYTE(dr_load(p + BLK), dr_byte(1, 1));
	munmap(p, 2 * BLK);
	EXPECT_USED(2);
}

static int remove_device(void *arg)
{
	FIXTURE_DATA(pins) *self = arg;

	close(self->pipe[0]);
	close(self->pipe[1]);
	return -dr_unbind(self->device);
}

/* A removal waits for the pipe, and lets a failure through meanwhile. */
TEST_F(pins, failure_while_a_removal_waits)
{
	long begun = dr_counter("notifies");
	struct event e = { .fd = -1 };
	pid_t remover, notifier;

	ASSERT_EQ(0, dr_create("f", 2, 1));
	ASSERT_EQ(0, dr_create("g", 2, 2));
	e.block = dr_block("g", 0, NULL);
	ASSERT_EQ(0, pin(self->pipe[1], "f", 1));
	remover = dr_spawn(remove_device, self);
	ASSERT_EQ(begun + 1, dr_counter_settled("notifies", begun + 1));
	usleep(DELAY * 1000 / 4);
	notifier = dr_spawn(notify, &e);
	EXPECT_EQ(0, dr_wait_for(notifier, PATIENCE));
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	EXPECT_EQ(0, access(dr_dev(), F_OK));
	close(self->pipe[0]);
	close(self->pipe[1]);
	EXPECT_EQ(0, dr_wait_for(remover, PATIENCE));
	EXPECT_NE(0, access(dr_dev(), F_OK));
}

TEST_HARNESS_MAIN
