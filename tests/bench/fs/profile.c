// SPDX-License-Identifier: GPL-2.0
/*
 * Where the kernel is between begin() and end(): its own performance events, each 10 us of the guest's
 * clock, with the callers. While interrupts are off there is no sample: the first one after that counts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "bench.h"
#include "common/basics/text.h"
#include "common/processes/children.h"

#define PERIOD	10000		/* ns: the kernel has no less */
#define PAGES	1024		/* of samples: a power of two. What is between begin() and end() has to fit */
#define SYMBOLS	400000
#define WHATS	24
#define SHOWN	60

static struct symbol { unsigned long at; char name[248]; } *symbols;
static int n_symbols;

/* Memory that children share: how often each symbol was the place itself, and how often on the way to it. */
static struct {
	int n;
	struct { char name[64]; enum fs fs; long samples; struct { int self, all; } of[SYMBOLS]; } what[WHATS];
} *p;

static int event = -1;
static struct perf_event_mmap_page *ring;

static int by_place(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

void profile_prepare(void)
{
	struct symbol s;
	char type, line[1024];
	FILE *f;

	/* Symbols of modules are there once these are. */
	must(system("modprobe -a xfs ext4") ? -ENOENT : 0, "modprobe");
	f = fopen("/proc/kallsyms", "r");
	must(f ? 0 : dr_errno(), "kallsyms");
	symbols = calloc(SYMBOLS, sizeof(*symbols));
	must(symbols ? 0 : -ENOMEM, "symbols");
	while (n_symbols < SYMBOLS && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx %c %247s", &s.at, &type, s.name) == 3 && strchr("tTwW", type))
			symbols[n_symbols++] = s;
	fclose(f);
	qsort(symbols, n_symbols, sizeof(*symbols), by_place);
	p = dr_shared_mem(sizeof(*p));
}

/* A turn's process, from here on. */
void profile_start(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK, .size = sizeof(attr),
		.sample_period = PERIOD, .sample_type = PERF_SAMPLE_CALLCHAIN,
		.exclude_user = 1, .exclude_callchain_user = 1,
	};

	if (!p)
		return;
	event = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	must(event < 0 ? dr_errno() : 0, "perf_event_open");
	ring = mmap(NULL, (1 + PAGES) * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
	must(ring == MAP_FAILED ? dr_errno() : 0, "samples");
}

static int symbol_of(unsigned long at)
{
	int from = 0, end = n_symbols;

	while (end - from > 1) {
		int mid = (from + end) / 2;

		if (symbols[mid].at <= at)
			from = mid;
		else
			end = mid;
	}
	return from;
}

static void count(int w, const uint64_t *chain, uint64_t n)
{
	int seen[PERF_MAX_STACK_DEPTH], frames = 0;

	for (uint64_t i = 0; i < n && frames < PERF_MAX_STACK_DEPTH; i++) {
		int s, j;

		if (chain[i] >= PERF_CONTEXT_MAX)
			continue;
		s = symbol_of(chain[i]);
		if (!frames)
			p->what[w].of[s].self++;
		for (j = 0; j < frames && seen[j] != s; j++)
			;
		if (j < frames)
			continue;
		seen[frames++] = s;
		p->what[w].of[s].all++;
	}
	p->what[w].samples++;
}

static int find(enum fs fs, const char *what)
{
	for (int i = 0; i < p->n; i++)
		if (p->what[i].fs == fs && !strcmp(p->what[i].name, what))
			return i;
	if (p->n == WHATS)
		return -1;
	snprintf(p->what[p->n].name, sizeof(p->what[p->n].name), "%s", what);
	p->what[p->n].fs = fs;
	return p->n++;
}

/* What came since the last time is of @what, or of nothing. */
void profile_take(const struct turn *t, const char *what)
{
	static uint64_t record[PERF_MAX_STACK_DEPTH * 2];
	const char *data = (const char *)ring + PAGE;
	uint64_t tail, head, size = PAGES * PAGE;
	int w = -1;

	if (!ring)
		return;
	/* So that samples do not keep step with what is measured. */
	if (!what)
		for (volatile int i = rand() % PERIOD; i > 0; i -= 4)
			;
	head = __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE);
	if (what)
		w = find(t->fs, what);
	for (tail = ring->data_tail; w >= 0 && tail < head; ) {
		const struct perf_event_header *h = (const void *)(data + tail % size);

		if (h->type == PERF_RECORD_SAMPLE && h->size <= sizeof(record)) {
			/* A record may go on at the beginning. */
			for (unsigned int i = 0; i < h->size / 8u; i++)
				record[i] = *(const uint64_t *)(data + (tail + 8 * i) % size);
			count(w, record + 2, record[1]);
		}
		tail += h->size;
	}
	__atomic_store_n(&ring->data_tail, head, __ATOMIC_RELEASE);
}

void profile_print(void)
{
	if (!p)
		return;
	for (int w = 0; w < p->n; w++) {
		printf("fs-profile: == %s on %s: %ld samples; %%, and %% with what it calls\n", p->what[w].name,
		       fs_names[p->what[w].fs], p->what[w].samples);
		for (int shown = 0; shown < SHOWN; shown++) {
			int most = 0;

			for (int i = 0; i < n_symbols; i++)
				if (p->what[w].of[i].all > p->what[w].of[most].all)
					most = i;
			if (p->what[w].of[most].all * 200L < p->what[w].samples)
				break;
			printf("fs-profile: %5.1f %5.1f %s\n", 100.0 * p->what[w].of[most].self / p->what[w].samples,
			       100.0 * p->what[w].of[most].all / p->what[w].samples, symbols[most].name);
			p->what[w].of[most].all = 0;
		}
		memset(&p->what[w], 0, sizeof(p->what[w]));
	}
	p->n = 0;
}
