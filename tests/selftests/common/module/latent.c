// SPDX-License-Identifier: GPL-2.0
/* Poison that nobody knows of yet: tests/modules/latent.c. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/syscall.h>
#include "latent.h"
#include "common/basics/text.h"

#define MODULE	"/samples/latent.ko"

bool dr_latent_there(void)
{
	return !access(MODULE, R_OK);
}

int dr_latent(const long *pfns, int n)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC), len, r;
	char options[64 * 24];

	if (fd < 0)
		return dr_errno();
	len = snprintf(options, sizeof(options), "pfns=");
	for (int i = 0; i < n && i < 64; i++)
		len += snprintf(options + len, sizeof(options) - len, "%s%ld", i ? "," : "", pfns[i]);
	r = syscall(SYS_finit_module, fd, options, 0) ? dr_errno() : 0;
	close(fd);
	return r;
}

int dr_latent_off(void)
{
	int r = syscall(SYS_delete_module, "latent", O_NONBLOCK) ? dr_errno() : 0;

	return r == -ENOENT ? 0 : r;
}
