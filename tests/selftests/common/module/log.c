// SPDX-License-Identifier: GPL-2.0
/* The kernel's log. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "log.h"

/* Calls hit(message, arg) for those with `word` in them. */
static unsigned long long scan_log(unsigned long long after, const char *word,
				   void (*hit)(const char *, void *), void *arg)
{
	unsigned long long seq = 0;
	char buf[8192], *msg;
	int shown = 0;
	ssize_t n;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return 0;
	for (;;) {
		n = read(fd, buf, sizeof(buf) - 1);
		if (n < 0 && errno == EPIPE)
			continue;	/* overwritten meanwhile */
		if (n <= 0)
			break;
		buf[n] = 0;
		sscanf(buf, "%*u,%llu", &seq);
		msg = strchr(buf, ';');
		/* Our guest shows what tests print there, too. */
		if (!word || seq <= after || !msg || !strncmp(msg, ";tap: ", 6) ||
		    !strstr(msg, word))
			continue;
		if (shown++ < 8)
			fprintf(stderr, "# log: %s", msg + 1);
		hit(msg + 1, arg);
	}
	close(fd);
	return seq;
}

unsigned long long dr_log_seq(void)
{
	return scan_log(0, NULL, NULL, NULL);
}

static void count(const char *msg, void *hits)
{
	(void)msg;
	++*(int *)hits;
}

int dr_log_count(unsigned long long seq, const char *word)
{
	int hits = 0;

	scan_log(seq, word, count, &hits);
	return hits;
}

struct sum {
	const char *before, *after;
	long sum;
};

static void add(const char *msg, void *arg)
{
	struct sum *sum = arg;
	const char *number = strstr(msg, sum->before);
	char *end;
	long n;

	if (!number)
		return;
	n = strtol(number + strlen(sum->before), &end, 10);
	if (!strncmp(end, sum->after, strlen(sum->after)))
		sum->sum += n;
}

long dr_log_sum(unsigned long long seq, const char *before, const char *after)
{
	struct sum sum = { before, after, 0 };

	scan_log(seq, after, add, &sum);
	return sum.sum;
}
