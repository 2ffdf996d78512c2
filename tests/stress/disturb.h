/* SPDX-License-Identifier: GPL-2.0 */
/* What goes on around the guard meanwhile. */
#ifndef DAXRMAP_STRESS_DISTURB_H
#define DAXRMAP_STRESS_DISTURB_H

#include <stdbool.h>

/* A process of its own does it; STRESS_DISTURB is "mounts tables freezes switches modules", or less. */
void start_to_disturb(void);
void stop_to_disturb(void);
bool all_disturbed(void);		/* each of them, once at least */
/* As the subject's filesystem. */
int guarded_mount(const char *dev, const char *mnt);

#endif
