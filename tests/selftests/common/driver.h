/* SPDX-License-Identifier: GPL-2.0 */
/* The nd_pmem driver takes the device away, and gives it back. */
#ifndef DAXRMAP_TEST_DRIVER_H
#define DAXRMAP_TEST_DRIVER_H

#include <stddef.h>

/* What the driver calls the test's device: namespace0.0. 0 or -errno. */
int dr_find_device(char *name, size_t size);
int dr_unbind(const char *device);	/* 0, -errno, or -ETIMEDOUT */
int dr_bind(const char *device);	/* returns when the device is there */

#endif
