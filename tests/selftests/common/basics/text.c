// SPDX-License-Identifier: GPL-2.0
/* Small files of text: sysfs, procfs, debugfs. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "text.h"

ssize_t dr_slurp(const char *path, char *buf, size_t size)
{
	size_t n = 0;
	ssize_t r = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return dr_errno();
	while (n < size - 1 && (r = read(fd, buf + n, size - 1 - n)) > 0)
		n += r;
	if (r < 0)
		r = dr_errno();
	close(fd);
	buf[n] = 0;
	return r < 0 ? r : (ssize_t)n;
}

int dr_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return dr_errno();
	if (write(fd, text, strlen(text)) < 0)
		r = dr_errno();
	close(fd);
	return r;
}
