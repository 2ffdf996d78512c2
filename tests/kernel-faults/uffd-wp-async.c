// SPDX-License-Identifier: GPL-2.0
/*
 * Asynchronous write protection takes any mapping, and puts markers where a DAX file
 * has no page yet. The fault finds the marker in its place: a write gets a warning and
 * SIGBUS, a read faults for ever.
 */
#include "fault.h"
#include <linux/userfaultfd.h>
#include <sys/syscall.h>

static void on_signal(int signo)
{
	say(signo == SIGBUS ? "SIGBUS" : "no end of it after 10 s");
	_exit(0);
}

/* With an argument: a store. */
int main(int argc, char **argv)
{
	struct uffdio_api api = { .api = UFFD_API,
		.features = UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_WP };
	struct uffdio_writeprotect wp = { .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	volatile char *p;
	int fd, uffd;

	(void)argv;
	make_fs("xfs", PMEM);
	fd = make_file("/mnt/f", 4 * PAGE);
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	MUST(uffd >= 0 && !ioctl(uffd, UFFDIO_API, &api));
	reg.range.start = wp.range.start = (unsigned long)p;
	reg.range.len = wp.range.len = 4 * PAGE;
	MUST(!ioctl(uffd, UFFDIO_REGISTER, &reg));
	MUST(!ioctl(uffd, UFFDIO_WRITEPROTECT, &wp));
	signal(SIGBUS, on_signal);
	signal(SIGALRM, on_signal);
	alarm(10);
	say(argc > 1 ? "store" : "load");
	if (argc > 1)
		p[0] = 1;
	else
		(void)p[0];
	say("works");
	return 0;
}
