// SPDX-License-Identifier: GPL-2.0
/* File handles. Names are relative to the mount. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include "data.h"
#include "files.h"
#include "handles.h"
#include "common/basics/text.h"

int dr_handle(const char *name, int flags, union dr_handle *h)
{
	int id;

	memset(h, 0, sizeof(*h));
	h->h.handle_bytes = MAX_HANDLE_SZ;
	return name_to_handle_at(AT_FDCWD, dr_path(name), &h->h, &id, flags) ?
		dr_errno() : 0;
}

int dr_open_handle(const void *file_handle, int flags)
{
	int fd, mnt = dr_open(".", O_RDONLY);

	if (mnt < 0)
		return mnt;
	fd = open_by_handle_at(mnt, (struct file_handle *)file_handle,
			       flags | O_CLOEXEC);
	if (fd < 0)
		fd = dr_errno();
	close(mnt);
	return fd;
}

long dr_fd_ino(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? dr_errno() : (long)st.st_ino;
}

int dr_fd_is(int fd, const char *name)
{
	char link[64], path[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return dr_errno();
	path[n] = 0;
	if (!strcmp(path, dr_path(name)))
		return 0;
	fprintf(stderr, "# the handle opens %s, not %s\n", path, dr_path(name));
	return -EILSEQ;
}

int dr_fd_verify(int fd, unsigned long blk, int seed, unsigned long pat)
{
	char buf[BLK];
	ssize_t n = pread(fd, buf, sizeof(buf), blk * BLK);

	if (n < 0)
		return dr_errno();
	return n == sizeof(buf) && dr_same(buf, seed, pat) ? 0 : -EILSEQ;
}
