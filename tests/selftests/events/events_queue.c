// SPDX-License-Identifier: GPL-2.0
/*
 * Who listens to events: bad arguments, waiting, slow readers and what they lose, several of them,
 * no memory, and a module that cannot go meanwhile.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/module/guard.h"
#include "common/module/inject.h"
#include "common/module/listen.h"
#include "common/module/module.h"

#define NOBODY	65534
/* On the debug kernel they take a minute to make. */
#define OWNERS	(dr_all_checked() ? 10000L : 100000L)

FIXTURE(events_queue) { struct dr_fs fs; };
FIXTURE_SETUP(events_queue)
{
	if (dr_xfs())
		SKIP(return, "asks daxrmap");
	ASSERT_EQ(0, dr_setup(&self->fs));
}
FIXTURE_TEARDOWN_PARENT(events_queue)
{
	EXPECT_EQ(0, dr_xfs() ? 0 : dr_teardown(&self->fs));
}

static int unprivileged(void *path)
{
	struct daxrmap_events arg = { .version = DAXRMAP_EVENTS_VERSION };
	int fd = open(path, O_RDONLY);

	if (fd < 0 || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		return 1;
	return ioctl(fd, DAXRMAP_IOC_EVENTS, &arg) == -1 && errno == EPERM ? 0 : 2;
}

TEST_F(events_queue, bad_arguments)
{
	const struct daxrmap_events good = { .version = DAXRMAP_EVENTS_VERSION };
	const char *paths[] = { dr_mnt(), GUARD };
	struct daxrmap_events arg;
	void *volatile nowhere = (void *)8;
	struct daxrmap_event e;
	int fd;

	for (int i = 0; i < 2; i++) {
		arg = good;
		arg.version = 0;
		EXPECT_EQ(-EINVAL, ev_ask(paths[i], &arg));
		arg.version = DAXRMAP_EVENTS_VERSION + 1;
		EXPECT_EQ(-EINVAL, ev_ask(paths[i], &arg));
		arg = good;
		arg.flags = 1;
		EXPECT_EQ(-EINVAL, ev_ask(paths[i], &arg));
		arg = good;
		arg.records = DAXRMAP_EVENTS_MAX + 1;
		EXPECT_EQ(-EINVAL, ev_ask(paths[i], &arg));
		arg = good;
		arg.reserved[6] = 1;
		EXPECT_EQ(-EINVAL, ev_ask(paths[i], &arg));
		arg = good;
		arg.major = 1 << 12;	/* there are fewer */
		EXPECT_EQ(-EINVAL, ev_ask(paths[i], &arg));
		EXPECT_EQ(-EFAULT, ev_ask(paths[i], NULL));
		EXPECT_EQ(0, dr_wait(dr_spawn(unprivileged, (void *)paths[i])));
	}
	arg = good;
	arg.major = 1;
	EXPECT_EQ(-ENODEV, ev_ask(dr_mnt(), &arg));
	/* Nobody has to have it yet. */
	fd = ev_ask(GUARD, &arg);
	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	close(fd);
	arg = good;
	arg.records = DAXRMAP_EVENTS_MAX;
	fd = ev_ask(dr_mnt(), &arg);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, read(fd, &e, sizeof(e) - 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(fd, &e, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(fd, &e, sizeof(e)));
	EXPECT_EQ(EBADF, errno);
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, read(fd, &e, sizeof(e)));
	EXPECT_EQ(EAGAIN, errno);
	/* Where it cannot be put it stays. */
	ASSERT_EQ(0, dr_create("f", 4, 1));
	ASSERT_EQ(0, dr_poison("f", 1));
	EXPECT_EQ(-1, read(fd, nowhere, sizeof(e)));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(1, ev_next(fd, &e, 0));
	EXPECT_EQ(0, e.sequence);
	close(fd);
}

static int wait_for_one(void *arg)
{
	struct daxrmap_event e;

	return read(*(int *)arg, &e, sizeof(e)) == sizeof(e) && e.type == DAXRMAP_EVENT_FAILURE ? 0 : 1;
}

TEST_F(events_queue, waiting)
{
	struct epoll_event in = { .events = EPOLLIN }, out;
	struct daxrmap_event many[8];
	struct pollfd p = { .events = POLLIN };
	int fd, ep = epoll_create1(EPOLL_CLOEXEC);
	pid_t pid;

	ASSERT_EQ(0, dr_create("f", 8, 1));
	fd = ev_mount(0);
	ASSERT_LE(0, fd);
	p.fd = fd;
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &in));
	EXPECT_EQ(0, poll(&p, 1, 0));
	EXPECT_EQ(0, epoll_wait(ep, &out, 1, 0));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, 0));
	pid = dr_spawn(wait_for_one, &fd);
	usleep(200000);
	ASSERT_EQ(0, dr_poison("f", 1));
	EXPECT_EQ(0, dr_wait_for(pid, dr_patience(EV_SOON)));
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_EQ(POLLIN, p.revents);
	EXPECT_EQ(1, epoll_wait(ep, &out, 1, 0));
	/* Whole records only: what is left are an owner and the end. */
	EXPECT_EQ(2 * sizeof(*many), read(fd, many, sizeof(many) - 1));
	EXPECT_EQ(DAXRMAP_EVENT_OWNER, many[0].type);
	EXPECT_EQ(DAXRMAP_EVENT_DONE, many[1].type);
	EXPECT_EQ(0, poll(&p, 1, 0));
	/* A descriptor that epoll still has when it ends. */
	close(fd);
	EXPECT_EQ(0, epoll_wait(ep, &out, 1, 0));
	close(ep);
	/* Who waits can be killed. */
	fd = ev_mount(0);
	ASSERT_EQ(0, fcntl(fd, F_SETFL, 0));
	pid = dr_spawn(wait_for_one, &fd);
	usleep(100000);
	kill(pid, SIGKILL);
	EXPECT_EQ(-1, dr_wait_for(pid, dr_patience(EV_SOON)));
	close(fd);
}

/* Each has its own place, and its own numbers. */
TEST_F(events_queue, two_readers)
{
	struct daxrmap_event a, b;
	int first, second;

	ASSERT_EQ(0, dr_create("f", 16, 1));
	first = ev_mount(0);
	ASSERT_LE(0, first);
	ASSERT_EQ(0, dr_poison("f", 1));
	second = ev_mount(0);
	ASSERT_LE(0, second);
	ASSERT_EQ(0, dr_poison("f", 5));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(1, ev_next(first, &a, 0));
		EXPECT_EQ(i, a.sequence);
	}
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(1, ev_next(second, &b, 0));
		ASSERT_EQ(1, ev_next(first, &a, 0));
		EXPECT_EQ(i, b.sequence);
		EXPECT_EQ(3 + i, a.sequence);
		EXPECT_EQ(a.type, b.type);
		EXPECT_EQ(a.time, b.time);
		EXPECT_EQ(a.physical, b.physical);
	}
	EXPECT_EQ(0, ev_next(first, &a, 0));
	EXPECT_EQ(0, ev_next(second, &b, 0));
	close(first);
	close(second);
}

/* All that is there: adds how many came, and how many were lost. Numbers have no hole that is not told. */
static int drain(int fd, unsigned long long *next, unsigned long long *came, unsigned long long *lost)
{
	struct daxrmap_event e;
	int r;

	while ((r = ev_next(fd, &e, 0)) == 1) {
		if (e.sequence != *next)
			return -ERANGE;
		if (e.type == DAXRMAP_EVENT_LOST) {
			if (!e.count)
				return -EBADMSG;
			*lost += e.count;
			*next += e.count;
		} else {
			++*came;
			++*next;
		}
	}
	return r;
}

TEST_F(events_queue, stopped_reader)
{
	unsigned long long next = 0, came = 0, lost = 0;
	int fd, one;

	ASSERT_EQ(0, dr_create("f", 64, 1));
	fd = ev_mount(4);
	one = ev_mount(1);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, one);
	for (int i = 0; i < 10; i++)
		ASSERT_EQ(0, dr_poison("f", 2 * i));
	ASSERT_EQ(0, drain(fd, &next, &came, &lost));
	EXPECT_EQ(4, came);
	EXPECT_EQ(26, lost);
	ASSERT_EQ(0, dr_poison("f", 31));
	ASSERT_EQ(0, drain(fd, &next, &came, &lost));
	EXPECT_EQ(7, came);
	EXPECT_EQ(26, lost);
	EXPECT_EQ(33, next);
	next = came = lost = 0;
	ASSERT_EQ(0, drain(one, &next, &came, &lost));
	EXPECT_EQ(1, came);
	EXPECT_EQ(32, lost);
	close(fd);
	close(one);
}

static double poison_takes(const char *name)
{
	double begin = dr_now();
	int r = dr_poison(name, 0);

	return r ? -1 : dr_now() - begin;
}

/* A file whose pages all are the same block. */
static int same_block(const char *name, int seed)
{
	long n = 1;
	int r = dr_create(name, 1, seed);

	for (; !r && n < OWNERS; n *= 2)
		r = dr_clone_range(name, 0, (2 * n > OWNERS ? OWNERS - n : n) * BLK, name, n * BLK);
	return r;
}

TEST_F(events_queue, owners_of_one_page)
{
	unsigned long long next = 0, came = 0, lost = 0;
	double alone, slow;
	int fd, stopped;

	ASSERT_EQ(0, same_block("f", 1));
	ASSERT_EQ(0, same_block("g", 2));
	ASSERT_EQ(OWNERS * BLK, dr_size("f"));
	alone = poison_takes("f");
	fd = ev_mount(64);
	stopped = ev_mount(8);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, stopped);
	slow = poison_takes("g");
	ASSERT_LE(0, alone);
	ASSERT_LE(0, slow);
	fprintf(stderr, "# %ld owners: %.3f s if nobody listens, %.3f s with two who do not read\n",
		OWNERS, alone, slow);
	/* Per owner a handle and two copies: not another order. */
	EXPECT_GT(alone * 3 + 1, slow);
	ASSERT_EQ(0, drain(fd, &next, &came, &lost));
	EXPECT_EQ(64, came);
	EXPECT_EQ(OWNERS + 2, came + lost);
	EXPECT_EQ(OWNERS + 2, next);
	next = came = lost = 0;
	ASSERT_EQ(0, drain(stopped, &next, &came, &lost));
	EXPECT_EQ(8, came);
	EXPECT_EQ(OWNERS + 2, came + lost);
	close(fd);
	close(stopped);
	ASSERT_EQ(0, unlink(dr_path("f")));
	ASSERT_EQ(0, unlink(dr_path("g")));
}

static int listen(void *arg)
{
	int fd = ev_mount(8);

	*(int *)arg = fd;
	return fd < 0 ? fd : 0;
}

TEST_F(events_queue, no_memory)
{
	struct daxrmap_event e;
	bool hit = true;
	int fd = -1, r = dr_inject_start();

	if (r == -ENOENT)
		SKIP(return, "this kernel cannot make allocations fail");
	ASSERT_EQ(0, r);
	ASSERT_EQ(0, dr_create("f", 4, 1));
	for (int nth = 1; nth <= 100 && hit; nth++) {
		r = dr_inject(nth, listen, &fd, &hit);
		/* What remembers signals may do without. */
		EXPECT_TRUE(r == 0 || r == -ENOMEM || r == -ENFILE);
		if (!r && hit)
			close(fd);
	}
	dr_inject_end();
	EXPECT_FALSE(hit);
	ASSERT_EQ(0, r);
	ASSERT_EQ(0, dr_poison("f", 1));
	EXPECT_EQ(1, ev_next(fd, &e, 0));
	EXPECT_EQ(0, e.sequence);
	close(fd);
}

TEST_F(events_queue, module_stays)
{
	struct daxrmap_event e;
	int fd;

	if (!dr_module_file())
		SKIP(return, "there is no module to load again");
	fd = ev_device(NULL, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dr_umount());
	for (int i = 0; i < 20; i++) {
		int r = dr_rmmod();

		EXPECT_TRUE(r == -EAGAIN || r == -EBUSY);
		usleep(10000);
	}
	EXPECT_EQ(1, ev_next_of(fd, &e, DAXRMAP_EVENT_UNMOUNTED, 0));
	close(fd);
	ASSERT_EQ(0, dr_mount_again());
}

TEST_HARNESS_MAIN
