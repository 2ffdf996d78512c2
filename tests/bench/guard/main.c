// SPDX-License-Identifier: GPL-2.0
/*
 * What the guard costs (scripts/bench/guard.sh): those who use their files, while nothing
 * fails, and memory_failure(), when something does. Wants /dev/pmem0, 1 and 2. Prints
 * tables.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "guard-cost.h"
#include "common/basics/text.h"
#include "common/device/dm.h"
#include "common/files/files.h"
#include "common/module/guard.h"
#include "common/processes/signals.h"

/* Whatever has been said already is on the console by then. */
void quiet(bool on)
{
	if (on)
		sleep(1);
	dr_put("/proc/sys/kernel/printk", on ? "1" : "7");
}

void must(int r, const char *what)
{
	if (!r)
		return;
	quiet(false);
	printf("not ok guard-cost: %s: %s\n", what, strerror(-r));
	exit(1);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *t, int n)
{
	qsort(t, n, sizeof(*t), by_size);
	return (t[(n - 1) / 2] + t[n / 2]) / 2;
}

/* As people make them. Not all of the device: its end is for a bad block that no file has. */
void make_fs(const char *fs, const char *dev)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), !strcmp(fs, "xfs") ?
		 "mkfs.xfs -fq -m reflink=1,rmapbt=1 -d size=448m %s >/dev/null" :
		 "mkfs.ext4 -Fq -b 4096 %s 448M >/dev/null", dev);
	must(system(cmd) ? -EIO : 0, cmd);
}

void mount_fs(const char *fs, const char *dev)
{
	mkdir(MNT, 0755);
	must(mount(dev, MNT, fs, 0, "dax=always") ? dr_errno() : 0, "mount");
}

void unmount(void)
{
	while (umount(MNT))
		must(errno == EBUSY ? 0 : dr_errno(), "umount");
}

const char *wrap(const char *dev)
{
	char table[128];
	const char *path;

	dr_dm_linear(table, sizeof(table), dev, 0, dr_sectors(dev));
	must(dr_dm_make("wrap", table), "dm");
	path = dr_dm_path("wrap");
	must(path ? 0 : -ENODEV, "dm");
	return path;
}

void unwrap(void)
{
	must(dr_dm_remove("wrap"), "removal from dm");
}

int make_file(const char *name, int pages)
{
	static char page[PAGE];
	int fd = dr_open(name, O_RDWR | O_CREAT | O_EXCL);

	must(fd < 0 ? fd : 0, name);
	memset(page, 1, sizeof(page));
	for (int i = 0; i < pages; i++)
		must(pwrite(fd, page, PAGE, i * PAGE) == PAGE ? 0 : dr_errno(), "write");
	return fd;
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	setenv("DAXRMAP_TEST_MNT", MNT, 1);
	dr_catch_sigbus();
	dr_guard_off();
	cost_of_io("/dev/pmem0");
	print_failures_title();
	cost_of_failures("ext4 on pmem", "ext4", "/dev/pmem0", false);
	cost_of_failures("XFS on pmem", "xfs", "/dev/pmem1", false);
	cost_of_failures("XFS on dm-linear", "xfs", "/dev/pmem2", true);
	return 0;
}
