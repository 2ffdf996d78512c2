// SPDX-License-Identifier: GPL-2.0
/* The guard's switches and counters, and the driver's lists of bad blocks. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <uapi/daxrmap.h>
#include "control.h"
#include "stack.h"
#include "stress.h"

enum guard guard;

static int ask_guard(unsigned long what, void *arg)
{
	int r, fd = open("/dev/daxrmap", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return dr_errno();
	r = ioctl(fd, what, arg) ? dr_errno() : 0;
	close(fd);
	return r;
}

int guard_watch(bool on)
{
	uint32_t flags = on;

	return ask_guard(DAXRMAP_IOC_GUARD_SET, &flags);
}

/* What the guard says about a disk. */
static int device(const char *name, struct daxrmap_guard_device *d)
{
	int r, fd = open("/dev/daxrmap", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return dr_errno();
	memset(d, 0, sizeof(*d));
	do
		r = ioctl(fd, DAXRMAP_IOC_GUARD_DEVICE, d) ? dr_errno() : 0;
	while (!r && strcmp(d->name, name));
	close(fd);
	return r;
}

int guard_hold(bool on)
{
	int r = 0;

	for (int i = 0; i < stack->disks && !r; i++) {
		struct daxrmap_guard_hold h = { 0 };
		struct daxrmap_guard_device d;

		r = device(stack_disk(i), &d);
		h.major = d.major;
		h.minor = d.minor;
		r = r ?: ask_guard(on ? DAXRMAP_IOC_GUARD_HOLD : DAXRMAP_IOC_GUARD_RELEASE, &h);
	}
	return r;
}

int guard_all(bool on)
{
	int r = guard == GUARD_HOLD ? guard_hold(on) : 0;

	return r ?: guard_watch(on);
}

enum number { EVENTS, UNCOVERED, OWNERS };

static long sum(enum number n)
{
	struct daxrmap_guard_device d;
	long all = 0;

	for (int i = 0; i < stack->disks; i++) {
		int r = device(stack_disk(i), &d);

		if (r)
			return r;
		all += n == EVENTS ? d.events : n == UNCOVERED ? d.uncovered : d.owners;
	}
	return all;
}

long guard_events(void)
{
	return sum(EVENTS);
}

long guard_uncovered(void)
{
	return sum(UNCOVERED);
}

long guard_owners(void)
{
	return sum(OWNERS);
}

long guard_dropped(void)
{
	struct daxrmap_guard g = { 0 };
	int r = ask_guard(DAXRMAP_IOC_GUARD_STATUS, &g);

	return r ? r : (long)g.dropped;
}

static unsigned char *listed;		/* of each block */

/* sysfs shows no more than a page of it. */
static long look_at_list(int disk, bool *whole)
{
	char path[64], buf[8192], *line, *save;
	ssize_t n;
	long ranges = 0;

	snprintf(path, sizeof(path), "/sys/block/%s/badblocks", stack_disk(disk));
	n = dr_slurp(path, buf, sizeof(buf));
	if (n < 0)
		return n;
	if (n > 4000)
		*whole = false;
	for (line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long start, sectors;

		if (sscanf(line, "%lu %lu", &start, &sectors) != 2)
			return -EPROTO;
		for (unsigned long p = start / 8; p < (start + sectors + 7) / 8; p++) {
			uint32_t block = stack_block(disk, p);

			if (block != NONE)
				listed[block] = 1;
		}
		ranges++;
	}
	return ranges;
}

long look_at_lists(bool *whole)
{
	long ranges = 0;

	if (!listed)
		listed = malloc(w->total);
	memset(listed, 0, w->total);
	*whole = true;
	for (int i = 0; i < stack->disks; i++) {
		long n = look_at_list(i, whole);

		if (n < 0)
			return n;
		ranges += n;
	}
	return ranges;
}

bool is_listed(unsigned long block)
{
	return listed[block];
}

int rewrite_block(unsigned long block)
{
	static char zeroes[BLK] __attribute__((aligned(BLK)));
	unsigned long page;
	char path[32];
	int r = 0, fd;

	snprintf(path, sizeof(path), "/dev/%s", stack_disk(stack_place(block, &page)));
	fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		return dr_errno();
	if (pwrite(fd, zeroes, BLK, page * BLK) != (ssize_t)BLK)
		r = errno ? dr_errno() : -EIO;
	close(fd);
	return r;
}
