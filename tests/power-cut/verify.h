/* SPDX-License-Identifier: GPL-2.0 */
/* The oracle: whether the mount is as the workers' models say. */
#ifndef POWER_CUT_VERIFY_H
#define POWER_CUT_VERIFY_H

#include "model.h"

/*
 * How many things are not as they must be; `loud`: says so. Where `then` is
 * given, `op` may have been under way from `m` to that: each of its bytes is
 * there or not.
 */
int verify_worker(const struct model *m, const struct model *then, const struct op *op,
		  bool loud);
/* What no worker knows alone: bad blocks, lost pages, free blocks. */
int verify_all(const struct model *m, bool writable);
/* The size of an operation's file, in bytes, or -errno. */
long size_of(const struct model *m, int slot);

#endif
