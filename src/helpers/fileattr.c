// SPDX-License-Identifier: GPL-2.0
/* Inlines of linux/fileattr.h. */
#include <linux/fs.h>
#include <linux/fileattr.h>
#include <daxrmap_helpers.h>

bool daxrmap_fileattr_has_fsx(const struct file_kattr *fa)
{
	return fileattr_has_fsx(fa);
}
