// SPDX-License-Identifier: GPL-2.0
/* A fresh mount for each test; names of the device and the mount point. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "mount.h"
#include "common/basics/clock.h"
#include "common/basics/text.h"
#include "common/files/files.h"
#include "common/files/snapshot.h"
#include "common/module/debugfs.h"
#include "common/module/log.h"
#include "common/module/poison.h"
#include "common/processes/children.h"
#include "common/processes/signals.h"

bool dr_xfs(void)
{
	const char *s = getenv("DAXRMAP_TEST_FS");

	return s && !strcmp(s, "xfs");
}

const char *dr_dev(void)
{
	return getenv("DAXRMAP_TEST_DEV") ?: "/dev/pmem0";
}

const char *dr_mnt(void)
{
	return getenv("DAXRMAP_TEST_MNT") ?: "/mnt";
}

int dr_mkfs_with(const char *dev, const char *options)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), dr_xfs() ?
		 "mkfs.xfs -fq -m reflink=1,rmapbt=1 -l size=64m -d agcount=2,su=2m,sw=1 %s %s >/dev/null" :
		 "mkfs.daxrmap -fq %s %s", options, dev);
	return system(cmd) ? -EIO : 0;
}

int dr_mkfs(const char *dev)
{
	return dr_mkfs_with(dev, "");
}

int dr_mount_again(void)
{
	mkdir(dr_mnt(), 0755);
	if (dr_xfs())
		return mount(dr_dev(), dr_mnt(), "xfs", 0, "dax=always") ? dr_errno() : 0;
	return mount(dr_dev(), dr_mnt(), "daxrmap", 0, "") ? dr_errno() : 0;
}

int dr_mount(void)
{
	int r = dr_mkfs(dr_dev());

	return r ? r : dr_mount_again();
}

int dr_mount_small(void)
{
	int r = dr_mkfs_with(dr_dev(), "-s 32M");

	return r ? r : dr_mount_again();
}

int dr_umount(void)
{
	/* A killed peer may still be on its way out: up to 5 s. */
	for (int i = 0; i < dr_patience(500); i++) {
		if (!umount2(dr_mnt(), 0))
			return 0;
		if (errno != EBUSY)
			return dr_errno();
		usleep(10000);
	}
	return -EBUSY;
}

/* As mkfs.daxrmap has it: a superblock at either end, and a region of the log beside it. */
static long metadata(void)
{
	long region = dr_counter("blocks_total") / 64;

	return 1 + (region < 16 ? 16 : region);
}

long dr_first_block(void)
{
	return metadata();
}

long dr_end_block(void)
{
	return dr_counter("blocks_total") - metadata();
}

static int take_down(void *arg)
{
	(void)arg;
	return -dr_umount();
}

int dr_umount_in(int ms)
{
	return dr_wait_for(dr_spawn(take_down, NULL), ms);
}

int dr_setup(struct dr_fs *fs)
{
	int r;

	dr_catch_sigbus();
	mount("debugfs", DEBUGFS, "debugfs", 0, "");
	while (!umount2(dr_mnt(), 0))
		;	/* what a test that died left behind */
	r = dr_early_kill(0);
	if (!r)
		r = dr_mount();
	if (r) {
		fprintf(stderr, "# mount of %s on %s: %s\n", dr_dev(), dr_mnt(),
			strerror(-r));
		return r;
	}
	fs->log_seq = dr_log_seq();
	fs->free_at_start = dr_free_blocks();
	return 0;
}

int dr_teardown(struct dr_fs *fs)
{
	static const char *const bad[] = { "WARNING:", "BUG:", "Oops",
		"INFO: task", "INFO: possible", "KASAN", "kernel BUG" };
	int r, ret = 0;

	dr_early_kill(0);
	if (!dr_xfs())
		dr_notify_delay(0);
	ret |= dr_check();
	if (!dr_xfs()) {
		r = dr_persists();
		if (r)
			fprintf(stderr, "# not the same after a mount: %s\n", strerror(-r));
		ret |= r;
	}
	r = dr_umount();
	if (r)
		fprintf(stderr, "# umount: %s\n", strerror(-r));
	ret |= r;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ret |= dr_log_count(fs->log_seq, bad[i]);
	return ret;
}
