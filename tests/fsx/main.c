// SPDX-License-Identifier: GPL-2.0
/*
 * fsx [--ops N] [--seconds S] [--seed N]
 *
 * N operations, however long they take; or, without N, as many as there are in S
 * seconds (10). Without a seed, FSX_SEED's, or a random one; it is printed. The same
 * seed does the same.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "kselftest.h"
#include "../selftests/common/basics/clock.h"
#include "../selftests/common/basics/options.h"
#include "fsx.h"

enum { ALL = 200, MANY = 20000 };

static struct op *const kinds[] = { data_ops, map_ops, space_ops, share_ops, mount_ops };
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

static struct op *any_op(void)
{
	unsigned long all = 0, x;

	for (int k = 0; k < KINDS; k++)
		for (struct op *o = kinds[k]; o->run; o++)
			all += o->weight;
	x = dr_pick(all);
	for (int k = 0; k < KINDS; k++)
		for (struct op *o = kinds[k]; o->run; o++) {
			if (x < o->weight)
				return o;
			x -= o->weight;
		}
	return data_ops;
}

/* Without any of these it has tested nothing. */
static bool all_done(void)
{
	for (int k = 0; k < KINDS; k++)
		for (struct op *o = kinds[k]; o->run; o++)
			if (!o->times)
				return false;
	return true;
}

static void play(unsigned long ops, double until)
{
	while (!failed() && (ops ? op_nr < ops : dr_now() < until ||
			     (!all_done() && op_nr < MANY))) {
		struct op *o = any_op();
		unsigned long before = noted;

		op_nr++;
		o->run();
		if (noted == before) {	/* there was nothing to do it to */
			op_nr--;
			continue;
		}
		o->times++;
		if (op_nr % ALL == 0)
			check_all();
	}
}

/* All is there after a mount, and all is given back. */
static void end(struct dr_fs *fs)
{
	check_all();
	for (int i = 0; i < FILES; i++)
		must("fsync", fsync(file[i].fd), 0);
	close_files();
	if (dr_umount() || dr_mount_again())
		fault(BOOKS, "it cannot be mounted again");
	else if (open_files())
		check_all();
	for (int i = 0; i < FILES; i++)
		must("truncate", ftruncate(file[i].fd, 0), 0);
	close_files();
	if (!dr_xfs() && dr_free_settled(free_at_start) != free_at_start)
		fault(BOOKS, "%ld blocks are free, at first %ld", dr_free_blocks(), free_at_start);
	/* A write to a shared page that is mapped makes the kernel warn on XFS (fs/dax.c). */
	if (dr_teardown(fs) && !dr_xfs())
		fault(BOOKS, "check, mount, umount, or the log");
}

static void report(double seconds)
{
	printf("# seed %lu: %lu operations in %.0f s:", seed, op_nr, seconds);
	for (int k = 0; k < KINDS; k++)
		for (struct op *o = kinds[k]; o->run; o++)
			printf(" %s %lu%s", o->name, o->times,
			       k == KINDS - 1 && !o[1].run ? "\n" : ",");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct dr_options o = dr_options(argc, argv, "ops", 10, "FSX_SEED");
	double start = dr_now();
	struct dr_fs fs;

	ksft_print_header();
	ksft_set_plan(5);
	if (dr_setup(&fs))
		ksft_exit_fail_msg("no mount\n");
	seed = o.seed;
	printf("# seed %lu\n", seed);
	fflush(stdout);
	dr_seed(seed);
	free_at_start = fs.free_at_start;
	model_start();
	if (open_files())
		play(o.ops, start + o.seconds);
	end(&fs);
	report(dr_now() - start);
	ksft_test_result(!faults[CALLS], "fsx.calls every call did what it must\n");
	ksft_test_result(!faults[BYTES], "fsx.bytes every byte is as written\n");
	ksft_test_result(!faults[HOLES], "fsx.holes holes are where they must be\n");
	ksft_test_result(!faults[BOOKS], "fsx.books blocks are shared, free and kept as they must be\n");
	ksft_test_result(op_nr >= o.ops && all_done(), "fsx.done all of it has happened\n");
	if (ksft_get_fail_cnt())
		ksft_exit_fail();
	ksft_exit_pass();
}
