/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tracepoints, as Documentation/failure.rst tells people: names, order and
 * meaning of the fields are an interface. Blocks count from the start of the
 * mount's part of the device, pages from the start of the file.
 *
 * There is no TRACE_INCLUDE_PATH: Kbuild has the compiler look in our include/
 * too, whichever directory the kernel is built from.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM daxrmap

#if !defined(_TRACE_DAXRMAP_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_DAXRMAP_H

#include <linux/kdev_t.h>
#include <linux/tracepoint.h>
#include <daxrmap_helpers.h>

/* So that `format` has numbers, which user space can evaluate. */
TRACE_DEFINE_ENUM(DAXRMAP_OUTCOME_ABSENT);
TRACE_DEFINE_ENUM(DAXRMAP_OUTCOME_UNMAPPED);
TRACE_DEFINE_ENUM(DAXRMAP_OUTCOME_KILLED);
TRACE_DEFINE_ENUM(DAXRMAP_OUTCOME_MOVED);
TRACE_DEFINE_ENUM(DAXRMAP_HEALED_BY_WRITE);
TRACE_DEFINE_ENUM(DAXRMAP_HEALED_BY_ZERO_RANGE);
TRACE_DEFINE_ENUM(DAXRMAP_HEALED_BY_PUNCH_HOLE);

/* Begins: the blocks are in the bad set, or @err says why they are not. */
TRACE_EVENT(publish,
	TP_PROTO(dev_t dev, u64 block, u64 count, int mf_flags, u64 newly_bad,
		 int err),
	TP_ARGS(dev, block, count, mf_flags, newly_bad, err),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(int, mf_flags)
		__field(u64, block)
		__field(u64, count)
		__field(u64, newly_bad)
		__field(int, errno)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->mf_flags = mf_flags;
		__entry->block = block;
		__entry->count = count;
		__entry->newly_bad = newly_bad;
		__entry->errno = err;
	),
	TP_printk("dev %d:%d block %llu count %llu mf_flags 0x%x newly_bad %llu errno %d",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->block,
		  __entry->count, __entry->mf_flags, __entry->newly_bad,
		  __entry->errno)
);

/* Ends: every owner has been dealt with. */
TRACE_EVENT(notify,
	TP_PROTO(dev_t dev, u64 block, u64 count, int mf_flags, u64 owners,
		 u64 told, u64 absent, int err),
	TP_ARGS(dev, block, count, mf_flags, owners, told, absent, err),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(int, mf_flags)
		__field(u64, block)
		__field(u64, count)
		__field(u64, owners)
		__field(u64, told)
		__field(u64, absent)
		__field(int, errno)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->mf_flags = mf_flags;
		__entry->block = block;
		__entry->count = count;
		__entry->owners = owners;
		__entry->told = told;
		__entry->absent = absent;
		__entry->errno = err;
	),
	TP_printk("dev %d:%d block %llu count %llu mf_flags 0x%x owners %llu told %llu absent %llu errno %d",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->block,
		  __entry->count, __entry->mf_flags, __entry->owners,
		  __entry->told, __entry->absent, __entry->errno)
);

/* Between them: what was done about a run of pages of one owner. */
TRACE_EVENT(owner,
	TP_PROTO(dev_t dev, u64 ino, u64 pgoff, u64 count, u64 block,
		 enum daxrmap_outcome outcome, int err),
	TP_ARGS(dev, ino, pgoff, count, block, outcome, err),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned int, outcome)
		__field(u64, ino)
		__field(u64, pgoff)
		__field(u64, count)
		__field(u64, block)
		__field(int, errno)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->outcome = outcome;
		__entry->ino = ino;
		__entry->pgoff = pgoff;
		__entry->count = count;
		__entry->block = block;
		__entry->errno = err;
	),
	TP_printk("dev %d:%d ino %llu pgoff %llu count %llu block %llu outcome %s errno %d",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->pgoff, __entry->count, __entry->block,
		  __print_symbolic(__entry->outcome,
				   { DAXRMAP_OUTCOME_ABSENT, "absent" },
				   { DAXRMAP_OUTCOME_UNMAPPED, "unmapped" },
				   { DAXRMAP_OUTCOME_KILLED, "killed" },
				   { DAXRMAP_OUTCOME_MOVED, "moved" }),
		  __entry->errno)
);

/* A run of bad blocks of one file was replaced; -1: by a hole. */
TRACE_EVENT(heal,
	TP_PROTO(dev_t dev, u64 ino, u64 pgoff, u64 count, u64 old_block,
		 s64 new_block, enum daxrmap_healed_by by),
	TP_ARGS(dev, ino, pgoff, count, old_block, new_block, by),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned int, by)
		__field(u64, ino)
		__field(u64, pgoff)
		__field(u64, count)
		__field(u64, old_block)
		__field(s64, new_block)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->by = by;
		__entry->ino = ino;
		__entry->pgoff = pgoff;
		__entry->count = count;
		__entry->old_block = old_block;
		__entry->new_block = new_block;
	),
	TP_printk("dev %d:%d ino %llu pgoff %llu count %llu old_block %llu new_block %lld by %s",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->pgoff, __entry->count, __entry->old_block,
		  __entry->new_block,
		  __print_symbolic(__entry->by,
				   { DAXRMAP_HEALED_BY_WRITE, "write" },
				   { DAXRMAP_HEALED_BY_ZERO_RANGE, "zero_range" },
				   { DAXRMAP_HEALED_BY_PUNCH_HOLE, "punch_hole" }))
);

#endif

#include <trace/define_trace.h>
