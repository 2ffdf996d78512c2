// SPDX-License-Identifier: GPL-2.0
/* What is where on the device of a mount. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "places.h"
#include "common/basics/text.h"

#define BATCH	256

struct fsmap_head *dr_fsmap_head(unsigned int count)
{
	struct fsmap_head *h = calloc(1, fsmap_sizeof(count));

	if (!h)
		return NULL;
	h->fmh_count = count;
	memset(&h->fmh_keys[1], 0xff, sizeof(h->fmh_keys[1]));
	h->fmh_keys[1].fmr_length = 0;	/* XFS wants it so */
	memset(h->fmh_keys[1].fmr_reserved, 0, sizeof(h->fmh_keys[1].fmr_reserved));
	return h;
}

int dr_places(int dir, void (*visit)(const struct fsmap *rec, void *arg), void *arg)
{
	struct fsmap_head *h = dr_fsmap_head(BATCH);
	bool last = false;
	int r = 0;

	if (!h)
		return -ENOMEM;
	while (!last) {
		if (ioctl(dir, FS_IOC_GETFSMAP, h)) {
			r = dr_errno();
			break;
		}
		last = !h->fmh_entries;
		for (unsigned int i = 0; i < h->fmh_entries; i++) {
			visit(&h->fmh_recs[i], arg);
			last = h->fmh_recs[i].fmr_flags & FMR_OF_LAST;
		}
		if (!last)
			fsmap_advance(h);
	}
	free(h);
	return r;
}
