// SPDX-License-Identifier: GPL-2.0
/*
 * write(2) to a shared page that another process reads through mmap: the DAX entry is
 * deleted before the page is unmapped. A warning, and SIGBUS for the reader.
 */
#include "fault.h"

static void on_sigbus(int signo)
{
	(void)signo;
	say("SIGBUS in a process that only reads");
	_exit(0);
}

int main(void)
{
	volatile char *p;
	int fd;

	make_fs("xfs", PMEM);
	fd = make_file("/mnt/a", 256 * PAGE);
	signal(SIGBUS, on_sigbus);
	for (int i = 0; i < 2; i++) {
		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		p = mmap(NULL, 256 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
		for (;;)
			for (int k = 0; k < 256; k++)
				(void)p[k * PAGE];
	}
	for (int n = 0; n < 100; n++) {
		make_clone("/mnt/a", "/mnt/b");
		for (int k = 0; k < 256; k++)
			MUST(pwrite(fd, "y", 1, k * PAGE) == 1);
	}
	return 0;
}
