// SPDX-License-Identifier: GPL-2.0
/* The kernel's log. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "log.h"

static unsigned long long scan_log(unsigned long long after, const char *word,
				   int *hits)
{
	unsigned long long seq = 0;
	char buf[8192], *msg;
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
		fprintf(stderr, "# log: %s", msg + 1);
		++*hits;
	}
	close(fd);
	return seq;
}

unsigned long long dr_log_seq(void)
{
	return scan_log(0, NULL, NULL);
}

int dr_log_count(unsigned long long seq, const char *word)
{
	int hits = 0;

	scan_log(seq, word, &hits);
	return hits;
}
