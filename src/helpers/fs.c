// SPDX-License-Identifier: GPL-2.0
/* What is inline in linux/fs.h and what belongs to it, as functions. */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/fserror.h>
#include <daxrmap_helpers.h>

loff_t daxrmap_i_size_read(const struct inode *inode)
{
	return i_size_read(inode);
}

void daxrmap_i_size_write(struct inode *inode, loff_t size)
{
	i_size_write(inode, size);
}

void daxrmap_inode_lock(struct inode *inode)
{
	inode_lock(inode);
}

void daxrmap_inode_unlock(struct inode *inode)
{
	inode_unlock(inode);
}

bool daxrmap_inode_trylock(struct inode *inode)
{
	return inode_trylock(inode);
}

void daxrmap_inode_lock_shared(struct inode *inode)
{
	inode_lock_shared(inode);
}

bool daxrmap_inode_trylock_shared(struct inode *inode)
{
	return inode_trylock_shared(inode);
}

void daxrmap_inode_unlock_shared(struct inode *inode)
{
	inode_unlock_shared(inode);
}

void daxrmap_invalidate_lock(struct inode *inode)
{
	filemap_invalidate_lock(inode->i_mapping);
}

void daxrmap_invalidate_unlock(struct inode *inode)
{
	filemap_invalidate_unlock(inode->i_mapping);
}

void daxrmap_invalidate_lock_shared(struct inode *inode)
{
	filemap_invalidate_lock_shared(inode->i_mapping);
}

bool daxrmap_invalidate_trylock_shared(struct inode *inode)
{
	return filemap_invalidate_trylock_shared(inode->i_mapping);
}

void daxrmap_invalidate_unlock_shared(struct inode *inode)
{
	filemap_invalidate_unlock_shared(inode->i_mapping);
}

/*
 * May sleep: mm takes an area out of the tree and puts it back, under this lock, when it
 * changes where it ends. Its page tables stay as they are.
 */
bool daxrmap_mapping_mapped(const struct inode *inode)
{
	struct address_space *mapping = inode->i_mapping;
	bool mapped;

	i_mmap_lock_read(mapping);
	mapped = mapping_mapped(mapping);
	i_mmap_unlock_read(mapping);
	return mapped;
}

void daxrmap_sb_start_pagefault(struct super_block *sb)
{
	sb_start_pagefault(sb);
}

void daxrmap_sb_end_pagefault(struct super_block *sb)
{
	sb_end_pagefault(sb);
}

u32 daxrmap_i_uid_read(const struct inode *inode)
{
	return i_uid_read(inode);
}

u32 daxrmap_i_gid_read(const struct inode *inode)
{
	return i_gid_read(inode);
}

void daxrmap_i_uid_write(struct inode *inode, u32 uid)
{
	i_uid_write(inode, uid);
}

void daxrmap_i_gid_write(struct inode *inode, u32 gid)
{
	i_gid_write(inode, gid);
}

void daxrmap_get_times(const struct inode *inode, struct timespec64 *atime,
		       struct timespec64 *mtime, struct timespec64 *ctime)
{
	*atime = inode_get_atime(inode);
	*mtime = inode_get_mtime(inode);
	*ctime = inode_get_ctime(inode);
}

/* Sets it as if somebody had seen it: the change that comes next shall have another. */
void daxrmap_set_ctime(struct inode *inode, struct timespec64 ctime)
{
	struct timespec64 old = inode_get_ctime(inode);

	if (timespec64_equal(&old, &ctime))
		return;
	inode_set_ctime_to_ts(inode, ctime);
	if (is_mgtime(inode))
		WRITE_ONCE(inode->i_ctime_nsec, ctime.tv_nsec | I_CTIME_QUERIED);
}

void daxrmap_set_times(struct inode *inode, struct timespec64 atime,
		       struct timespec64 mtime, struct timespec64 ctime)
{
	inode_set_atime_to_ts(inode, atime);
	inode_set_mtime_to_ts(inode, mtime);
	daxrmap_set_ctime(inode, ctime);
}

static int match_in_core(struct inode *inode, u64 ino, void *data)
{
	bool *leaving = data;
	unsigned int state;

	if (inode->i_ino != ino)
		return 0;
	spin_lock(&inode->i_lock);
	state = inode_state_read(inode);
	if (state & (I_NEW | I_FREEING | I_WILL_FREE)) {
		spin_unlock(&inode->i_lock);
		*leaving = !(state & I_NEW);
		return -1;
	}
	__iget(inode);
	spin_unlock(&inode->i_lock);
	return 1;
}

/*
 * Unlike ilookup(), never waits for an inode on its way in or out: NULL for
 * the former, -EAGAIN for the latter.
 */
struct inode *daxrmap_in_core(struct super_block *sb, u64 ino)
{
	bool leaving = false;
	struct inode *inode;

	inode = find_inode_nowait(sb, ino, match_in_core, &leaving);
	return leaving ? ERR_PTR(-EAGAIN) : inode;
}

bool daxrmap_inode_is_new(struct inode *inode)
{
	return inode_state_read_once(inode) & I_NEW;
}

void daxrmap_file_accessed(struct file *file)
{
	file_accessed(file);
}

ssize_t daxrmap_generic_write_sync(struct kiocb *iocb, ssize_t count)
{
	return generic_write_sync(iocb, count);
}

bool daxrmap_dir_emit_dots(struct file *file, struct dir_context *ctx)
{
	return dir_emit_dots(file, ctx);
}

bool daxrmap_dir_emit(struct dir_context *ctx, const char *name, int len,
		      u64 ino, unsigned int type)
{
	return dir_emit(ctx, name, len, ino, type);
}

/* NFS says what it wants; of all others it depends on the program. */
bool daxrmap_has_narrow_pos(const struct file *file)
{
	if (file->f_mode & (FMODE_32BITHASH | FMODE_64BITHASH))
		return file->f_mode & FMODE_32BITHASH;
	return in_compat_syscall();
}

/* @wait: for memory; else the report may be lost for want of it, which the log says. */
void daxrmap_report_data_lost(struct inode *inode, loff_t pos, u64 len,
			      bool wait)
{
	fserror_report_data_lost(inode, pos, len,
				 wait ? GFP_KERNEL : GFP_NOWAIT);
}

/* Whether anybody has a mark of fanotify or inotify in the super block, on whatever. */
bool daxrmap_sb_is_watched(struct super_block *sb)
{
	return fsnotify_sb_has_watchers(sb);
}
