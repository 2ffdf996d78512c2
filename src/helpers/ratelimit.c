// SPDX-License-Identifier: GPL-2.0
/* What is inline in linux/ratelimit.h, as functions. */
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <daxrmap_helpers.h>

void daxrmap_ratelimit_init(struct ratelimit_state *rs, unsigned int seconds,
			    int burst)
{
	ratelimit_state_init(rs, seconds * HZ, burst);
}

/*
 * What ___ratelimit() says when it allows a line again, for those that were
 * suppressed since. (ratelimit_state_exit() would name the current process.)
 */
void daxrmap_ratelimit_exit(struct ratelimit_state *rs, const char *what)
{
	int missed = ratelimit_state_reset_miss(rs);

	if (missed)
		printk(KERN_WARNING "%s: %d callbacks suppressed\n", what, missed);
}
