// SPDX-License-Identifier: GPL-2.0
/*
 * A block is in a huge mapping of one file and in a small one of its clone: two folios
 * over the same pages. Warnings, SIGBUS, and a BUG when the inode goes.
 */
#include "fault.h"
#include <sys/resource.h>

static void on_sigbus(int signo)
{
	(void)signo;
	say("SIGBUS");
	_exit(0);
}

static char *map(const char *path, unsigned long skew)
{
	int fd = open(path, O_RDWR);
	char *at = mmap(NULL, 2 * HUGE + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	at = (char *)(((unsigned long)at + HUGE - 1) & -HUGE) + skew;
	at = mmap(at, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	MUST(fd >= 0 && at != MAP_FAILED);
	close(fd);
	return at;
}

/* In a child: its mappings are gone when it is. */
static void touch(void)
{
	struct rusage before, after;
	volatile char *a, *b;

	signal(SIGBUS, on_sigbus);
	a = map("/mnt/a", 0);
	for (int i = 0; i < 512; i++)
		a[i * PAGE] = 1;
	make_clone("/mnt/a", "/mnt/b");
	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < 512; i++)
		(void)a[i * PAGE];
	getrusage(RUSAGE_SELF, &after);
	say(after.ru_minflt - before.ru_minflt < 10 ? "a is mapped by a PMD" :
						      "a is mapped by PTEs");
	b = map("/mnt/b", PAGE);
	for (int i = 0; i < 512; i++)
		(void)b[i * PAGE];		/* PTEs */
	for (int i = 0; i < 512; i++)
		a[i * PAGE] = b[i * PAGE] = 1;
}

int main(void)
{
	struct fsxattr x = { .fsx_xflags = FS_XFLAG_EXTSIZE, .fsx_extsize = HUGE };
	int fd;

	make_fs("xfs", PMEM);
	fd = open("/mnt/a", O_RDWR | O_CREAT, 0644);
	MUST(fd >= 0 && !ioctl(fd, FS_IOC_FSSETXATTR, &x));
	MUST(!ftruncate(fd, HUGE) && !posix_fallocate(fd, 0, HUGE));
	close(fd);
	printf("touched: %d\n", ends(touch, 30));
	say("unlink and umount");
	unlink("/mnt/a");
	unlink("/mnt/b");
	if (umount("/mnt"))
		printf("umount: %m\n");
	return 0;
}
