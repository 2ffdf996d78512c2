/* SPDX-License-Identifier: GPL-2.0 */
/* Small files of text: sysfs, procfs, debugfs. */
#ifndef DAXRMAP_TEST_TEXT_H
#define DAXRMAP_TEST_TEXT_H

#include <errno.h>
#include <stddef.h>
#include <sys/types.h>

/* What a failed call is to its caller. */
static inline int dr_errno(void)
{
	return -errno;
}

/* All of the file, with a 0 at its end: its length or -errno. */
ssize_t dr_slurp(const char *path, char *buf, size_t size);
int dr_put(const char *path, const char *text);	/* 0 or -errno */

#endif
