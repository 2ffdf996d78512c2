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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "kselftest.h"
#include "../selftests/common/basics/clock.h"
#include "../selftests/common/basics/options.h"
#include "stress.h"
#include "subject.h"

enum { STORM = 30, CALM = 15, MANY = 20, MOST = 1000 };

struct subject *subject;

/* Without any of these it has tested nothing. */
static bool all_done(void)
{
	struct counts *n = &w->n;

	return n->told && n->refused && n->healed && n->watched && n->own &&
		n->quiet_events && n->of_free && subject->all_done();
}

void choose_subject(void)
{
	const char *fs = getenv("DAXRMAP_TEST_FS") ?: "daxrmap";

	subject = strcmp(fs, "daxrmap") ? &guarded : &daxrmap_itself;
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
		subject->after_round();
		late = dr_now() > until;
	} while (!w->said && (unsigned long)w->n.events < events &&
		 (!late || (!all_done() && w->round < MANY)));
}

static void end(struct dr_fs *fs)
{
	subject->stop();
	stop_procs();
	for (int f = 0; f < FILES; f++)
		remove_file(f);
	verify();
	subject->end(fs);
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
	ksft_set_plan(6);
	choose_subject();
	if (subject->mount(&fs) || make_world(o.seed))
		ksft_exit_fail_msg("no mount\n");
	printf("# seed %lu\n", o.seed);
	fflush(stdout);
	dr_seed(o.seed * 1000 + PROCS);
	if (start_procs())
		ksft_exit_fail_msg("no processes\n");
	subject->start();
	play(o.ops ?: MOST, o.ops ? 1e18 : start + o.seconds);
	end(&fs);
	report(dr_now() - start);
	if (results(o.ops ?: 1))
		ksft_exit_pass();
	ksft_exit_fail();
}
