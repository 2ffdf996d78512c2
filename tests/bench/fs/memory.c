// SPDX-License-Identifier: GPL-2.0
/* Memory that a filesystem takes, and that the kernel cannot have back. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include "bench.h"
#include "common/basics/text.h"
#include "common/files/files.h"

static double line_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	must(at ? 0 : -ENOENT, name);
	return strtod(at + strlen(name), NULL) * 1024;
}

/*
 * Bytes that are not to be had when all that can be has been given back. Not by what is free: lists
 * of free pages that a CPU has for itself are megabytes.
 */
static double kept_bytes(void)
{
	char text[4096];

	for (int i = 0; i < 3; i++) {
		settle();
		must(dr_put("/proc/sys/vm/drop_caches", "3"), "drop_caches");
		/* What waits for RCU. */
		usleep(100000);
	}
	must(dr_slurp("/proc/meminfo", text, sizeof(text)) < 0 ? -EIO : 0, "meminfo");
	return line_of(text, "SUnreclaim:") + line_of(text, "VmallocUsed:");
}

void memory_of_files(const struct turn *t)
{
	static char byte;
	double before;

	must(mkdir(dr_path("d"), 0755) ? dr_errno() : 0, "mkdir");
	before = kept_bytes();
	for (long i = 0; i < t->size; i++) {
		int fd = open_file(numbered("d/", i), O_WRONLY | O_CREAT);

		write_at(fd, &byte, 1, 0);
		close(fd);
	}
	sample(t, "memory of a file of one block", "bytes", (kept_bytes() - before) / t->size);
}

void memory_of_extents(const struct turn *t)
{
	double before = kept_bytes();

	close(make_fragmented("f", t->size));
	sample(t, "memory of an extent", "bytes", (kept_bytes() - before) / t->size);
}

/* Of a file of ten extents: so ten extents, and an inode. */
void memory_of_clones(const struct turn *t)
{
	int from = make_fragmented("f", 10);
	double before = kept_bytes();

	for (long i = 0; i < t->size; i++) {
		int to = open_file(numbered("c", i), O_RDWR | O_CREAT);

		must(ioctl(to, FICLONE, from) ? dr_errno() : 0, "clone");
		close(to);
	}
	close(from);
	sample(t, "memory of a clone of ten extents", "bytes", (kept_bytes() - before) / t->size);
}
