/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What only daxrmap offers to user space.
 */
#ifndef _UAPI_DAXRMAP_H
#define _UAPI_DAXRMAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct daxrmap_lost - pages of a file whose data is lost
 * @ino: inode number of the file
 * @offset: first byte in the file, a multiple of the page size
 * @length: number of bytes, a multiple of the page size; may reach beyond the
 *	end of the file
 * @generation: the inode's generation
 * @reserved: zero
 */
struct daxrmap_lost {
	__u64 ino;
	__u64 offset;
	__u64 length;
	__u32 generation;
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
 * at most once. Records come in the order of bad blocks, and several may be
 * needed for adjacent pages.
 */
#define DAXRMAP_IOC_LOST	_IOWR(0xDA, 1, struct daxrmap_lost_head)

#endif
