// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints of the kernel whose symbols are not exported, by name; and what is
 * inline in linux/tracepoint.h, as a function.
 */
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <daxrmap_helpers.h>

struct wanted {
	const char *name;
	struct tracepoint *found;
};

static void look_at(struct tracepoint *tp, void *data)
{
	struct wanted *wanted = data;

	if (!strcmp(tp->name, wanted->name))
		wanted->found = tp;
}

/* One that is compiled into the kernel, and so does not go. */
struct tracepoint *daxrmap_find_tracepoint(const char *name)
{
	struct wanted wanted = { .name = name };

	for_each_kernel_tracepoint(look_at, &wanted);
	return wanted.found;
}

void daxrmap_tracepoint_synchronize(void)
{
	tracepoint_synchronize_unregister();
}

/*
 * What a signal tells of failed memory: nothing (0), or the address, and how
 * much there is of it, as a power of 2.
 */
unsigned long daxrmap_failed_address(int sig,
				     const struct kernel_siginfo *info,
				     int *shift)
{
	/* SEND_SIG_NOINFO and SEND_SIG_PRIV are no pointers. */
	if (sig != SIGBUS || info <= SEND_SIG_PRIV)
		return 0;
	if (info->si_code != BUS_MCEERR_AO && info->si_code != BUS_MCEERR_AR)
		return 0;
	*shift = info->si_addr_lsb;
	return (unsigned long)info->si_addr;
}

int daxrmap_task_process(const struct task_struct *task)
{
	return task->tgid;
}
