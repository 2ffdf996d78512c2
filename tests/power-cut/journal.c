// SPDX-License-Identifier: GPL-2.0
/*
 * Announcements. Two words for each operation, written through to the device
 * (which is memory, so that a word is there or is not) before the call returns.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "journal.h"
#include "model.h"

#define MAGIC	0x7475637265776f70	/* "powercut" */
#define IO	512
#define AREA	(4UL << 20)		/* of a worker */
#define HEAD	4096

struct entry {
	uint64_t begun;			/* n + 1 */
	uint64_t ended;			/* result + 1 */
};

#define PER_IO	(IO / sizeof(struct entry))

static int fd;
/* Where the last call was. */
static struct entry *part;
static off_t part_at = -1;

static void give_up(const char *what)
{
	printf("not ok power-cut: journal: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void load(off_t at)
{
	if (at == part_at)
		return;
	if (pread(fd, part, IO, at) != IO)
		give_up("read");
	part_at = at;
}

static void store(void)
{
	if (pwrite(fd, part, IO, part_at) != IO)
		give_up("write");
}

static struct entry *entry_of(int worker, uint64_t n)
{
	load(HEAD + worker * AREA + n / PER_IO * IO);
	return &part[n % PER_IO];
}

void journal_open(const char *dev)
{
	fd = open(dev, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0 || posix_memalign((void **)&part, 4096, IO))
		give_up(dev);
	if (lseek(fd, 0, SEEK_END) < (off_t)(HEAD + WORKERS * AREA)) {
		errno = ENOSPC;
		give_up(dev);
	}
}

uint64_t journal_seed(void)
{
	uint64_t word[2];

	load(0);
	memcpy(word, part, sizeof(word));
	return word[0] == MAGIC ? word[1] : 0;
}

void journal_create(uint64_t seed)
{
	uint64_t word[2] = { MAGIC, seed };

	load(0);
	memcpy(part, word, sizeof(word));
	store();
}

int journal_result(int worker, uint64_t n)
{
	struct entry *e;

	if (n >= journal_room())
		return NEVER_BEGUN;
	e = entry_of(worker, n);
	if (e->begun != n + 1)
		return NEVER_BEGUN;
	return (int)e->ended - 1;
}

void journal_begin(int worker, uint64_t n)
{
	entry_of(worker, n)->begun = n + 1;
	store();
}

void journal_end(int worker, uint64_t n, int result)
{
	entry_of(worker, n)->ended = result + 1;
	store();
}

uint64_t journal_room(void)
{
	return AREA / sizeof(struct entry);
}
