/* SPDX-License-Identifier: GPL-2.0 */
/* Allocations of this process that fail: needs a kernel with failslab. */
#ifndef DAXRMAP_TEST_INJECT_H
#define DAXRMAP_TEST_INJECT_H

#include <stdbool.h>

#define DR_ALL	0

/* Opens what the others need. -ENOENT: the kernel has no fault injection. */
int dr_inject_start(void);
void dr_inject_end(void);		/* for all processes */
/*
 * What fn(arg) says while the nth allocation (from 1 on, or DR_ALL) of this
 * process fails, of slabs or pages, whatever its flags. *hit: whether one did
 * (always for DR_ALL).
 */
int dr_inject(int nth, int (*fn)(void *), void *arg, bool *hit);

/* Whether all allocations of the kernel's unbound workers fail that there are now. 0 or -errno. */
int dr_inject_workers(bool fail);

#endif
