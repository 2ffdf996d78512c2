// SPDX-License-Identifier: GPL-2.0
/*
 * A page that two files share is read by four processes, and fails three times. The
 * failure's handler holds the AGF's buffer (its walk of the rmap btree) and waits for the
 * page's DAX entry; a fault holds the entry and waits for the buffer (is it shared?).
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
