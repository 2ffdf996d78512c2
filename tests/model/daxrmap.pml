/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The failure protocol of daxrmap: a notifier against everybody else.
 *
 * scripts/checks/model.sh builds this with -D switches: which actors run, and
 * which rule is broken on purpose (BREAK_...). Documentation/locking.rst has
 * the argument that is checked here. Each part names the source that it models.
 *
 *	kernel.pml	locks, DAX entries, page tables, the inode cache
 *	state.pml	the state lock and what is under it
 *	engine.pml	the notifier
 *	access.pml	page faults, read(2), write(2)
 *	change.pml	truncate, clone, fsync, unlink, reclaim
 *	teardown.pml	unmount, and who takes the device then
 *
 * A file has few pages, and a slot is a page of a file: the thing that can own
 * a block. All numbers are small, all sequences are tried: each actor does
 * what it can, in any order, as often as it likes, and may stop at any time.
 * So if some of them wait for each other, there is a run in which all others
 * have stopped, and that is an invalid end state.
 *
 * What must never happen. These are never set: their names are what a run
 * says when it fails.
 */
bit silent_read;	/* an access that got bytes of a failed block */
bit missed_owner;	/* an owner that was not visited, or not told */
bit wrong_signal;	/* a signal for a page that is not the failed one */
bit use_after_free;	/* of the engine or the super block */
bit broken_rule;	/* of the kernel: something that it would WARN about */

#ifndef FILES
#define FILES	2
#endif
#ifndef PAGES
#define PAGES	1	/* of each file */
#endif
#define SLOTS	(FILES * PAGES)
#define FILE(s)	((s) / PAGES)
#ifndef BLOCKS
#define BLOCKS	3
#endif
#ifndef MAPPERS
#define MAPPERS	2	/* processes that map files */
#endif
#ifndef CALLERS
#define CALLERS	0	/* processes in system calls */
#endif
#ifndef NOTIFIERS
#define NOTIFIERS 1
#endif
#ifndef FAILURES
#define FAILURES 1	/* in all */
#endif
#ifndef BATCH
#define BATCH	2	/* owners that are copied at once; 128 in the engine */
#endif
#ifndef RUN
#define RUN	1	/* blocks that fail at once */
#endif
#define NONE	BLOCKS	/* no block */
#if defined(LIFE) && FILES != 2
#error "files come and go by twos"
#endif

#include "words.pml"

/* Some slot for which cond(slot) holds; waits until there is one. In atomic. */
#define PICK_AT(s, cond, n)	:: cond(n) -> s = n
#if SLOTS == 2
#define PICKS(s, cond)	PICK_AT(s, cond, 0) PICK_AT(s, cond, 1)
#elif SLOTS == 3
#define PICKS(s, cond)	PICK_AT(s, cond, 0) PICK_AT(s, cond, 1) PICK_AT(s, cond, 2)
#else
#define PICKS(s, cond)	PICK_AT(s, cond, 0) PICK_AT(s, cond, 1) \
			PICK_AT(s, cond, 2) PICK_AT(s, cond, 3)
#endif
#define PICK(s, cond)	if PICKS(s, cond) fi
#define PICK_FILE(f, cond) if PICK_AT(f, cond, 0) PICK_AT(f, cond, 1) fi
#define ANY(n)		true

#include "state.pml"
#include "kernel.pml"
#include "teardown.pml"
#include "engine.pml"
#include "access.pml"
#include "change.pml"

init {
	byte n;

	d_step {
		n = 0;
		do
		:: n < SLOTS -> ent[n] = NONE; ext[n] = NONE; n++
		:: else -> break
		od;
		n = 0;
		do
		:: n < MAPPERS * SLOTS -> pte[n] = NONE; n++
		:: else -> break
		od;
		/* Block 0 is the first page of every file: clones of one. */
		n = 0;
		do
		:: n < FILES -> ext[n * PAGES] = 0; n++
		:: else -> break
		od;
		n = 0;
		mount_it();
	}
	atomic {
		do
		:: n < NOTIFIERS -> run notifier(n); n++
		:: else -> break
		od;
		n = 0;
		do
		:: n < MAPPERS -> run mapper(n); n++
		:: else -> break
		od;
		n = 0;
#if CALLERS > 0
		do
		:: n < CALLERS -> run caller(); n++
		:: else -> break
		od;
		n = 0;
#endif
#ifdef PINS
		run pinner();
#endif
#if defined(LIFE) && !defined(BREAK_PUT)
		run worker();
#endif
#ifdef RECLAIM
		run reclaim();
#endif
#ifdef UNMOUNT
		run unmount();
#endif
#ifdef NEXT_HOLDER
		run next_mount();
#endif
	}
}
