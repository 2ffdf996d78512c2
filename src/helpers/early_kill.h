/* SPDX-License-Identifier: GPL-2.0 */
/* Who has a page of a file in an area, and who of them is told early of failed memory: as in mm/memory-failure.c. */
#ifndef DAXRMAP_EARLY_KILL_H
#define DAXRMAP_EARLY_KILL_H

#include <linux/interval_tree_generic.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

static inline unsigned long daxrmap_first_page(struct vm_area_struct *vma)
{
	return vma->vm_pgoff;
}

static inline unsigned long daxrmap_last_page(struct vm_area_struct *vma)
{
	return vma->vm_pgoff + vma_pages(vma) - 1;
}

/* The mapping's tree of areas is mm's, and so is its walk, which is not exported: made of the same template. */
INTERVAL_TREE_DEFINE(struct vm_area_struct, shared.rb, unsigned long,
		     shared.rb_subtree_last, daxrmap_first_page,
		     daxrmap_last_page, static inline __maybe_unused,
		     daxrmap_area)

/* Where an area has page @index of its file. */
static inline unsigned long
daxrmap_address(const struct vm_area_struct *vma, pgoff_t index)
{
	return vma->vm_start + ((index - vma->vm_pgoff) << PAGE_SHIFT);
}

/*
 * The thread that is told for a process that asked for it, as find_early_kill_thread()
 * says. @always: vm.memory_failure_early_kill. The caller holds RCU.
 */
static inline struct task_struct *
daxrmap_early_thread(struct task_struct *process, bool always)
{
	struct task_struct *t;

	for_each_thread(process, t) {
		if (t->flags & PF_MCE_PROCESS) {
			if (t->flags & PF_MCE_EARLY)
				return t;
		} else if (always) {
			return t;
		}
	}
	return NULL;
}

#endif
