// SPDX-License-Identifier: GPL-2.0
/* How well files and free space hang together. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include "../selftests/common/basics/text.h"
#include "../selftests/common/device/mount.h"
#include "../selftests/common/device/places.h"
#include "../selftests/common/files/files.h"
#include "../selftests/common/module/debugfs.h"
#include "aging.h"

#define BATCH	256
#define ODD	(FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_ENCODED | \
		 FIEMAP_EXTENT_DATA_INLINE | FIEMAP_EXTENT_NOT_ALIGNED)

/* Bytes of a file, and where they are: whatever flags say, a run is what is one on the device. */
struct run {
	long logical, physical, len;
};

static struct {
	struct measure *m;
	unsigned char *seen;		/* of each block of the device, a bit */
	long size;			/* of that, in bytes */
	struct run free;		/* the last one of GETFSMAP */
} now;

static long aligned(long n)
{
	return (n + HUGE - 1) / HUGE * HUGE;
}

static int see_blocks(const struct run *r)
{
	for (long b = r->physical / BLOCK; b < (r->physical + r->len) / BLOCK; b++) {
		if (b / 8 >= now.size)
			return -ERANGE;
		now.m->used += !(now.seen[b / 8] >> b % 8 & 1);
		now.seen[b / 8] |= 1 << b % 8;
	}
	return 0;
}

/* Pieces of the file that this run has whole, at a place where a huge page can be. */
static long huge_in(const struct run *r)
{
	long from = aligned(r->logical), end = r->logical + r->len;

	if ((r->physical - r->logical) % HUGE || from >= end)
		return 0;
	return (end - from) / HUGE;
}

static int end_run(const struct run *r, long *extents, long *huge)
{
	if (!r->len)
		return 0;
	*extents += 1;
	*huge += huge_in(r);
	return see_blocks(r);
}

static int look_at(const struct file *f)
{
	struct extents *sum = &now.m->extents[f->size][f->kind];
	struct pieces *pieces = &now.m->pieces[f->kind];
	static union {
		struct fiemap h;
		char room[sizeof(struct fiemap) + BATCH * sizeof(struct fiemap_extent)];
	} q;
	int r = 0, fd = open(path_of(f), O_RDONLY | O_CLOEXEC);
	long extents = 0, huge = 0, at = 0;
	struct run run = { };
	bool last = false;

	if (fd < 0)
		return dr_errno();
	while (!r && !last) {
		memset(&q.h, 0, sizeof(q.h));
		q.h.fm_start = at;
		q.h.fm_length = ~0UL - at;
		q.h.fm_flags = FIEMAP_FLAG_SYNC;
		q.h.fm_extent_count = BATCH;
		if (ioctl(fd, FS_IOC_FIEMAP, &q))
			r = dr_errno();
		last = !q.h.fm_mapped_extents;
		for (unsigned int i = 0; !r && i < q.h.fm_mapped_extents; i++) {
			const struct fiemap_extent *e = &q.h.fm_extents[i];

			last = e->fe_flags & FIEMAP_EXTENT_LAST;
			at = e->fe_logical + e->fe_length;
			if (e->fe_flags & ODD)
				r = -EPROTO;
			else if (run.len && run.logical + run.len == (long)e->fe_logical &&
				 run.physical + run.len == (long)e->fe_physical)
				run.len += e->fe_length;
			else
				r = end_run(&run, &extents, &huge),
				run = (struct run){ e->fe_logical, e->fe_physical, e->fe_length };
		}
	}
	close(fd);
	if (!r)
		r = end_run(&run, &extents, &huge);
	sum->files++;
	sum->extents += extents;
	if (sum->most < extents)
		sum->most = extents;
	if (f->bytes >= HUGE) {
		pieces->files++;
		pieces->all_huge += huge == f->bytes / HUGE;
		pieces->pieces += f->bytes / HUGE;
		pieces->huge += huge;
	}
	return r;
}

static void end_free(void)
{
	const struct run *r = &now.free;
	long from = aligned(r->physical), end = r->physical + r->len;

	if (!r->len)
		return;
	now.m->runs++;
	now.m->free += r->len / BLOCK;
	if (now.m->longest < r->len / BLOCK)
		now.m->longest = r->len / BLOCK;
	if (from < end)
		now.m->free_huge += (end - from) / HUGE;
}

static void see_place(const struct fsmap *rec, void *arg)
{
	struct run *r = &now.free;

	(void)arg;
	if (!(rec->fmr_flags & FMR_OF_SPECIAL_OWNER) || rec->fmr_owner != FMR_OWN_FREE)
		return;
	if (r->len && r->physical + r->len == (long)rec->fmr_physical) {
		r->len += rec->fmr_length;
		return;
	}
	end_free();
	*r = (struct run){ 0, rec->fmr_physical, rec->fmr_length };
}

static int look_at_free(void)
{
	int r, dir = open(dr_mnt(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return dr_errno();
	now.free = (struct run){ };
	r = dr_places(dir, see_place, NULL);
	close(dir);
	end_free();
	return r;
}

/* What was unlinked others free in their own time, also if they were told to sync. */
static void settle(void)
{
	long last, is = -1;

	if (fs == DAXRMAP) {
		dr_settle();
		return;
	}
	do {
		last = is;
		sync();
		usleep(200000);
		is = dr_free_blocks();
	} while (is != last);
}

int measure(struct measure *m)
{
	int r = 0;

	settle();
	memset(m, 0, sizeof(*m));
	now.m = m;
	/* With what the filesystem itself has taken before it was asked how large it is. */
	now.size = blocks / 4;
	now.seen = calloc(1, now.size);
	if (!now.seen)
		return -ENOMEM;
	for (struct file *f = file; !r && f < file + FILES; f++)
		if (f->used)
			r = look_at(f);
	if (!r)
		r = look_at_free();
	free(now.seen);
	m->said_used = free_at_start - dr_free_blocks();
	return r;
}

double per_file(const struct extents *e)
{
	return e->files ? (double)e->extents / e->files : 0;
}

double percent(long part, long whole)
{
	return whole ? 100.0 * part / whole : 100;
}
