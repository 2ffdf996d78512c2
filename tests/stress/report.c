// SPDX-License-Identifier: GPL-2.0
/* What went wrong, and the figures. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "stress.h"
#include "subject.h"

enum { SHOWN = 30 };

/* One write for a line, so that processes do not mix theirs. */
void fault(enum fault f, const char *fmt, ...)
{
	static const char *const name[] = { "missed", "wrong", "silent", "data",
		"books" };
	char line[900];
	va_list ap;
	int n;

	__atomic_fetch_add(&w->fault[f], 1, __ATOMIC_RELAXED);
	if (__atomic_fetch_add(&w->said, 1, __ATOMIC_RELAXED) >= SHOWN)
		return;
	n = snprintf(line, sizeof(line), "# seed %lu round %d, process %d: %s: ",
		     w->seed, w->round, me ? me->nr : -1, name[f]);
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = '\n';
	if (write(STDOUT_FILENO, line, n + 1) < 0)
		_exit(95);
}

void report(double seconds)
{
	struct counts *n = &w->n;

	if (w->said > SHOWN)
		printf("# and %ld more\n", w->said - SHOWN);
	printf("# seed %lu: %d rounds; %ld events in calms, %ld watched, %ld of pages that move, %ld of mappings that go, %ld of bad blocks, %ld of ranges, %ld of free blocks\n",
	       w->seed, w->round, n->quiet_events, n->watched, n->moved, n->gone, n->repeated,
	       n->ranges, n->of_free);
	printf("# %ld changes, %ld clones, %ld pages healed; %ld touches, %ld reads; %ld looks refused, %ld signals, %ld looks not judged\n",
	       n->changes, n->clones, n->healed, n->touches, n->reads,
	       n->refused, n->told, n->unjudged);
	printf("# events %ld, owners told %ld, missed %ld, wrong %ld, silent %ld, other data intact: %ld pages verified, %ld not; %.0f s\n",
	       n->events, n->owners, w->fault[MISSED], w->fault[WRONG],
	       w->fault[SILENT], n->pages, w->fault[INTACT], seconds);
	subject->report();
	fflush(stdout);
}
