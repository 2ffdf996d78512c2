// SPDX-License-Identifier: GPL-2.0
/* readdir(3), from any place in a directory on. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "fsstress.h"

enum { MOST = ENTRIES + 8 };

static int read_names(DIR *d, char names[][NAME], long *at, int max)
{
	struct dirent *e;
	int n = 0;

	errno = 0;
	for (long here = telldir(d); n < max && (e = readdir(d)); here = telldir(d)) {
		at[n] = here;
		strcpy(names[n++], e->d_name);
	}
	if (errno)
		fault(CALLS, "readdir: %s", strerror(errno));
	return n;
}

void list_op(void)
{
	static char names[MOST][NAME], again[MOST][NAME];
	static long at[MOST], unused[MOST];
	int dir = any_dir(), n, want = 2, from, m;
	DIR *d = opendir(path_of(dir, NULL));

	note("list %s", path_of(dir, NULL));
	if (!d) {
		must("opendir", -1, 0);
		return;
	}
	for (int i = 0; i < ENTRIES; i++)
		want += t->entry[i].used && t->entry[i].dir == dir;
	n = read_names(d, names, at, MOST);
	if (n != want)
		fault(OWN, "%s lists %d names, not %d", path_of(dir, NULL), n, want);
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], ".") && strcmp(names[i], "..") && find(dir, names[i]) < 0)
			fault(OWN, "%s lists %s", path_of(dir, NULL), names[i]);
	from = dr_pick(n ?: 1);
	seekdir(d, at[from]);
	m = read_names(d, again, unused, MOST);
	if (m != n - from)
		fault(OWN, "%s: from entry %d of %d on, there are %d", path_of(dir, NULL), from,
		      n, m);
	for (int i = 0; i < m && i + from < n; i++)
		if (strcmp(again[i], names[from + i]))
			fault(OWN, "%s: entry %d was %s, and is %s", path_of(dir, NULL), from + i,
			      names[from + i], again[i]);
	closedir(d);
	DONE(LIST);
}
