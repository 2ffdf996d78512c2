/* SPDX-License-Identifier: GPL-2.0 */
/* All that a mount has, as text: to be the same after the next mount. */
#ifndef DAXRMAP_TEST_SNAPSHOT_H
#define DAXRMAP_TEST_SNAPSHOT_H

/*
 * What is where on the device, what is lost, and each file with its attributes
 * and a sum of its contents. To be freed by the caller; NULL and errno.
 */
char *dr_snapshot(void);
/*
 * Unmounts, mounts again, and compares: 0, -EILSEQ after it was said what
 * differs, or -errno. The mount is there then, unless that is what failed.
 */
int dr_persists(void);

#endif
