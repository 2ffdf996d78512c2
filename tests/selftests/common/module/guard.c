// SPDX-License-Identifier: GPL-2.0
/* What is asked of the guard. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "debugfs.h"
#include "guard.h"
#include "poison.h"
#include "common/basics/text.h"

int dr_guard_ask(unsigned long what, void *arg)
{
	int r, fd = open(GUARD, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return dr_errno();
	r = ioctl(fd, what, arg) ? dr_errno() : 0;
	close(fd);
	return r;
}

int dr_guard_watch(int on)
{
	__u32 value = on;

	return dr_guard_ask(DAXRMAP_IOC_GUARD_SET, &value);
}

int dr_guard_status(struct daxrmap_guard *g)
{
	memset(g, 0, sizeof(*g));
	return dr_guard_ask(DAXRMAP_IOC_GUARD_STATUS, g);
}

static int number_of(const char *dev, __u32 *maj, __u32 *min)
{
	struct stat st;

	if (stat(dev, &st))
		return dr_errno();
	*maj = major(st.st_rdev);
	*min = minor(st.st_rdev);
	return 0;
}

/* The device after the one that is there. */
static int next(struct daxrmap_guard_device *d)
{
	__u32 maj = d->major, min = d->minor;

	memset(d, 0, sizeof(*d));
	d->major = maj;
	d->minor = min;
	return dr_guard_ask(DAXRMAP_IOC_GUARD_DEVICE, d);
}

int dr_guard_device(const char *dev, struct daxrmap_guard_device *d)
{
	__u32 maj, min;
	int r = number_of(dev, &maj, &min);

	memset(d, 0, sizeof(*d));
	while (!r) {
		r = next(d);
		if (!r && d->major == maj && d->minor == min)
			return 0;
	}
	return r;
}

static int hold(unsigned long what, const char *dev, unsigned int flags)
{
	struct daxrmap_guard_hold h = { .flags = flags };

	return number_of(dev, &h.major, &h.minor) ?: dr_guard_ask(what, &h);
}

int dr_guard_hold(const char *dev, unsigned int flags)
{
	return hold(DAXRMAP_IOC_GUARD_HOLD, dev, flags);
}

int dr_guard_release(const char *dev)
{
	return hold(DAXRMAP_IOC_GUARD_RELEASE, dev, 0);
}

int dr_guard_uncovered(const char *dev, unsigned long page)
{
	struct daxrmap_guard_uncovered u;
	int r = 0;

	for (__u64 i = 0; !r; i++) {
		memset(&u, 0, sizeof(u));
		r = number_of(dev, &u.major, &u.minor);
		u.index = i;
		r = r ?: dr_guard_ask(DAXRMAP_IOC_GUARD_UNCOVERED, &u);
		if (!r && page >= u.page && page < u.page + u.count)
			return 1;
	}
	return r == -ENOENT ? 0 : r;
}

long dr_guard_dealt(void)
{
	struct daxrmap_guard_device d = { 0 };
	long sum = 0;
	int r;

	while (!(r = next(&d)))
		sum += d.events;
	return r == -ENODEV ? sum : r;
}

static long ask_dealt(const void *arg)
{
	(void)arg;
	return dr_guard_dealt();
}

long dr_guard_settled(long want)
{
	return dr_settled(ask_dealt, NULL, want);
}

static long ask_reached(const void *arg)
{
	long dealt = dr_guard_dealt(), want = *(const long *)arg;

	return dealt < 0 || dealt < want ? dealt : want;
}

int dr_guard_poison(long pfn)
{
	long before = dr_guard_dealt(), want = before + 1;
	int r;

	if (before < 0 || pfn < 0)
		return before < 0 ? before : pfn;
	r = dr_poison_pfn(pfn);
	if (r && r != -EBUSY)
		return r;
	before = dr_settled(ask_reached, &want, want);
	return before == want ? 0 : before < 0 ? before : -ETIMEDOUT;
}

void dr_guard_off(void)
{
	struct daxrmap_guard_device d = { 0 };

	dr_guard_watch(0);
	while (!next(&d)) {
		struct daxrmap_guard_hold h = { .major = d.major, .minor = d.minor };

		if (d.flags & DAXRMAP_GUARD_HELD)
			dr_guard_ask(DAXRMAP_IOC_GUARD_RELEASE, &h);
	}
}
