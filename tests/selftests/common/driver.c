// SPDX-License-Identifier: GPL-2.0
/* The nd_pmem driver takes the device away, and gives it back. */
#define _GNU_SOURCE
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "children.h"
#include "driver.h"
#include "mount.h"
#include "text.h"

#define DRIVER	"/sys/bus/nd/drivers/nd_pmem/"
#define PATIENCE 20000		/* ms: the debug kernel is slow */

int dr_find_device(char *name, size_t size)
{
	char link[256], to[256];
	ssize_t n;

	snprintf(link, sizeof(link), "/sys/block/%s/device", strrchr(dr_dev(), '/') + 1);
	n = readlink(link, to, sizeof(to) - 1);
	if (n < 0)
		return -errno;
	to[n] = 0;
	snprintf(name, size, "%s", basename(to));
	return 0;
}

struct order { const char *file, *device; };

static int obey(void *arg)
{
	struct order *o = arg;

	return -dr_put(o->file, o->device);
}

/* In a child, which may hang for all we know. */
int dr_unbind(const char *device)
{
	return dr_wait_for(dr_spawn(obey, &(struct order){ DRIVER "unbind", device }),
			   PATIENCE);
}

/* Returns when the device is there. */
int dr_bind(const char *device)
{
	int r = dr_wait_for(dr_spawn(obey, &(struct order){ DRIVER "bind", device }),
			    PATIENCE);

	for (int i = 0; i < 500 && !r && access(dr_dev(), F_OK); i++)
		usleep(10000);
	return r ?: access(dr_dev(), F_OK);
}
