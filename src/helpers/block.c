// SPDX-License-Identifier: GPL-2.0
/* What is inline, or a field, in linux/blkdev.h, linux/badblocks.h and linux/dax.h, as functions. */
#include <linux/badblocks.h>
#include <linux/blkdev.h>
#include <linux/dax.h>
#include <daxrmap_helpers.h>

/*
 * What has left the CPU's caches is durable only after a flush request: with
 * virtio-pmem, whose dax device is not synchronous, and where a region has
 * flush hints, with which nd_pmem has FUA.
 */
bool daxrmap_needs_flush(struct block_device *bdev, struct dax_device *dax_dev)
{
	return bdev_fua(bdev) || !dax_synchronous(dax_dev);
}

/*
 * The first sectors in @start..@start + @len of the disk that are on the
 * driver's list of bad blocks. The list is the driver's memory: the caller
 * keeps the driver from letting go of the disk.
 */
bool daxrmap_bad_sectors(const struct gendisk *disk, sector_t start,
			 sector_t len, sector_t *bad, sector_t *count)
{
	struct badblocks *bb = disk->bb;

	/* Its lock is left alone by everybody as long as the list is empty. */
	if (!bb || !READ_ONCE(bb->count))
		return false;
	if (!badblocks_check(bb, start, len, bad, count))
		return false;
	/* What it found may begin before @start, even before the partition. */
	if (*bad < start) {
		*count -= min(*count, start - *bad);
		*bad = start;
	}
	return *count;
}
