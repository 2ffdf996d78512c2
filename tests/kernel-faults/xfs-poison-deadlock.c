// SPDX-License-Identifier: GPL-2.0
/*
 * A page that two files share is read by four processes, and fails three times. The two that
 * wait for each other:
 *
 * - the failure's handler, xfs_dax_notify_dev_failure() in fs/xfs/xfs_notify_failure.c, holds
 *   the AGF's buffer (xfs_alloc_read_agf()) over its walk of the rmap btree, and in
 *   xfs_dax_failure_fn() waits for the page's DAX entry (mf_dax_kill_procs());
 * - a fault holds the entry (grab_mapping_entry() in fs/dax.c), and in xfs_read_iomap_begin(),
 *   fs/xfs/xfs_iomap.c, waits for the buffer, to learn whether the page is shared
 *   (xfs_reflink_trim_around_shared()).
 *
 * No test does that to XFS on pmem itself, guard or not: the machine does not come back. On dm
 * the handler is never asked, so there is no deadlock.
 */
#include "fault.h"

static unsigned long pfn;

static void fail(void)
{
	for (int i = 1; i <= 20; i++) {
		printf("failure %d\n", i);
		fflush(stdout);
		poison(pfn);
	}
}

int main(void)
{
	volatile char *p;
	int fd;

	make_fs("xfs", PMEM);
	fd = make_file("/mnt/a", 4 * PAGE);
	make_clone("/mnt/a", "/mnt/b");
	p = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	(void)p[0];
	pfn = pfn_of((void *)p);
	for (int i = 0; i < 4; i++) {
		if (fork())
			continue;
		p = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
		for (;;) {
			(void)p[0];
			madvise((void *)p, PAGE, MADV_DONTNEED);
		}
	}
	if (ends(fail, 60)) {
		say("no deadlock this time");
	} else {
		say("hangs; the blocked tasks:");
		show_blocked();
	}
	return 0;
}
