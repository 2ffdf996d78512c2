/* SPDX-License-Identifier: GPL-2.0 */
/* Poison that nobody knows of yet: tests/modules/latent.c. */
#ifndef DAXRMAP_TEST_LATENT_H
#define DAXRMAP_TEST_LATENT_H

#include <stdbool.h>

bool dr_latent_there(void);		/* the module that makes it */
/* From here on the kernel cannot read these page frames, 64 at most. 0 or -errno. */
int dr_latent(const long *pfns, int n);
/* It can again; no matter if it could. Before their device goes. */
int dr_latent_off(void);

#endif
