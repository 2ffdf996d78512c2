// SPDX-License-Identifier: GPL-2.0
/* The nd_pmem driver takes the device away, and gives it back. */
#define _GNU_SOURCE
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "driver.h"
#include "mount.h"
#include "common/basics/clock.h"
#include "common/basics/text.h"
#include "common/processes/children.h"

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

/* A file of the bus that the device is on. */
static ssize_t slurp_bus(const char *name, char *buf, size_t size)
{
	char path[PATH_MAX], file[PATH_MAX + 32], *slash;

	snprintf(file, sizeof(file), "/sys/block/%s/device",
		 strrchr(dr_dev(), '/') + 1);
	if (!realpath(file, path))
		return -errno;
	while ((slash = strrchr(path, '/'))) {
		snprintf(file, sizeof(file), "%s/%s", path, name);
		if (!access(file, F_OK))
			return dr_slurp(file, buf, size);
		*slash = 0;
	}
	return -ENOENT;
}

int dr_driver_clears(void)
{
	char buf[4096];
	ssize_t n = slurp_bus("provider", buf, sizeof(buf));

	if (n < 0)
		return n;
	if (!strcmp(buf, "e820\n"))
		return 1;
	n = slurp_bus("commands", buf, sizeof(buf));
	return n < 0 ? n : strstr(buf, "clear_error") != NULL;
}

int dr_is_virtio(void)
{
	char buf[64];
	ssize_t n = slurp_bus("provider", buf, sizeof(buf));

	return n < 0 ? n : !strcmp(buf, "virtio-pmem\n");
}

static const char *list(void)
{
	static char file[128];

	snprintf(file, sizeof(file), "/sys/block/%s/badblocks",
		 strrchr(dr_dev(), '/') + 1);
	return file;
}

int dr_list_bad(unsigned long block, unsigned long count)
{
	char line[64];

	snprintf(line, sizeof(line), "%lu %lu", block * 8, count * 8);
	return dr_put(list(), line);
}

int dr_list_empty(void)
{
	char buf[4096];
	ssize_t n = dr_slurp(list(), buf, sizeof(buf));

	return n < 0 ? n : !n;
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

	for (int i = 0; i < dr_patience(500) && !r && access(dr_dev(), F_OK); i++)
		usleep(10000);
	return r ?: access(dr_dev(), F_OK);
}

int dr_rebind(const char *device)
{
	int r = dr_unbind(device);

	return r ? r : dr_bind(device);
}

int dr_bring_back(const char *device)
{
	int r;

	if (!device[0] || !access(dr_dev(), F_OK))
		return 0;
	dr_umount();
	r = dr_bind(device);
	return r ? r : dr_mount();
}
