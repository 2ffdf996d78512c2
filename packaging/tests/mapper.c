// SPDX-License-Identifier: GPL-2.0
/*
 * mapper hold|poison FILE OFFSET: a process that maps a page of a file.
 * "hold" asks to be told early, reads the page, says "mapped", and waits until it is told
 * that the page has failed. "poison" makes it fail (MADV_HWPOISON).
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PAGE	4096UL

static char *page;
static unsigned long offset;

static void on_sigbus(int signo, siginfo_t *si, void *uc)
{
	const char *what = "another SIGBUS";

	(void)signo;
	(void)uc;
	if (si->si_code == BUS_MCEERR_AO)
		what = "BUS_MCEERR_AO";
	else if (si->si_code == BUS_MCEERR_AR)
		what = "BUS_MCEERR_AR";
	printf("told: %s, byte %ld\n", what, (char *)si->si_addr - page + (long)offset);
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	char *end;
	int fd;

	if (argc != 4 || (strcmp(argv[1], "hold") && strcmp(argv[1], "poison")))
		errx(2, "usage: mapper hold|poison FILE OFFSET");
	offset = strtoul(argv[3], &end, 10);
	if (*end || offset % PAGE)
		errx(2, "%s: not a multiple of %lu", argv[3], PAGE);
	fd = open(argv[2], O_RDWR);
	if (fd < 0)
		err(1, "%s", argv[2]);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
	if (page == MAP_FAILED)
		err(1, "mmap of %s", argv[2]);
	sigaction(SIGBUS, &sa, NULL);
	if (prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0))
		err(1, "PR_MCE_KILL");
	*(volatile char *)page;
	if (!strcmp(argv[1], "poison")) {
		if (madvise(page, PAGE, MADV_HWPOISON))
			err(1, "MADV_HWPOISON");
		errx(1, "nobody told who poisoned it");
	}
	puts("mapped");
	fflush(stdout);
	for (;;)
		pause();
}
