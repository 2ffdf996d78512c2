// SPDX-License-Identifier: GPL-2.0
/*
 * What is inline in linux/dax.h, and what fs/dax.c keeps in XArray entries, folios
 * and page flags, as functions.
 */
#include <linux/dax.h>
#include <linux/libnvdimm.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/xarray.h>
#include <asm/cpufeature.h>
#include <daxrmap_helpers.h>

/*
 * The low bits of a DAX entry's value, private to fs/dax.c. The reflink
 * selftest "four readers of one shared file" fails when they change there.
 */
#define DAX_ENTRY_SHIFT		4
#define DAX_ENTRY_PMD		(1UL << 1)
#define DAX_ENTRY_ZERO_PAGE	(1UL << 2)
#define DAX_ENTRY_EMPTY		(1UL << 3)

/* The value of the mapping's entry at @index; 0 where no page stands. */
static unsigned long dax_entry_value(struct inode *inode, pgoff_t index)
{
	void *entry = xa_load(&inode->i_mapping->i_pages, index);
	unsigned long value;

	if (!xa_is_value(entry))
		return 0;
	value = xa_to_value(entry);
	return value & (DAX_ENTRY_ZERO_PAGE | DAX_ENTRY_EMPTY) ? 0 : value;
}

bool daxrmap_entry_is_real(struct inode *inode, pgoff_t index)
{
	return dax_entry_value(inode, index) != 0;
}

bool daxrmap_entry_head(struct inode *inode, pgoff_t index,
			unsigned long *head)
{
	unsigned long value = dax_entry_value(inode, index);

	*head = value >> DAX_ENTRY_SHIFT;
	return value & DAX_ENTRY_PMD;
}

bool daxrmap_mmap_supported(const struct vm_area_desc *desc,
			    struct dax_device *dax_dev)
{
	return daxdev_mapping_supported(desc, file_inode(desc->file), dax_dev);
}

void daxrmap_vma_set_huge(struct vm_area_desc *desc)
{
	vma_desc_set_flags(desc, VMA_HUGEPAGE_BIT);
}

int daxrmap_break_layout(struct inode *inode, loff_t start, loff_t end)
{
	return dax_break_layout(inode, start, end, NULL);
}

/*
 * The inode that folio->mapping names, with a reference, if it is of @sb and
 * somebody maps or pins the page.
 *
 * fs/dax.c makes pages into a huge folio, and a huge folio into pages, only
 * while nobody uses them: their counts are 0 then, and that of a tail always
 * is (it warns if not). So who gets a reference has a folio that stays one,
 * and its mapping is a mapping, not what else a tail has in that place. That
 * the page is still a part of it is asked after that. To dax_break_layout() the
 * reference is one more user, for an instant: the page is busy.
 *
 * The folio is not locked: the mapping may change at once, so the caller
 * asks the inode's extents again under its lock. RCU keeps the inode's
 * memory while igrab() decides whether it still lives: an inode loses its
 * pages before it goes.
 */
struct inode *daxrmap_folio_owner(unsigned long pfn, struct super_block *sb,
				  pgoff_t *index)
{
	struct page *page = pfn_to_page(pfn);
	struct folio *folio = page_folio(page);
	struct address_space *mapping;
	struct inode *inode = NULL;

	if (!folio_try_get(folio))
		return NULL;
	rcu_read_lock();
	mapping = page_folio(page) == folio ? READ_ONCE(folio->mapping) : NULL;
	if (mapping && mapping->host && mapping->host->i_sb == sb) {
		*index = READ_ONCE(folio->index) + (pfn - folio_pfn(folio));
		inode = igrab(mapping->host);
	}
	rcu_read_unlock();
	folio_put(folio);
	return inode;
}

/*
 * The first entry from *@index on that has a page of the frames @pfn..@end: where
 * the first such page is, its frame, and how many pages and frames go on
 * together. Nobody adds entries: the caller holds invalidate_lock.
 */
bool daxrmap_find_frames(struct inode *inode, pgoff_t *index,
			 unsigned long pfn, unsigned long end,
			 unsigned long *found, unsigned long *pages)
{
	XA_STATE(xas, &inode->i_mapping->i_pages, *index);
	unsigned long value, head, first, last, start, seen = 0;
	void *entry;

	rcu_read_lock();
	xas_for_each(&xas, entry, ULONG_MAX) {
		if (++seen % 4096 == 0) {
			xas_pause(&xas);
			rcu_read_unlock();
			cond_resched();
			rcu_read_lock();
		}
		if (xas_retry(&xas, entry) || !xa_is_value(entry))
			continue;
		value = xa_to_value(entry);
		if (value & (DAX_ENTRY_ZERO_PAGE | DAX_ENTRY_EMPTY))
			continue;
		/* A huge page stands at a multiple of its size, in the file as in memory. */
		start = xas.xa_index;
		*pages = 1;
		if (value & DAX_ENTRY_PMD) {
			*pages = 1UL << PMD_ORDER;
			start &= ~(*pages - 1);
		}
		head = value >> DAX_ENTRY_SHIFT;
		first = max(head + (*index > start ? *index - start : 0), pfn);
		last = min(head + *pages, end);
		if (first >= last)
			continue;
		*index = start + (first - head);
		*found = first;
		*pages = last - first;
		rcu_read_unlock();
		return true;
	}
	rcu_read_unlock();
	return false;
}

/*
 * The first entry in *@index..@last that was stored to since it was last written
 * back: where it begins, how many pages it has, and the first one's frame.
 */
bool daxrmap_next_dirty(struct inode *inode, pgoff_t *index, pgoff_t last,
			unsigned long *pages, unsigned long *pfn)
{
	unsigned long value;
	void *entry;

	entry = xa_find(&inode->i_mapping->i_pages, index, last,
			PAGECACHE_TAG_DIRTY);
	if (!entry)
		return false;
	value = xa_is_value(entry) ? xa_to_value(entry) : 0;
	*pages = value & DAX_ENTRY_PMD ? 1UL << PMD_ORDER : 1;
	*index &= ~(*pages - 1);
	*pfn = value >> DAX_ENTRY_SHIFT;
	return true;
}

/*
 * Whether nobody maps the file or has its invalidate_lock, and no page of @first..@last was
 * stored to since it was last written back. In this order: who has mapped it under the lock
 * has given the lock up after that. Who takes the lock later, by an operation that orders all
 * memory accesses (as each of x86 that is locked does), sees what was published before this.
 * May sleep, see daxrmap_mapping_mapped().
 */
bool daxrmap_is_untouched(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct address_space *mapping = inode->i_mapping;

	smp_mb();
	if (rwsem_is_locked(&mapping->invalidate_lock))
		return false;
	smp_rmb();
	return !daxrmap_mapping_mapped(inode) &&
	       !xa_find(&mapping->i_pages, &first, last, PAGECACHE_TAG_DIRTY);
}

void daxrmap_mark_poisoned(unsigned long pfn, bool poisoned)
{
	struct page *page = pfn_to_page(pfn);

	if (poisoned)
		SetPageHWPoison(page);
	else
		ClearPageHWPoison(page);
}

/*
 * The first page of [@pfn, @end) that is not in the kernel's own map; @end or
 * more if there is none. A huge page of the map is looked at once.
 */
unsigned long daxrmap_next_unmapped(unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		unsigned long addr = (unsigned long)pfn_to_kaddr(pfn);
		unsigned int level;
		pte_t *pte = lookup_address(addr, &level);

		if (!pte || !(pte_flags(*pte) & _PAGE_PRESENT))
			break;
		pfn = (pfn | (page_level_size(level) / PAGE_SIZE - 1)) + 1;
		cond_resched();
	}
	return pfn;
}

bool daxrmap_is_poisoned(unsigned long pfn)
{
	return PageHWPoison(pfn_to_page(pfn));
}

/*
 * Whether copy_mc_to_kernel() is more than memcpy(). Where a quirk of PCI has it be
 * careful instead (copy_mc_fragile_key, which is not exported), the CPU has this too.
 */
bool daxrmap_survives_poison(void)
{
	return boot_cpu_has(X86_FEATURE_ERMS);
}

void daxrmap_memcpy_flushcache(void *to, const void *from, size_t len)
{
	memcpy_flushcache(to, from, len);
}

void daxrmap_pmem_wmb(void)
{
	pmem_wmb();
}

/* Drops cache lines: what is read from there next comes from the memory. */
void daxrmap_invalidate_pmem(void *addr, size_t len)
{
	arch_invalidate_pmem(addr, len);
}
