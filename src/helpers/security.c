// SPDX-License-Identifier: GPL-2.0
/* What linux/security.h has, most of it inline in a kernel without security modules, as functions. */
#include <linux/security.h>
#include <daxrmap_helpers.h>

/* @add gets names without "security.". @name may be NULL. */
int daxrmap_new_labels(struct inode *inode, struct inode *dir,
		       const struct qstr *name, initxattrs add, void *to)
{
	return security_inode_init_security(inode, dir, name, add, to);
}
