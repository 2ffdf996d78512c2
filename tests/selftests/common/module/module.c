// SPDX-License-Identifier: GPL-2.0
/* The module goes, and comes back. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/syscall.h>
#include "module.h"
#include "common/basics/text.h"

const char *dr_module_file(void)
{
	static const char *const where[] = { "/daxrmap/daxrmap.ko",
		"/lib/daxrmap.ko", "/daxrmap.ko" };
	const char *ko = getenv("DAXRMAP_KO");

	for (int i = 0; i < 3 && !ko; i++)
		if (!access(where[i], R_OK))
			ko = where[i];
	return ko;
}

int dr_rmmod(void)
{
	return syscall(SYS_delete_module, "daxrmap", O_NONBLOCK) ? dr_errno() : 0;
}

int dr_insmod(void)
{
	const char *ko = dr_module_file();
	int r, fd = ko ? open(ko, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return dr_errno();
	r = syscall(SYS_finit_module, fd, "", 0) ? dr_errno() : 0;
	close(fd);
	return r;
}
