// SPDX-License-Identifier: GPL-2.0
/*
 * Telling who maps failed pages of many files, with one walk over all processes;
 * mf_dax_kill_procs() makes one for each page of each file. Who is told, and what,
 * is as there. The walk notes only which process has which address space; what a
 * process asked for is asked when a page of its comes.
 */
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <daxrmap_helpers.h>
#include "early_kill.h"

struct process {
	struct process *next;
	/* Of what it had by the time of the walk. Only to be compared: it may be gone. */
	const struct mm_struct *mm;
	/* With a reference. */
	struct task_struct *leader;
};

/* A page of them. */
struct some_processes {
	struct some_processes *next;
	unsigned int count;
	struct process all[];
};

/* Who is to be told of a page. */
struct recipient {
	/* With a reference; NULL: has been told. */
	struct task_struct *task;
	unsigned long addr;
	/* How much of the file is mapped there, as a power of 2. */
	short shift;
};

struct recipients {
	unsigned int count;
	struct recipient all[];
};

#define IN_A_PAGE(type) \
	((PAGE_SIZE - sizeof(type)) / sizeof(((type *)NULL)->all[0]))
#define HEADS	(PAGE_SIZE / sizeof(void *) - 2)

/* Of a page too: all that is needed is had a page at a time. */
struct daxrmap_processes {
	struct some_processes *some;
	struct recipients *recipients;
	/* By the address space. */
	struct process *heads[HEADS];
};

static void *new_page(void)
{
	return (void *)__get_free_page(GFP_NOWAIT | __GFP_NOWARN | __GFP_ZERO);
}

static struct process **head(struct daxrmap_processes *set,
			     const struct mm_struct *mm)
{
	return &set->heads[hash_ptr(mm, 32) % HEADS];
}

static bool enter(struct daxrmap_processes *set, struct task_struct *leader,
		  const struct mm_struct *mm)
{
	struct some_processes *some = set->some;
	struct process **first = head(set, mm), *process;

	if (!some || some->count == IN_A_PAGE(struct some_processes)) {
		some = new_page();
		if (!some)
			return false;
		some->next = set->some;
		set->some = some;
	}
	process = &some->all[some->count++];
	process->leader = get_task_struct(leader);
	process->mm = mm;
	process->next = *first;
	*first = process;
	return true;
}

void daxrmap_processes_free(struct daxrmap_processes *set)
{
	struct some_processes *some, *next;

	for (some = set->some; some; some = next) {
		next = some->next;
		for (unsigned int i = 0; i < some->count; i++)
			put_task_struct(some->all[i].leader);
		free_page((unsigned long)some);
	}
	free_page((unsigned long)set->recipients);
	free_page((unsigned long)set);
}

/* All processes of this moment; NULL without memory. Does not wait for any. */
struct daxrmap_processes *daxrmap_processes_new(void)
{
	struct daxrmap_processes *set = new_page();
	struct task_struct *leader;
	bool all = true;

	if (!set)
		return NULL;
	set->recipients = new_page();
	rcu_read_lock();
	for_each_process(leader) {
		const struct mm_struct *mm = READ_ONCE(leader->mm);

		all = !mm || enter(set, leader, mm);
		if (!all)
			break;
	}
	rcu_read_unlock();
	if (all && set->recipients)
		return set;
	daxrmap_processes_free(set);
	return NULL;
}

/*
 * How much an area maps at @addr, as a power of 2, if frame @pfn is there; 0 if
 * nothing is, or another page. As dev_pagemap_mapping_shift() in mm/memory-failure.c, for which
 * whatever is there is the file's page; it may be a copy, which is the process's own. The caller
 * holds i_mmap_rwsem, which keeps the tables of an area that is in the tree, and RCU.
 */
static short mapped_shift(struct vm_area_struct *vma, unsigned long addr,
			  unsigned long pfn)
{
	unsigned long page = addr >> PAGE_SHIFT;
	pgd_t *pgd = pgd_offset(vma->vm_mm, addr);
	p4d_t *p4d;
	pud_t *pud, pudval;
	pmd_t *pmd, pmdval;
	pte_t pte;

	if (!pgd_present(*pgd))
		return 0;
	p4d = p4d_offset(pgd, addr);
	if (!p4d_present(*p4d))
		return 0;
	pud = pud_offset(p4d, addr);
	pudval = READ_ONCE(*pud);
	if (!pud_present(pudval) || pud_leaf(pudval))
		return 0;
	pmd = pmd_offset(&pudval, addr);
	pmdval = pmdp_get_lockless(pmd);
	if (!pmd_present(pmdval))
		return 0;
	if (pmd_leaf(pmdval))
		return pmd_pfn(pmdval) + page % PTRS_PER_PTE == pfn ? PMD_SHIFT : 0;
	pte = ptep_get(pte_offset_kernel(&pmdval, addr));
	return pte_present(pte) && pte_pfn(pte) == pfn ? PAGE_SHIFT : 0;
}

/*
 * Whether one SIGBUS more to current would change nothing. Only then may it be sent here: the kernel
 * forces it upon who blocks or ignores it, by a function that is not exported.
 */
static bool current_is_told(void)
{
	return sigismember(&current->pending.signal, SIGBUS) &&
	       !sigismember(&current->blocked, SIGBUS);
}

static bool add(struct recipients *to, struct task_struct *task,
		unsigned long addr, short shift)
{
	if (to->count == IN_A_PAGE(struct recipients))
		return false;
	to->all[to->count++] = (struct recipient){
		.task = get_task_struct(task),
		.addr = addr,
		.shift = shift,
	};
	return true;
}

/*
 * Adds whom an area's page at @addr is to be told to. False if that is not known, because the process was
 * not there at the time of the walk; or if there is no room, or current is to be forced.
 */
static bool collect(struct daxrmap_processes *set, struct vm_area_struct *vma,
		    unsigned long addr, short shift, bool always)
{
	const struct mm_struct *mm = vma->vm_mm;
	struct process *process;
	bool known = false;

	for (process = *head(set, mm); process; process = process->next) {
		struct task_struct *task;

		/* There may have been one of that address before. */
		if (process->mm != mm || READ_ONCE(process->leader->mm) != mm)
			continue;
		known = true;
		if (mm != current->mm)
			task = daxrmap_early_thread(process->leader, always);
		else if (current_is_told())
			task = current;
		else
			return false;
		if (task && !add(set->recipients, task, addr, shift))
			return false;
	}
	return known;
}

/* A process that is told of several addresses is told of them one after the other. */
static void send(struct recipients *to)
{
	for (unsigned int i = 0; i < to->count; i++) {
		struct task_struct *task = to->all[i].task;

		for (unsigned int j = i; task && j < to->count; j++) {
			struct recipient *it = &to->all[j];

			if (it->task != task)
				continue;
			send_sig_mceerr(task == current ? BUS_MCEERR_AR :
							  BUS_MCEERR_AO,
					(void __user *)it->addr, it->shift, task);
			it->task = NULL;
			put_task_struct(task);
		}
	}
	to->count = 0;
}

static void forget(struct recipients *to)
{
	for (unsigned int i = 0; i < to->count; i++)
		put_task_struct(to->all[i].task);
	to->count = 0;
}

/*
 * Signals who maps page @index of the file, which is frame @pfn, as far as they are to be told
 * early, after it was unmapped from all. False if nobody was, nor the page unmapped:
 * mf_dax_kill_procs() knows. @always: vm.memory_failure_early_kill. The caller holds
 * invalidate_lock exclusively, so that nobody is about to map the page.
 */
bool daxrmap_processes_tell(struct daxrmap_processes *set, struct inode *inode,
			    pgoff_t index, unsigned long pfn, bool always)
{
	struct address_space *mapping = inode->i_mapping;
	struct vm_area_struct *vma;
	bool known = true;

	i_mmap_lock_read(mapping);
	rcu_read_lock();
	for (vma = daxrmap_area_iter_first(&mapping->i_mmap, index, index);
	     vma && known; vma = daxrmap_area_iter_next(vma, index, index)) {
		unsigned long addr = daxrmap_address(vma, index);
		short shift = mapped_shift(vma, addr, pfn);

		known = !shift || collect(set, vma, addr, shift, always);
	}
	rcu_read_unlock();
	i_mmap_unlock_read(mapping);
	if (!known) {
		forget(set->recipients);
		return false;
	}
	if (set->recipients->count) {
		unmap_mapping_range(mapping, (loff_t)index << PAGE_SHIFT,
				    PAGE_SIZE, 0);
		send(set->recipients);
	}
	return true;
}
