// SPDX-License-Identifier: GPL-2.0
/*
 * What other modules call (include/daxrmap.h), and what is a macro, a field or
 * not declared about the dax device that they have.
 *
 * They link with these symbols, so the module is loaded as long as one of them is, and
 * has been initialised before.
 */
#include <linux/cdev.h>
#include <linux/dax.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <daxrmap.h>
#include <daxrmap_helpers.h>

/* Exported for modules, but declared in drivers/dax only. */
struct inode *dax_inode(struct dax_device *dax_dev);

static const struct daxrmap_api *api;
static void *api_data;

void daxrmap_api_begin(const struct daxrmap_api *answers, void *data)
{
	api_data = data;
	api = answers;
}

int daxrmap_register(struct dax_device *dax_dev, u64 size,
		     const struct daxrmap_ops *ops, void *fs)
{
	return api->enter(api_data, dax_dev, size, ops, fs);
}
EXPORT_SYMBOL_NS_GPL(daxrmap_register, "DAXRMAP");

int daxrmap_stop(struct dax_device *dax_dev, void *fs)
{
	return api->stop(api_data, dax_dev, fs);
}
EXPORT_SYMBOL_NS_GPL(daxrmap_stop, "DAXRMAP");

int daxrmap_unregister(struct dax_device *dax_dev, void *fs)
{
	return api->leave(api_data, dax_dev, fs);
}
EXPORT_SYMBOL_NS_GPL(daxrmap_unregister, "DAXRMAP");

bool daxrmap_get_module(struct module *module)
{
	return try_module_get(module);
}

void daxrmap_put_module(struct module *module)
{
	module_put(module);
}

/*
 * A reference to a dax device that is a character device at this moment, whatever its
 * mode; false if it is none. fs_dax_get() takes what a dax device has as private data for such
 * a device's: it must not be asked about another one, of a disk, of device mapper or of virtiofs.
 */
bool daxrmap_get_char_dax(struct dax_device *dax_dev)
{
	struct inode *inode = dax_inode(dax_dev);
	struct cdev *cdev = inode->i_cdev;

	/* Its driver initialises and adds it; the last reference goes when it is deleted. */
	if (!cdev || !cdev->ops || !kref_read(&cdev->kobj.kref))
		return false;
	return igrab(inode);
}

dev_t daxrmap_dax_number(struct dax_device *dax_dev)
{
	return dax_inode(dax_dev)->i_rdev;
}
