// SPDX-License-Identifier: GPL-2.0
/* Memory that fails, and what is slower for it afterwards. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "bench.h"
#include "common/basics/clock.h"
#include "common/basics/text.h"
#include "common/files/files.h"
#include "common/module/poison.h"
#include "common/processes/children.h"

static void store_and_sync(const struct turn *t, volatile char *p, int fd, const char *what)
{
	for (long i = 0; i < 60; i++) {
		long page = 2 * (i * 2654435761L % t->size);

		p[page * PAGE] = i;
		must(fsync(fd) ? dr_errno() : 0, "fsync");
		begin();
		p[page * PAGE] = i;
		must(fsync(fd) ? dr_errno() : 0, "fsync");
		end(t, what);
	}
}

/* @size: extents. The bad page is another file's. */
void fsync_with_bad(const struct turn *t)
{
	int fd = make_fragmented("f", t->size), other = make_file("other", 16 * PAGE, PAGE);
	char *p = map_file(fd, 2 * t->size * PAGE, MAP_SHARED);
	int r;

	store_and_sync(t, p, fd, "store + fsync (extents)");
	r = dr_poison("other", 3);
	/* ext4 does not listen, so the kernel does not know what came of it. */
	must(t->fs == EXT4 && r == -EBUSY ? 0 : r, "poison");
	settle();
	store_and_sync(t, p, fd, "store + fsync, one block is bad (extents)");
	munmap(p, 2 * t->size * PAGE);
	close(other);
	close(fd);
}

#define FAILURES	4
#define PAGES		8

/* What the signals' handlers say, in memory that all share. */
static struct told {
	int n;
	double last;
	int ready;
} *told;

static void on_sigbus(int sig)
{
	double now = dr_now();

	(void)sig;
	/* The last one to come here is not always the last one that was told: by less than a signal takes. */
	told->last = now;
	__atomic_add_fetch(&told->n, 1, __ATOMIC_SEQ_CST);
}

static int be_owner(void *arg)
{
	int fd = dr_open(arg, O_RDONLY);
	volatile char *p;

	if (fd < 0 || prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0))
		return 1;
	p = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return 1;
	signal(SIGBUS, on_sigbus);
	for (int i = 0; i < PAGES; i++)
		p[i * PAGE];
	__atomic_add_fetch(&told->ready, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}

static void make_clones(long n)
{
	int from = make_file("f", PAGES * PAGE, PAGE), to;

	for (long i = 0; i < n; i++) {
		to = open_file(numbered("c", i), O_RDWR | O_CREAT);
		must(ioctl(to, FICLONE, from) ? dr_errno() : 0, "clone");
		close(to);
	}
	close(from);
	settle();
}

/*
 * @size: clones, each mapped by a process that wants to be told early. XFS takes a shared page from
 * others whenever one reads it, and finds only those who have it: so how many were told is told, too.
 */
void poison_mapped(const struct turn *t)
{
	pid_t *pid = calloc(t->size, sizeof(*pid));
	long pfn[FAILURES];

	told = dr_shared_mem(sizeof(*told));
	must(pid ? 0 : -ENOMEM, "memory");
	make_clones(t->size);
	for (int i = 0; i < FAILURES; i++) {
		pfn[i] = dr_pfn_in_file("f", i);
		must(pfn[i] < 0 ? pfn[i] : 0, "page frame");
	}
	for (long i = 0; i < t->size; i++) {
		pid[i] = dr_spawn(be_owner, (void *)numbered("c", i));
		must(pid[i] < 0 ? dr_errno() : 0, "fork");
	}
	for (int i = 0; told->ready < t->size; i++) {
		must(i < 6000 ? 0 : -ETIMEDOUT, "processes that map a clone");
		usleep(10000);
	}
	settle();
	for (int i = 0; i < FAILURES; i++) {
		double start;
		int seen = -1;

		told->n = 0;
		told->last = 0;
		start = dr_now();
		must(dr_poison_pfn(pfn[i]), "poison");
		/* Until nobody is told any more. */
		while (told->n != seen && told->n < t->size) {
			seen = told->n;
			usleep(50000);
		}
		must(told->n ? 0 : -ETIMEDOUT, "nobody was told");
		sample(t, "poison to the last signal (mapped clones)", "ns", (told->last - start) * 1e9);
		sample(t, "processes told, of so many", "told", told->n);
	}
	for (long i = 0; i < t->size; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
}

static void fail_pages(const struct turn *t, int n, const char *what)
{
	long pfn[FAILURES];
	int r;

	for (int i = 0; i < n; i++) {
		pfn[i] = dr_pfn_in_file("f", i);
		must(pfn[i] < 0 ? pfn[i] : 0, "page frame");
	}
	settle();
	for (int i = 0; i < n; i++) {
		begin();
		r = dr_poison_pfn(pfn[i]);
		end(t, what);
		/* XFS shuts down when an owner is not in core. */
		must(t->fs == XFS && r == -EUCLEAN ? 0 : r, "poison");
	}
}

/* @size: clones that are open. */
void poison_unmapped(const struct turn *t)
{
	struct rlimit more = { t->size + 100, t->size + 100 };

	must(setrlimit(RLIMIT_NOFILE, &more) ? dr_errno() : 0, "limit of files");
	make_clones(t->size);
	for (long i = 0; i < t->size; i++)
		open_file(numbered("c", i), O_RDONLY);
	fail_pages(t, FAILURES, "poison (clones in core, not mapped)");
}

void poison_not_in_core(const struct turn *t)
{
	make_clones(t->size);
	must(dr_put("/proc/sys/vm/drop_caches", "3"), "drop_caches");
	fail_pages(t, 1, "poison (clones not in core)");
}
