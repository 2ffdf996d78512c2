// SPDX-License-Identifier: GPL-2.0
/*
 * aging [--seed N] [--rounds N] [daxrmap|xfs|ext4]
 *
 * A round removes files until 78 percent of the space are in use, and makes files until
 * 88 are. Without the name of a filesystem it is a test of daxrmap with bounds; with one it prints
 * what it has measured, for scripts/bench/aging.sh:
 *
 *	aging: FS,ROUNDS,WHAT,VALUE
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kselftest.h"
#include "../selftests/common.h"
#include "../selftests/common/basics/clock.h"
#include "../selftests/common/basics/options.h"
#include "../selftests/common/basics/random.h"
#include "aging.h"

enum { LOW = 78, HIGH = 88, LOOKS = 4, ROUNDS = 6 };

static long seed, rounds;

static void tell(long round, const char *what, double value)
{
	printf("aging: %s,%ld,%s,%.2f\n", fs_name[fs], round, what, value);
}

static void tell_all(long round, const struct measure *m)
{
	static const char *const size[SIZES] = { "small", "medium", "large" };
	static const char *const kind[KINDS] = { "whole", "appended", "changed" };
	char what[64];

#define TELL(value, ...) do {					\
	snprintf(what, sizeof(what), __VA_ARGS__);		\
	tell(round, what, value);				\
} while (0)
	for (int k = 0; k < KINDS; k++) {
		const struct pieces *p = &m->pieces[k];

		for (int s = 0; s < SIZES; s++) {
			const struct extents *e = &m->extents[s][k];

			TELL(e->files, "%s %s files", size[s], kind[k]);
			TELL(per_file(e), "%s %s extents", size[s], kind[k]);
			TELL(e->most, "%s %s most", size[s], kind[k]);
		}
		TELL(percent(p->all_huge, p->files), "%s files huge", kind[k]);
		TELL(percent(p->huge, p->pieces), "%s pieces huge", kind[k]);
	}
	tell(round, "free blocks", m->free);
	tell(round, "free runs", m->runs);
	tell(round, "longest run", m->longest);
	tell(round, "free huge", percent(m->free_huge * (HUGE / BLOCK), m->free));
	tell(round, "beside files", m->said_used - m->used);
	fflush(stdout);
}

/* Rounds, and a few measurements between: `see` says whether to go on. */
static bool grow_old(bool (*see)(long round, const struct measure *m))
{
	struct measure m;

	dr_seed(seed);
	ops_start();
	grow(HIGH);
	for (long round = 0; ; round++) {
		if (round * LOOKS % rounds < LOOKS) {
			int r = measure(&m);

			if (r) {
				printf("# measuring: %s\n", strerror(-r));
				return false;
			}
			if (!see(round, &m))
				return false;
		}
		if (round == rounds)
			return true;
		shrink(LOW);
		grow(HIGH);
	}
}

static bool print(long round, const struct measure *m)
{
	tell_all(round, m);
	return true;
}

/* For the table. */
static int show(const char *name)
{
	double start;
	int r;

	while (fs <= EXT4 && strcmp(name, fs_name[fs]))
		fs++;
	if (fs > EXT4) {
		fprintf(stderr, "aging: no such filesystem: %s\n", name);
		return 2;
	}
	r = fs_setup();
	if (r) {
		printf("not ok aging: %s: %s\n", name, strerror(-r));
		return 1;
	}
	start = dr_now();
	if (!grow_old(print)) {
		printf("not ok aging: %s\n", name);
		return 1;
	}
	tell(rounds, "seconds", dr_now() - start);
	dr_umount();
	return 0;
}

static struct measure last;
static int wrong;			/* measurements where free space was not exact */

static bool check(long round, const struct measure *m)
{
	last = *m;
	printf("# after %ld rounds: %ld blocks in use, %ld of them files'; %ld are free, in %ld runs\n",
	       round, m->said_used, m->used, m->free, m->runs);
	if (!dr_xfs() && (m->said_used != m->used || m->free != dr_free_blocks())) {
		printf("# GETFSMAP has %ld, statfs %ld\n", m->free, dr_free_blocks());
		wrong++;
	}
	return !dr_check();
}

/* Without any of these it has tested nothing. */
static bool all_done(void)
{
	for (int i = 0; i < OPS; i++)
		if (!done[i])
			return false;
	return true;
}

static bool within(const char *what, double is, double bound, bool at_most)
{
	if (at_most ? is <= bound : is >= bound)
		return true;
	printf("# %s: %.2f, should be %s %.2f\n", what, is, at_most ? "at most" : "at least", bound);
	return false;
}

/*
 * Extents per file; how much of files is fit for huge pages; runs of free space. The worst of 25
 * seeds: 1.0, 1.1, 3.9, 1.7, 4.9, 9.9 extents; 74 and 56 percent; 31 blocks in a run.
 */
static bool in_bounds(const struct measure *m)
{
	static const struct {
		const char *what;
		enum size size;
		enum kind kind;
		double most;
	} bound[] = {
		{ "small files", SMALL, WHOLE, 1.2 },
		{ "medium files", MEDIUM, WHOLE, 1.5 },
		{ "large files", LARGE, WHOLE, 6 },
		{ "small files, appended", SMALL, APPENDED, 2 },
		{ "medium files, appended", MEDIUM, APPENDED, 6.5 },
		{ "large files, appended", LARGE, APPENDED, 13 },
	};
	bool ok = true;

	for (size_t i = 0; i < sizeof(bound) / sizeof(*bound); i++)
		ok &= within(bound[i].what, per_file(&m->extents[bound[i].size][bound[i].kind]),
			     bound[i].most, true);
	ok &= within("percent for huge pages", percent(m->pieces[WHOLE].huge, m->pieces[WHOLE].pieces),
		     60, false);
	ok &= within("percent of what was appended", percent(m->pieces[APPENDED].huge,
							     m->pieces[APPENDED].pieces), 40, false);
	ok &= within("free blocks in a run", m->runs ? (double)m->free / m->runs : 0, 20, false);
	return ok;
}

static void test(void)
{
	struct dr_fs mounted;
	bool through, bounded;

	ksft_print_header();
	ksft_set_plan(5);
	fs = dr_xfs() ? XFS : DAXRMAP;
	printf("# seed %ld\n", seed);
	if (dr_setup(&mounted) || fs_learn())
		ksft_exit_fail_msg("no mount\n");
	through = grow_old(check);
	ksft_test_result(through && all_done(), "aging.done all of it has happened\n");
	ksft_test_result(!wrong, "aging.exact free is what files do not have\n");
	bounded = in_bounds(&last);
	if (!bounded)
		tell_all(rounds, &last);
	ksft_test_result(bounded, "aging.bounds files and free space hang together\n");
	for (struct file *f = file; f < file + FILES; f++)
		if (f->used)
			remove_file(f);
	ksft_test_result(dr_xfs() || dr_free_settled(free_at_start) == free_at_start,
			 "aging.back all is given back\n");
	ksft_test_result(!dr_teardown(&mounted), "aging.mount it is the same after a mount\n");
	if (ksft_get_fail_cnt())
		ksft_exit_fail();
	ksft_exit_pass();
}

int main(int argc, char **argv)
{
	struct dr_options o;

	/* One for all: what the bounds were measured with. */
	setenv("AGING_SEED", "1", 0);
	o = dr_options(argc, argv, "rounds", 0, "AGING_SEED");
	seed = o.seed;
	rounds = o.ops ?: ROUNDS;
	if (optind < argc)
		return show(argv[optind]);
	test();
}
