/* SPDX-License-Identifier: GPL-2.0 */
/* What a random test is told by those who start it. */
#ifndef DAXRMAP_TEST_OPTIONS_H
#define DAXRMAP_TEST_OPTIONS_H

/* [--ops N] [--seconds S] [--seed N] */
struct dr_options {
	unsigned long ops;		/* 0: as many as there are in `seconds` */
	unsigned long seconds, seed;
};

/*
 * @ops: what the first one is called; @seconds: unless they are given; @seed: where
 * the environment has one, a random one otherwise. Ends the program if it does
 * not understand.
 */
struct dr_options dr_options(int argc, char **argv, const char *ops, unsigned long seconds,
			     const char *seed);

#endif
