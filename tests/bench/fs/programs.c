// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that people use, in the root tree that scripts/setup/programs.sh puts on a disk. The filesystem
 * that is measured is mounted inside of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include "bench.h"
#include "common/basics/text.h"
#include "common/files/files.h"

#define ROOT	"/run/programs"
/* The first time brings the program into core. */
#define RUNS	3

void programs_mount(void)
{
	static const struct { const char *what, *where, *type; unsigned long flags; } mounts[] = {
		{ "/dev/vda", ROOT, "ext4", MS_RDONLY },
		{ "tmpfs", ROOT "/tmp", "tmpfs", 0 },
		{ "tmpfs", ROOT "/run", "tmpfs", 0 },
		{ "proc", ROOT "/proc", "proc", 0 },
		{ "/dev", ROOT "/dev", NULL, MS_BIND | MS_REC },
	};

	must(system("modprobe virtio_blk; mkdir -p " ROOT) ? -EIO : 0, "virtio_blk");
	/* So that nobody has to take them away. */
	must(unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ? dr_errno() : 0,
	     "mount namespace");
	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++)
		must(mount(mounts[i].what, mounts[i].where, mounts[i].type, mounts[i].flags, NULL) ?
		     dr_errno() : 0, mounts[i].where);
	setenv("DAXRMAP_TEST_MNT", ROOT "/mnt", 1);
}

static void run(const char *command)
{
	char all[2048];

	snprintf(all, sizeof(all), "chroot " ROOT " /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/tmp "
		 "/bin/sh -c 'cd /mnt && %s' >" ROOT "/tmp/out 2>&1", command);
	must(system(all) ? -EIO : 0, command);
}

/* As fio says: how many milliseconds it was at it, which is the ninth field. */
static double fio_ms(void)
{
	static char text[65536];
	char *at = text;

	must(dr_slurp(ROOT "/tmp/out", text, sizeof(text)) < 0 ? -EIO : 0, "what fio says");
	for (int field = 1; field < 9; field++) {
		at = strchr(at, ';');
		must(at++ ? 0 : -EINVAL, text);
	}
	must(atof(at) > 0 ? 0 : -EINVAL, text);
	return atof(at);
}

/* @size: MiB, of which each block of 4 KiB is read (70 of 100) or written once, at random. */
void fio(const struct turn *t)
{
	static const char *const engines[][2] = {
		{ "psync", "fio 70/30, psync, an operation" },
		{ "mmap", "fio 70/30, mmap, an operation" },
	};
	char command[512];

	for (int e = 0; e < 2; e++)
		for (int i = 0; i < RUNS; i++) {
			snprintf(command, sizeof(command),
				 "rm -f j && fio --name=j --filename=j --size=%ldM --rw=randrw --rwmixread=70 --bs=4k "
				 "--ioengine=%s --fsync=32 --randseed=7 --eta=never --minimal", t->size, engines[e][0]);
			run(command);
			if (i)
				sample(t, engines[e][1], "ns", fio_ms() * 1e6 / (t->size * MIB / PAGE));
		}
}

/* @size: transactions. */
void sqlite(const struct turn *t)
{
	static const char *const journals[][2] = {
		{ "DELETE", "SQLite, a transaction, DELETE" },
		{ "WAL", "SQLite, a transaction, WAL" },
	};
	char command[512];
	FILE *f = fopen(ROOT "/tmp/sql", "w");

	must(f ? 0 : dr_errno(), "sql");
	for (long i = 0; i < t->size; i++)
		fprintf(f, "BEGIN; INSERT INTO t VALUES (%ld, hex(zeroblob(%ld))); UPDATE c SET n = %ld; COMMIT;\n",
			i * 7919 % 10007, 50 + i % 400, i);
	must(fclose(f) ? dr_errno() : 0, "sql");
	for (int j = 0; j < 2; j++)
		for (int i = 0; i < RUNS; i++) {
			snprintf(command, sizeof(command),
				 "rm -f db* && sqlite3 db \"PRAGMA journal_mode=%s; CREATE TABLE t (n INTEGER PRIMARY KEY, "
				 "a TEXT); CREATE TABLE c (n); INSERT INTO c VALUES (0);\" && "
				 "sqlite3 -cmd \"PRAGMA synchronous=FULL\" db </tmp/sql", journals[j][0]);
			begin();
			run(command);
			if (i)
				end_each(t, journals[j][1], t->size);
		}
}

/* As pgbench says, in its line "tps = ...". */
static double pgbench_tps(void)
{
	static char text[65536];
	char *at;

	must(dr_slurp(ROOT "/tmp/out", text, sizeof(text)) < 0 ? -EIO : 0, "what pgbench says");
	at = strstr(text, "tps = ");
	must(at && atof(at + 6) > 0 ? 0 : -EINVAL, text);
	return atof(at + 6);
}

#define AS_POSTGRES	"PATH=$PATH:$(echo /usr/lib/postgresql/*/bin); export PGHOST=/tmp/socket PGUSER=postgres; " \
			"as() { setpriv --reuid=postgres --regid=postgres --init-groups \"$@\"; }; "

/* @size: transactions of each of two clients, as pgbench has them: three updates, a query, a row. */
void pgbench(const struct turn *t)
{
	char command[512];

	run(AS_POSTGRES "install -d -o postgres -g postgres -m 700 pg /tmp/socket && "
	    "as initdb -D /mnt/pg/d --no-locale --encoding=UTF8 --auth=trust --no-sync && "
	    "as pg_ctl -D /mnt/pg/d -w -t 600 -l /mnt/pg/log -o \"-c listen_addresses= -k /tmp/socket "
	    "-c shared_buffers=16MB -c autovacuum=off -c jit=off\" start && "
	    "as createdb bench && as pgbench -q -i -s 1 bench");
	for (int i = 0; i < RUNS; i++) {
		snprintf(command, sizeof(command), AS_POSTGRES "as pgbench -n -c 2 -t %ld bench", t->size);
		run(command);
		if (i)
			sample(t, "pgbench, a transaction", "ns", 1e9 / pgbench_tps());
	}
	run(AS_POSTGRES "as pg_ctl -D /mnt/pg/d -w -t 600 -m fast stop");
}
