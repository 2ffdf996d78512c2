// SPDX-License-Identifier: GPL-2.0
/*
 * Poison that nobody knows of: while this is loaded the kernel has the page frames `pfns` not in
 * its own map, as after a machine check, and nothing else says so. Its copies fail as they do upon
 * real poison, by the same table of exceptions; processes that map a page read it.
 */
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pfn.h>
#include <linux/set_memory.h>

static unsigned long pfns[64];
static int count;
module_param_array(pfns, ulong, &count, 0);

static void put_back(int n)
{
	while (n--)
		clear_mce_nospec(pfns[n]);
}

static int __init latent_init(void)
{
	for (int i = 0; i < count; i++) {
		int err = set_mce_nospec(pfns[i]);

		if (err) {
			put_back(i);
			return err;
		}
	}
	return 0;
}

static void __exit latent_exit(void)
{
	put_back(count);
}

module_init(latent_init);
module_exit(latent_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Pages whose poison nobody knows of");
