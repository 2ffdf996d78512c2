/* SPDX-License-Identifier: GPL-2.0 */
/* Does with a mount what one does, whatever is in it. */
#ifndef DAXRMAP_TEST_VISIT_H
#define DAXRMAP_TEST_VISIT_H

#include <stdbool.h>

/*
 * Walks, reads, asks; if it is writable also changes: as dr_pick() says. Errors are
 * fine, but what was written must be read: -EILSEQ if not.
 */
int dr_visit(bool writable);

#endif
