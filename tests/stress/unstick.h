/* SPDX-License-Identifier: GPL-2.0 */
/* A fault of the kernel's own that would end the test. */
#ifndef DAXRMAP_STRESS_UNSTICK_H
#define DAXRMAP_STRESS_UNSTICK_H

/* A process of its own, until w->guard.disturbing is 0. */
void start_to_unstick(void);
void stop_to_unstick(void);

#endif
