// SPDX-License-Identifier: GPL-2.0
/* What went wrong, and the operations before it. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "fsx.h"

enum { NOTES = 32, SHOWN = 8 };

long faults[FAULTS];
unsigned long op_nr, noted, seed;
static char notes[NOTES][160];

void note(const char *fmt, ...)
{
	char *line = notes[noted++ % NOTES];
	int n = snprintf(line, sizeof(*notes), "%lu: ", op_nr);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(*notes) - n, fmt, ap);
	va_end(ap);
}

bool failed(void)
{
	for (int i = 0; i < FAULTS; i++)
		if (faults[i])
			return true;
	return false;
}

static void show_notes(void)
{
	printf("# seed %lu, operation %lu; the last ones:\n", seed, op_nr);
	for (unsigned long i = noted > NOTES ? noted - NOTES : 0; i < noted; i++)
		printf("#   %s\n", notes[i % NOTES]);
	for (int i = 0; i < FILES; i++)
		printf("#   %s should have %#lx bytes\n", file[i].name, file[i].size);
}

void fault(enum fault f, const char *fmt, ...)
{
	static const char *const name[] = { "calls", "bytes", "holes", "books" };
	static int shown;
	va_list ap;

	if (!failed())
		show_notes();
	faults[f]++;
	if (shown++ >= SHOWN)
		return;
	printf("# %s: ", name[f]);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

bool must(const char *what, long r, long want)
{
	if (r == -1)
		r = -errno;
	if (r == want)
		return true;
	if (r < 0)
		fault(CALLS, "%s: %s, and not %ld", what, strerror(-r), want);
	else
		fault(CALLS, "%s: %ld, and not %ld", what, r, want);
	return false;
}
