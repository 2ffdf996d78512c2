// SPDX-License-Identifier: GPL-2.0
/*
 * What the project is for, on one screen: a page of persistent memory fails
 * that four files share and eight processes map. The same scenario on two
 * file systems, in two columns:
 *
 *	demo daxrmap /dev/pmem0 xfs /dev/pmem1
 *
 * Both devices are overwritten. Exit status 0 only if on daxrmap all eight
 * were told at once (early kill) and nobody read the poison silently later,
 * with early kill or without.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include "../selftests/common.h"

enum { FILES = 4, PROCS = 8, BLOCKS = 8, BAD = 5 };

/* The poisoned page is page BAD of the first file, and this one of each. */
static const struct {
	const char *name, *how;
	unsigned long page;
} file[FILES] = {
	{ "data", "", BAD },
	{ "copy", "clone", BAD },
	{ "again", "clone of copy", BAD },
	{ "shift", "clone +3 pages", BAD + 3 },
};

struct column {
	char line[48][48];
	int lines;
	int told, silent_early, silent_late;
	bool failed;
};

static __attribute__((format(printf, 2, 3)))
void put_line(struct column *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->line[c->lines++], sizeof(*c->line), fmt, ap);
	va_end(ap);
}

static bool must(struct column *c, const char *what, long r)
{
	if (r >= 0)
		return true;
	fprintf(stderr, "demo: %s on %s: %s\n", what, dr_dev(), strerror(-r));
	c->failed = true;
	return false;
}

static bool make_files(struct column *c)
{
	return must(c, "write", dr_create("data", BLOCKS, 1)) &&
	       must(c, "clone", dr_clone("data", "copy")) &&
	       must(c, "clone", dr_clone("copy", "again")) &&
	       must(c, "clone", dr_clone_range("data", 0, BLOCKS * BLK,
					       "shift", 3 * BLK));
}

/* P1 and P2 map the first file, P3 and P4 the second, ... */
static bool start_processes(struct column *c, struct peer *p, bool early)
{
	for (int i = 0; i < PROCS; i++) {
		int f = i / 2;

		if (!must(c, "process", peer_open(&p[i], early, file[f].name,
						  (BLOCKS + 3) * BLK, file[f].page)))
			return false;
	}
	return true;
}

static void tell_files(struct column *c)
{
	long block = dr_block("data", BAD, NULL);

	for (int f = 0; f < FILES; f++)
		put_line(c, "%-6s %-14s %4ld %4lu  P%d P%d", file[f].name,
			 file[f].how, dr_ino(file[f].name), file[f].page,
			 f * 2 + 1, f * 2 + 2);
	put_line(c, "poisoned: block %ld, frame %#lx", block,
		 dr_pfn_of_block(block));
}

static void tell_tuples(struct column *c)
{
	static struct dr_failure f;
	char text[4][24] = { "", "", "", "" };

	if (dr_xfs()) {
		put_line(c, "(it has no record that shows this)");
		put_line(c, "%s", "");
		return;
	}
	if (!must(c, "last_failure", dr_last_failure(&f)))
		f.lines = 0;
	for (int i = 0; i < f.lines && i < 4; i++)
		snprintf(text[i], sizeof(text[i]), "<ino %lu, %lu, %lu>",
			 f.o[i].ino, f.o[i].pgoff, f.o[i].count);
	put_line(c, "%-18s %s", text[0], text[1]);
	put_line(c, "%-18s %s", text[2], text[3]);
}

static void tell_signals(struct column *c, struct peer *p)
{
	for (int i = 0; i < PROCS; i++) {
		char *want = p[i].base + file[i / 2].page * BLK;
		struct dr_sig s[4];
		int n = peer_signals(&p[i], s, 4);

		if (n <= 0) {
			put_line(c, "P%d %-6s not told", i + 1, file[i / 2].name);
			continue;
		}
		if (n == 1 && s[0].addr == want && s[0].lsb == 12)
			c->told++;
		put_line(c, "P%d %-6s %s %p%s", i + 1, file[i / 2].name,
			 s[0].code == BUS_MCEERR_AO ? "MCEERR_AO" :
			 s[0].code == BUS_MCEERR_AR ? "MCEERR_AR" : "SIGBUS ?",
			 (void *)s[0].addr, s[0].addr == want ? "" : " WRONG");
	}
}

/* What the next touch gives: through mmap in each process, and read(2). */
static int tell_touches(struct column *c, struct peer *p)
{
	int silent = 0;

	for (int f = 0; f < FILES; f++) {
		const char *text[3];

		for (int k = 0; k < 2; k++) {
			unsigned long off = file[f].page * BLK + 42;
			struct peer *q = &p[f * 2 + k];
			struct dr_touch t = peer_load(q, off);

			if (!t.sig.signo) {
				text[k] = "SILENT";
				silent++;
			} else {
				text[k] = dr_sig_is(t.sig, BUS_MCEERR_AR,
						    q->base + off, 12) ?
					"SIGBUS" : "WRONG";
			}
		}
		switch (dr_read1(file[f].name, file[f].page,
				 &(unsigned char){ 0 })) {
		case 0:
			text[2] = "SILENT";
			silent++;
			break;
		case -EIO:
			text[2] = "EIO";
			break;
		default:
			text[2] = "WRONG";
		}
		put_line(c, "%-6s P%d %s P%d %s read %s", file[f].name,
			 f * 2 + 1, text[0], f * 2 + 2, text[1], text[2]);
	}
	return silent;
}

static void scenario(struct column *c, bool early)
{
	struct peer p[PROCS] = { 0 };
	struct dr_sig s[4];

	if (!must(c, "mount", dr_mount()))
		return;
	if (make_files(c) && start_processes(c, p, early)) {
		if (early)
			tell_files(c);
		must(c, "poison", dr_poison("data", BAD));
		if (early) {
			tell_tuples(c);
			tell_signals(c, p);
			c->silent_early = tell_touches(c, p);
		} else {
			for (int i = 0; i < PROCS; i++)
				if (peer_signals(&p[i], s, 4))
					c->failed = true;
			c->silent_late = tell_touches(c, p);
		}
	}
	for (int i = 0; i < PROCS; i++)
		if (p[i].pid > 0)
			peer_stop(&p[i]);
	must(c, "umount", dr_umount());
}

static void run(struct column *c, const char *fs, const char *dev)
{
	char mnt[64];

	snprintf(mnt, sizeof(mnt), "/tmp/demo-%s", fs);
	setenv("DAXRMAP_TEST_FS", fs, 1);
	setenv("DAXRMAP_TEST_DEV", dev, 1);
	setenv("DAXRMAP_TEST_MNT", mnt, 1);
	scenario(c, true);
	scenario(c, false);
}

static void both(struct column *c, int *row, int n)
{
	for (; n; n--, ++*row)
		printf("%-39.39s| %.39s\n", c[0].line[*row], c[1].line[*row]);
}

int main(int argc, char **argv)
{
	static struct column c[2];
	struct column *ours = NULL;
	int row = 0;

	if (argc != 5) {
		fprintf(stderr, "usage: demo FS DEVICE FS DEVICE\n");
		return 2;
	}
	dr_early_kill(0);
	for (int i = 0; i < 2; i++) {
		run(&c[i], argv[1 + 2 * i], argv[2 + 2 * i]);
		if (!strcmp(argv[1 + 2 * i], "daxrmap"))
			ours = &c[i];
	}

	printf("A page of persistent memory fails. 4 files share it, 8 processes map it.\n\n");
	for (int i = 0; i < 2; i++)
		snprintf(c[0].line[46 + i], sizeof(*c->line), "%s on %s",
			 argv[1 + 2 * i], argv[2 + 2 * i]);
	printf("%-39s| %s\n", c[0].line[46], c[0].line[47]);
	printf("%-39s| %s\n", "file                 inode page  who",
	       "file                 inode page  who");
	both(c, &row, FILES + 1);
	printf("\n1. Early kill: who is told the moment it happens?\n");
	printf("   The owners it found, <inode, page, count>:\n");
	both(c, &row, 2);
	printf("   The signals, SIGBUS with code and address:\n");
	both(c, &row, PROCS);
	printf("   The next touch, by mmap in each process and by read(2):\n");
	both(c, &row, FILES);
	printf("\n2. Late kill, the default: nobody is told. The next touch:\n");
	both(c, &row, FILES);
	printf("\n");
	for (int i = 0; i < 2; i++) {
		c[i].lines = 0;
		put_line(&c[i], "told at once: %d of %d", c[i].told, PROCS);
		put_line(&c[i], "silent reads, early kill: %d of %d",
			 c[i].silent_early, PROCS + FILES);
		put_line(&c[i], "silent reads, late kill:  %d of %d",
			 c[i].silent_late, PROCS + FILES);
	}
	row = 0;
	both(c, &row, 3);
	printf("(The poison is simulated: SILENT is where real memory would have given a\n"
	       "machine check of its own, or bad data.)\n");
	return !ours || ours->failed || ours->told != PROCS ||
	       ours->silent_early || ours->silent_late;
}
