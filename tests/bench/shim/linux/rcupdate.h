/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel's rbtree headers want of its RCU, for one thread in
 * userspace.
 */
#ifndef BENCH_LINUX_RCUPDATE_H
#define BENCH_LINUX_RCUPDATE_H

#include <stdbool.h>
#include <stddef.h>

#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)
#define rcu_dereference_raw(p) __atomic_load_n(&(p), __ATOMIC_RELAXED)

#endif /* BENCH_LINUX_RCUPDATE_H */
