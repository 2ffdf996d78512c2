// SPDX-License-Identifier: GPL-2.0
/* What went wrong, and what the process has done before. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "fsstress.h"

enum { NOTES = 16, SHOWN = 5 };

static char notes[NOTES][200];
static unsigned long noted;
static int shown;

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(notes[noted++ % NOTES], sizeof(*notes), fmt, ap);
	va_end(ap);
}

bool failed(void)
{
	for (int i = 0; i < FAULTS; i++)
		if (__atomic_load_n(&w->faults[i], __ATOMIC_RELAXED))
			return true;
	return false;
}

/* One write, so that processes do not mix their lines; names may hold anything. */
static void say(char *text, int n)
{
	for (char *c = text; c < text + n; c++)
		if (*(unsigned char *)c < ' ' || *(unsigned char *)c > '~')
			*c = '?';
	text[n] = '\n';
	if (write(STDOUT_FILENO, text, n + 1) < 0)
		_exit(95);
}

void fault(enum fault f, const char *fmt, ...)
{
	static const char *const name[] = { "calls", "own", "shared", "books" };
	char line[900];
	va_list ap;
	int n;

	__atomic_fetch_add(&w->faults[f], 1, __ATOMIC_RELAXED);
	if (shown++ >= SHOWN)
		return;
	n = snprintf(line, sizeof(line), "# seed %lu round %d, process %d: %s: ", w->seed,
		     w->round, me, name[f]);
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	say(line, n < (int)sizeof(line) - 1 ? n : (int)sizeof(line) - 1);
	if (shown > 1)
		return;
	for (unsigned long i = noted > NOTES ? noted - NOTES : 0; i < noted; i++) {
		n = snprintf(line, sizeof(line), "#   process %d, before: %s", me,
			     notes[i % NOTES]);
		say(line, n);
	}
}

bool must(const char *what, long r, int err)
{
	int got = r == -1 ? errno : 0;

	if (got == err)
		return true;
	fault(CALLS, "%s: %s, should be %s", what, strerror(got), strerror(err));
	return false;
}
