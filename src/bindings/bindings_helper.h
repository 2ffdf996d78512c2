/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What bindgen reads: headers that kernel::bindings lacks, the prototypes of
 * our helpers, and the constants that bindgen cannot evaluate. Each
 * DAXRMAP_CONST_X becomes the Rust constant X.
 */
#include <linux/hrtimer_types.h>
#include <linux/crc32.h>
#include <linux/dax.h>
#include <linux/exportfs.h>
#include <linux/falloc.h>
#include <linux/fileattr.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/fserror.h>
#include <linux/fsmap.h>
#include <linux/iomap.h>
#include <linux/memremap.h>
#include <linux/pagemap.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/statfs.h>
#include <linux/uio.h>
#include <linux/badblocks.h>
#include <linux/blkdev.h>
#include <linux/tracepoint.h>
#include <daxrmap.h>
#include <daxrmap_helpers.h>
#include <uapi/daxrmap.h>

const unsigned int DAXRMAP_CONST_BB_MAX_LEN = BB_MAX_LEN;
const unsigned int DAXRMAP_CONST_MAX_BADBLOCKS = MAX_BADBLOCKS;
const unsigned int DAXRMAP_CONST_SB_RDONLY = SB_RDONLY;
const unsigned int DAXRMAP_CONST_SB_LAZYTIME = SB_LAZYTIME;
const unsigned int DAXRMAP_CONST_SB_POSIXACL = SB_POSIXACL;
const unsigned int DAXRMAP_CONST_S_DAX = S_DAX;
const unsigned int DAXRMAP_CONST_FOP_MMAP_SYNC = FOP_MMAP_SYNC;
const unsigned int DAXRMAP_CONST_FOP_BUFFER_RASYNC = FOP_BUFFER_RASYNC;
const unsigned int DAXRMAP_CONST_FOP_BUFFER_WASYNC = FOP_BUFFER_WASYNC;
const u64 DAXRMAP_CONST_MAX_LFS_FILESIZE = MAX_LFS_FILESIZE;
const unsigned int DAXRMAP_CONST_PMD_ORDER = PMD_ORDER;
const xa_mark_t DAXRMAP_CONST_PAGECACHE_TAG_DIRTY = PAGECACHE_TAG_DIRTY;
const fmode_t DAXRMAP_CONST_FMODE_CAN_ODIRECT = FMODE_CAN_ODIRECT;
const fmode_t DAXRMAP_CONST_FMODE_NOWAIT = FMODE_NOWAIT;
const unsigned int DAXRMAP_CONST_IOCB_NOWAIT = IOCB_NOWAIT;
const unsigned int DAXRMAP_CONST_FS_IOC_GETFSMAP = FS_IOC_GETFSMAP;
const unsigned int DAXRMAP_CONST_FS_IOC_SHUTDOWN = FS_IOC_SHUTDOWN;
const unsigned int DAXRMAP_CONST_FS_IOC_GETFSLABEL = FS_IOC_GETFSLABEL;
const unsigned int DAXRMAP_CONST_FS_IOC_SETFSLABEL = FS_IOC_SETFSLABEL;
const unsigned int DAXRMAP_CONST_FITRIM = FITRIM;
const u64 DAXRMAP_CONST_FMR_OWN_FREE = FMR_OWN_FREE;
const u64 DAXRMAP_CONST_FMR_OWN_UNKNOWN = FMR_OWN_UNKNOWN;
/* As XFS and ext4 have them: xfs_io prints "static fs metadata", "journalling log", "bad blocks". */
const u64 DAXRMAP_CONST_FMR_OWN_FS = FMR_OWNER('X', 1);
const u64 DAXRMAP_CONST_FMR_OWN_LOG = FMR_OWNER('X', 2);
const u64 DAXRMAP_CONST_FMR_OWN_DEFECTIVE = FMR_OWNER('X', 8);
const unsigned int DAXRMAP_CONST_DAXRMAP_IOC_LOST = DAXRMAP_IOC_LOST;
const unsigned int DAXRMAP_CONST_DAXRMAP_IOC_STATUS = DAXRMAP_IOC_STATUS;
const unsigned int DAXRMAP_CONST_DAXRMAP_IOC_CLEAR = DAXRMAP_IOC_CLEAR;
const unsigned int DAXRMAP_CONST_DAXRMAP_IOC_EVENTS = DAXRMAP_IOC_EVENTS;
const unsigned int DAXRMAP_CONST_DAXRMAP_IOC_GUARD_SET = DAXRMAP_IOC_GUARD_SET;
const unsigned int DAXRMAP_CONST_DAXRMAP_IOC_GUARD_STATUS = DAXRMAP_IOC_GUARD_STATUS;
const unsigned int DAXRMAP_CONST_DAXRMAP_IOC_GUARD_DEVICE = DAXRMAP_IOC_GUARD_DEVICE;
const unsigned int DAXRMAP_CONST_DAXRMAP_IOC_GUARD_HOLD = DAXRMAP_IOC_GUARD_HOLD;
const unsigned int DAXRMAP_CONST_DAXRMAP_IOC_GUARD_RELEASE = DAXRMAP_IOC_GUARD_RELEASE;
const unsigned int DAXRMAP_CONST_DAXRMAP_IOC_GUARD_UNCOVERED = DAXRMAP_IOC_GUARD_UNCOVERED;
const unsigned int DAXRMAP_CONST_DAXRMAP_IOC_GUARD_BAD = DAXRMAP_IOC_GUARD_BAD;
const unsigned int DAXRMAP_CONST_DAXRMAP_IOC_SCRUB = DAXRMAP_IOC_SCRUB;
const u8 DAXRMAP_CONST_DAXRMAP_CXL_MEDIA = DAXRMAP_CXL_MEDIA;
const u8 DAXRMAP_CONST_DAXRMAP_CXL_DRAM = DAXRMAP_CXL_DRAM;
const u8 DAXRMAP_CONST_DAXRMAP_CXL_POISON = DAXRMAP_CXL_POISON;
