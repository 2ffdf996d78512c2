// SPDX-License-Identifier: GPL-2.0
/*
 * daxrmap beside XFS and ext4, on three equal pmem devices (scripts/bench/fs.sh):
 *
 *	fs-bench [--quick] [--rounds N] [--profile] [FAMILY-OR-LOAD...]
 *
 * Quickly it takes the first sizes, as many as its table says; of a load that is asked for, one at least.
 *
 * Each load runs on each filesystem in turn, so many rounds, each time in a child on a new filesystem.
 * Prints a line for each thing that it measures, each size and filesystem:
 *
 *	fs-bench: LOAD;SIZE;FS;UNIT;MEDIAN;P99;MAX
 *
 * A turn that fails says why, and the others go on; then the exit status is 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include "bench.h"
#include "common/basics/text.h"
#include "common/device/mount.h"
#include "common/processes/children.h"

/*
 * What the kernel has to say (of bad memory) does not go to the console while a load runs: that is
 * slow. Nor do our own lines, then; what has been said before is there by the end of the sleep.
 */
static void quiet(bool on)
{
	if (on)
		usleep(300000);
	must(dr_put("/proc/sys/kernel/printk", on ? "1" : "7"), "printk");
}

void must(int r, const char *what)
{
	if (!r)
		return;
	dr_put("/proc/sys/kernel/printk", "7");
	printf("not ok fs-bench: %s: %s\n", what, strerror(-r));
	exit(1);
}

void must_be(long have, long want, const char *what)
{
	if (have == want)
		return;
	dr_put("/proc/sys/kernel/printk", "7");
	printf("not ok fs-bench: %s: %ld, not %ld\n", what, have, want);
	exit(1);
}

struct order {
	const struct load *load;
	struct turn turn;
};

static int be_turn(void *arg)
{
	const struct order *o = arg;

	/* Sleeps are as short as they are asked for. */
	prctl(PR_SET_TIMERSLACK, 1);
	turn_setup(o->turn.fs);
	profile_start();
	o->load->run(&o->turn);
	return 0;
}

static int after_turn(void *arg)
{
	turn_teardown(((const struct order *)arg)->load->needs & POISONS);
	return 0;
}

/* What a load has left mapped and open goes with its process, before the filesystem goes. */
static bool one_turn(const struct order *o)
{
	char dev[32];
	bool ok = !dr_wait(dr_spawn(be_turn, (void *)o));

	snprintf(dev, sizeof(dev), "/dev/pmem%d", o->turn.fs);
	setenv("DAXRMAP_TEST_DEV", dev, 1);
	ok &= !dr_wait(dr_spawn(after_turn, (void *)o));
	if (!ok)
		printf("not ok fs-bench: %s %ld on %s\n", o->load->name, o->turn.size, fs_names[o->turn.fs]);
	return ok;
}

static bool one_load(const struct load *l, long size, int rounds)
{
	bool ok = true;

	samples_start();
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < FILESYSTEMS; i++) {
			/* Nobody is always the first one. */
			struct order o = { l, { (i + round) % FILESYSTEMS, size } };

			if ((l->needs & CLONES) && o.turn.fs == EXT4)
				continue;
			quiet(true);
			ok &= one_turn(&o);
			quiet(false);
			/* Whoever watches gives up who says nothing for long. */
			printf("# %s %ld on %s, round %d\n", l->name, size, fs_names[o.turn.fs], round + 1);
		}
	samples_print();
	profile_print();
	return ok;
}

static bool wanted(const struct load *l, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, l->family) || !strcmp(*names, l->name))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	bool quick = false, ok = true;
	int rounds = 0, ran = 0;

	(void)argc;
	setvbuf(stdout, NULL, _IOLBF, 0);
	programs_mount();
	for (argv++; *argv && **argv == '-'; argv++) {
		if (!strcmp(*argv, "--quick"))
			quick = true;
		else if (!strcmp(*argv, "--profile"))
			profile_prepare();
		else if (!strcmp(*argv, "--rounds") && argv[1] && atoi(argv[1]) > 0)
			rounds = atoi(*++argv);
		else
			must(-EINVAL, *argv);
	}
	if (!rounds)
		rounds = quick ? 1 : 2;
	for (const struct load *l = loads; l < loads + n_loads; l++)
		for (int i = 0; i < SIZES && l->sizes[i] && (!quick || i < l->quick + (*argv && !l->quick)); i++)
			if (wanted(l, argv)) {
				ok &= one_load(l, l->sizes[i], rounds);
				ran++;
			}
	must(ran ? 0 : -ENOENT, "there is no load of that name");
	return !ok;
}
