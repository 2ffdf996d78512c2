// SPDX-License-Identifier: GPL-2.0
/*
 * A filesystem that uses daxrmap (include/daxrmap.h): on a pmem disk, all in memory but
 * for the files' data.
 *
 * Every file has PAGES pages, which are the next ones of the disk when it is made. A
 * clone (FICLONE) has the pages of another file; nobody may write to these
 * any more: a real filesystem would copy. Nothing is ever freed.
 */
#include <linux/blkdev.h>
#include <linux/dax.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/iomap.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <daxrmap.h>

#define PAGES		64
#define FILE_SIZE	((u64)PAGES << PAGE_SHIFT)
#define MAGIC		0x44525358

struct sample {
	struct dax_device *dax_dev;
	u64 start, size;	/* the disk's part of the device, in bytes */
	bool registered;
	struct mutex lock;	/* what follows; inside of invalidate_lock */
	struct list_head files;	/* by id */
	u64 last_id, next;	/* next: the first byte that no file has */
};

/* A file in memory; inode->i_private. */
struct sample_file {
	struct list_head list;
	struct inode *inode;
	u64 id, offset;		/* offset: its first byte, on the device */
	bool shared;
};

/* What daxrmap asks. */

static int sample_owners(void *fs, u64 offset, u64 length, u64 *cursor,
			 struct daxrmap_owner *owners, unsigned int max)
{
	struct sample *s = fs;
	struct sample_file *f;
	unsigned int n = 0;

	mutex_lock(&s->lock);
	list_for_each_entry(f, &s->files, list) {
		if (f->id <= *cursor)
			continue;
		if (n == max)
			break;
		*cursor = f->id;
		if (offset >= f->offset + FILE_SIZE ||
		    (offset < f->offset && f->offset - offset >= length))
			continue;
		/* NULL: on its way out. */
		owners[n].inode = igrab(f->inode);
		if (!owners[n].inode)
			continue;
		owners[n].pos = 0;
		owners[n].offset = f->offset;
		owners[n++].length = FILE_SIZE;
	}
	mutex_unlock(&s->lock);
	return n;
}

static bool sample_lookup(void *fs, struct inode *inode, u64 pos, u64 *offset,
			  u64 *length)
{
	struct sample_file *f = inode->i_private;

	if (pos >= FILE_SIZE) {
		*length = U64_MAX - pos;
		return false;
	}
	*offset = f->offset + pos;
	*length = FILE_SIZE - pos;
	return true;
}

/* The driver's list of bad blocks is enough: no @publish. */
static const struct daxrmap_ops sample_daxrmap_ops = {
	.owner = THIS_MODULE,
	.owners = sample_owners,
	.lookup = sample_lookup,
};

/* A file's data. */

static int sample_iomap_begin(struct inode *inode, loff_t pos, loff_t length,
			      unsigned int flags, struct iomap *iomap,
			      struct iomap *srcmap)
{
	struct sample *s = inode->i_sb->s_fs_info;
	struct sample_file *f = inode->i_private;

	if (pos >= FILE_SIZE || ((flags & IOMAP_WRITE) && f->shared))
		return -EIO;
	iomap->type = IOMAP_MAPPED;
	iomap->flags = f->shared ? IOMAP_F_SHARED : 0;
	iomap->bdev = inode->i_sb->s_bdev;
	iomap->dax_dev = s->dax_dev;
	iomap->addr = f->offset;
	iomap->offset = 0;
	iomap->length = FILE_SIZE;
	return 0;
}

static const struct iomap_ops sample_iomap_ops = {
	.iomap_begin = sample_iomap_begin,
};

static ssize_t sample_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	inode_lock_shared(inode);
	ret = dax_iomap_rw(iocb, to, &sample_iomap_ops);
	inode_unlock_shared(inode);
	return ret;
}

static ssize_t sample_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	inode_lock(inode);
	ret = generic_write_checks(iocb, from);
	if (ret > 0 && iocb->ki_pos >= FILE_SIZE)
		ret = -EFBIG;
	if (ret > 0) {
		iov_iter_truncate(from, FILE_SIZE - iocb->ki_pos);
		ret = dax_iomap_rw(iocb, from, &sample_iomap_ops);
	}
	inode_unlock(inode);
	return ret;
}

/*
 * Under invalidate_lock: so daxrmap, which has it exclusively while it looks at a
 * file, waits for who is in the middle of a fault, and who comes later meets
 * the list of bad blocks.
 */
static vm_fault_t sample_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	bool write = (vmf->flags & FAULT_FLAG_WRITE) &&
		     (vmf->vma->vm_flags & VM_SHARED);
	vm_fault_t ret;

	if (write)
		sb_start_pagefault(inode->i_sb);
	filemap_invalidate_lock_shared(inode->i_mapping);
	ret = dax_iomap_fault(vmf, order, NULL, NULL, &sample_iomap_ops);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	if (write)
		sb_end_pagefault(inode->i_sb);
	return ret;
}

static vm_fault_t sample_fault(struct vm_fault *vmf)
{
	return sample_huge_fault(vmf, 0);
}

static const struct vm_operations_struct sample_vm_ops = {
	.fault = sample_fault,
	.huge_fault = sample_huge_fault,
	.page_mkwrite = sample_fault,
	.pfn_mkwrite = sample_fault,
};

static int sample_mmap_prepare(struct vm_area_desc *desc)
{
	desc->vm_ops = &sample_vm_ops;
	vma_desc_set_flags(desc, VMA_HUGEPAGE_BIT);
	return 0;
}

/* FICLONE: the whole file takes the place of what the other one had. */
static loff_t sample_remap(struct file *in, loff_t pos_in, struct file *out,
			   loff_t pos_out, loff_t len, unsigned int flags)
{
	struct inode *from = file_inode(in), *to = file_inode(out);
	struct sample *s = to->i_sb->s_fs_info;
	struct sample_file *f = from->i_private, *t = to->i_private;
	int ret;

	if (flags || pos_in || pos_out || len || from == to)
		return -EOPNOTSUPP;
	lock_two_nondirectories(from, to);
	filemap_invalidate_lock_two(from->i_mapping, to->i_mapping);
	/* Who maps either now gets its pages anew, as what they are then. */
	ret = dax_break_layout(from, 0, LLONG_MAX, NULL);
	if (!ret)
		ret = dax_break_layout(to, 0, LLONG_MAX, NULL);
	if (!ret) {
		mutex_lock(&s->lock);
		t->offset = f->offset;
		t->shared = f->shared = true;
		mutex_unlock(&s->lock);
	}
	filemap_invalidate_unlock_two(from->i_mapping, to->i_mapping);
	unlock_two_nondirectories(from, to);
	return ret == -ERESTARTSYS ? -EBUSY : ret ?: FILE_SIZE;
}

static const struct file_operations sample_file_ops = {
	.llseek = generic_file_llseek,
	.read_iter = sample_read_iter,
	.write_iter = sample_write_iter,
	.mmap_prepare = sample_mmap_prepare,
	.remap_file_range = sample_remap,
	.fsync = noop_fsync,
};

static int sample_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			  struct iattr *attr)
{
	/* O_TRUNC changes nothing. */
	attr->ia_valid &= ~ATTR_SIZE;
	return simple_setattr(idmap, dentry, attr);
}

static const struct inode_operations sample_file_inode_ops = {
	.setattr = sample_setattr,
	.getattr = simple_getattr,
};

static int sample_writepages(struct address_space *mapping,
			     struct writeback_control *wbc)
{
	struct sample *s = mapping->host->i_sb->s_fs_info;

	return dax_writeback_mapping_range(mapping, s->dax_dev, wbc);
}

static const struct address_space_operations sample_aops = {
	.writepages = sample_writepages,
	.dirty_folio = noop_dirty_folio,
};

/* Names. */

static int sample_zero(struct sample *s, u64 offset)
{
	int ret = 0, id = dax_read_lock();

	for (int i = 0; i < PAGES && !ret; i++)
		ret = dax_zero_page_range(s->dax_dev, (offset >> PAGE_SHIFT) + i, 1);
	dax_read_unlock(id);
	return ret;
}

static int make_file(struct inode *dir, struct dentry *dentry, umode_t mode)
{
	struct sample *s = dir->i_sb->s_fs_info;
	struct inode *inode = new_inode(dir->i_sb);
	struct sample_file *f = kzalloc(sizeof(*f), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!inode || !f)
		goto out;
	f->inode = inode;
	mutex_lock(&s->lock);
	ret = -ENOSPC;
	if (s->next + FILE_SIZE <= s->start + s->size) {
		f->id = ++s->last_id;
		f->offset = s->next;
		s->next += FILE_SIZE;
		ret = sample_zero(s, f->offset);
	}
	if (!ret)
		list_add_tail(&f->list, &s->files);
	mutex_unlock(&s->lock);
	if (ret)
		goto out;
	inode->i_private = f;
	inode->i_ino = f->id + 1;
	inode_init_owner(&nop_mnt_idmap, inode, dir, mode | S_IFREG);
	simple_inode_init_ts(inode);
	inode->i_flags |= S_DAX;
	inode->i_size = FILE_SIZE;
	inode->i_op = &sample_file_inode_ops;
	inode->i_fop = &sample_file_ops;
	inode->i_mapping->a_ops = &sample_aops;
	d_make_persistent(dentry, inode);
	return 0;
out:
	kfree(f);
	iput(inode);
	return ret;
}

#ifdef CREATE_HAS_EXCL
static int sample_create(struct mnt_idmap *idmap, struct inode *dir,
			 struct dentry *dentry, umode_t mode, bool excl)
#else
static int sample_create(struct mnt_idmap *idmap, struct inode *dir,
			 struct dentry *dentry, umode_t mode)
#endif
{
	return make_file(dir, dentry, mode);
}

static const struct inode_operations sample_dir_ops = {
	.create = sample_create,
	.lookup = simple_lookup,
	.unlink = simple_unlink,
};

/* Mounts. */

static void sample_evict_inode(struct inode *inode)
{
	struct sample *s = inode->i_sb->s_fs_info;
	struct sample_file *f = inode->i_private;

	if (IS_DAX(inode))
		dax_break_layout_final(inode);
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (!f)
		return;
	mutex_lock(&s->lock);
	list_del(&f->list);
	mutex_unlock(&s->lock);
	kfree(f);
}

static const struct super_operations sample_super_ops = {
	.statfs = simple_statfs,
	.drop_inode = inode_just_drop,
	.evict_inode = sample_evict_inode,
};

static int sample_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct sample *s = kzalloc(sizeof(*s), GFP_KERNEL);
	struct inode *root;
	int ret;

	if (!s)
		return -ENOMEM;
	sb->s_fs_info = s;
	mutex_init(&s->lock);
	INIT_LIST_HEAD(&s->files);
	/* Without a holder: daxrmap is that. */
	s->dax_dev = fs_dax_get_by_bdev(sb->s_bdev, &s->start, NULL, NULL);
	if (!s->dax_dev)
		return -EOPNOTSUPP;
	s->size = bdev_nr_bytes(sb->s_bdev);
	s->next = s->start;
	sb->s_magic = MAGIC;
	sb->s_op = &sample_super_ops;
	sb->s_maxbytes = FILE_SIZE;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_time_gran = 1;
	/* Bytes count from where the device begins, also for a partition. */
	ret = daxrmap_register(s->dax_dev, s->start + s->size,
			       &sample_daxrmap_ops, s);
	if (ret)
		return ret;
	s->registered = true;
	root = new_inode(sb);
	if (!root)
		return -ENOMEM;
	root->i_ino = 1;
	inode_init_owner(&nop_mnt_idmap, root, NULL, S_IFDIR | 0755);
	simple_inode_init_ts(root);
	root->i_op = &sample_dir_ops;
	root->i_fop = &simple_dir_operations;
	set_nlink(root, 2);
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static void sample_kill_sb(struct super_block *sb)
{
	struct sample *s = sb->s_fs_info;

	/* Before inodes are evicted, which must have no reference then. */
	if (s && s->registered)
		daxrmap_stop(s->dax_dev, s);
	kill_block_super(sb);
	/* No file has a page any more. */
	if (s && s->registered)
		daxrmap_unregister(s->dax_dev, s);
	if (s)
		put_dax(s->dax_dev);
	kfree(s);
}

static int sample_get_tree(struct fs_context *fc)
{
	return get_tree_bdev(fc, sample_fill_super);
}

static const struct fs_context_operations sample_context_ops = {
	.get_tree = sample_get_tree,
};

static int sample_init_fs_context(struct fs_context *fc)
{
	fc->ops = &sample_context_ops;
	return 0;
}

static struct file_system_type sample_type = {
	.owner = THIS_MODULE,
	.name = "daxrmap_sample",
	.fs_flags = FS_REQUIRES_DEV,
	.init_fs_context = sample_init_fs_context,
	.kill_sb = sample_kill_sb,
};

static int __init sample_init(void)
{
	return register_filesystem(&sample_type);
}

static void __exit sample_exit(void)
{
	unregister_filesystem(&sample_type);
	rcu_barrier();
}

module_init(sample_init);
module_exit(sample_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A filesystem that uses daxrmap");
MODULE_IMPORT_NS("DAXRMAP");
