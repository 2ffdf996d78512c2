// SPDX-License-Identifier: GPL-2.0
/* A page fails below a dm device: the failure is not passed on, and nobody is told. */
#include "fault.h"
#include "dm.h"

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
	volatile char *p, *q;
	int fd, clone;

	make_fs("xfs", make_dm());
	fd = make_file("/mnt/a", 4 * PAGE);
	make_clone("/mnt/a", "/mnt/b");
	p = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	clone = open("/mnt/b", O_RDONLY);
	q = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, clone, 0);
	(void)p[0];
	(void)q[0];
	sigaction(SIGBUS, &sa, NULL);
	MUST(!prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
	if (madvise((void *)p, PAGE, MADV_HWPOISON))
		printf("MADV_HWPOISON: %m\n");
	printf("no signal; the page that has failed reads '%c'\n", p[0]);
	return 0;
}
