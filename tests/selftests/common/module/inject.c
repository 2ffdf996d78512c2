// SPDX-License-Identifier: GPL-2.0
/* Allocations of this process that fail: needs a kernel with failslab. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "debugfs.h"
#include "inject.h"
#include "common/basics/text.h"

/* Opened beforehand: to open a file takes memory. */
static int fail_nth = -1, make_it_fail = -1;

static const char *const knobs[][2] = {
	{ "failslab/ignore-gfp-wait", "N" },
	{ "failslab/task-filter", "Y" },
	{ "failslab/times", "-1" },
	{ "failslab/verbose", "0" },
	{ "failslab/probability", "100" },
	{ "fail_page_alloc/ignore-gfp-wait", "N" },
	{ "fail_page_alloc/min-order", "0" },
	{ "fail_page_alloc/task-filter", "Y" },
	{ "fail_page_alloc/times", "-1" },
	{ "fail_page_alloc/verbose", "0" },
	{ "fail_page_alloc/probability", "100" },
};

int dr_inject_start(void)
{
	char path[128];
	int r;

	fail_nth = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	make_it_fail = open("/proc/self/make-it-fail", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0 || make_it_fail < 0)
		return dr_errno();
	/* With the filter on before the probability: not a task of others'. */
	for (size_t i = 0; i < sizeof(knobs) / sizeof(*knobs); i++) {
		snprintf(path, sizeof(path), DEBUGFS "/%s", knobs[i][0]);
		r = dr_put(path, knobs[i][1]);
		if (r)
			return r;
	}
	return 0;
}

void dr_inject_end(void)
{
	dr_put(DEBUGFS "/failslab/probability", "0");
	dr_put(DEBUGFS "/fail_page_alloc/probability", "0");
}

/* Works without memory, or ends the test. */
static void set(int fd, int value)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", value);

	if (pwrite(fd, text, n, 0) != n)
		abort();
}

int dr_inject(int nth, int (*fn)(void *), void *arg, bool *hit)
{
	char left[16] = "";
	int r;

	if (nth == DR_ALL) {
		set(make_it_fail, 1);
		r = fn(arg);
		set(make_it_fail, 0);
		*hit = true;
		return r;
	}
	set(fail_nth, nth);
	r = fn(arg);
	/* What is left of it: 0 if it was used up. */
	if (pread(fail_nth, left, sizeof(left) - 1, 0) <= 0)
		abort();
	set(fail_nth, 0);
	*hit = atoi(left) == 0;
	return r;
}

int dr_inject_workers(bool fail)
{
	DIR *proc = opendir("/proc");
	char path[300], comm[32];
	struct dirent *d;
	int r = -ESRCH;

	if (!proc)
		return dr_errno();
	while ((d = readdir(proc))) {
		if (atoi(d->d_name) <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", d->d_name);
		if (dr_slurp(path, comm, sizeof(comm)) < 0 || strncmp(comm, "kworker/u", 9))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/make-it-fail", d->d_name);
		/* One that has just ended is none. */
		if (!dr_put(path, fail ? "1" : "0"))
			r = 0;
	}
	closedir(proc);
	return r;
}
