/* SPDX-License-Identifier: GPL-2.0 */
/* What is asked of the guard: the ioctls of /dev/daxrmap. */
#ifndef DAXRMAP_TEST_GUARD_H
#define DAXRMAP_TEST_GUARD_H

#include <uapi/daxrmap.h>

#define GUARD	"/dev/daxrmap"

/* Devices are told by path: "/dev/pmem0". Calls return 0 or -errno. */
int dr_guard_watch(int on);
int dr_guard_status(struct daxrmap_guard *g);
int dr_guard_device(const char *dev, struct daxrmap_guard_device *d);
int dr_guard_hold(const char *dev, unsigned int flags);
int dr_guard_release(const char *dev);
/* Whether a page of the device is among those that the driver's list does not have. */
int dr_guard_uncovered(const char *dev, unsigned long page);
/* Any ioctl, of a descriptor that is opened for it. */
int dr_guard_ask(unsigned long what, void *arg);

/* How many failures the guard has dealt with, of all devices. */
long dr_guard_dealt(void);
/* Waits until it has dealt with so many: a worker does, where it watches. */
long dr_guard_settled(long want);
/*
 * hwpoison_inject, and returns when the guard has dealt with that: 0, -ETIMEDOUT if it has
 * not, or another error. What the kernel says of the failure itself is no matter: where
 * nobody holds the device, that of a page below XFS on dm ends with EBUSY.
 */
int dr_guard_poison(long pfn);
/* Neither watches nor holds anything: also where there is no guard. */
void dr_guard_off(void);

#endif
