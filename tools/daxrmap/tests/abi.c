// SPDX-License-Identifier: GPL-2.0
/* Prints what the C compiler makes of the headers, for abi.rs. */
#include <stddef.h>
#include <stdio.h>
#include <linux/dm-ioctl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fsmap.h>
#include <linux/magic.h>
#include <linux/types.h>
#include <uapi/daxrmap.h>

#define SIZE(type)	printf(#type " %zu\n", sizeof(struct type))
#define FIELD(type, f)	printf(#type "." #f " %zu\n", offsetof(struct type, f))
#define VALUE(name)	printf(#name " %llu\n", (unsigned long long)(name))

int main(void)
{
#include "abi-fields.h"
	VALUE(DAXRMAP_IOC_LOST);
	VALUE(DAXRMAP_IOC_STATUS);
	VALUE(DAXRMAP_IOC_CLEAR);
	VALUE(FS_IOC_GETFSMAP);
	VALUE(FS_IOC_FIEMAP);
	VALUE(DAXRMAP_IOC_GUARD_SET);
	VALUE(DAXRMAP_IOC_GUARD_STATUS);
	VALUE(DAXRMAP_IOC_GUARD_DEVICE);
	VALUE(DAXRMAP_IOC_GUARD_HOLD);
	VALUE(DAXRMAP_IOC_GUARD_RELEASE);
	VALUE(DAXRMAP_IOC_GUARD_UNCOVERED);
	VALUE(DAXRMAP_IOC_GUARD_BAD);
	VALUE(DAXRMAP_IOC_SCRUB);
	VALUE(FS_IOC_GETVERSION);
	VALUE(DM_TABLE_STATUS);
	VALUE(DAXRMAP_GUARD_WATCH);
	VALUE(DAXRMAP_GUARD_HELD);
	VALUE(DAXRMAP_GUARD_OWN);
	VALUE(DAXRMAP_GUARD_FORCE);
	VALUE(DM_STATUS_TABLE_FLAG);
	VALUE(DM_BUFFER_FULL_FLAG);
	VALUE(EXT4_SUPER_MAGIC);
	VALUE(XFS_SUPER_MAGIC);
	VALUE(FMR_OF_PREALLOC);
	VALUE(FMR_OF_ATTR_FORK);
	VALUE(FMR_OF_EXTENT_MAP);
	VALUE(FIEMAP_FLAG_SYNC);
	VALUE(FIEMAP_FLAG_XATTR);
	VALUE(FIEMAP_EXTENT_LAST);
	VALUE(FIEMAP_EXTENT_DATA_INLINE);
	VALUE(FIEMAP_EXTENT_UNWRITTEN);
	VALUE(DAXRMAP_LOST_END);
	VALUE(DAXRMAP_STATUS_SHUTDOWN);
	VALUE(DAXRMAP_STATUS_INCONSISTENT);
	VALUE(DAXRMAP_STATUS_READ_ONLY);
	VALUE(FMR_OF_SPECIAL_OWNER);
	VALUE(FMR_OF_LAST);
	VALUE(FMR_OWN_FREE);
	VALUE(FMR_OWN_UNKNOWN);
	printf("FMR_OWN_FS %llu\n", (unsigned long long)FMR_OWNER('X', 1));
	printf("FMR_OWN_LOG %llu\n", (unsigned long long)FMR_OWNER('X', 2));
	printf("FMR_OWN_DEFECTIVE %llu\n", (unsigned long long)FMR_OWNER('X', 8));
	printf("FIEMAP_EXTENT_NOT_PLACED %u\n",
	       FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC |
	       FIEMAP_EXTENT_ENCODED);
	return 0;
}
