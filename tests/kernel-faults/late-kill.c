// SPDX-License-Identifier: GPL-2.0
/*
 * With late kill, which is the default, XFS tells nobody of a page that has failed, and
 * takes it from nobody: who maps it reads on.
 */
#include "fault.h"

static void on_sigbus(int signo, siginfo_t *si, void *uc)
{
	(void)signo;
	(void)uc;
	printf("SIGBUS, code %d\n", si->si_code);
	fflush(stdout);
	_exit(0);
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	volatile char *p;
	unsigned long pfn;
	int fd, up[2];
	char c;

	make_fs("xfs", PMEM);
	fd = make_file("/mnt/f", 4 * PAGE);
	p = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	MUST(!pipe(up));
	if (!fork()) {
		(void)p[0];
		sigaction(SIGBUS, &sa, NULL);
		MUST(write(up[1], "x", 1) == 1);
		sleep(3);		/* meanwhile the other poisons it */
		printf("no signal; the page that has failed reads '%c'\n", p[0]);
		fflush(stdout);
		_exit(0);
	}
	MUST(read(up[0], &c, 1) == 1);
	(void)p[0];
	pfn = pfn_of((void *)p);
	munmap((void *)p, 4 * PAGE);	/* who poisons it would be told */
	poison(pfn);
	wait(NULL);
	return 0;
}
