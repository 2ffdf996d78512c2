// SPDX-License-Identifier: GPL-2.0
/* cachestat(2) of a DAX file with a page that somebody has mapped panics. Any user can. */
#include "fault.h"
#include <sys/syscall.h>

int main(void)
{
	struct { unsigned long off, len; } range = { 0, 0 };
	unsigned long stat[5];
	volatile char *p;
	int fd;

	make_fs("xfs", PMEM);
	fd = make_file("/mnt/f", 64 * PAGE);
	/* It needs no more than a file that one may write to. */
	MUST(!setresuid(1000, 1000, 1000));
	p = mmap(NULL, 64 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	MUST(p != MAP_FAILED);
	for (int i = 0; i < 64; i++)
		(void)p[i * PAGE];
	say("uid 1000: cachestat");
	printf("%ld\n", syscall(SYS_cachestat, fd, &range, stat, 0));
	return 0;
}
