// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "common.h"
#include "common/module/guard.h"
#include "common/module/listen.h"

int ev_ask(const char *path, const struct daxrmap_events *arg)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = ioctl(fd, DAXRMAP_IOC_EVENTS, arg);
	if (r < 0)
		r = -errno;
	close(fd);
	return r;
}

static int without_waiting(int fd)
{
	if (fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK))
		return -errno;
	return fd;
}

int ev_mount(unsigned int records)
{
	struct daxrmap_events arg = { .version = DAXRMAP_EVENTS_VERSION, .records = records };

	return without_waiting(ev_ask(dr_mnt(), &arg));
}

int ev_device(const char *dev, unsigned int records)
{
	struct daxrmap_events arg = { .version = DAXRMAP_EVENTS_VERSION, .records = records };
	struct stat st;

	if (dev) {
		if (stat(dev, &st))
			return -errno;
		arg.major = major(st.st_rdev);
		arg.minor = minor(st.st_rdev);
	}
	return without_waiting(ev_ask(GUARD, &arg));
}

int ev_next(int fd, struct daxrmap_event *e, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, ms) != 1)
		return 0;
	n = read(fd, e, sizeof(*e));
	if (n < 0)
		return -errno;
	return n == sizeof(*e) && e->size == sizeof(*e) ? 1 : -EBADMSG;
}

int ev_next_of(int fd, struct daxrmap_event *e, unsigned int type, int ms)
{
	int r;

	do
		r = ev_next(fd, e, ms);
	while (r == 1 && e->type != type);
	return r;
}

int ev_names(const struct daxrmap_event *e, const char *name)
{
	union dr_handle named;

	return !dr_handle(name, 0, &named) && named.h.handle_bytes == e->handle_bytes &&
	       !memcmp(&named, &e->handle_bytes, sizeof(named.h) + e->handle_bytes) &&
	       (long)e->ino == dr_ino(name);
}
