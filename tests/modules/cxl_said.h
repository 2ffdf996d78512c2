/* SPDX-License-Identifier: GPL-2.0 */
/* A trace event of the name, and with the fields, that drivers/cxl has; in another order, and with less. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cxl

#if !defined(DAXRMAP_TEST_CXL_SAID_H) || defined(TRACE_HEADER_MULTI_READ)
#define DAXRMAP_TEST_CXL_SAID_H

#include <linux/tracepoint.h>

TRACE_EVENT(cxl_poison,
	TP_PROTO(u64 address, u32 length, u8 type),
	TP_ARGS(address, length, type),
	TP_STRUCT__entry(
		__field(u8, trace_type)
		__string(region, "")
		__field(u8, flags)
		__field(u32, dpa_length)
		__field(u64, dpa)
		__field(u64, hpa)
	),
	TP_fast_assign(
		__entry->trace_type = type;
		__assign_str(region);
		__entry->flags = 0;
		__entry->dpa_length = length;
		__entry->dpa = 0;
		__entry->hpa = address;
	),
	TP_printk("hpa=%#llx length=%#x type=%u", __entry->hpa, __entry->dpa_length,
		  __entry->trace_type)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE cxl_said
#include <trace/define_trace.h>
