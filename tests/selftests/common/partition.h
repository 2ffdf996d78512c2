/* SPDX-License-Identifier: GPL-2.0 */
/* Partitions of the test's device. */
#ifndef DAXRMAP_TEST_PARTITION_H
#define DAXRMAP_TEST_PARTITION_H

/* BLKPG: adds partition `nr`, in bytes, or takes it away. 0 or -errno. */
int dr_add_partition(int nr, long long start, long long len);
int dr_del_partition(int nr);
/*
 * Writes a table with that partition to the device and has the kernel read it,
 * or (len 0) clears the table.
 */
int dr_write_mbr(unsigned long start, unsigned long len);

#endif
