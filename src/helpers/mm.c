// SPDX-License-Identifier: GPL-2.0
/* What is inline in linux/mm.h, linux/sched.h, linux/sched/mm.h, linux/uaccess.h and linux/uio.h, as functions. */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <daxrmap_helpers.h>

unsigned int daxrmap_memalloc_nofs_save(void)
{
	return memalloc_nofs_save();
}

void daxrmap_memalloc_nofs_restore(unsigned int flags)
{
	memalloc_nofs_restore(flags);
}

void daxrmap_pagefault_disable(void)
{
	pagefault_disable();
}

void daxrmap_pagefault_enable(void)
{
	pagefault_enable();
}

void daxrmap_iov_iter_truncate(struct iov_iter *iter, size_t count)
{
	iov_iter_truncate(iter, count);
}

void daxrmap_iov_iter_reexpand(struct iov_iter *iter, size_t count)
{
	iov_iter_reexpand(iter, count);
}

void daxrmap_cond_resched(void)
{
	cond_resched();
}

bool daxrmap_fatal_signal_pending(void)
{
	return fatal_signal_pending(current);
}
