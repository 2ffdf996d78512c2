// SPDX-License-Identifier: GPL-2.0
/* Fields of linux/blkdev.h that its users read, with linux/badblocks.h. */
#include <linux/badblocks.h>
#include <linux/blkdev.h>
#include <daxrmap_helpers.h>

/*
 * The first sectors in @start..@start + @len of the block device that are on
 * the driver's list of bad blocks.
 */
bool daxrmap_bad_sectors(struct block_device *bdev, sector_t start,
			 sector_t len, sector_t *bad, sector_t *count)
{
	struct badblocks *bb = bdev->bd_disk->bb;
	sector_t first = bdev->bd_start_sect + start;

	/* Its lock is left alone by everybody as long as the list is empty. */
	if (!bb || !READ_ONCE(bb->count))
		return false;
	if (!badblocks_check(bb, first, len, bad, count))
		return false;
	/* What it found may begin before that, even before the partition. */
	if (*bad < first) {
		*count -= min(*count, first - *bad);
		*bad = first;
	}
	*bad -= bdev->bd_start_sect;
	return *count;
}
