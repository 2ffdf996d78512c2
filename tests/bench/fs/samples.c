// SPDX-License-Identifier: GPL-2.0
/* What was measured, and what it comes to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "bench.h"
#include "common/processes/children.h"

#define SERIES	512
#define SAMPLES	4000000

struct series {
	char what[64], unit[16];
	long size;
	enum fs fs;
	int n;
};

/* Memory that children share. One process at a time measures. */
static struct {
	int n_series, n;
	struct series series[SERIES];
	struct { int series; double value; } all[SAMPLES];
} *s;
static struct timespec began;

void samples_start(void)
{
	if (!s)
		s = dr_shared_mem(sizeof(*s));
	s->n_series = s->n = 0;
}

static int find(const struct turn *t, const char *what, const char *unit)
{
	struct series *e;

	for (int i = s->n_series - 1; i >= 0; i--)
		if (s->series[i].fs == t->fs && s->series[i].size == t->size && !strcmp(s->series[i].what, what))
			return i;
	must(s->n_series < SERIES ? 0 : -ENOSPC, "too many measurements in one load");
	e = &s->series[s->n_series];
	*e = (struct series){ .size = t->size, .fs = t->fs };
	snprintf(e->what, sizeof(e->what), "%s", what);
	snprintf(e->unit, sizeof(e->unit), "%s", unit);
	return s->n_series++;
}

void sample(const struct turn *t, const char *what, const char *unit, double value)
{
	int i = find(t, what, unit);

	must(s->n < SAMPLES ? 0 : -ENOSPC, "too many samples");
	s->all[s->n].series = i;
	s->all[s->n++].value = value;
	s->series[i].n++;
}

void begin(void)
{
	profile_take(NULL, NULL);
	clock_gettime(CLOCK_MONOTONIC, &began);
}

static double since(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - began.tv_sec) * 1e9 + (now.tv_nsec - began.tv_nsec);
}

void end(const struct turn *t, const char *what)
{
	double ns = since();

	profile_take(t, what);
	sample(t, what, "ns", ns);
}

void end_each(const struct turn *t, const char *what, long n)
{
	double ns = since();

	profile_take(t, what);
	sample(t, what, "ns", ns / n);
}

void end_wait(const struct turn *t, const char *what)
{
	double ns = since();

	profile_take(t, what);
	sample(t, what, "ns longest", ns);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Nearest rank: of few samples the 99th of a hundred is the largest. */
static double part(const double *v, int n, double of)
{
	int i = (int)(n * of);

	return v[i < n ? i : n - 1];
}

void samples_print(void)
{
	double *v = malloc((s->n + 1) * sizeof(*v));

	must(v ? 0 : -ENOMEM, "memory for samples");
	for (int i = 0; i < s->n_series; i++) {
		const struct series *e = &s->series[i];
		int n = 0;

		for (int j = 0; j < s->n; j++)
			if (s->all[j].series == i)
				v[n++] = s->all[j].value;
		qsort(v, n, sizeof(*v), by_size);
		printf("fs-bench: %s;%ld;%s;%s;%.0f;%.0f;%.0f\n", e->what, e->size, fs_names[e->fs],
		       e->unit, part(v, n, 0.5), part(v, n, 0.99), v[n - 1]);
	}
	free(v);
}
