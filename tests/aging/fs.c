// SPDX-License-Identifier: GPL-2.0
/* The filesystem that grows old: daxrmap, XFS or ext4. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include "../selftests/common/basics/text.h"
#include "../selftests/common/device/mount.h"
#include "../selftests/common/files/files.h"
#include "aging.h"

enum fs fs;
const char *const fs_name[] = { "daxrmap", "xfs", "ext4" };
long blocks, free_at_start;

/* With all that daxrmap has as well, and laid out for huge pages. */
static const char *const mkfs[] = {
	"mkfs.daxrmap -fq %s",
	"mkfs.xfs -fq -m reflink=1,rmapbt=1 -d su=2m,sw=1 %s >/dev/null",
	"mkfs.ext4 -Fq -b 4096 -E stride=512,stripe-width=512,lazy_itable_init=0 %s >/dev/null",
};

int fs_learn(void)
{
	struct statvfs s;

	if (statvfs(dr_mnt(), &s))
		return dr_errno();
	blocks = s.f_blocks;
	free_at_start = s.f_bfree;
	return 0;
}

int fs_setup(void)
{
	char cmd[256];

	while (!umount2(dr_mnt(), 0))
		;
	snprintf(cmd, sizeof(cmd), mkfs[fs], dr_dev());
	if (system(cmd))
		return -EIO;
	mkdir(dr_mnt(), 0755);
	if (mount(dr_dev(), dr_mnt(), fs_name[fs], 0, fs == DAXRMAP ? "" : "dax=always"))
		return dr_errno();
	return fs_learn();
}

int percent_used(void)
{
	return (free_at_start - dr_free_blocks()) * 100 / free_at_start;
}

const char *path_of(const struct file *f)
{
	static char path[4][256];
	static int next;
	int nr = f - file;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(*path), "%s/%d/%d", dr_mnt(), nr % DIRS, nr);
	return path[next];
}
