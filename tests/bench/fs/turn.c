// SPDX-License-Identifier: GPL-2.0
/* A new filesystem for each turn, on a device of its own; only the one whose turn it is is mounted. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "bench.h"
#include "common/basics/text.h"
#include "common/device/driver.h"
#include "common/device/mount.h"
#include "common/files/files.h"

const char *const fs_names[FILESYSTEMS] = { "daxrmap", "xfs", "ext4" };

/* With all that daxrmap has as well, laid out for huge pages, and with nothing left to do later. */
static const char *const mkfs[FILESYSTEMS] = {
	"mkfs.daxrmap -fq %s",
	"mkfs.xfs -fq -m reflink=1,rmapbt=1 -d su=2m,sw=1 %s >/dev/null",
	"mkfs.ext4 -Fq -b 4096 -i 8192 -E stride=512,stripe-width=512,lazy_itable_init=0,lazy_journal_init=0 %s",
};

void turn_setup(enum fs fs)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), "/dev/pmem%d", fs);
	setenv("DAXRMAP_TEST_DEV", cmd, 1);
	snprintf(cmd, sizeof(cmd), mkfs[fs], dr_dev());
	must(system(cmd) ? -EIO : 0, cmd);
	must(mount(dr_dev(), dr_mnt(), fs_names[fs], MS_NOATIME, fs == DAXRMAP ? "" : "dax=always") ?
	     dr_errno() : 0, "mount");
	settle();
}

/* An e820 device that is bound anew has new page structs, and an empty list of bad blocks. */
void turn_teardown(bool poisons)
{
	char device[64];

	must(dr_umount(), "umount");
	if (!poisons)
		return;
	must(dr_find_device(device, sizeof(device)), "device");
	must(dr_rebind(device), "rebind");
}

void settle(void)
{
	int fd = open(dr_mnt(), O_RDONLY | O_DIRECTORY);

	must(fd < 0 ? dr_errno() : 0, "mount point");
	must(syncfs(fd) ? dr_errno() : 0, "syncfs");
	close(fd);
	/* With instructions counted for time, sleep costs none. */
	usleep(20000);
}

#define AGED	1500

void age(void)
{
	char name[64];
	static char data[16 * PAGE];

	must(mkdir(dr_path("aged"), 0755) ? dr_errno() : 0, "mkdir");
	for (int i = 0; i < AGED; i++) {
		int fd, pages = 1 + i * 7 % 16;

		snprintf(name, sizeof(name), "aged/%d", i);
		fd = open_file(name, O_WRONLY | O_CREAT);
		write_at(fd, data, pages * PAGE, 0);
		close(fd);
	}
	settle();
	for (int i = 0; i < AGED; i += 2) {
		snprintf(name, sizeof(name), "aged/%d", i);
		must(unlink(dr_path(name)) ? dr_errno() : 0, "unlink");
	}
	settle();
}
