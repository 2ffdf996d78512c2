// SPDX-License-Identifier: GPL-2.0
/*
 * A host whose page cache is lost in a power cut. QEMU has a virtio-pmem device in a
 * file (LOSSY_FILE), and calls fsync(2) when the guest asks for a flush. This library,
 * preloaded, then brings another file (LOSSY_DURABLE) up to that state: what a cut
 * would leave for certain.
 *
 * Whatever else is in the file may have been written back by the host at any
 * time: as a program of its own,
 *
 *	lossy SEED FILE DURABLE
 *
 * copies some of the pages that differ, after the cut.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096

/* Copies pages that differ, if `wanted` says so. Returns how many, or -1. */
static long copy(const char *from, const char *to, int (*wanted)(void))
{
	int a = open(from, O_RDONLY | O_CLOEXEC), b = open(to, O_RDWR | O_CLOEXEC);
	long copied = -1;
	struct stat st;
	char *p, *q;

	if (a >= 0 && b >= 0 && !fstat(a, &st)) {
		p = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, a, 0);
		q = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, b, 0);
		if (p != MAP_FAILED && q != MAP_FAILED) {
			copied = 0;
			for (off_t at = 0; at < st.st_size; at += PAGE) {
				if (!memcmp(p + at, q + at, PAGE) || (wanted && !wanted()))
					continue;
				memcpy(q + at, p + at, PAGE);
				copied++;
			}
			munmap(p, st.st_size);
			munmap(q, st.st_size);
		}
	}
	if (a >= 0)
		close(a);
	if (b >= 0)
		close(b);
	return copied;
}

/* What QEMU calls. */
int fsync(int fd)
{
	static int (*real)(int);
	const char *file = getenv("LOSSY_FILE"), *durable = getenv("LOSSY_DURABLE");
	struct stat a, b;

	if (!real)
		real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	if (file && durable && !stat(file, &a) && !fstat(fd, &b) && a.st_ino == b.st_ino &&
	    a.st_dev == b.st_dev)
		return copy(file, durable, NULL) < 0 ? -1 : 0;
	return real(fd);
}

static uint64_t chance;

static int heads(void)
{
	chance ^= chance >> 12;
	chance ^= chance << 25;
	chance ^= chance >> 27;
	return chance * 0x2545f4914f6cdd1d >> 63;
}

int main(int argc, char **argv)
{
	long n;

	if (argc != 4)
		return 2;
	chance = strtoull(argv[1], NULL, 0) * 2 + 1;
	/* The first numbers are alike for seeds that are. */
	for (int i = 0; i < 20; i++)
		heads();
	n = copy(argv[2], argv[3], heads);
	printf("# %ld pages were written back without a flush\n", n);
	return n < 0;
}
