// SPDX-License-Identifier: GPL-2.0
/* Poisons pages. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include "debugfs.h"
#include "poison.h"
#include "common/basics/text.h"
#include "common/device/mount.h"
#include "common/files/files.h"

long dr_pfn_of(const void *addr)
{
	uint64_t e = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return dr_errno();
	if (pread(fd, &e, sizeof(e), (unsigned long)addr / BLK * 8) != sizeof(e))
		e = 0;
	close(fd);
	return e >> 63 ? (long)(e & ((1ULL << 55) - 1)) : -ENOENT;
}

/* A number that sysfs has about the device, or -errno. */
static long device_number(const char *file)
{
	char path[256], buf[64];
	ssize_t r;

	snprintf(path, sizeof(path), "/sys/class/block/%s/%s",
		 strrchr(dr_dev(), '/') + 1, file);
	r = dr_slurp(path, buf, sizeof(buf));
	return r < 0 ? r : (long)strtoul(buf, NULL, 0);
}

long dr_pfn_of_block(long block)
{
	long start = device_number("start");	/* a partition's, in sectors */
	long r = device_number(start < 0 ? "device/resource" :
					   "../device/resource");

	return r < 0 ? r : r / (long)BLK + (start < 0 ? 0 : start / 8) + block;
}

long dr_pfn_in_file(const char *name, unsigned long blk)
{
	char *p = dr_map(name, blk * BLK, BLK, PROT_READ, MAP_SHARED);
	long pfn = -ENOENT;

	if (!p)
		return dr_errno();
	/* On XFS others who look at a shared page take it from here. */
	for (int i = 0; i < 1000 && pfn == -ENOENT; i++) {
		if (madvise(p, BLK, MADV_POPULATE_READ)) {
			pfn = dr_errno();
			break;
		}
		pfn = dr_pfn_of(p);
	}
	munmap(p, BLK);
	return pfn;
}

int dr_poison_addr(void *addr)
{
	return madvise(addr, BLK, MADV_HWPOISON) ? dr_errno() : 0;
}

int dr_poison_pfn(unsigned long pfn)
{
	static const char path[] = DEBUGFS "/hwpoison/corrupt-pfn";
	char text[32];

	if (access(path, F_OK) && system("modprobe hwpoison_inject"))
		return -ENOENT;
	snprintf(text, sizeof(text), "%#lx", pfn);
	return dr_put(path, text);
}

int dr_poison(const char *name, unsigned long blk)
{
	long r = dr_block(name, blk, NULL);

	if (r >= 0)
		r = dr_pfn_of_block(r);
	return r < 0 ? r : dr_poison_pfn(r);
}

int dr_early_kill(int on)
{
	return dr_put("/proc/sys/vm/memory_failure_early_kill", on ? "1" : "0");
}
