/* SPDX-License-Identifier: GPL-2.0 */
/* Volumes of LVM, over both pmem devices. */
#ifndef DAXRMAP_TEST_LVM_H
#define DAXRMAP_TEST_LVM_H

#include <stdbool.h>

#define VOLUME	"/dev/vg/lv"

bool dr_has_lvm(void);
/* What lvm(8) is told; its exit status. What it says goes to /tmp/lvm.out. */
int dr_lvm(const char *command);
/* Both devices make the group "vg": 0 or -errno. They are overwritten. */
int dr_lvm_group(void);
/* The volume "lv" of it, `how` being more for lvcreate(8), with ext4 or XFS, mounted. */
int dr_lvm_volume(const char *fs, const char *how);
/* There is no group any more; nothing of it may be mounted. */
void dr_lvm_drop(void);

#endif
