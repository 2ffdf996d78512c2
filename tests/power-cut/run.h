/* SPDX-License-Identifier: GPL-2.0 */
/* Does the workers' operations on the mount. */
#ifndef POWER_CUT_RUN_H
#define POWER_CUT_RUN_H

#include "model.h"

/* Below the mount; one of a few rotating buffers. */
const char *slot_path(const struct model *m, int slot);
const char *extra_dir(const struct model *m);
/* 0 or an errno. What it has done is durable. */
int op_run(const struct model *m, const struct op *op);

#endif
