// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that asked to be told early of failed memory, and have a place in
 * their address space for it, but no page table entry: mf_dax_kill_procs()
 * leaves them out. And whether those are told early that asked for nothing.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <daxrmap_helpers.h>
#include "early_kill.h"

/*
 * An area with pages of its own may have one here, instead of the file's: nobody knows
 * without its page tables.
 */
static bool may_be_the_files(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_SHARED) || !vma->anon_vma;
}

/*
 * vm.memory_failure_early_kill, whose variable is not exported: its file of /proc, in a
 * mount that nobody sees. Whoever asks reads it as the kernel, for he may be anybody who has met poison.
 */
static struct {
	struct vfsmount *proc;
	struct file *file;
	const struct cred *cred;
} early_kill;

/* For once, when the module is loaded; sleeps. If it cannot be opened, nobody knows what it says. */
void daxrmap_early_kill_open(void)
{
	struct file_system_type *type = get_fs_type("proc");
	struct vfsmount *proc;

	if (!type)
		return;
	proc = kern_mount(type);
	module_put(type->owner);
	if (IS_ERR(proc))
		return;
	early_kill.proc = proc;
	early_kill.cred = prepare_kernel_cred(&init_task);
	early_kill.file = file_open_root_mnt(proc, "sys/vm/memory_failure_early_kill",
					     O_RDONLY, 0);
	if (IS_ERR(early_kill.file))
		early_kill.file = NULL;
}

void daxrmap_early_kill_close(void)
{
	if (early_kill.file)
		__fput_sync(early_kill.file);
	if (early_kill.cred)
		put_cred(early_kill.cred);
	if (early_kill.proc)
		kern_unmount(early_kill.proc);
}

/* What it says: 0 or 1; negative if nobody knows. Does not wait for memory. */
int daxrmap_early_kill(void)
{
	const struct cred *old;
	unsigned int flags;
	loff_t pos = 0;
	ssize_t n;
	char c;

	if (!early_kill.file || !early_kill.cred)
		return -ENOENT;
	flags = memalloc_noreclaim_save();
	old = override_creds(early_kill.cred);
	n = kernel_read(early_kill.file, &c, 1, &pos);
	revert_creds(old);
	memalloc_noreclaim_restore(flags);
	return n == 1 ? c != '0' : -EIO;
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
		t = daxrmap_early_thread(process, always);
		if (!t || !t->mm)
			continue;
		for (vma = daxrmap_area_iter_first(&mapping->i_mmap, index, index);
		     vma; vma = daxrmap_area_iter_next(vma, index, index)) {
			if (vma->vm_mm != t->mm || !may_be_the_files(vma))
				continue;
			addr = daxrmap_address(vma, index);
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
