/* SPDX-License-Identifier: GPL-2.0 */
/* Functions that run as somebody else. */
#ifndef DAXRMAP_TEST_USERS_H
#define DAXRMAP_TEST_USERS_H

#include <sys/types.h>

/*
 * Runs fn(arg), which returns 0 or -1 and errno, in a child without any
 * capability, as that user and group: 0, -errno, or -EPIPE if it died.
 */
int dr_as(uid_t uid, gid_t gid, int (*fn)(void *), void *arg);

#endif
