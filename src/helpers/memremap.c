// SPDX-License-Identifier: GPL-2.0
/* What is a field, or inline, in linux/memremap.h and linux/mm.h, as functions. */
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <daxrmap_helpers.h>

/*
 * A reference to the pagemap that has @pfn, if it is one run, and the page
 * is not one of those that the driver keeps for the page structs: they have
 * none of their own.
 */
struct dev_pagemap *daxrmap_get_device_page(unsigned long pfn)
{
	struct dev_pagemap *pgmap = get_dev_pagemap(pfn);
	struct vmem_altmap *altmap;
	unsigned long first;

	if (!pgmap)
		return NULL;
	altmap = pgmap_altmap(pgmap);
	first = PHYS_PFN(pgmap->range.start);
	if (altmap)
		first += altmap->reserve + altmap->free;
	if (pgmap->nr_range == 1 && pfn >= first)
		return pgmap;
	put_dev_pagemap(pgmap);
	return NULL;
}

void daxrmap_put_device_page(struct dev_pagemap *pgmap)
{
	put_dev_pagemap(pgmap);
}

/* One more reference; the caller has one. */
void daxrmap_again_device_page(struct dev_pagemap *pgmap)
{
	percpu_ref_get(&pgmap->ref);
}

/*
 * Waits until nobody has one of the pagemap's frames from @pfn on any more: no DAX entry, in any
 * XArray, no page table, and nobody pins one. An inode that is being evicted is in no list, and has
 * its pages until it has waited for who pins them. The device is not alive: nobody gets new ones.
 * The last who has a page looks at its folio after he has given it up, under RCU.
 */
void daxrmap_wait_for_frames(const struct dev_pagemap *pgmap, unsigned long pfn)
{
	unsigned long last = PHYS_PFN(pgmap->range.end);

	for (; pfn <= last; pfn++) {
		struct page *page = pfn_to_page(pfn);

		for (;;) {
			struct folio *folio = page_folio(page);

			if (!READ_ONCE(folio->mapping) && !READ_ONCE(folio->share) &&
			    !folio_ref_count(folio))
				break;
			schedule_timeout_uninterruptible(1);
		}
		if (!(pfn % 4096))
			cond_resched();
	}
	synchronize_rcu();
}

/* Whether some page table has a page of the frames @pfn..@end, or of a folio that one is of. */
bool daxrmap_frames_are_mapped(const struct dev_pagemap *pgmap,
			       unsigned long pfn, unsigned long end)
{
	end = min(end, PHYS_PFN(pgmap->range.end) + 1);
	for (; pfn < end; pfn++) {
		if (folio_mapped(page_folio(pfn_to_page(pfn))))
			return true;
		if (!(pfn % 4096))
			cond_resched();
	}
	return false;
}
