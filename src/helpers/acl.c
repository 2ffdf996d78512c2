// SPDX-License-Identifier: GPL-2.0
/* What is inline in linux/posix_acl.h, as functions. */
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <daxrmap_helpers.h>

void daxrmap_posix_acl_release(struct posix_acl *acl)
{
	posix_acl_release(acl);
}
