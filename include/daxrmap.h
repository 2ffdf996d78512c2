/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For filesystems in other modules: what daxrmap does about failed memory and
 * about the removal of a dax device, for whoever has files on it.
 * Documentation/api.rst is the guide, samples/ has a filesystem that does it.
 *
 * The functions are in the namespace DAXRMAP: MODULE_IMPORT_NS("DAXRMAP").
 */
#ifndef DAXRMAP_H
#define DAXRMAP_H

#include <linux/types.h>

struct dax_device;
struct inode;
struct module;

/**
 * struct daxrmap_owner - a run of a file's pages, and where they are
 * @inode: the file, with a reference (igrab()), which daxrmap drops. A regular
 *	file that is DAX. One that is being evicted is left out.
 * @pos: where the run begins in the file, in bytes
 * @offset: where it begins on the dax device, in bytes
 * @length: its bytes
 *
 * All three numbers are multiples of PAGE_SIZE. A run may have more than the
 * bytes that were asked for.
 */
struct daxrmap_owner {
	struct inode *inode;
	u64 pos;
	u64 offset;
	u64 length;
};

/**
 * struct daxrmap_ops - what a filesystem answers
 * @owner: its module, which stays while it is registered
 *
 * Offsets are bytes of the dax device, also where the filesystem has a
 * partition of it. Each is called in process context, and may sleep, but not
 * wait for anything that waits for a page fault, for a DAX entry, for memory
 * to be reclaimed or for memory_failure(). None may call daxrmap.
 */
struct daxrmap_ops {
	struct module *owner;

	/**
	 * @owners: Gives runs that have any of bytes @offset..@offset + @length,
	 * at most @max of them into @owners, those of nameless files that
	 * are open too. *@cursor is 0 at first, and then what the last call has
	 * left there. Takes no lock of an inode. An owner that comes while
	 * this goes on may be left out: the bytes are published by then.
	 *
	 * Return: how many there are; 0 if there are no more; a negative errno
	 * if it cannot tell.
	 */
	int (*owners)(void *fs, u64 offset, u64 length, u64 *cursor,
		      struct daxrmap_owner *owners, unsigned int max);

	/**
	 * @lookup: Says where byte @pos of a file is, which is a multiple of
	 * PAGE_SIZE: *@offset on the dax device; and how many bytes of the file
	 * go on so, in *@length. Called under the file's invalidate_lock,
	 * exclusively, so that the answer stands still.
	 *
	 * Return: false if nothing is there, for *@length bytes.
	 */
	bool (*lookup)(void *fs, struct inode *inode, u64 pos, u64 *offset,
		       u64 *length);

	/**
	 * @publish: Hears first that bytes are bad: from its return on nobody may
	 * map, share, allocate or read them as if they were good. NULL for a
	 * pmem disk's dax device: there the driver's list of bad blocks says so,
	 * and this is only for those who want to know. A device in fsdev
	 * mode has no such list, so it must be there.
	 *
	 * Return: 0, or a negative errno, which memory_failure() returns.
	 */
	int (*publish)(void *fs, u64 offset, u64 length);
};

/**
 * daxrmap_register() - begin to deal with a dax device's failures
 * @dax_dev: the device: of a whole pmem disk, as fs_dax_get_by_bdev() gives it
 *	without a holder, or of one in fsdev mode, from dax_dev_get(). The
 *	caller keeps its reference until it is registered no more.
 * @size: how many bytes of the device are the filesystem's, from 0 on
 * @ops: what the filesystem answers; stays as long as its module
 * @fs: handed to each operation
 *
 * daxrmap becomes the device's holder: the filesystem must not be. May be
 * called as soon as the filesystem can answer. Sleeps.
 *
 * Return: 0; or, with a line in the log that says why,
 * -EINVAL: an argument is wrong, or an operation is missing;
 * -EALREADY: a filesystem is registered for the device;
 * -EBUSY: somebody else is its holder (a mount, or ``daxrmap guard hold``);
 * -EOPNOTSUPP: it is no such device; -ENODEV: it, or the module, is going;
 * -ENOMEM.
 */
int daxrmap_register(struct dax_device *dax_dev, u64 size,
		     const struct daxrmap_ops *ops, void *fs);

/**
 * daxrmap_stop() - have no more owners asked for
 * @dax_dev: as registered
 * @fs: as registered
 *
 * For unmount, before it evicts the inodes (in kill_sb, before kill_*_super()):
 * when this returns no reference to an inode is held, and @owners and @lookup are
 * not called any more. The device is still kept: one that is removed now
 * waits until all files have let its pages go. Sleeps.
 *
 * Return: 0; -ENOENT, with a line in the log, if it is not registered.
 */
int daxrmap_stop(struct dax_device *dax_dev, void *fs);

/**
 * daxrmap_unregister() - give a dax device up
 * @dax_dev: as registered
 * @fs: as registered
 *
 * When this returns nothing of @fs is used any more, and the device has no
 * holder. Call it when no inode has pages of the device any more (in kill_sb,
 * after kill_*_super()). Does what daxrmap_stop() does, if nobody has. Sleeps; waits
 * for failures and a removal that are being dealt with. Must not be called by
 * an operation.
 *
 * Return: 0; -ENOENT, with a line in the log, if it is not registered.
 */
int daxrmap_unregister(struct dax_device *dax_dev, void *fs);

#endif
