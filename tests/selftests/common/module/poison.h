/* SPDX-License-Identifier: GPL-2.0 */
/* Poisons pages. */
#ifndef DAXRMAP_TEST_POISON_H
#define DAXRMAP_TEST_POISON_H

long dr_pfn_of(const void *addr);	/* a page mapped here, from pagemap */
long dr_pfn_of_block(long block);	/* of the mount's part of the device */
/* Of a file's page, wherever its filesystem is: maps it, and lets it go again. */
long dr_pfn_in_file(const char *name, unsigned long blk);
int dr_poison_addr(void *addr);		/* MADV_HWPOISON here */
int dr_poison_pfn(unsigned long pfn);	/* hwpoison_inject */
/* corrupt-pfn of a file's block: nobody maps it for that. */
int dr_poison(const char *name, unsigned long blk);
int dr_early_kill(int on);		/* the sysctl */

#endif
