// SPDX-License-Identifier: GPL-2.0
/*
 * The second screen: ext4 and XFS over LVM, as people have them, without and with the guard. A
 * page below them fails that eight processes map.
 *
 * /dev/pmem0 and /dev/pmem1 are overwritten. Exit status 0 only if with the guard everybody was
 * told, and nobody read the poison silently.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../selftests/common.h"
#include "../selftests/common/device/driver.h"
#include "../selftests/common/device/lvm.h"
#include "../selftests/common/device/stack.h"
#include "../selftests/common/module/guard.h"
#include "../selftests/common/processes/party.h"

enum { PROCS = 8, BLOCKS = 32 };

/* What the eight processes got. */
struct outcome {
	int told;	/* early kill: at once; late kill: at the next touch */
	int silent;	/* the next touch returned the page's bytes */
	int read_silent, read_eio;
};

/* A filesystem without the guard, or with it. */
struct row {
	struct outcome early, late;
};

static struct {
	const char *fs, *text;
	int files;
	struct row without, with;
} table[] = {
	{ .fs = "ext4", .text = "ext4 (1 file)", .files = 1 },
	{ .fs = "xfs", .text = "XFS (8 clones)", .files = PROCS },
};

static bool must(const char *what, long r)
{
	if (r < 0)
		fprintf(stderr, "demo: %s: %s\n", what, strerror(-r));
	return r >= 0;
}

static const char *file_name(int i)
{
	static char name[16];

	snprintf(name, sizeof(name), "f%d", i);
	return name;
}

/* Both devices as if they were new: nothing on the lists of their drivers. */
static int renew(void)
{
	static const char *const dev[] = { PMEM0, PMEM1 };
	char name[64];
	int r = 0;

	for (int i = 0; i < 2 && !r; i++) {
		setenv("DAXRMAP_TEST_DEV", dev[i], 1);
		r = dr_find_device(name, sizeof(name)) ?: dr_rebind(name);
	}
	return r;
}

static int make_files(int files)
{
	int r = dr_create("f0", BLOCKS, 1);

	for (int i = 1; i < files && !r; i++)
		r = dr_clone("f0", file_name(i));
	return r;
}

/* With the guard, returns when that has dealt with it. */
static int fail(unsigned long page, bool guard)
{
	long pfn = dr_pfn_in_file("f0", page);
	int r;

	if (pfn < 0)
		return pfn;
	if (guard)
		return dr_guard_poison(pfn);
	r = dr_poison_pfn(pfn);
	/* "Nobody was told": what the kernel says of shared pages below dm. */
	return r == -EBUSY ? 0 : r;
}

static void touch(struct peer *p, unsigned long page, bool early, struct outcome *o)
{
	char *at = p->base + page * BLK;
	struct dr_touch t;
	struct dr_sig s[4];
	int n = peer_signals(p, s, 4);

	t = peer_load(p, page * BLK + 42);
	if (!t.sig.signo)
		o->silent++;
	if (early)
		o->told += n == 1 && dr_sig_is(s[0], BUS_MCEERR_AO, at, 12);
	else
		o->told += !n && t.sig.signo && dr_sig_is(t.sig, BUS_MCEERR_AR, at + 42, 12);
}

static bool scene(int files, unsigned long page, bool guard, bool early, struct outcome *o)
{
	struct peer p[PROCS] = { 0 };
	unsigned char byte;
	bool ok = must("processes", party_open(p, PROCS, early, files, BLOCKS));

	ok = ok && must("a look at the page", party_loads(p, PROCS, page, dr_byte(1, page)) == PROCS ?
			0 : -EIO);
	ok = ok && must("the failure", fail(page, guard));
	for (int i = 0; i < PROCS && ok; i++)
		touch(&p[i], page, early, o);
	for (int i = 0; i < PROCS && ok; i++) {
		int r = dr_read1(file_name(i % files), page, &byte);

		o->read_silent += !r;
		o->read_eio += r == -EIO;
	}
	for (int i = 0; i < PROCS; i++)
		if (p[i].pid > 0)
			peer_stop(&p[i]);
	return ok;
}

static bool run(const char *fs, int files, struct row *without, struct row *with)
{
	bool ok = must("the devices", renew()) && must("LVM", dr_lvm_group()) &&
		must("the volume", dr_lvm_volume(fs, "-i 2 -I 64")) &&
		must("the files", make_files(files));

	ok = ok && scene(files, 1, false, true, &without->early) &&
		scene(files, 5, false, false, &without->late);
	ok = ok && must("the guard", dr_guard_watch(1)) &&
		scene(files, 9, true, true, &with->early) &&
		scene(files, 13, true, false, &with->late);
	dr_guard_watch(0);
	ok &= must("umount", dr_umount());
	dr_lvm_drop();
	return ok;
}

static void tell(const char *fs, const char *guard, const struct row *r)
{
	printf("%-14s %-7s | %d of %d   %d of %d | %d of %d   %d of %d | %2d of %d %2d of %d\n", fs, guard,
	       r->early.told, PROCS, r->early.silent, PROCS,
	       r->late.told, PROCS, r->late.silent, PROCS,
	       r->early.read_eio + r->late.read_eio, 2 * PROCS,
	       r->early.read_silent + r->late.read_silent, 2 * PROCS);
}

static bool kept(const struct row *r)
{
	return r->early.told == PROCS && r->late.told == PROCS &&
		!r->early.silent && !r->late.silent &&
		r->early.read_eio == PROCS && r->late.read_eio == PROCS;
}

int main(void)
{
	bool ok = true;

	dr_catch_sigbus();
	setenv("DAXRMAP_TEST_MNT", "/tmp/demo-lvm", 1);
	dr_early_kill(0);
	for (int i = 0; i < 2; i++)
		ok &= run(table[i].fs, table[i].files, &table[i].without, &table[i].with);

	printf("The guard, for the filesystems that people have: ext4 and XFS, on a volume of\n"
	       "LVM over two pmem devices. A page below them fails, 8 processes map it.\n\n"
	       "                       | early kill      | late (default)  |\n"
	       "                       | told at  then   | told at  then   | read(2):\n"
	       "over LVM       guard   | once     SILENT | a touch  SILENT | EIO      SILENT\n");
	for (int i = 0; i < 2; i++) {
		tell(table[i].text, "without", &table[i].without);
		tell("", "with", &table[i].with);
		ok &= kept(&table[i].with);
	}
	printf("(SILENT: the bytes of the page that has failed, as if nothing had happened.)\n");
	return !ok;
}
