/* SPDX-License-Identifier: GPL-2.0 */
/* Devices of the device mapper: what LVM makes, without LVM. */
#ifndef DAXRMAP_TEST_DM_H
#define DAXRMAP_TEST_DM_H

#include <stddef.h>

/*
 * A table is text as dmsetup(8) has it: "START LENGTH TARGET ARGUMENT..." for each
 * target, in sectors, and a newline at the end of each. Calls return 0 or -errno.
 */
int dr_dm_make(const char *name, const char *table);	/* -ENOENT: the kernel has none */
/* Another table for a device that is in use: I/O waits meanwhile. */
int dr_dm_reload(const char *name, const char *table);
int dr_dm_remove(const char *name);	/* waits for those who are on their way out */
/* Its path, which lives until the next call; NULL if there is no such device. */
const char *dr_dm_path(const char *name);
long dr_sectors(const char *dev);	/* of any block device, or -errno */

/* Writes tables: all of it must fit. */
void dr_dm_linear(char *table, size_t size, const char *dev, long start, long sectors);
/* Over two devices in turn, so many sectors at a time, of each from the start. */
void dr_dm_striped(char *table, size_t size, long chunk, const char *a, const char *b,
		   long sectors_of_each);
/* In pieces of so many sectors, the second half of the device first. */
void dr_dm_pieces(char *table, size_t size, const char *dev, long piece, long sectors);

#endif
