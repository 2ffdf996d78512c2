// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that have a page in common, and what becomes of them.
 *
 * owners SECONDS PAGE FILE...: one process for each FILE maps its page number PAGE, and reads it. Prints
 * "at 0x<physical address>" when all have it. So many seconds later each that was not signalled reads it
 * again: that is a SIGBUS, or it is silent. Prints "told N silent N eio N": eio is how many get EIO
 * from pread(2) then.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 4096

/* What the parent counts. */
enum { TOLD = 1, EIO_READ = 2 };

static sigjmp_buf back;
static volatile sig_atomic_t told, reading;
static char *page;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	if ((info->si_code == BUS_MCEERR_AO || info->si_code == BUS_MCEERR_AR) &&
	    (char *)info->si_addr >= page && (char *)info->si_addr < page + SIZE)
		told = 1;
	if (reading)
		siglongjmp(back, 1);
}

static uint64_t address_of(const char *at)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0 || pread(fd, &entry, sizeof(entry), (uintptr_t)at / SIZE * 8) != sizeof(entry))
		return 0;
	close(fd);
	return (entry & ((1ULL << 55) - 1)) * SIZE;
}

static int owner(const char *file, long number, unsigned int seconds, int ready)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	uint64_t address;
	char buf[SIZE];
	int fd = open(file, O_RDWR), end = 0;
	unsigned int i;

	if (fd < 0)
		return 64;
	page = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, number * SIZE);
	if (page == MAP_FAILED)
		return 65;
	sigaction(SIGBUS, &action, NULL);
	*(volatile char *)page;
	address = address_of(page);
	if (write(ready, &address, sizeof(address)) != sizeof(address))
		return 66;
	close(ready);
	for (i = 0; i < seconds * 10 && !told; i++)
		usleep(100000);
	if (!told && !sigsetjmp(back, 1)) {
		reading = 1;
		*(volatile char *)page;
	}
	reading = 0;
	if (told)
		end |= TOLD;
	if (pread(fd, buf, SIZE, number * SIZE) < 0 && errno == EIO)
		end |= EIO_READ;
	return end;
}

int main(int argc, char **argv)
{
	int i, status, pipes[2], n = argc - 3, all = 0, eio = 0;
	uint64_t address = 0, each;

	if (argc < 4 || pipe(pipes))
		return 2;
	for (i = 3; i < argc; i++)
		if (!fork())
			_exit(owner(argv[i], atol(argv[2]), atoi(argv[1]), pipes[1]));
	close(pipes[1]);
	for (i = 0; i < n; i++) {
		if (read(pipes[0], &each, sizeof(each)) != sizeof(each) || (address && each != address)) {
			fprintf(stderr, "owners: they do not have the same page\n");
			return 3;
		}
		address = each;
	}
	printf("at %#llx\n", (unsigned long long)address);
	fflush(stdout);
	while (wait(&status) > 0) {
		if (!WIFEXITED(status) || WEXITSTATUS(status) > 3)
			return 4;
		all += !!(WEXITSTATUS(status) & TOLD);
		eio += !!(WEXITSTATUS(status) & EIO_READ);
	}
	printf("told %d silent %d eio %d\n", all, n - all, eio);
	return 0;
}
