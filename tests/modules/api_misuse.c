// SPDX-License-Identifier: GPL-2.0
/*
 * Calls daxrmap as it must not be called, and says whether it was refused: the module is
 * loaded if so (tests/selftests/guard/api.c). `disk` names a pmem disk, which has
 * no holder, or with `taken=1` has one.
 */
#include <linux/blkdev.h>
#include <linux/dax.h>
#include <linux/module.h>
#include <daxrmap.h>

static char *disk = "/dev/pmem0";
module_param(disk, charp, 0);
static bool taken;
module_param(taken, bool, 0);

static unsigned int wrong;

#define EXPECT(want, call) do {						\
	int _is = (call);						\
	if (_is != (want)) {						\
		pr_err("api_misuse: %s: %d, not %d\n", #call, _is, want);	\
		wrong++;						\
	}								\
} while (0)

static int no_owners(void *fs, u64 offset, u64 length, u64 *cursor,
		     struct daxrmap_owner *owners, unsigned int max)
{
	return 0;
}

static bool no_page(void *fs, struct inode *inode, u64 pos, u64 *offset,
		    u64 *length)
{
	*length = U64_MAX;
	return false;
}

static const struct daxrmap_ops good = {
	.owner = THIS_MODULE, .owners = no_owners, .lookup = no_page,
};
static const struct daxrmap_ops without_owners = {
	.owner = THIS_MODULE, .lookup = no_page,
};
static const struct daxrmap_ops without_lookup = {
	.owner = THIS_MODULE, .owners = no_owners,
};

static void try_arguments(struct dax_device *dax, u64 size, void *fs)
{
	EXPECT(-EINVAL, daxrmap_register(NULL, size, &good, fs));
	EXPECT(-EINVAL, daxrmap_register(dax, size, NULL, fs));
	EXPECT(-EINVAL, daxrmap_register(dax, size, &without_owners, fs));
	EXPECT(-EINVAL, daxrmap_register(dax, size, &without_lookup, fs));
	EXPECT(-EINVAL, daxrmap_register(dax, 0, &good, fs));
	EXPECT(-EINVAL, daxrmap_register(dax, size - 1, &good, fs));
	EXPECT(-EINVAL, daxrmap_register(dax, size + PAGE_SIZE, &good, fs));
	EXPECT(-EINVAL, daxrmap_register(dax, -PAGE_SIZE, &good, fs));
	EXPECT(-ENOENT, daxrmap_stop(dax, fs));
	EXPECT(-ENOENT, daxrmap_unregister(dax, fs));
	EXPECT(-ENOENT, daxrmap_unregister(NULL, NULL));
}

/* Neither a disk's nor a character device's. */
static void try_other_device(u64 size, void *fs)
{
	struct dax_device *other = alloc_dax(NULL, NULL);

	if (IS_ERR(other)) {
		wrong++;
		return;
	}
	EXPECT(-EOPNOTSUPP, daxrmap_register(other, size, &good, fs));
	kill_dax(other);
	put_dax(other);
}

static void try_twice(struct dax_device *dax, u64 size, void *fs)
{
	int users = module_refcount(THIS_MODULE);
	char other;

	EXPECT(0, daxrmap_register(dax, size, &good, fs));
	EXPECT(users + 1, module_refcount(THIS_MODULE));
	EXPECT(-EALREADY, daxrmap_register(dax, size, &good, fs));
	EXPECT(-EALREADY, daxrmap_register(dax, size, &good, &other));
	EXPECT(users + 1, module_refcount(THIS_MODULE));
	EXPECT(-ENOENT, daxrmap_stop(dax, &other));
	EXPECT(-ENOENT, daxrmap_unregister(dax, &other));
	EXPECT(-ENOENT, daxrmap_unregister(NULL, fs));
	EXPECT(0, daxrmap_stop(dax, fs));
	EXPECT(0, daxrmap_stop(dax, fs));
	EXPECT(0, daxrmap_unregister(dax, fs));
	EXPECT(-ENOENT, daxrmap_unregister(dax, fs));
	EXPECT(users, module_refcount(THIS_MODULE));
	/* And it can be had again. */
	EXPECT(0, daxrmap_register(dax, size, &good, fs));
	EXPECT(0, daxrmap_unregister(dax, fs));
}

static int __init misuse_init(void)
{
	struct file *file = bdev_file_open_by_path(disk, BLK_OPEN_READ, NULL, NULL);
	struct dax_device *dax;
	u64 start, size;

	if (IS_ERR(file))
		return PTR_ERR(file);
	size = bdev_nr_bytes(file_bdev(file));
	dax = fs_dax_get_by_bdev(file_bdev(file), &start, NULL, NULL);
	if (dax) {
		if (taken) {
			EXPECT(-EBUSY, daxrmap_register(dax, size, &good, &wrong));
		} else {
			try_arguments(dax, size, &wrong);
			try_other_device(size, &wrong);
			try_twice(dax, size, &wrong);
		}
		put_dax(dax);
	}
	bdev_fput(file);
	return !dax ? -ENODEV : wrong ? -EPROTO : 0;
}

static void __exit misuse_exit(void)
{
}

module_init(misuse_init);
module_exit(misuse_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Calls daxrmap as it must not be called");
MODULE_IMPORT_NS("DAXRMAP");
