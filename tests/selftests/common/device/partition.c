// SPDX-License-Identifier: GPL-2.0
/* Partitions of the test's device. */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include "mount.h"
#include "partition.h"
#include "common/basics/text.h"

#define SECTOR 512
#define MIB	(1LL << 20)

static int blkpg(int op, int nr, long long start, long long len)
{
	struct blkpg_partition p = { .start = start, .length = len, .pno = nr };
	struct blkpg_ioctl_arg a = { .op = op, .datalen = sizeof(p), .data = &p };
	int r, fd = open(dr_dev(), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return dr_errno();
	r = ioctl(fd, BLKPG, &a) ? dr_errno() : 0;
	close(fd);
	return r;
}

int dr_add_partition(int nr, long long start, long long len)
{
	return blkpg(BLKPG_ADD_PARTITION, nr, start, len);
}

int dr_del_partition(int nr)
{
	return blkpg(BLKPG_DEL_PARTITION, nr, 0, 0);
}

/* An entry of the table of a master boot record, without cylinders. */
struct entry {
	uint8_t boot, first[3], type, last[3];
	uint32_t start, sectors;
} __attribute__((packed));

int dr_write_mbr(unsigned long start, unsigned long len)
{
	struct entry e = { .type = 0x83, .start = htole32(start / SECTOR),
		.sectors = htole32(len / SECTOR) };
	unsigned char sector[SECTOR] = { 0 };
	int r = 0, fd = open(dr_dev(), O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return dr_errno();
	if (len) {
		memcpy(sector + 446, &e, sizeof(e));
		sector[510] = 0x55;
		sector[511] = 0xaa;
	}
	if (pwrite(fd, sector, SECTOR, 0) != SECTOR || fsync(fd) ||
	    ioctl(fd, BLKRRPART))
		r = dr_errno();
	close(fd);
	return r;
}

void dr_use_partition(bool part)
{
	static char whole[64], name[72];

	if (!whole[0])
		snprintf(whole, sizeof(whole), "%s", dr_dev());
	snprintf(name, sizeof(name), "%sp1", whole);
	setenv("DAXRMAP_TEST_DEV", part ? name : whole, 1);
}

int dr_mount_tiny(void)
{
	int r = dr_umount() ?: dr_add_partition(1, 128 * MIB, 2 * MIB);

	if (r)
		return r;
	dr_use_partition(true);
	return dr_mount();
}

int dr_leave_tiny(void)
{
	int r = dr_umount();

	dr_use_partition(false);
	return r ?: dr_del_partition(1) ?: dr_mount();
}
