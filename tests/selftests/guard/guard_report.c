// SPDX-License-Identifier: GPL-2.0
/*
 * What is told of a failure that the guard has dealt with: an event of the device, one line in the
 * log, tracepoints, fanotify's error, counters.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <linux/fanotify.h>
#include <linux/netlink.h>
#include <sys/fanotify.h>
#include <sys/socket.h>
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/module/tracing.h"

#define BLOCKS	16
#define PATIENCE 10000		/* ms: the debug kernel is slow */

DR_STACK_FIXTURE(guard_report)
DR_STACK(guard_report, ext4, "ext4", ON_PMEM);
DR_STACK(guard_report, xfs, "xfs", ON_PMEM);
DR_STACK(guard_report, xfs_linear, "xfs", ON_LINEAR);

static int listen_to_devices(void)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&to, sizeof(to))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/*
 * How many messages are of that device, and say that it has failed, after waiting for one: it
 * comes when all is done.
 */
static int failures_of(int fd, const char *name, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char msg[4096], want[32];
	int n, count = 0;

	snprintf(want, sizeof(want), "/block/%s", name);
	while (poll(&p, 1, count ? 0 : ms) == 1 &&
	       (n = recv(fd, msg, sizeof(msg) - 1, 0)) > 0) {
		bool failed = false;

		/* "change@PATH", and then a string for each variable. */
		msg[n] = 0;
		for (int at = 0; at < n; at += strlen(msg + at) + 1)
			failed |= !strcmp(msg + at, "DAXRMAP_FAILED=1");
		count += failed && !strncmp(msg, "change@", 7) && strstr(msg, want);
	}
	return count;
}

TEST_F(guard_report, event_of_the_device)
{
	int fd = listen_to_devices();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, dr_guard_watch(1));
	failures_of(fd, "pmem0", 0);
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f0", 2)));
	EXPECT_EQ(1, failures_of(fd, "pmem0", dr_patience(PATIENCE)));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f0", 5)));
	EXPECT_EQ(1, failures_of(fd, "pmem0", dr_patience(PATIENCE)));
	ASSERT_EQ(0, dr_guard_watch(0));
	dr_poison_pfn(dr_pfn_in_file("f0", 8));
	EXPECT_EQ(0, failures_of(fd, "pmem0", 200));
	close(fd);
}

/* One that is mapped, and on XFS one that is not. */
static int make_files(const struct dr_stack *s)
{
	return dr_create("f0", BLOCKS, 1) ?: dr_stack_reflink(s) ? dr_clone("f0", "f1") : 0;
}

TEST_F(guard_report, log_and_tracepoints)
{
	int owners = dr_stack_reflink(&variant->stack) ? 2 : 1;
	const char *lines[32];
	char line[128], ino[32];
	unsigned char byte;
	struct peer p;
	long pfn, page;
	int n, owned = 0, published = 0, notified = 0;

	ASSERT_EQ(0, make_files(&variant->stack));
	ASSERT_EQ(0, peer_open(&p, false, "f0", BLOCKS * BLK, 3));
	if (owners == 2)
		EXPECT_EQ(0, dr_read1("f1", 3, &byte));
	ASSERT_EQ(0, dr_guard_watch(1));
	pfn = dr_pfn_in_file("f0", 3);
	if (owners == 2)	/* a file has a page when it was mapped */
		ASSERT_EQ(pfn, dr_pfn_in_file("f1", 3));
	page = pfn - dr_pfn_of_block(0);
	ASSERT_TRUE(!tr_kernel_can() || !tr_start());
	ASSERT_EQ(0, dr_guard_poison(pfn));
	snprintf(line, sizeof(line),
		 "pmem0: block %ld (pfn %#lx) count 1 failed: %d owners, 1 mapped and told", page, pfn,
		 owners);
	EXPECT_EQ(1, dr_log_count(self->state.log_seq, line));
	peer_stop(&p);
	if (!tr_kernel_can())
		return;
	snprintf(ino, sizeof(ino), "ino %ld ", dr_ino("f0"));
	snprintf(line, sizeof(line), " block %ld ", page);
	n = tr_lines(lines, 32);
	for (int i = 0; i < n; i++) {
		if (!strstr(lines[i], line)) {
			fprintf(stderr, "# another one: %s\n", lines[i]);
			continue;
		}
		published += !strncmp(lines[i], "publish:", 8);
		notified += !strncmp(lines[i], "notify:", 7);
		owned += !strncmp(lines[i], "owner:", 6) && strstr(lines[i], ino);
	}
	EXPECT_EQ(1, published);
	EXPECT_EQ(1, notified);
	EXPECT_EQ(1, owned);
	EXPECT_EQ(0, tr_stop());
}

/* Of one event: how many errors, and which. */
static long errors_of(const char *p, int *error)
{
	const struct fanotify_event_metadata *m = (const void *)p;
	const char *end = p + m->event_len;
	long count = 0;

	for (p += m->metadata_len; p < end;) {
		const struct fanotify_event_info_error *e = (const void *)p;

		if (e->hdr.info_type == FAN_EVENT_INFO_TYPE_ERROR) {
			count += e->error_count;
			*error = e->error;
		}
		p += e->hdr.len;
	}
	return count;
}

/* Those that fanotify has, after waiting until there is one. */
static long errors(int group, int ms, int *error)
{
	struct pollfd p = { .fd = group, .events = POLLIN };
	long count = 0;
	char buf[4096];

	while (!count && poll(&p, 1, ms) == 1) {
		ssize_t n = read(group, buf, sizeof(buf));
		struct fanotify_event_metadata *m = (void *)buf;

		for (; n > 0 && FAN_EVENT_OK(m, n); m = FAN_EVENT_NEXT(m, n))
			count += errors_of((char *)m, error);
	}
	return count;
}

TEST_F(guard_report, fanotify)
{
	int error = 0, group = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_NONBLOCK,
					     O_RDONLY);

	ASSERT_LE(0, group);
	ASSERT_EQ(0, fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_FS_ERROR,
				   AT_FDCWD, dr_mnt()));
	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_poison(dr_pfn_in_file("f0", 2)));
	EXPECT_LE(1, errors(group, dr_patience(PATIENCE), &error));
	EXPECT_EQ(EIO, error);
	close(group);
}

TEST_HARNESS_MAIN
