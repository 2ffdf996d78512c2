/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's tracepoints: by tracefs as text, by perf_event_open(2) as
 * records. Calls return 0 or -errno unless said otherwise.
 */
#ifndef DAXRMAP_TEST_TRACING_H
#define DAXRMAP_TEST_TRACING_H

#include <stdbool.h>

bool tr_kernel_can(void);	/* the kernel has event tracing at all */
/* A buffer of its own with all events of the module; stop removes it. */
int tr_start(void);
int tr_stop(void);		/* also where nothing was started */
/*
 * What the buffer has, oldest first: "EVENT: FIELDS". Number of lines or
 * -errno. The strings live until the next call.
 */
int tr_lines(const char **lines, int max);

/* What an event's `format` file says. */
struct tr_field {
	char type[32], name[32];
	unsigned int offset, size;
	int is_signed;
};

struct tr_format {
	char name[32], print[1024];
	int id, n;
	struct tr_field f[32];
};

int tr_format(const char *event, struct tr_format *f);
/* The field of a raw record, sign-extended; fails the program if there is none. */
long tr_value(const struct tr_format *f, const void *record, const char *name);

/* One event of this process, from now on. */
struct tr_perf {
	int fd;
	void *ring;
};

int tr_perf_open(struct tr_perf *p, int id);
/* The next record's bytes: their number, 0 if there is none, or -errno. */
int tr_perf_next(struct tr_perf *p, void *record, unsigned int size);
void tr_perf_close(struct tr_perf *p);

#endif
