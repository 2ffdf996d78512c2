// SPDX-License-Identifier: GPL-2.0
/*
 * cachestat(2) takes each value in a file's XArray for the shadow of a page that was
 * evicted, and asks workingset_test_recent() about it. A DAX entry is no shadow: bits
 * of its page frame number stand where a shadow has the node, there is no such node, and
 * the kernel oopses. Whoever may open a DAX file for writing can do that.
 *
 * The kernel asks no operation of the file before that. So a kprobe at the entry of
 * workingset_test_recent() looks whether the node exists. If not, the probe answers for
 * the kernel: "not recent", which is true. Shadows have nodes that exist, and go on as ever.
 *
 * The probe is there while the module is, unless that was loaded with guard_cachestat=0.
 */
#include <linux/kprobes.h>
#include <linux/mmzone.h>
#include <linux/ptrace.h>
#include <linux/xarray.h>
#include <daxrmap_helpers.h>

#ifdef CONFIG_NUMA

/* As in mm/workingset.c: one bit, then the node. */
static unsigned int node_of(void *shadow)
{
	return xa_to_value(shadow) >> 1 & (MAX_NUMNODES - 1);
}

/*
 * In the place of workingset_test_recent(). cachestat() calls that under
 * rcu_read_lock(), which unregister_kprobe() waits for.
 */
static noinline notrace bool not_recent(void)
{
	return false;
}

static int at_entry(struct kprobe *p, struct pt_regs *regs)
{
	if (NODE_DATA(node_of((void *)regs_get_kernel_argument(regs, 0))))
		return 0;
	instruction_pointer_set(regs, (unsigned long)not_recent);
	return 1;
}
NOKPROBE_SYMBOL(at_entry);

/* With one the kprobe may set the instruction pointer. */
static void after_entry(struct kprobe *p, struct pt_regs *regs,
			unsigned long flags)
{
}
NOKPROBE_SYMBOL(after_entry);

static struct kprobe probe = {
	.symbol_name = "workingset_test_recent",
	.pre_handler = at_entry,
	.post_handler = after_entry,
};

int daxrmap_guard_shadows(void)
{
	return register_kprobe(&probe);
}

void daxrmap_unguard_shadows(void)
{
	unregister_kprobe(&probe);
}

#else

/* The only node exists: there is nothing to guard. */
int daxrmap_guard_shadows(void)
{
	return 0;
}

void daxrmap_unguard_shadows(void)
{
}

#endif
