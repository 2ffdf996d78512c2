/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is under stress: daxrmap (own.c), or ext4 and XFS with the guard (guarded.c).
 *
 * The environment says which: DAXRMAP_TEST_FS is daxrmap, ext4 or xfs; for the latter two
 * STRESS_STACK is pmem, linear or stripe, and STRESS_GUARD off, watch or hold.
 */
#ifndef DAXRMAP_STRESS_SUBJECT_H
#define DAXRMAP_STRESS_SUBJECT_H

#include "stress.h"

struct subject {
	bool heals;		/* a bad block that is written over is good, where it is */
	bool unwritten;		/* ZERO_RANGE leaves blocks that nobody has written, not zeroes */
	bool clones;
	bool clones_lost;	/* a clone of what is lost is made, and lost as well */
	/* A shared page is never written to: XFS forgets to unmap it, or unmaps too much. */
	bool shared_once;
	/* Nor a hole by write(2): others who fault on it then see what the block held before, for good. */
	bool filled_by_fault;
	/* Who is to be told for certain wants the file locked: a punch anywhere deletes all DAX entries. */
	bool whole_file;
	bool by_vma;		/* who asked for early kill is told, even if he did not touch it */
	bool huge_whole;	/* who maps a page of a huge one may be told the first page's address */
	bool at_once;		/* an event is dealt with when memory_failure() returns */
	bool delays;		/* the handler of failures can be slowed down */
	bool again;		/* a bad page may be poisoned again */

	int (*mount)(struct dr_fs *fs);
	unsigned long (*blocks)(void);
	unsigned long (*pfn)(uint32_t block);
	uint32_t (*block_of)(unsigned long pfn);	/* NONE: not of the filesystem */
	unsigned long (*pick_free)(void);
	void (*start)(void);		/* after the processes were */
	void (*stop)(void);		/* before they are told to */
	/* Around an event of n blocks, of which so many have happened. */
	void (*enter)(unsigned int n);
	void (*leave)(const uint32_t *block, unsigned int n, unsigned int happened);
	int (*inject)(const uint32_t *block, unsigned int n, bool notify);
	void (*check_event)(uint32_t block, uint32_t n);	/* in a calm */
	void (*check_all)(void);	/* while all stand still */
	void (*after_round)(void);
	void (*end)(struct dr_fs *fs);
	bool (*all_done)(void);
	void (*report)(void);
};

extern struct subject *subject;

void choose_subject(void);
extern struct subject daxrmap_itself, guarded;

#endif
