/* SPDX-License-Identifier: GPL-2.0 */
/* What is where on the device of a mount. */
#ifndef DAXRMAP_TEST_PLACES_H
#define DAXRMAP_TEST_PLACES_H

#include <linux/fsmap.h>

/* As XFS has them. */
#define DR_OWN_FS	FMR_OWNER('X', 1)
#define DR_OWN_LOG	FMR_OWNER('X', 2)
#define DR_OWN_BAD	FMR_OWNER('X', 8)	/* bad, and nobody's */

/* What to ask FS_IOC_GETFSMAP for all, `count` at a time: to be freed. NULL: no memory. */
struct fsmap_head *dr_fsmap_head(unsigned int count);

/* All that FS_IOC_GETFSMAP says, in its order: 0 or -errno. @dir: a file or directory of the mount. */
int dr_places(int dir, void (*visit)(const struct fsmap *rec, void *arg), void *arg);

#endif
