// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that asked to be told early of failed memory, and have a place in
 * their address space for it, but no page table entry: mf_dax_kill_procs()
 * leaves them out.
 */
#include <linux/fs.h>
#include <linux/interval_tree_generic.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <daxrmap_helpers.h>

static inline unsigned long first_page(struct vm_area_struct *vma)
{
	return vma->vm_pgoff;
}

static inline unsigned long last_page(struct vm_area_struct *vma)
{
	return vma->vm_pgoff + vma_pages(vma) - 1;
}

/* The mapping's tree of areas is mm's, and so is its walk, which is not exported: made of the same template. */
INTERVAL_TREE_DEFINE(struct vm_area_struct, shared.rb, unsigned long,
		     shared.rb_subtree_last, first_page, last_page,
		     static inline __maybe_unused, daxrmap_area)

/* As find_early_kill_thread() in mm/memory-failure.c. @always: vm.memory_failure_early_kill. */
static struct task_struct *early_thread(struct task_struct *process, bool always)
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

/*
 * An area with pages of its own may have one here, instead of the file's: nobody knows
 * without its page tables.
 */
static bool may_be_the_files(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_SHARED) || !vma->anon_vma;
}

/*
 * vm.memory_failure_early_kill, whose variable is not exported. For a kernel thread, which has the
 * first root directory.
 */
bool daxrmap_early_kill_is_default(void)
{
	struct file *file = filp_open("/proc/sys/vm/memory_failure_early_kill",
				      O_RDONLY, 0);
	loff_t pos = 0;
	char c = '0';

	if (IS_ERR(file))
		return false;
	if (kernel_read(file, &c, 1, &pos) != 1)
		c = '0';
	filp_close(file, NULL);
	return c == '1';
}

/*
 * Signals each process that asks for it and has page @index of the file in an
 * area, unless @told says that it has been told of that address. Returns
 * how many. The caller holds invalidate_lock; nobody may wait for it here.
 */
unsigned int daxrmap_signal_early(struct inode *inode, pgoff_t index, bool always,
				  bool (*told)(void *data, int process,
					       unsigned long addr),
				  void *data)
{
	struct address_space *mapping = inode->i_mapping;
	struct task_struct *process, *t;
	struct vm_area_struct *vma;
	unsigned int signalled = 0;
	unsigned long addr;

	i_mmap_lock_read(mapping);
	rcu_read_lock();
	for_each_process(process) {
		t = early_thread(process, always);
		if (!t || !t->mm)
			continue;
		for (vma = daxrmap_area_iter_first(&mapping->i_mmap, index, index);
		     vma; vma = daxrmap_area_iter_next(vma, index, index)) {
			if (vma->vm_mm != t->mm || !may_be_the_files(vma))
				continue;
			addr = vma->vm_start +
			       ((index - vma->vm_pgoff) << PAGE_SHIFT);
			if (told(data, process->tgid, addr))
				continue;
			if (!send_sig_mceerr(BUS_MCEERR_AO, (void __user *)addr,
					     PAGE_SHIFT, t))
				signalled++;
		}
	}
	rcu_read_unlock();
	i_mmap_unlock_read(mapping);
	return signalled;
}
