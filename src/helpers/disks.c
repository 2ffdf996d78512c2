// SPDX-License-Identifier: GPL-2.0
/*
 * Disks of fsdax devices as they come and go, and their lists of bad blocks: what is a
 * macro, a field or a callback in linux/blkdev.h, linux/badblocks.h and linux/device/class.h.
 */
#include <linux/badblocks.h>
#include <linux/blkdev.h>
#include <linux/device/class.h>
#include <linux/err.h>
#include <daxrmap_helpers.h>

static const struct daxrmap_disk_ops *disk_ops;
static void *disk_data;

/* A disk whose pages can be mapped, and whose driver has a list of bad blocks: pmem. */
static struct gendisk *fsdax_disk(struct device *dev)
{
	struct block_device *bdev = dev_to_bdev(dev);
	struct gendisk *disk = bdev->bd_disk;

	if (bdev_is_partition(bdev) || !disk->bb || !blk_queue_dax(disk->queue))
		return NULL;
	return disk;
}

static int disk_added(struct device *dev)
{
	struct gendisk *disk = fsdax_disk(dev);

	if (disk)
		disk_ops->added(disk_data, disk);
	return 0;
}

static void disk_removed(struct device *dev)
{
	struct gendisk *disk = fsdax_disk(dev);

	if (disk)
		disk_ops->removed(disk_data, disk);
}

static struct class_interface disks = {
	.add_dev = disk_added,
	.remove_dev = disk_removed,
};

/*
 * Calls @ops for all fsdax disks that there are, and that come and go, one at a
 * time. The class of block devices is not exported; every disk has it, so
 * one is made to ask.
 */
int daxrmap_disks_register(const struct daxrmap_disk_ops *ops, void *data)
{
	struct gendisk *any = blk_alloc_disk(NULL, NUMA_NO_NODE);

	if (IS_ERR(any))
		return PTR_ERR(any);
	disk_ops = ops;
	disk_data = data;
	disks.class = disk_to_dev(any)->class;
	put_disk(any);
	return class_interface_register(&disks);
}

/* Calls @ops->removed for all that there are. */
void daxrmap_disks_unregister(void)
{
	class_interface_unregister(&disks);
}

struct device *daxrmap_disk_device(struct gendisk *disk)
{
	return disk_to_dev(disk);
}

const char *daxrmap_disk_name(const struct gendisk *disk)
{
	return disk->disk_name;
}

dev_t daxrmap_disk_number(struct gendisk *disk)
{
	return disk_devt(disk);
}

/* Somebody has the disk, or a partition of it, open. */
bool daxrmap_disk_is_used(struct gendisk *disk)
{
	return disk_openers(disk) != 0;
}

/* Tells user space that the list has changed. */
void daxrmap_disk_changed(struct gendisk *disk)
{
	char *env[] = { "DAXRMAP_FAILED=1", NULL };

	kobject_uevent_env(&disk_to_dev(disk)->kobj, KOBJ_CHANGE, env);
}

/*
 * The list is the driver's memory: for these the caller keeps the driver from letting go of the disk.
 */
bool daxrmap_set_bad_sectors(struct gendisk *disk, sector_t start, sector_t len)
{
	return badblocks_set(disk->bb, start, len, 1);
}

/*
 * Entry @index of the list: where it begins and how many sectors it has. False
 * if there is none. The list may change between two calls.
 */
bool daxrmap_bad_entry(const struct gendisk *disk, int index, sector_t *start,
		       sector_t *len)
{
	struct badblocks *bb = disk->bb;
	bool found;
	unsigned int seq;
	u64 entry;

	do {
		seq = read_seqbegin(&bb->lock);
		found = bb->page && index >= 0 && index < bb->count;
		entry = found ? bb->page[index] : 0;
	} while (read_seqretry(&bb->lock, seq));
	*start = BB_OFFSET(entry);
	*len = BB_LEN(entry);
	return found;
}
