// SPDX-License-Identifier: GPL-2.0
/*
 * A program of 32 bits, without a libc: list DIR N checks that a listing of DIR
 * has "0" to N-1 once each, and that one can go on from any place in it. By
 * both system calls, in pieces of several sizes. Exit status: what is wrong.
 */
#include "nolibc.h"

#define MAX	200000

enum { OK, USAGE, MEMORY, OPEN, READ, NAME, TWICE, MISSING, ORDER, RANGE, SEEK, TOLD, END };

struct entry {
	unsigned int pos;	/* where to go on behind it */
	int number;		/* its name; -1 for . and .. */
};

static char buf[65536];
static unsigned char seen[MAX];
static struct entry all[MAX + 2];

/* The next piece of a listing: how many entries, or less than 0. Not more than @max are kept. */
static int piece(int fd, int is_64, unsigned int size, struct entry *to, int max)
{
	int n = is_64 ? syscall(__NR_getdents64, fd, buf, size) :
			syscall(__NR_getdents, fd, buf, size);
	int count = 0;

	if (n < 0)
		return n;
	for (int at = 0; at < n && count < max; count++) {
		unsigned int pos, high = 0;
		unsigned short len;
		const char *name;

		if (is_64) {
			memcpy(&pos, buf + at + 8, 4);
			memcpy(&high, buf + at + 12, 4);
			memcpy(&len, buf + at + 16, 2);
			name = buf + at + 19;
		} else {
			memcpy(&pos, buf + at + 4, 4);
			memcpy(&len, buf + at + 8, 2);
			name = buf + at + 10;
		}
		if (high || pos > 0x7fffffff)
			exit(RANGE);
		to[count].pos = pos;
		to[count].number = *name == '.' ? -1 : atoi(name);
		at += len;
	}
	return count;
}

/* All of it from the beginning: how many entries. */
static int list(int fd, int is_64, unsigned int size, int n)
{
	int count = 0, got;

	if (syscall(__NR_lseek, fd, 0, SEEK_SET))
		exit(SEEK);
	memset(seen, 0, sizeof(seen));
	while ((got = piece(fd, is_64, size, all + count, n + 2 - count)) > 0)
		count += got;
	if (got < 0)
		exit(READ);
	for (int i = 0; i < count; i++) {
		int number = all[i].number;

		if (number < -1 || number >= n)
			exit(NAME);
		if (number >= 0 && seen[number]++)
			exit(TWICE);
		if (i && all[i].pos <= all[i - 1].pos)
			exit(ORDER);
	}
	if (count != n + 2)
		exit(MISSING);
	return count;
}

/* From each of these places, backwards: what comes next, and where that is. */
static void go_back(int fd, int is_64, int count)
{
	struct entry next[2];

	for (int i = count - 1; i >= 0; i -= 1 + count / 5000) {
		int got;

		if (syscall(__NR_lseek, fd, all[i].pos, SEEK_SET) != (int)all[i].pos)
			exit(SEEK);
		if (syscall(__NR_lseek, fd, 0, SEEK_CUR) != (int)all[i].pos)
			exit(TOLD);
		got = piece(fd, is_64, 64, next, 2);
		if (got < 0)
			exit(READ);
		if (i == count - 1) {
			if (got)
				exit(END);
			continue;
		}
		if (!got || next[0].number != all[i + 1].number)
			exit(SEEK);
		if (next[0].pos != all[i + 1].pos)
			exit(TOLD);
	}
}

int main(int argc, char **argv)
{
	int fd, n = argc == 3 ? atoi(argv[2]) : 0;

	if (n <= 0 || n > MAX)
		return USAGE;
	fd = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return OPEN;
	for (int is_64 = 0; is_64 < 2; is_64++) {
		list(fd, is_64, sizeof(buf), n);
		/* One entry at a time, more or less. */
		list(fd, is_64, 32, n);
		go_back(fd, is_64, list(fd, is_64, 4096, n));
	}
	return OK;
}
