// SPDX-License-Identifier: GPL-2.0
/* What is inline in linux/fileattr.h, as functions. */
#include <linux/fs.h>
#include <linux/fileattr.h>
#include <daxrmap_helpers.h>

bool daxrmap_fileattr_has_fsx(const struct file_kattr *fa)
{
	return fileattr_has_fsx(fa);
}
