// SPDX-License-Identifier: GPL-2.0
/*
 * Super blocks and inodes of other filesystems: what is inline, a macro or a
 * field in linux/fs.h, and the walk over a super block's inodes.
 */
#include <linux/blkdev.h>
#include <linux/dax.h>
#include <linux/fs.h>
#include <linux/kernfs.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <daxrmap_helpers.h>

/* Inodes that are looked at under one hold of the list's lock. */
#define INODES	1024

/*
 * The type of that name if it is there, with a reference to its module. Does not have it
 * loaded: each of these types has a directory in /sys/fs, or is a module.
 */
struct file_system_type *daxrmap_present_type(const char *name)
{
	struct kernfs_node *dir = kernfs_find_and_get(fs_kobj->sd, name);

	if (!dir)
		return NULL;
	kernfs_put(dir);
	return get_fs_type(name);
}

void daxrmap_put_type(struct file_system_type *type)
{
	module_put(type->owner);
}

/* Whether files of the super block may be DAX, as far as its main device says. */
bool daxrmap_sb_may_be_dax(const struct super_block *sb)
{
	return sb->s_bdev && blk_queue_dax(bdev_get_queue(sb->s_bdev));
}

static bool is_wanted(struct inode *inode, bool pages)
{
	struct address_space *mapping = inode->i_mapping;

	return S_ISREG(inode->i_mode) && IS_DAX(inode) &&
	       (mapping_mapped(mapping) || (pages && !mapping_empty(mapping)));
}

/*
 * The next regular DAX file of the super block after @prev that somebody maps, or, if
 * @pages, that has pages; with a reference. @prev: NULL, or what this returned before,
 * still referenced. The caller holds s_umount. Inodes on their way in
 * or out are left out. *@wanted is false for one that is only where a long
 * walk has stopped for breath: a regular file too, as only of these the last reference can be dropped
 * late.
 */
struct inode *daxrmap_next_file(struct super_block *sb, struct inode *prev,
				bool pages, bool *wanted)
{
	struct inode *inode, *found = NULL;
	unsigned int seen = 0;

	/*
	 * What was published before is seen by who maps a file that is not seen
	 * to be mapped here.
	 */
	smp_mb();
	spin_lock(&sb->s_inode_list_lock);
	inode = prev ? prev : list_entry(&sb->s_inodes, struct inode, i_sb_list);
	list_for_each_entry_continue(inode, &sb->s_inodes, i_sb_list) {
		*wanted = is_wanted(inode, pages);
		if (!S_ISREG(inode->i_mode) || (++seen < INODES && !*wanted))
			continue;
		spin_lock(&inode->i_lock);
		if (inode_state_read(inode) & (I_NEW | I_FREEING | I_WILL_FREE)) {
			spin_unlock(&inode->i_lock);
			continue;
		}
		__iget(inode);
		spin_unlock(&inode->i_lock);
		found = inode;
		break;
	}
	spin_unlock(&sb->s_inode_list_lock);
	cond_resched();
	return found;
}

/*
 * What folio->mapping is, if it can be the address of a mapping at all: in the place of it, a page that is
 * being made a part of a huge folio, or taken out of one, has counters or poison for a moment.
 */
static struct address_space *folio_mapping_of(unsigned long pfn,
					      struct folio **folio)
{
	struct address_space *mapping;

	*folio = page_folio(pfn_to_page(pfn));
	mapping = READ_ONCE((*folio)->mapping);
	if (!virt_addr_valid(mapping) ||
	    !IS_ALIGNED((unsigned long)mapping, sizeof(void *)))
		return NULL;
	return mapping;
}

/*
 * The inode that folio->mapping names, of any filesystem, with a reference, and with
 * its super block's s_umount held for reading; NULL also if that cannot be had at
 * once.
 *
 * The folio is looked at without a reference, as dax_lock_folio() does: with one it would be busy
 * to dax_busy_page(), and then who takes pages from a file may wait until nobody
 * maps it, which may be never. RCU keeps what is found: an inode loses its pages before it
 * goes, and its super block is freed a grace period after its inodes. Who has
 * s_umount while it has a root has one that is not shut down meanwhile.
 */
struct inode *daxrmap_folio_other(unsigned long pfn, pgoff_t *index)
{
	struct address_space *mapping;
	struct inode *inode = NULL;
	struct super_block *sb;
	struct folio *folio;

	rcu_read_lock();
	mapping = folio_mapping_of(pfn, &folio);
	if (mapping && mapping->host) {
		sb = mapping->host->i_sb;
		*index = READ_ONCE(folio->index) + (pfn - folio_pfn(folio));
		if (down_read_trylock(&sb->s_umount)) {
			if (sb->s_root && (sb->s_flags & SB_BORN) &&
			    !(sb->s_flags & (SB_DYING | SB_DEAD)))
				inode = igrab(mapping->host);
			if (!inode)
				up_read(&sb->s_umount);
		}
	}
	rcu_read_unlock();
	return inode;
}

/* A super block may be freed as soon as s_umount is given up: RCU keeps it for so long. */
void daxrmap_up_super(struct super_block *sb)
{
	rcu_read_lock();
	up_read(&sb->s_umount);
	rcu_read_unlock();
}

/* One more active reference; the caller has s_umount, so that there is one. */
void daxrmap_pin_super(struct super_block *sb)
{
	atomic_inc(&sb->s_active);
}

/*
 * What folio->mapping is: the one file that has the page, mapped or not; NULL if it is
 * shared, or no file has it. Not to be looked at: a folio that a fault is making, or unmaking, may
 * have anything there.
 */
const void *daxrmap_folio_mapping(unsigned long pfn)
{
	return READ_ONCE(page_folio(pfn_to_page(pfn))->mapping);
}
