// SPDX-License-Identifier: GPL-2.0
/* The module's tracepoints, by tracefs and by perf_event_open(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "tracing.h"
#include "common/basics/text.h"

#define TRACEFS		"/sys/kernel/tracing"
#define INSTANCE	TRACEFS "/instances/daxrmap-test"
#define PAGE		4096u
#define RING_PAGES	16u

bool tr_kernel_can(void)
{
	return !access(TRACEFS "/events", F_OK);
}

int tr_start(void)
{
	tr_stop();
	if (mkdir(INSTANCE, 0700))
		return dr_errno();
	return dr_put(INSTANCE "/events/daxrmap/enable", "1");
}

int tr_stop(void)
{
	if (access(INSTANCE, F_OK))
		return 0;
	/* An event that is on holds the module. */
	dr_put(INSTANCE "/events/daxrmap/enable", "0");
	return rmdir(INSTANCE) ? dr_errno() : 0;
}

int tr_lines(const char **lines, int max)
{
	static char buf[65536];
	char *line, *save, *text;
	ssize_t r = dr_slurp(INSTANCE "/trace", buf, sizeof(buf));
	int n = 0;

	if (r < 0)
		return r;
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (*line == '#')
			continue;
		/* TASK-PID [CPU] FLAGS TIME: EVENT: FIELDS */
		text = strstr(line, ": ");
		if (!text)
			return -EPROTO;
		if (n == max)
			return -E2BIG;
		fprintf(stderr, "# trace: %s\n", text + 2);
		lines[n++] = text + 2;
	}
	return n;
}

static int field_line(const char *line, struct tr_field *f)
{
	const char *end = strchr(line, ';');
	const char *space = end;

	if (!end || sscanf(end, "; offset:%u; size:%u; signed:%d;", &f->offset,
			   &f->size, &f->is_signed) != 3)
		return -EPROTO;
	while (space > line && *space != ' ')
		space--;
	snprintf(f->type, sizeof(f->type), "%.*s", (int)(space - line), line);
	snprintf(f->name, sizeof(f->name), "%.*s", (int)(end - space - 1), space + 1);
	return *f->type && *f->name ? 0 : -EPROTO;
}

int tr_format(const char *event, struct tr_format *f)
{
	char buf[8192], path[256], *line, *save;
	ssize_t r;

	memset(f, 0, sizeof(*f));
	snprintf(path, sizeof(path), TRACEFS "/events/daxrmap/%s/format", event);
	r = dr_slurp(path, buf, sizeof(buf));
	if (r < 0)
		return r;
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, "\t ");
		if (!strncmp(line, "field:", 6)) {
			if (f->n == 32 || field_line(line + 6, &f->f[f->n++]))
				return -EPROTO;
		} else if (sscanf(line, "name: %31s", f->name) != 1 &&
			   sscanf(line, "ID: %d", &f->id) != 1 &&
			   sscanf(line, "print fmt: %1023[^\n]", f->print) != 1 &&
			   strcmp(line, "format:")) {
			return -EPROTO;
		}
	}
	return f->id > 0 && *f->name && *f->print ? 0 : -EPROTO;
}

long tr_value(const struct tr_format *f, const void *record, const char *name)
{
	const char *at;

	for (int i = 0; i < f->n; i++) {
		if (strcmp(f->f[i].name, name))
			continue;
		at = (const char *)record + f->f[i].offset;
		switch (f->f[i].size) {
		case 4:
			if (f->f[i].is_signed)
				return *(const int *)at;
			return *(const unsigned int *)at;
		case 8:
			return *(const long *)at;
		}
	}
	fprintf(stderr, "# %s has no number %s\n", f->name, name);
	exit(1);
}

int tr_perf_open(struct tr_perf *p, int id)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr), .config = id, .sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW };
	int r;

	p->fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (p->fd < 0)
		return dr_errno();
	p->ring = mmap(NULL, (1 + RING_PAGES) * PAGE, PROT_READ | PROT_WRITE,
		       MAP_SHARED, p->fd, 0);
	if (p->ring != MAP_FAILED)
		return 0;
	r = dr_errno();
	close(p->fd);
	return r;
}

/* Bytes of the ring from `at` on, which may wrap. */
static void ring_copy(const struct tr_perf *p, unsigned long at, void *to,
		      unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		((char *)to)[i] = ((char *)p->ring)[PAGE + (at + i) % (RING_PAGES * PAGE)];
}

int tr_perf_next(struct tr_perf *p, void *record, unsigned int size)
{
	struct perf_event_mmap_page *head = p->ring;
	struct perf_event_header h;
	unsigned int len;
	unsigned long at = head->data_tail;

	if (at == __atomic_load_n(&head->data_head, __ATOMIC_ACQUIRE))
		return 0;
	ring_copy(p, at, &h, sizeof(h));
	ring_copy(p, at + sizeof(h), &len, sizeof(len));
	if (h.type != PERF_RECORD_SAMPLE || len > size)
		return -EPROTO;
	ring_copy(p, at + sizeof(h) + sizeof(len), record, len);
	__atomic_store_n(&head->data_tail, at + h.size, __ATOMIC_RELEASE);
	return len;
}

void tr_perf_close(struct tr_perf *p)
{
	munmap(p->ring, (1 + RING_PAGES) * PAGE);
	close(p->fd);
}
