// SPDX-License-Identifier: GPL-2.0
/*
 * stress [--events N] [--seconds S] [--seed N]
 *
 * N poison events, however long they take; or, without N, as many as there are
 * in S seconds (25), at most 1000. Without a seed, STRESS_SEED's, or a random
 * one; it is printed.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "kselftest.h"
#include "../selftests/common/basics/clock.h"
#include "../selftests/common/basics/options.h"
#include "stress.h"

enum { STORM = 30, CALM = 15, MANY = 20, MOST = 1000 };

/* Without any of these it has tested nothing. */
static bool all_done(void)
{
	struct counts *n = &w->n;

	return n->told && n->refused && n->healed && n->clones && n->watched &&
		n->moved && n->own && n->quiet_events && n->repeated && n->ranges && n->of_free;
}

static void play(unsigned long events, double until)
{
	bool late;

	for (int f = 0; f < FILES * 2 / 3; f++)
		create_file(f);
	do {
		w->round++;
		storm(STORM);
		verify();
		calm(CALM);
		verify();
		late = dr_now() > until;
	} while (!w->said && (unsigned long)w->n.events < events &&
		 (!late || (!all_done() && w->round < MANY)));
}

/* All is given back but what is bad; and the device can be mounted again. */
static void end(struct dr_fs *fs)
{
	stop_procs();
	for (int f = 0; f < FILES; f++)
		remove_file(f);
	verify();
	w->n.owners = dr_counter("owners");
	if (dr_counter("notifies") != w->n.events)
		fault(BOOKS, "%ld notifications of %ld events", dr_counter("notifies"),
		      w->n.events);
	if (dr_teardown(fs))
		fault(BOOKS, "check, umount, or the log");
	if (dr_mount() || dr_create("again", 8, 1) || dr_verify("again", 0, 8, 1, 0) ||
	    dr_umount())
		fault(BOOKS, "the second mount");
}

static bool results(unsigned long events)
{
	ksft_test_result(!w->fault[MISSED], "stress.told no owner was missed\n");
	ksft_test_result(!w->fault[WRONG], "stress.only_owners nobody else got a signal\n");
	ksft_test_result(!w->fault[SILENT], "stress.silent nothing lost was read\n");
	ksft_test_result(!w->fault[INTACT], "stress.intact all other data are as written\n");
	ksft_test_result(!w->fault[BOOKS], "stress.books the books agree\n");
	ksft_test_result((unsigned long)w->n.events >= events && all_done(),
			 "stress.done all of it has happened\n");
	return !ksft_get_fail_cnt();
}

int main(int argc, char **argv)
{
	struct dr_options o = dr_options(argc, argv, "events", 25, "STRESS_SEED");
	double start = dr_now();
	struct dr_fs fs;

	ksft_print_header();
	if (dr_xfs())
		ksft_exit_skip("asks daxrmap's debugfs\n");
	ksft_set_plan(6);
	/* The module that injects is loaded by a child: now, not in a storm. */
	if (dr_setup(&fs) || make_world(o.seed))
		ksft_exit_fail_msg("no mount\n");
	printf("# seed %lu\n", o.seed);
	fflush(stdout);
	dr_seed(o.seed * 1000 + PROCS);
	if (start_procs())
		ksft_exit_fail_msg("no processes\n");
	inject(w->total - 1, 1, false);
	play(o.ops ?: MOST, o.ops ? 1e18 : start + o.seconds);
	end(&fs);
	report(dr_now() - start);
	if (results(o.ops ?: 1))
		ksft_exit_pass();
	ksft_exit_fail();
}
