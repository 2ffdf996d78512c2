// SPDX-License-Identifier: GPL-2.0
/* What linux/security.h has, most of it inline in a kernel without security modules, as functions. */
#include <linux/security.h>
#include <linux/xattr.h>
#include <daxrmap_helpers.h>

struct sink {
	int (*add)(void *to, const char *name, const void *value, size_t len);
	void *to;
};

static int pass_on(struct inode *inode, const struct xattr *labels, void *data)
{
	const struct sink *sink = data;
	int ret = 0;

	for (; !ret && labels->name; labels++)
		ret = sink->add(sink->to, labels->name, labels->value,
				labels->value_len);
	return ret;
}

/* @add gets names without "security.". @name may be NULL. */
int daxrmap_new_labels(struct inode *inode, struct inode *dir,
		       const struct qstr *name,
		       int (*add)(void *to, const char *name,
				  const void *value, size_t len),
		       void *to)
{
	struct sink sink = { add, to };

	return security_inode_init_security(inode, dir, name, pass_on, &sink);
}
