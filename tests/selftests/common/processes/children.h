/* SPDX-License-Identifier: GPL-2.0 */
/* Functions that run in a child. */
#ifndef DAXRMAP_TEST_CHILDREN_H
#define DAXRMAP_TEST_CHILDREN_H

#include <stddef.h>
#include <sys/types.h>

/* Runs fn(arg) in a child: its result (0..125), or -1 if it died. */
pid_t dr_spawn(int (*fn)(void *), void *arg);
int dr_wait(pid_t pid);
/* The same, but -ETIMEDOUT if it still runs after `ms` milliseconds. */
int dr_wait_for(pid_t pid, int ms);
/* Zeroed memory that children share. */
void *dr_shared_mem(size_t size);
/* This process's minor faults so far. */
long dr_faults(void);

#endif
