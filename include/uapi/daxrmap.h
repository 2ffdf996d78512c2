/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ioctls that only daxrmap has, and their structs.
 */
#ifndef _UAPI_DAXRMAP_H
#define _UAPI_DAXRMAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Room for a file handle, in bytes. */
#define DAXRMAP_HANDLE_SIZE	32

/**
 * struct daxrmap_lost - pages of a file whose data is lost
 * @ino: inode number of the file
 * @offset: first byte in the file, a multiple of the page size
 * @length: number of bytes, a multiple of the page size; may reach beyond the
 *	end of the file
 * @physical: where these bytes are on the block device: first byte, as
 *	fmr_physical of FS_IOC_GETFSMAP
 * @generation: the inode's generation
 * @handle_bytes: length of @handle
 * @handle_type: its type
 * @handle: the file's handle, the rest zeroes
 * @reserved: zero
 *
 * From @handle_bytes to the end of @handle it is a struct file_handle, to be
 * given to open_by_handle_at(2) with any file or directory of the mount.
 */
struct daxrmap_lost {
	__u64 ino;
	__u64 offset;
	__u64 length;
	__u64 physical;
	__u32 generation;
	__u32 handle_bytes;
	__s32 handle_type;
	__u8 handle[DAXRMAP_HANDLE_SIZE];
	__u32 reserved;
};

/**
 * struct daxrmap_lost_head - argument of DAXRMAP_IOC_LOST
 * @cursor: zeroes to begin; how far the walk has come, for the next call with
 *	the same filesystem. Opaque
 * @count: how many records @recs has room for, not zero
 * @entries: how many were put there (out)
 * @iflags: zero
 * @oflags: DAXRMAP_LOST_END (out)
 * @recs: the records (out)
 */
struct daxrmap_lost_head {
	__u64 cursor[6];
	__u32 count;
	__u32 entries;
	__u32 iflags;
	__u32 oflags;
	struct daxrmap_lost recs[];
};

/* oflags: the walk is complete. Without it there may be more. */
#define DAXRMAP_LOST_END	0x1

/*
 * Which pages of which files are at bad blocks, on any file or directory of
 * the mount; needs CAP_SYS_ADMIN. Call until DAXRMAP_LOST_END.
 *
 * The filesystem may change between two calls and while one runs: a page that
 * was lost from the first call to the last is told of exactly once, any other
 * at most once for each block that failed under it. Records come in the order
 * of bad blocks, and several may be needed for adjacent pages.
 */
#define DAXRMAP_IOC_LOST	_IOWR(0xDA, 1, struct daxrmap_lost_head)

/**
 * struct daxrmap_status - argument of DAXRMAP_IOC_STATUS
 * @iflags: zero
 * @oflags: DAXRMAP_STATUS_* (out)
 * @block_size: bytes of a block (out, as all below)
 * @block_shift: the same as a power of 2
 * @blocks: blocks of the mount
 * @free_blocks: those that can be allocated
 * @bad_blocks: those that are known as bad, with an owner or without
 * @first_pfn: page frame number of block 0; the others follow
 * @inodes: files and directories
 * @owner_records: records of the owner tree
 * @owner_bytes: memory that it takes
 * @notifies: failures that were reported since the mount
 * @failed_blocks: blocks that they made bad
 * @owners: owners that were found for them
 * @owners_mapped: owners among them that somebody mapped, and that were told
 * @late_faults: faults on bad blocks since
 * @late_io: reads and writes of bad blocks since
 * @discovered: bad blocks that the driver knew and nobody reported
 * @healed: pages that got a good block, or became a hole
 * @cleared: bad blocks that DAXRMAP_IOC_CLEAR returned to use
 * @log_used: bytes of the metadata log that are in use
 * @log_size: bytes that it has; when it is full, it is begun anew
 * @reserved: zero, in and out; what is added later takes from it
 */
struct daxrmap_status {
	__u32 iflags;
	__u32 oflags;
	__u32 block_size;
	__u32 block_shift;
	__u64 blocks;
	__u64 free_blocks;
	__u64 bad_blocks;
	__u64 first_pfn;
	__u64 inodes;
	__u64 owner_records;
	__u64 owner_bytes;
	__u64 notifies;
	__u64 failed_blocks;
	__u64 owners;
	__u64 owners_mapped;
	__u64 late_faults;
	__u64 late_io;
	__u64 discovered;
	__u64 healed;
	__u64 cleared;
	__u64 log_used;
	__u64 log_size;
	__u64 reserved[12];
};

/* oflags: the device is gone; all access to data fails with EIO. */
#define DAXRMAP_STATUS_SHUTDOWN		0x1
/* oflags: the metadata is inconsistent; all changes fail with EUCLEAN. */
#define DAXRMAP_STATUS_INCONSISTENT	0x2
/*
 * oflags: no changes are made: it is mounted read-only, or its log is on bad
 * blocks and cannot move. They fail with EROFS.
 */
#define DAXRMAP_STATUS_READ_ONLY	0x4

/*
 * How the mount is, on any file or directory of it; needs CAP_SYS_ADMIN.
 * Counters are read one after the other, while they change.
 */
#define DAXRMAP_IOC_STATUS	_IOWR(0xDA, 2, struct daxrmap_status)

/**
 * struct daxrmap_clear - argument of DAXRMAP_IOC_CLEAR
 * @block: first block: 4 KiB each, counted from the start of the mount's part
 *	of the device
 * @count: how many blocks, not zero; how many were returned to use (out)
 * @busy: bad blocks that stay so because a file has them: heal or remove it
 *	(out)
 * @refused: bad blocks that stay so because the driver did not clear them, or
 *	has nothing to clear (out)
 * @failed: bad blocks that stay so because they failed the test (out)
 * @flags: zero
 * @reserved: zero
 */
struct daxrmap_clear {
	__u64 block;
	__u64 count;
	__u64 busy;
	__u64 refused;
	__u64 failed;
	__u32 flags;
	__u32 reserved;
};

/*
 * Has the driver clear the bad blocks of a range that no file has, tests them
 * and returns them to use; good blocks are left alone. On any file or directory
 * of the mount, which must be writable; needs CAP_SYS_ADMIN.
 *
 * Succeeds if one block was returned. Else it is ENODATA if none of them is
 * bad, or the first one says: EBUSY (see @busy), EOPNOTSUPP (@refused), EIO
 * (@failed; also if the device is gone). The numbers are there in all of these
 * cases, and after ENOMEM and EINTR.
 */
#define DAXRMAP_IOC_CLEAR	_IOWR(0xDA, 3, struct daxrmap_clear)

#endif
