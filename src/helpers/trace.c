// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints of trace/events/daxrmap.h, and a function for each. A static
 * key in it makes the call all that a tracepoint costs while it is off.
 */
#include <daxrmap_helpers.h>
#define CREATE_TRACE_POINTS
#include <trace/events/daxrmap.h>

void daxrmap_trace_publish(dev_t dev, u64 block, u64 count, int mf_flags,
			   u64 newly_bad, int err)
{
	trace_publish(dev, block, count, mf_flags, newly_bad, err);
}

void daxrmap_trace_notify(dev_t dev, u64 block, u64 count, int mf_flags,
			  u64 owners, u64 told, u64 absent, int err)
{
	trace_notify(dev, block, count, mf_flags, owners, told, absent, err);
}

void daxrmap_trace_owner(dev_t dev, u64 ino, u64 pgoff, u64 count, u64 block,
			 enum daxrmap_outcome outcome, int err)
{
	trace_owner(dev, ino, pgoff, count, block, outcome, err);
}

bool daxrmap_trace_heal_enabled(void)
{
	return trace_heal_enabled();
}

void daxrmap_trace_heal(dev_t dev, u64 ino, u64 pgoff, u64 count,
			u64 old_block, s64 new_block,
			enum daxrmap_healed_by by)
{
	trace_heal(dev, ino, pgoff, count, old_block, new_block, by);
}
