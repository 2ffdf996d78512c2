/* SPDX-License-Identifier: GPL-2.0 */
/* The directory that all processes change. */
#ifndef DAXRMAP_FSSTRESS_SHARED_H
#define DAXRMAP_FSSTRESS_SHARED_H

#define SHARED_DIR	"shared"

/* Files there have no bytes, or so many, which one write has written. */
enum { WHOLE = 4096 };

#endif
