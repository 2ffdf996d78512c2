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

/*
 * The guard: failures of pages that other filesystems have, or nobody. These
 * ioctls are asked of /dev/daxrmap, and need CAP_SYS_ADMIN.
 */

/**
 * struct daxrmap_guard - argument of DAXRMAP_IOC_GUARD_STATUS
 * @flags: DAXRMAP_GUARD_WATCH, DAXRMAP_GUARD_CXL (out, as all below)
 * @devices: fsdax devices that there are
 * @events: failures of pages of such devices that were heard of, since the
 *	module was loaded
 * @dropped: of these, those that came faster than they could be noted: what
 *	was to be done for them was not done
 * @cxl_records: what CXL memory devices have said of their media, whatever it means
 * @cxl_losses: of these, those that tell of lost data
 * @cxl_overflows: of these, those that say that the device's poison list is not
 *	complete
 * @reserved: zero
 */
struct daxrmap_guard {
	__u32 flags;
	__u32 devices;
	__u64 events;
	__u64 dropped;
	__u64 cxl_records;
	__u64 cxl_losses;
	__u64 cxl_overflows;
	__u64 reserved[2];
};

/* flags: the kernel's memory failures are watched, for every device. */
#define DAXRMAP_GUARD_WATCH		0x1
/* flags: what CXL memory devices say of their media is heard as well. */
#define DAXRMAP_GUARD_CXL		0x2

/* Room for the name of a device. */
#define DAXRMAP_GUARD_NAME_SIZE	32

/**
 * struct daxrmap_guard_device - a device that the guard knows of, and argument
 *	of DAXRMAP_IOC_GUARD_DEVICE
 * @major: number of the block device; zero asks for the first one, any other
 *	device for the one after it (in and out)
 * @minor: the same
 * @flags: DAXRMAP_GUARD_* (out, as all below)
 * @reserved0: zero
 * @name: its name, the rest zeroes
 * @first_pfn: page frame of its first page; the others follow
 * @pages: how many it has
 * @events: failures that the guard has dealt with
 * @failed_pages: pages that they made bad
 * @owners: owners that were found, in core
 * @owners_mapped: of these, those that somebody mapped, and that were told
 * @signalled: processes that were told by the guard itself, as nobody else did
 * @joined: good pages that are on the driver's list of bad blocks, because it
 *	was full, and ranges were joined
 * @uncovered: failed pages that are not on that list, because it was full
 * @cxl: pages whose failure a CXL memory device has told of
 * @reserved: zero
 */
struct daxrmap_guard_device {
	__u32 major;
	__u32 minor;
	__u32 flags;
	__u32 reserved0;
	char name[DAXRMAP_GUARD_NAME_SIZE];
	__u64 first_pfn;
	__u64 pages;
	__u64 events;
	__u64 failed_pages;
	__u64 owners;
	__u64 owners_mapped;
	__u64 signalled;
	__u64 joined;
	__u64 uncovered;
	__u64 cxl;
	__u64 reserved[6];
};

/* flags of a device: the guard is its holder. */
#define DAXRMAP_GUARD_HELD		0x1
/* flags of a device: a daxrmap filesystem is mounted there, which needs no guard. */
#define DAXRMAP_GUARD_OWN		0x2

/**
 * struct daxrmap_guard_hold - argument of DAXRMAP_IOC_GUARD_HOLD and _RELEASE
 * @major: number of the block device: a whole pmem device
 * @minor: the same
 * @flags: DAXRMAP_GUARD_FORCE, for _HOLD only
 * @reserved: zero
 */
struct daxrmap_guard_hold {
	__u32 major;
	__u32 minor;
	__u32 flags;
	__u32 reserved;
};

/* flags: hold it though nothing is known of what is on it. */
#define DAXRMAP_GUARD_FORCE		0x1

/**
 * struct daxrmap_guard_uncovered - argument of DAXRMAP_IOC_GUARD_UNCOVERED
 * @major: number of the block device
 * @minor: the same
 * @index: the how manieth of the ranges, from 0
 * @page: first page of the device that failed and is not on the driver's list (out)
 * @count: how many pages (out)
 * @reserved: zero
 */
struct daxrmap_guard_uncovered {
	__u32 major;
	__u32 minor;
	__u64 index;
	__u64 page;
	__u64 count;
	__u64 reserved[2];
};

/**
 * struct daxrmap_guard_bad - argument of DAXRMAP_IOC_GUARD_BAD
 * @major: number of the block device
 * @minor: the same
 * @index: the how manieth range of the driver's list of bad blocks, from 0
 * @sector: its first sector, of 512 bytes (out)
 * @count: how many sectors it has (out)
 * @reserved: zero
 */
struct daxrmap_guard_bad {
	__u32 major;
	__u32 minor;
	__u64 index;
	__u64 sector;
	__u64 count;
	__u64 reserved[2];
};

/* Watch (1), or not (0). Survives nothing: a module that is loaded anew does not watch. */
#define DAXRMAP_IOC_GUARD_SET		_IOW(0xDA, 16, __u32)
/* How the guard is. */
#define DAXRMAP_IOC_GUARD_STATUS	_IOR(0xDA, 17, struct daxrmap_guard)
/* The next device. ENODEV if there are no more. */
#define DAXRMAP_IOC_GUARD_DEVICE	_IOWR(0xDA, 18, struct daxrmap_guard_device)
/*
 * Become the holder of a device that has none. ENODEV if it is no fsdax device,
 * EBUSY if it has a holder, EALREADY if that is the guard, EPERM if
 * nobody has it open and DAXRMAP_GUARD_FORCE is not set: an XFS that is
 * mounted directly on it later has no DAX then.
 */
#define DAXRMAP_IOC_GUARD_HOLD		_IOW(0xDA, 19, struct daxrmap_guard_hold)
/* Be it no more. ENOENT if the guard does not hold it. */
#define DAXRMAP_IOC_GUARD_RELEASE	_IOW(0xDA, 20, struct daxrmap_guard_hold)
/* Pages that are not on the driver's list. ENOENT if there are no more. */
#define DAXRMAP_IOC_GUARD_UNCOVERED	_IOWR(0xDA, 21, struct daxrmap_guard_uncovered)
/*
 * The driver's list, which sysfs cannot show if it is longer than a page (and the
 * kernel warns then). ENOENT if there are no more. The list may change
 * between two calls: a range may be missed, or come twice.
 */
#define DAXRMAP_IOC_GUARD_BAD		_IOWR(0xDA, 22, struct daxrmap_guard_bad)

/*
 * Events: what happens to pages, mounts and devices, in order, for who wants to
 * act on it. A file descriptor delivers them: see DAXRMAP_IOC_EVENTS.
 */

/* Layout of the two structs below that this header describes. */
#define DAXRMAP_EVENTS_VERSION	1

/**
 * struct daxrmap_events - argument of DAXRMAP_IOC_EVENTS
 * @version: DAXRMAP_EVENTS_VERSION
 * @flags: zero
 * @major: number of a block device: only what concerns it (see
 *	DAXRMAP_IOC_EVENTS). Zero, with @minor zero: on /dev/daxrmap every
 *	device, on a file of a mount that mount's device
 * @minor: the same
 * @records: how many records are kept for a reader that is slow: zero means
 *	DAXRMAP_EVENTS_RECORDS, DAXRMAP_EVENTS_MAX is the most
 * @reserved: zero
 */
struct daxrmap_events {
	__u32 version;
	__u32 flags;
	__u32 major;
	__u32 minor;
	__u32 records;
	__u32 reserved[7];
};

/* Records that are kept if the reader does not say how many, and the most. */
#define DAXRMAP_EVENTS_RECORDS	1024
#define DAXRMAP_EVENTS_MAX	65536

/**
 * struct daxrmap_event - one event: 144 bytes
 * @size: bytes of this record
 * @type: DAXRMAP_EVENT_*
 * @flags: DAXRMAP_EVENT_F_*
 * @sequence: the how manieth it is of all events that concern this reader, from
 *	0. One that is lost has its number too
 * @time: nanoseconds since the epoch (CLOCK_REALTIME)
 * @major: number of the block device that @physical is on
 * @minor: the same
 * @physical: first byte on that device; if a daxrmap filesystem is mounted
 *	there, as fmr_physical of FS_IOC_GETFSMAP
 * @length: number of bytes, on the device and in the file
 * @ino: the file
 * @offset: first byte in the file
 * @count: a number, see the types
 * @generation: the file's generation
 * @told: processes that were told by a signal, if DAXRMAP_EVENT_F_TOLD is set
 * @cause: DAXRMAP_CAUSE_*
 * @handle_bytes: length of @handle; zero: there is none
 * @handle_type: its type
 * @handle: the file's handle, the rest zeroes
 * @fs_major: number of the block device whose filesystem has the file: st_dev.
 *	A partition of @major:@minor for instance, or the same
 * @fs_minor: the same
 * @reserved: zero
 *
 * What a type does not speak of is zero. From @handle_bytes to the end of
 * @handle it is a struct file_handle, as in struct daxrmap_lost.
 */
struct daxrmap_event {
	__u16 size;
	__u16 type;
	__u32 flags;
	__u64 sequence;
	__u64 time;
	__u32 major;
	__u32 minor;
	__u64 physical;
	__u64 length;
	__u64 ino;
	__u64 offset;
	__u64 count;
	__u32 generation;
	__u32 told;
	__u32 cause;
	__u32 handle_bytes;
	__s32 handle_type;
	__u8 handle[DAXRMAP_HANDLE_SIZE];
	__u32 fs_major;
	__u32 fs_minor;
	__u32 reserved[3];
};

/*
 * type: the reader was slow, and @count events are missing here. @sequence is
 * that of the first of them. @major to @length say nothing.
 */
#define DAXRMAP_EVENT_LOST		0
/*
 * type: memory of the device failed, for @cause. DAXRMAP_EVENT_OWNER, for each
 * owner, and DAXRMAP_EVENT_DONE follow, with no other failure of the same
 * device in between.
 */
#define DAXRMAP_EVENT_FAILURE		1
/*
 * type: these bytes of a file were there, and are lost. @told processes that
 * had them mapped were signalled at once: those that asked for it. All others
 * are when they touch them.
 */
#define DAXRMAP_EVENT_OWNER		2
/* type: pages of a file that were lost have a good block, or are a hole. */
#define DAXRMAP_EVENT_HEALED		3
/* type: bad blocks were cleared, and are in use again. */
#define DAXRMAP_EVENT_CLEARED		4
/*
 * type: the driver knew of bad blocks that nobody had told of. A
 * DAXRMAP_EVENT_FAILURE for the same bytes follows, unless nobody has them, or
 * it was found at mount: DAXRMAP_IOC_LOST says whose they are then.
 */
#define DAXRMAP_EVENT_DISCOVERED	5
/*
 * type: metadata were on failed memory, at @physical, and were written elsewhere:
 * to byte @count of the device.
 */
#define DAXRMAP_EVENT_METADATA		6
/*
 * type: there is no more room, for data or (DAXRMAP_EVENT_F_LOG) in the metadata
 * log. Told once, and again only after there was room in between.
 */
#define DAXRMAP_EVENT_SPACE		7
/*
 * type: the mount makes no more changes, as if it were mounted read-only: it
 * cannot write its metadata, or they are inconsistent.
 */
#define DAXRMAP_EVENT_READ_ONLY		8
/* type: the mount gives no access to data any more. */
#define DAXRMAP_EVENT_SHUTDOWN		9
/*
 * type: the device was removed. Told by a daxrmap mount that it had, and by the
 * guard for each disk.
 */
#define DAXRMAP_EVENT_GONE		10
/* type: a daxrmap filesystem was mounted. */
#define DAXRMAP_EVENT_MOUNTED		11
/* type: it was unmounted. */
#define DAXRMAP_EVENT_UNMOUNTED		12
/*
 * type: a failure is dealt with: @count owners were found, @told processes
 * were told.
 */
#define DAXRMAP_EVENT_DONE		13

/* flags: @told is known. */
#define DAXRMAP_EVENT_F_TOLD		0x1
/* flags of _SPACE: it is the metadata log. */
#define DAXRMAP_EVENT_F_LOG		0x2
/* flags: told by the guard, of a device that is not daxrmap's own. */
#define DAXRMAP_EVENT_F_GUARD		0x4
/* flags of _OWNER: the file was mapped. */
#define DAXRMAP_EVENT_F_MAPPED		0x8
/* flags of _OWNER: the file was not in core. */
#define DAXRMAP_EVENT_F_ABSENT		0x10
/*
 * flags of _DONE: something went wrong: an owner may not have been told, or
 * comes later. The kernel's log says more.
 */
#define DAXRMAP_EVENT_F_ERROR		0x20

/* cause: the kernel does not say. */
#define DAXRMAP_CAUSE_UNKNOWN		0
/* cause: memory_failure(), which machine checks and madvise(2) call. */
#define DAXRMAP_CAUSE_MEMORY_FAILURE	1
/* cause: the device was removed. */
#define DAXRMAP_CAUSE_REMOVAL		2
/* cause: read(2) or write(2) met it. */
#define DAXRMAP_CAUSE_READ		3
/* cause: it was on the driver's list of bad blocks. */
#define DAXRMAP_CAUSE_LISTED		4
/* cause: a scrub found it. */
#define DAXRMAP_CAUSE_SCRUB		5
/* cause: the device itself reported it. */
#define DAXRMAP_CAUSE_DEVICE		6

/*
 * Returns a file descriptor that delivers events from now on; it is closed on
 * exec. On /dev/daxrmap, and on any file or directory of a mount; needs
 * CAP_SYS_ADMIN. The reader gets events whose @major and @minor, or @fs_major
 * and @fs_minor, are the device that it asked for.
 *
 * read(2) returns whole records, as many as there are and fit, and waits for
 * one, unless O_NONBLOCK is set with fcntl(2): EAGAIN. EINVAL if not one fits.
 * poll(2) says POLLIN if there is one. Each descriptor that this returns is a
 * reader of its own, and loses nothing to others; processes that share one
 * share its events.
 *
 * EINVAL: unknown version, flags, device number, or too many records; ENOMEM.
 * The device needs not be there yet. On a file of a mount, ENODEV if
 * it is asked for another device.
 */
#define DAXRMAP_IOC_EVENTS	_IOW(0xDA, 32, struct daxrmap_events)

/*
 * Scrub: pages are read, so that poison is found before a process meets it.
 */

/* Finds of one call. */
#define DAXRMAP_SCRUB_FINDS	16
/* Pages that one call looks at, at most: 4 MiB. */
#define DAXRMAP_SCRUB_PAGES	1024

/**
 * struct daxrmap_scrub - argument of DAXRMAP_IOC_SCRUB
 * @major: number of the block device: a whole pmem device
 * @minor: the same
 * @flags: zero
 * @found: how many bad pages were found (out)
 * @page: first page of the device, of 4 KiB each; where to go on (out)
 * @count: how many pages, not zero; how many of them are left (out)
 * @read: pages that were read and are good (out)
 * @known: pages that were not read, because they are known as bad: on the driver's
 *	list, or flagged by the kernel (out)
 * @untold: finds for which something went wrong: the log says what (out)
 * @bad: the pages that were found, in order, the rest zeroes (out)
 * @reserved: zero
 */
struct daxrmap_scrub {
	__u32 major;
	__u32 minor;
	__u32 flags;
	__u32 found;
	__u64 page;
	__u64 count;
	__u64 read;
	__u64 known;
	__u64 untold;
	__u64 bad[DAXRMAP_SCRUB_FINDS];
	__u64 reserved[4];
};

/*
 * Reads pages of a pmem device, whatever filesystem is on it, in a way that survives
 * poison. Each page that cannot be read is given to memory_failure(): from there
 * on it is a failure as any other, for daxrmap, for who watches or holds
 * the device, and for nobody. Where neither is so, the guard deals with
 * this one failure as if it watched. All is done when the call returns.
 *
 * Asked of /dev/daxrmap; needs CAP_SYS_ADMIN. A call ends after DAXRMAP_SCRUB_PAGES
 * pages, after DAXRMAP_SCRUB_FINDS finds, or when a signal comes, with success in each case:
 * call again until @count is 0. EINVAL if the pages are not all of the device's, or
 * @count is zero; ENODEV if it is no fsdax device; EOPNOTSUPP if this CPU has no copy that survives
 * poison; ENXIO if the device goes meanwhile. The numbers are there after ENXIO too.
 */
#define DAXRMAP_IOC_SCRUB	_IOWR(0xDA, 33, struct daxrmap_scrub)

#endif
