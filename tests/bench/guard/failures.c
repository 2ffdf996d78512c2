// SPDX-License-Identifier: GPL-2.0
/*
 * memory_failure(): how long madvise(MADV_HWPOISON) takes, with the guard off, watching
 * and holding, and how long after its return the page of four other processes is there,
 * when a worker takes it (with a holder it is not). While few files are in core, and many.
 *
 * On ext4 the kernel finds the caller of madvise() and, as it does so, takes the page from
 * everybody itself; there hwpoison_inject says how long the guard alone needs. On XFS the four map
 * clones, one each, and the caller a fifth. Each failure is of another page.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "guard-cost.h"
#include "common/basics/clock.h"
#include "common/basics/text.h"
#include "common/files/files.h"
#include "common/module/guard.h"
#include "common/module/poison.h"
#include "common/processes/children.h"
#include "common/processes/signals.h"

#define ROUNDS	9
#define PAGES	256
#define PEERS	4
#define MANY	10000
/* Where all map their file. */
#define BASE	((char *)(1L << 40))

enum way { OFF, WATCH, HOLD, WAYS };

struct peer {
	pid_t pid;
	int pagemap;
};

/* One stack, while it is measured. */
struct ground {
	const char *name, *pmem;
	bool clones, can_hold;
	struct peer peers[PEERS];
	int next;			/* page that has not failed yet */
};

static const char *numbered(const char *what, int i)
{
	static char name[32];

	snprintf(name, sizeof(name), "%s%d", what, i);
	return name;
}

static void map_all(const char *name)
{
	int fd = dr_open(name, O_RDWR);
	volatile char *p;

	must(fd < 0 ? fd : 0, name);
	p = mmap(BASE, PAGES * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
	must(p == MAP_FAILED ? dr_errno() : 0, "mmap");
	close(fd);
	for (int i = 0; i < PAGES; i++)
		p[i * PAGE];
}

struct start {
	const char *name;
	int ready;
};

static int be_peer(void *arg)
{
	struct start *start = arg;

	map_all(start->name);
	if (write(start->ready, "", 1) != 1)
		return 1;
	for (;;)
		pause();
}

static void start_peers(struct ground *g)
{
	char path[64], byte;
	int ready[2];

	must(pipe(ready) ? dr_errno() : 0, "pipe");
	for (int i = 0; i < PEERS; i++) {
		struct start start = { numbered("f", g->clones ? i + 1 : 0), ready[1] };

		g->peers[i].pid = dr_spawn(be_peer, &start);
		must(g->peers[i].pid < 0 ? dr_errno() : 0, "fork");
		must(read(ready[0], &byte, 1) == 1 ? 0 : -EIO, "a process that maps the file");
		snprintf(path, sizeof(path), "/proc/%d/pagemap", g->peers[i].pid);
		g->peers[i].pagemap = open(path, O_RDONLY);
		must(g->peers[i].pagemap < 0 ? dr_errno() : 0, path);
	}
	close(ready[0]);
	close(ready[1]);
}

static void stop_peers(struct ground *g)
{
	for (int i = 0; i < PEERS; i++) {
		kill(g->peers[i].pid, SIGKILL);
		waitpid(g->peers[i].pid, NULL, 0);
		close(g->peers[i].pagemap);
	}
}

static bool has(const struct peer *p, int page)
{
	uint64_t e = 0;

	if (pread(p->pagemap, &e, sizeof(e), ((long)BASE / PAGE + page) * 8) != sizeof(e))
		must(-EIO, "pagemap");
	return e >> 63;
}

/*
 * Waits until nobody has the page: in how many microseconds, 0 if that was so at once. A look takes
 * some too, which do not count.
 */
static double gone(struct ground *g, int page, double since)
{
	struct timespec a_while = { 0 };
	double look, last = since;

	for (int i = 0; i < PEERS;) {
		look = dr_now();
		if (!has(&g->peers[i], page)) {
			i++;
			continue;
		}
		must(look < since + 10 ? 0 : -ETIMEDOUT, "a process keeps the page");
		/* A look takes the CPU from the worker: ever more rarely, then. */
		a_while.tv_nsec = 20000 + (long)((look - since) * 1e9) % 1000000000 / 4;
		nanosleep(&a_while, NULL);
		last = dr_now();
	}
	return (last - since) * 1e6;
}

/*
 * There is one CPU. Whoever fails pages goes first, so that no worker has its time before
 * the call returns, unless it is waited for.
 */
static void first(bool on)
{
	struct sched_param p = { .sched_priority = on };

	must(sched_setscheduler(0, on ? SCHED_FIFO : SCHED_OTHER, &p) ? dr_errno() : 0, "scheduler");
}

static void go(struct ground *g, enum way way, bool on)
{
	if (way == WATCH)
		must(dr_guard_watch(on), "watch");
	if (way == HOLD)
		must(on ? dr_guard_hold(g->pmem, 0) : dr_guard_release(g->pmem), "hold");
}

/*
 * One failure. @call: how long the call took; @left: how long the page was there after it,
 * -1 if the guard is off. In microseconds.
 */
static void fail_page(struct ground *g, enum way way, bool inject, double *call, double *left)
{
	int r, page = g->next++;
	long pfn = dr_pfn_of(BASE + page * PAGE), dealt = dr_guard_dealt();
	struct dr_sig sigs[4];
	double start, end;

	must(page < PAGES ? 0 : -ENOSPC, "pages");
	must(pfn < 0 ? pfn : 0, "page frame");
	for (int i = 0; i < PEERS; i++)
		must(has(&g->peers[i], page) ? 0 : -ENOENT, "a process has not got its page");
	/* Whoever maps it and injects it is found, and so the kernel takes it from all. */
	if (inject)
		munmap(BASE + page * PAGE, PAGE);
	start = dr_now();
	r = inject ? dr_poison_pfn(pfn) : dr_poison_addr(BASE + page * PAGE);
	end = dr_now();
	/* That is what XFS on dm says, when nobody is told. */
	must(r == -EBUSY ? 0 : r, "memory failure");
	*call = (end - start) * 1e6;
	*left = -1;
	if (way != OFF) {
		*left = gone(g, page, end);
		/* That is what one holds for. */
		must(way == HOLD && *left ? -EINVAL : 0, "the page is there after the call");
		must(dr_guard_settled(dealt + 1) == dealt + 1 ? 0 : -ETIMEDOUT, "the guard");
	}
	dr_signals(sigs, 4);
}

/* @t: so many rounds, or NULL: there were none. */
static void print_median(double *t, int width)
{
	char text[32] = "-";

	if (t)
		snprintf(text, sizeof(text), "%.0f us", median(t, ROUNDS));
	printf("%*s", width, text);
}

static void measure(struct ground *g, const char *files)
{
	double call[WAYS][ROUNDS], left[WAYS][ROUNDS], ignored;

	quiet(true);
	first(true);
	for (int round = 0; round < ROUNDS; round++)
		for (enum way way = 0; way < WAYS; way++) {
			if (way == HOLD && !g->can_hold)
				continue;
			go(g, way, true);
			fail_page(g, way, false, &call[way][round], &left[way][round]);
			if (way != OFF && !g->clones)
				fail_page(g, way, true, &ignored, &left[way][round]);
			go(g, way, false);
		}
	first(false);
	quiet(false);
	printf(LINE "%-18s%-18s", g->name, files);
	for (enum way way = 0; way < WAYS; way++)
		print_median(way != HOLD || g->can_hold ? call[way] : NULL, 12);
	print_median(left[WATCH], 14);
	printf("\n");
}

/* Files of a page each, which is in core, up to @n of them. */
static void more_files(int from, int n)
{
	for (int i = from; i < n; i++) {
		int fd = make_file(numbered("other", i), 1);
		volatile char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

		must(p == MAP_FAILED ? dr_errno() : 0, "mmap");
		*p;
		munmap((void *)p, PAGE);
		close(fd);
	}
}

/* They are mapped as well, and the page is there. */
static void map_files(int from, int n)
{
	for (int i = from; i < n; i++) {
		int fd = dr_open(numbered("other", i), O_RDONLY);

		must(fd < 0 ? fd : 0, "open");
		if (mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0) == MAP_FAILED)
			must(dr_errno(), "mmap");
		close(fd);
	}
}

/* In a process of its own, whose mappings go with it. */
static int measure_all(void *arg)
{
	struct ground *g = arg;

	/* Sleeps are as short as they are asked for. */
	prctl(PR_SET_TIMERSLACK, 1);
	start_peers(g);
	map_all("f0");
	measure(g, "1");
	more_files(0, 100);
	map_files(0, 100);
	measure(g, "100, mapped");
	more_files(100, MANY);
	measure(g, "10,000");
	map_files(100, MANY);
	measure(g, "10,000, mapped");
	stop_peers(g);
	return 0;
}

void cost_of_failures(const char *stack, const char *fs, const char *pmem, bool wrapped)
{
	struct ground g = {
		.name = stack,
		.pmem = pmem,
		.clones = !strcmp(fs, "xfs"),
		.can_hold = wrapped || strcmp(fs, "xfs"),
	};
	const char *dev = wrapped ? wrap(pmem) : pmem;

	make_fs(fs, dev);
	mount_fs(fs, dev);
	close(make_file("f0", PAGES));
	for (int i = 1; g.clones && i <= PEERS; i++)
		must(dr_clone("f0", numbered("f", i)), "clone");
	must(dr_wait(dr_spawn(measure_all, &g)) ? -ECHILD : 0, stack);
	unmount();
	if (wrapped)
		unwrap();
}

void print_failures_title(void)
{
	printf(LINE "\n" LINE "%-18s%-18s%12s%12s%12s%14s\n", "memory_failure()", "files in core",
	       "off", "watch", "hold", "gone: watch");
}
