/* SPDX-License-Identifier: GPL-2.0 */
/* Partitions of the test's device. */
#ifndef DAXRMAP_TEST_PARTITION_H
#define DAXRMAP_TEST_PARTITION_H

#include <stdbool.h>

/* BLKPG: adds partition `nr`, in bytes, or takes it away. 0 or -errno. */
int dr_add_partition(int nr, long long start, long long len);
int dr_del_partition(int nr);
/*
 * Writes a table with that partition to the device and has the kernel read it,
 * or (len 0) clears the table.
 */
int dr_write_mbr(unsigned long start, unsigned long len);
/* From here on the test's device is partition 1, or the whole again. */
void dr_use_partition(bool part);
/*
 * Instead of the mount a new one, on a partition of 2 MiB, which has soon no room for
 * more metadata; and back to a new one of the whole device.
 */
int dr_mount_tiny(void);
int dr_leave_tiny(void);

#endif
