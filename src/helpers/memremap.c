// SPDX-License-Identifier: GPL-2.0
/* What is a field in linux/memremap.h, as functions. */
#include <linux/memremap.h>
#include <linux/pfn.h>
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
