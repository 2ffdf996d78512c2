/* SPDX-License-Identifier: GPL-2.0 */
/* Events: descriptors of DAXRMAP_IOC_EVENTS, and what comes from them. */
#ifndef DAXRMAP_TEST_LISTEN_H
#define DAXRMAP_TEST_LISTEN_H

#include <uapi/daxrmap.h>

/* The ioctl on a path: a descriptor, or -errno. */
int ev_ask(const char *path, const struct daxrmap_events *arg);
/* All of the mount, without waiting in read(2). */
int ev_mount(unsigned int records);
/* What concerns a block device ("/dev/pmem0"; NULL: all), asked of /dev/daxrmap; the same. */
int ev_device(const char *dev, unsigned int records);
/* One event, waiting so many milliseconds for it: 1, 0 if none came, or -errno. */
int ev_next(int fd, struct daxrmap_event *e, int ms);
/* The same, of that type: others are skipped. */
int ev_next_of(int fd, struct daxrmap_event *e, unsigned int type, int ms);
/* Whether the event's handle opens the file of that name. */
int ev_names(const struct daxrmap_event *e, const char *name);

#define EV_SOON	20000	/* ms: the debug kernel is slow */

/* Needs kselftest_harness.h. The next event is one of that type; there is none. */
#define EXPECT_EVENT(fd, e, what) do {					\
	ASSERT_EQ(1, ev_next(fd, e, EV_SOON));				\
	ASSERT_EQ(DAXRMAP_EVENT_##what, (e)->type);			\
} while (0)

#define EXPECT_QUIET(fd) do {						\
	struct daxrmap_event _e;					\
	EXPECT_EQ(0, ev_next(fd, &_e, 0));				\
} while (0)

#endif
