/* SPDX-License-Identifier: GPL-2.0 */
/* File handles. Names are relative to the mount. */
#ifndef DAXRMAP_TEST_HANDLES_H
#define DAXRMAP_TEST_HANDLES_H

#include <fcntl.h>

#ifndef AT_HANDLE_CONNECTABLE
#define AT_HANDLE_CONNECTABLE	0x002	/* since 6.13 */
#endif

union dr_handle {
	struct file_handle h;
	unsigned char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

int dr_handle(const char *name, int flags, union dr_handle *h);
int dr_open_handle(const void *file_handle, int flags);	/* fd or -errno */
long dr_fd_ino(int fd);
/* Whether the kernel has a path for an open file, and this one. */
int dr_fd_is(int fd, const char *name);
/* 0 if a block of the open file holds the pattern of block `pat` of `seed`. */
int dr_fd_verify(int fd, unsigned long blk, int seed, unsigned long pat);

#endif
