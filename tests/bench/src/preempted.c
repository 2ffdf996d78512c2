// SPDX-License-Identifier: GPL-2.0
/*
 * How often the kernel has taken the processor away from this thread: what
 * an operation took includes that, so measure.rs wants to know.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/resource.h>

uint64_t bench_preempted(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? 0 : usage.ru_nivcsw;
}
