// SPDX-License-Identifier: GPL-2.0
/* Volumes of LVM, over both pmem devices. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "lvm.h"
#include "mount.h"
#include "stack.h"
#include "common/basics/text.h"

/* Without udev, dmeventd, a daemon that polls, and a copy of what it changes. */
static const char conf[] =
	"devices { use_devicesfile=0 scan=[\"/dev\"] filter=[\"a|^/dev/pmem[01]$|\",\"r|.*|\"] }\n"
	"activation { udev_sync=0 udev_rules=0 monitoring=0 }\n"
	"global { event_activation=0 use_lvmpolld=0 locking_dir=\"/run/lvm\" }\n"
	"backup { backup=0 archive=0 }\n";

int dr_lvm(const char *command)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd), "lvm %s >/tmp/lvm.out 2>&1", command);
	return system(cmd);
}

bool dr_has_lvm(void)
{
	return !system("command -v lvm >/dev/null");
}

int dr_lvm_group(void)
{
	int fd;

	mkdir("/etc/lvm", 0755);
	fd = open("/etc/lvm/lvm.conf", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return dr_errno();
	if (write(fd, conf, strlen(conf)) != (ssize_t)strlen(conf))
		return -EIO;
	close(fd);
	/* Where it is a module, it waits for its first use. */
	if (access("/dev/mapper/control", F_OK) && system("modprobe dm_mod"))
		return -ENOENT;
	return dr_lvm("pvcreate -qffy " PMEM0 " " PMEM1) ||
		dr_lvm("vgcreate -q vg " PMEM0 " " PMEM1) ? -EIO : 0;
}

int dr_lvm_volume(const char *fs, const char *how)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), "lvcreate -qy -Wn -n lv -L 384M %s vg", how);
	if (dr_lvm(cmd))
		return -EIO;
	snprintf(cmd, sizeof(cmd), *fs == 'x' ? "mkfs.xfs -fq -l size=64m %s 2>/dev/null" :
		 "mkfs.ext4 -Fq -b 4096 %s", VOLUME);
	if (system(cmd))
		return -EIO;
	mkdir(dr_mnt(), 0755);
	return mount(VOLUME, dr_mnt(), fs, 0, "dax=always") ? dr_errno() : 0;
}

void dr_lvm_drop(void)
{
	dr_lvm("vgremove -qffy vg");
	dr_lvm("pvremove -qffy " PMEM0 " " PMEM1);
}
