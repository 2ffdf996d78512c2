/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs here need besides the fault itself: a filesystem with DAX
 * on /dev/pmem0, which is made anew, at /mnt. As root, on a machine that may die.
 */
#ifndef KERNEL_FAULT_H
#define KERNEL_FAULT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <linux/fs.h>

#define PAGE 4096UL
#define HUGE (2UL << 20)
#define PMEM "/dev/pmem0"

/* Ends the program if a step that only leads there fails. */
#define MUST(x) do {							\
	if (!(x)) {							\
		printf("%s:%d: %s: %m\n", __FILE__, __LINE__, #x);	\
		exit(1);						\
	}								\
} while (0)

static inline void say(const char *what)
{
	printf("%s\n", what);
	fflush(stdout);
}

static inline void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	MUST(fd >= 0);
	MUST(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static inline void make_fs(const char *type, const char *dev)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), !strcmp(type, "xfs") ?
		 "mkfs.xfs -fq -m reflink=1,rmapbt=1 -l size=64m -d agcount=2,su=2m,sw=1 %s" :
		 "mkfs.ext4 -Fq %s", dev);
	MUST(!system(cmd));
	MUST(!mount(dev, "/mnt", type, 0, "dax=always"));
}

static inline int make_file(const char *path, unsigned long size)
{
	int fd = open(path, O_RDWR | O_CREAT, 0644);
	char *buf = malloc(size);

	MUST(fd >= 0 && buf);
	memset(buf, 'x', size);
	MUST(write(fd, buf, size) == (ssize_t)size);
	MUST(!fsync(fd));
	free(buf);
	return fd;
}

static inline void make_clone(const char *from, const char *to)
{
	int s = open(from, O_RDONLY), d = open(to, O_RDWR | O_CREAT, 0644);

	MUST(s >= 0 && d >= 0 && !ioctl(d, FICLONE, s));
	close(s);
	close(d);
}

/* The page frame that is at an address. */
static inline unsigned long pfn_of(const void *at)
{
	unsigned long e = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	MUST(pread(fd, &e, 8, (unsigned long)at / PAGE * 8) == 8 && e >> 63);
	close(fd);
	return e & ((1UL << 55) - 1);
}

static inline void poison(unsigned long pfn)
{
	char text[32];

	snprintf(text, sizeof(text), "%#lx", pfn);
	put("/sys/kernel/debug/hwpoison/corrupt-pfn", text);
}

/* Takes the device from its driver. */
static inline void unbind(void)
{
	char name[256] = "", *base;

	MUST(readlink("/sys/block/pmem0/device", name, sizeof(name) - 1) > 0);
	base = strrchr(name, '/');
	put("/sys/bus/nd/drivers/nd_pmem/unbind", base ? base + 1 : name);
}

/* Runs f in a child; has it ended within so many seconds? */
static inline int ends(void (*f)(void), int seconds)
{
	pid_t pid = fork();

	MUST(pid >= 0);
	if (!pid) {
		f();
		_exit(0);
	}
	for (int i = 0; i < seconds * 10; i++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return 1;
		usleep(100000);
	}
	return 0;
}

static inline void show_blocked(void)
{
	put("/proc/sysrq-trigger", "w");
}

#endif
