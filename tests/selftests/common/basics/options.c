// SPDX-License-Identifier: GPL-2.0
/* What a random test is told by those who start it. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include "options.h"

/* The number that `text` is; without one, `who` says so and ends. */
static unsigned long number(const char *who, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	if (!*text || *end) {
		fprintf(stderr, "%s: not a number: %s\n", who, text);
		exit(2);
	}
	return n;
}

/* The number in the environment's `name`, or else a random one. */
static unsigned long any_seed(const char *name)
{
	const char *given = getenv(name);
	unsigned int seed = 0;

	if (given)
		return number(name, given);
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		exit(2);
	return seed;
}

struct dr_options dr_options(int argc, char **argv, const char *ops, unsigned long seconds,
			     const char *seed)
{
	const struct option known[] = {
		{ ops, required_argument, NULL, 'o' },
		{ "seconds", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'r' },
		{ }
	};
	struct dr_options o = { .seconds = seconds, .seed = any_seed(seed) };
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		switch (c) {
		case 'o':
			o.ops = number(argv[0], optarg);
			break;
		case 's':
			o.seconds = number(argv[0], optarg);
			break;
		case 'r':
			o.seed = number(argv[0], optarg);
			break;
		default:
			exit(2);
		}
	return o;
}
