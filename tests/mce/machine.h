/* SPDX-License-Identifier: GPL-2.0 */
/* Machine checks, the process that they hit, and two kinds of pmem. */
#ifndef DAXRMAP_TEST_MACHINE_H
#define DAXRMAP_TEST_MACHINE_H

#include <stddef.h>
#include <sys/types.h>
#include "common/processes/signals.h"

/* Why there can be none on this machine, or NULL. */
const char *no_machine_checks(void);
/* #MC exceptions so far, on all CPUs. */
long machine_checks(void);
int run_on(int cpu);			/* 0 or -errno, like all below */

/*
 * Asks for a machine check: `kind` is "srao" or "srar". That one waits until the
 * CPU is in user mode and has `vaddr` in a register.
 */
void request(const char *kind, int cpu, unsigned long paddr, const void *vaddr);

/* Who provides an nvdimm bus: the boot option memmap=, and ACPI. */
#define MEMMAP	"e820"
#define NFIT	"ACPI.NFIT"

/*
 * The pmem device of that bus is the one that the tests are about from now on.
 * Makes an fsdax namespace of a new NVDIMM.
 */
int use_pmem(const char *provider);
/* Waits until a part of the block is on the driver's list of bad ones. */
int wait_listed(unsigned long block);
/* Tells the machine check chain of poison that nobody consumed or reports. */
int mention_poison(unsigned long paddr);

/*
 * A process that reads one byte of a file all the time, until it is told. Then it waits: what it
 * touches next may be what is to be known when others have been told, too.
 */
struct consumer {
	pid_t pid;
	char name[64];			/* the file, which it maps */
	unsigned long blk;
	int cpu;			/* that it runs on */
	volatile int ready, told, go;
	char *page, *byte;		/* there */
	struct dr_touch before;		/* there, when all was well */
	struct dr_touch first;		/* what ended it */
	struct dr_touch again, beside;	/* then that byte, and the next page */
	int strays;			/* other signals */
};

struct consumer *consumer_start(int cpu, const char *name, unsigned long blk);
int consumer_told(struct consumer *c);	/* waits; -ETIMEDOUT: nobody told it */
/* It touches again, and ends: -ETIMEDOUT if it cannot. */
int consumer_end(struct consumer *c);

#endif
