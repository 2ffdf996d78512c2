// SPDX-License-Identifier: GPL-2.0
/* What the module's debugfs tells and takes. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "debugfs.h"
#include "common/basics/clock.h"
#include "common/basics/text.h"
#include "common/device/mount.h"

enum { SETTLED = 20 };		/* seconds */

long dr_settled(long (*ask)(const void *arg), const void *arg, long want)
{
	double end = dr_now() + dr_patience(SETTLED);
	long is;

	while ((is = ask(arg)) != want && is >= 0 && dr_now() < end)
		usleep(10000);
	return is;
}

static const char *knob(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), DEBUGFS "/daxrmap/%s/%s",
		 strrchr(dr_dev(), '/') + 1, name);
	return path;
}

bool dr_all_checked(void)
{
	return !access(DEBUGFS "/kmemleak", F_OK);
}

long dr_counter(const char *name)
{
	char buf[4096], *line, *save, word[64];
	ssize_t r = dr_slurp(knob("counters"), buf, sizeof(buf));
	long v;

	if (r < 0)
		return r;
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%63s %ld", word, &v) == 2 && !strcmp(word, name))
			return v;
	return -ENOENT;
}

static long ask_counter(const void *name)
{
	return dr_counter(name);
}

long dr_counter_settled(const char *name, long want)
{
	return dr_settled(ask_counter, name, want);
}

static long ask_orphans(const void *arg)
{
	char buf[32];
	ssize_t r = dr_slurp(knob("orphans"), buf, sizeof(buf));

	(void)arg;
	return r < 0 ? r : strtol(buf, NULL, 10);
}

int dr_settle(void)
{
	long n;

	if (dr_xfs())
		return 0;
	n = dr_settled(ask_orphans, NULL, 0);
	return n > 0 ? -ETIMEDOUT : n;
}

/* What `check` says, or -errno. */
static ssize_t read_check(char *buf, size_t size)
{
	return dr_slurp(knob("check"), buf, size);
}

int dr_check(void)
{
	char buf[4096];
	ssize_t r;

	if (dr_xfs())
		return 0;
	r = read_check(buf, sizeof(buf));
	if (r >= 0 && !strcmp(buf, "ok\n"))
		return 0;
	fprintf(stderr, "# check: %s\n", r < 0 ? strerror(-r) : buf);
	return r < 0 ? r : -EUCLEAN;
}

int dr_consistent(void)
{
	char buf[4096];
	ssize_t r = read_check(buf, sizeof(buf));

	return r < 0 ? r : !strcmp(buf, "ok\n");
}

int dr_last_failure(struct dr_failure *f)
{
	static char buf[65536];
	char *line, *save, core[16], mapped[16];
	ssize_t r = dr_slurp(knob("last_failure"), buf, sizeof(buf));

	memset(f, 0, sizeof(*f));
	if (r < 0)
		return r;
	line = strtok_r(buf, "\n", &save);
	if (!line || sscanf(line, "block %lu count %lu via %15s owners %d",
			    &f->block, &f->count, f->via, &f->owners) != 4)
		return -EPROTO;
	while ((line = strtok_r(NULL, "\n", &save))) {
		struct dr_owner *o = &f->o[f->lines];

		if (f->lines == 128)
			return -E2BIG;
		if (sscanf(line, "ino %lu pgoff %lu count %lu %15s %15s %15s errno %d",
			   &o->ino, &o->pgoff, &o->count, core, mapped, o->what,
			   &o->err) != 7)
			return -EPROTO;
		o->incore = !strcmp(core, "incore");
		o->mapped = !strcmp(mapped, "mapped");
		f->lines++;
	}
	return 0;
}

int dr_notify_flags(unsigned long off, unsigned long len, unsigned int flags)
{
	char text[64];

	snprintf(text, sizeof(text), "%lu %lu %u", off, len, flags);
	return dr_put(knob("notify"), text);
}

int dr_notify(unsigned long off, unsigned long len)
{
	return dr_notify_flags(off, len, 0);
}

static int put_number(const char *name, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	return dr_put(knob(name), text);
}

int dr_notify_delay(int ms)
{
	return put_number("notify_delay_ms", ms);
}

int dr_touch_delay(int ms)
{
	return put_number("touch_delay_ms", ms);
}

int dr_exact_zeroes(void)
{
	return put_number("zero_ahead", 0) ?: put_number("zero_in_place", 0);
}
