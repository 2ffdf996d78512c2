/* SPDX-License-Identifier: GPL-2.0 */
/* The nd_pmem driver takes the device away, and gives it back. */
#ifndef DAXRMAP_TEST_DRIVER_H
#define DAXRMAP_TEST_DRIVER_H

#include <stddef.h>

/* What the driver calls the test's device: namespace0.0. 0 or -errno. */
int dr_find_device(char *name, size_t size);
int dr_unbind(const char *device);	/* 0, -errno, or -ETIMEDOUT */
int dr_bind(const char *device);	/* returns when the device is there */
/*
 * Whether the driver takes a block off its list when it is rewritten: 1, 0, or
 * -errno. That of an e820 device does so without asking anybody.
 */
int dr_driver_clears(void);
/* Puts blocks of the mount on the driver's list, by sysfs. */
int dr_list_bad(unsigned long block, unsigned long count);
/* 1 if there is nothing on it, 0 if there is, or -errno. */
int dr_list_empty(void);

#endif
