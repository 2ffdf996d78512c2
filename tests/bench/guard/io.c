// SPDX-License-Identifier: GPL-2.0
/*
 * Faults, read(2) and write(2), and signals, which the guard has a probe at: each way
 * in each round, in turn; the ratio to "off" of the same round; the median of that.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include "guard-cost.h"
#include "common/basics/clock.h"
#include "common/basics/text.h"
#include "common/files/files.h"
#include "common/module/guard.h"
#include "common/module/module.h"

#define ROUNDS	21
#define REPEATS	4
/* One less than a huge page: a mapping of these has none. */
#define PAGES	511
/* A page of the device that is behind the end of every filesystem here, in sectors. */
#define BAD	"1024000 8"
#define BAD_AT	(1024000L * 512)

enum op { READ_FAULT, WRITE_FAULT, READ, WRITE, SIGNAL, OPS };
static const char *const op_names[OPS] = {
	"read fault", "write fault", "read(2)", "write(2)", "kill(2)",
};

enum way { OFF, AGAIN, UNLOADED, WATCH, HOLD, BAD_BLOCK, WAYS };
static const char *const way_names[WAYS] = {
	"off", "off, once more", "module not loaded", "watch", "hold", "a bad block elsewhere",
};

enum stack { EXT4, XFS, WRAPPED, STACKS };
static const char *const stack_names[STACKS] = {
	"ext4 on pmem", "XFS on pmem", "XFS on dm-linear",
};

/* Nanoseconds of each. */
static double took[STACKS][WAYS][OPS][ROUNDS];
static const char *dev;

static bool can(enum stack stack, enum way way)
{
	return way != HOLD || stack != XFS;
}

/* 1 if the driver's list of bad blocks has nothing on it, 0 if it has, or -errno. */
static int list_is_empty(const char *list)
{
	char text[64];
	ssize_t n = dr_slurp(list, text, sizeof(text));

	return n < 0 ? n : !n;
}

/* The driver clears what is written; so the list is empty again. */
static void write_bad(const char *list)
{
	char *page = aligned_alloc(PAGE, PAGE);
	int fd = open(dev, O_WRONLY | O_DIRECT);

	must(page && fd >= 0 ? 0 : dr_errno(), dev);
	memset(page, 0, PAGE);
	must(pwrite(fd, page, PAGE, BAD_AT) == PAGE ? 0 : dr_errno(), "clearing the bad block");
	close(fd);
	free(page);
	must(list_is_empty(list) == 1 ? 0 : -EUCLEAN, "the list of bad blocks");
}

static void set_bad(bool on)
{
	char list[64];

	snprintf(list, sizeof(list), "/sys/block/%s/badblocks", strrchr(dev, '/') + 1);
	if (!on)
		return write_bad(list);
	must(list_is_empty(list) == 1 ? 0 : -EUCLEAN, "the list of bad blocks");
	must(dr_put(list, BAD), "bad block");
	must(list_is_empty(list) == 0 ? 0 : -EUCLEAN, "the list of bad blocks");
}

static void go(enum way way, bool on)
{
	switch (way) {
	case UNLOADED:
		must(on ? dr_rmmod() : dr_insmod(), "module");
		break;
	case WATCH:
		must(dr_guard_watch(on), "watch");
		break;
	case HOLD:
		must(on ? dr_guard_hold(dev, 0) : dr_guard_release(dev), "hold");
		break;
	case BAD_BLOCK:
		set_bad(on);
		break;
	default:
		break;
	}
}

static void heard(int sig)
{
	(void)sig;
}

static double fault(int fd, bool write)
{
	volatile char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	double start;

	must(p == MAP_FAILED ? dr_errno() : 0, "mmap");
	start = dr_now();
	for (int i = 0; i < PAGES; i++) {
		if (write)
			p[i * PAGE] = i;
		else
			p[i * PAGE];
	}
	start = dr_now() - start;
	munmap((void *)p, PAGES * PAGE);
	return start;
}

static double transfer(int fd, bool write)
{
	static char page[PAGE] = { 1 };
	double start = dr_now();
	ssize_t n = 0;

	for (int i = 0; i < PAGES; i++)
		n += write ? pwrite(fd, page, PAGE, i * PAGE) : pread(fd, page, PAGE, i * PAGE);
	start = dr_now() - start;
	must(n == PAGES * PAGE ? 0 : -EIO, "read or write");
	return start;
}

static double one_signal_each(void)
{
	double start = dr_now();

	for (int i = 0; i < PAGES; i++)
		kill(getpid(), SIGUSR1);
	return dr_now() - start;
}

static double run(int fd, enum op op)
{
	switch (op) {
	case READ_FAULT:
	case WRITE_FAULT:
		return fault(fd, op == WRITE_FAULT);
	case READ:
	case WRITE:
		return transfer(fd, op == WRITE);
	default:
		return one_signal_each();
	}
}

/* @t: one for each operation, or NULL: only for what the first time brings into core. */
static void measure(int fd, double (*t)[ROUNDS], int round)
{
	for (enum op op = 0; op < OPS; op++) {
		double sum = 0;

		/* What was written before is no part of it. */
		must(fsync(fd) ? dr_errno() : 0, "fsync");
		for (int i = 0; i < REPEATS; i++)
			sum += run(fd, op);
		if (t)
			t[op][round] = sum * 1e9 / PAGES / REPEATS;
	}
}

static void all_ways(enum stack stack, int round)
{
	int fd = dr_open("file", O_RDWR);

	must(fd < 0 ? fd : 0, "open");
	measure(fd, NULL, 0);
	for (int i = 0; i < WAYS; i++) {
		enum way way = (round + i) % WAYS;

		if (!can(stack, way))
			continue;
		go(way, true);
		/* What that has left to workers is no part of it. */
		usleep(50000);
		measure(fd, took[stack][way], round);
		go(way, false);
	}
	close(fd);
}

/* How much longer than the base, in percent. */
static double more(double (*t)[ROUNDS], double (*base)[ROUNDS], enum op op)
{
	double ratio[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		ratio[i] = t[op][i] / base[op][i];
	return (median(ratio, ROUNDS) - 1) * 100;
}

static void print_ratio(const char *what, double (*t)[ROUNDS], double (*base)[ROUNDS])
{
	char text[32];

	printf(LINE "  %-28s", what);
	for (enum op op = 0; op < OPS; op++) {
		snprintf(text, sizeof(text), "%+.1f %%", more(t, base, op));
		printf("%12s", text);
	}
	printf("\n");
}

static void print_stack(enum stack stack)
{
	char text[32];

	printf(LINE "%-30s", stack_names[stack]);
	for (enum op op = 0; op < OPS; op++) {
		double t[ROUNDS];

		memcpy(t, took[stack][OFF][op], sizeof(t));
		snprintf(text, sizeof(text), "%.0f ns", median(t, ROUNDS));
		printf("%12s", text);
	}
	printf("\n");
	if (stack == WRAPPED)
		print_ratio("off, to XFS on pmem", took[WRAPPED][OFF], took[XFS][OFF]);
	for (enum way way = AGAIN; way < WAYS; way++)
		if (can(stack, way))
			print_ratio(way_names[way], took[stack][way], took[stack][OFF]);
}

static void with_file(const char *fs)
{
	make_fs(fs, dev);
	mount_fs(fs, dev);
	close(make_file("file", PAGES));
}

void cost_of_io(const char *on)
{
	dev = on;
	signal(SIGUSR1, heard);
	quiet(true);
	with_file("ext4");
	for (int round = 0; round < ROUNDS; round++)
		all_ways(EXT4, round);
	unmount();

	/* The same bytes, now with and now without dm below them. */
	with_file("xfs");
	unmount();
	for (int i = 0; i < 2 * ROUNDS; i++) {
		bool wrapped = (i + i / 2) % 2;

		mount_fs("xfs", wrapped ? wrap(dev) : dev);
		all_ways(wrapped ? WRAPPED : XFS, i / 2);
		unmount();
		if (wrapped)
			unwrap();
	}

	quiet(false);
	printf(LINE "%-30s", "");
	for (enum op op = 0; op < OPS; op++)
		printf("%12s", op_names[op]);
	printf("\n");
	for (enum stack stack = 0; stack < STACKS; stack++)
		print_stack(stack);
}
