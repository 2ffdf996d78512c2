/* SPDX-License-Identifier: GPL-2.0 */
/* The module goes, and comes back. */
#ifndef DAXRMAP_TEST_MODULE_H
#define DAXRMAP_TEST_MODULE_H

const char *dr_module_file(void);	/* NULL: none here; set DAXRMAP_KO */
int dr_rmmod(void);			/* 0 or -errno; does not wait */
int dr_insmod(void);

#endif
