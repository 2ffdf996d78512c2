// SPDX-License-Identifier: GPL-2.0
/* What is a macro in linux/workqueue.h, as a function. */
#include <linux/workqueue.h>
#include <daxrmap_helpers.h>

struct workqueue_struct *daxrmap_alloc_workqueue(const char *name)
{
	return alloc_workqueue("daxrmap-%s", WQ_UNBOUND | WQ_MEM_RECLAIM, 0,
			       name);
}
