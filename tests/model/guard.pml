/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guard: a page of somebody else's filesystem has failed. Whoever has heard of
 * it, and the pass that he has done, against faults, calls, mounts, tables.
 * Documentation/locking.rst, "The guard". Built as daxrmap.pml is, by switches.
 *
 *	guard_vfs.pml	the kernel's side: files and the device
 *	guard_super.pml	and super blocks
 *	guard_pass.pml	super blocks and inodes in a pass, and the late worker
 *	guard_removal.pml, guard_unload.pml	models of their own
 */
bit silent_read;	/* somebody maps the page when all has been done */
bit missed_owner;	/* somebody was not told */
bit wrong_signal;	/* a signal for another page */
bit use_after_free;
bit broken_rule;

#include "words.pml"
#include "guard_vfs.pml"
#include "guard_super.pml"

bit event;		/* a pass is queued */
bit pass_done;

#ifdef BREAK_NO_BARRIER
#define MAY_HAVE_IT(f)	(ent[f] != NONE)
#else
#define MAY_HAVE_IT(f)	MAPPING_MAPPED(f)
#endif
#include "guard_pass.pml"

/*
 * Step 1: badblocks_set(). Who maps a file that has the page is to be told, if
 * he stays; whether he has a PTE or another reader has just taken it.
 */
#define OWE(p) \
	if \
	:: vma[p] != NO_FILE -> \
		if \
		:: ent[vma[p]] == FAILED -> ADD(untold, p) \
		:: else \
		fi \
	:: else \
	fi

inline publish()
{
	d_step {
		if
		:: !HAS(listed, FAILED) ->
			OWE(0);
#if PROCS > 1
			OWE(1);
#endif
			ADD(listed, FAILED)
		:: else
		fi
	}
}

/* mf_dax_kill_procs(), then those who have no PTE; then from everybody. */
#ifdef BREAK_ONLY_PTE
#define TELL_PROC(p, f)	if :: MAPS(p, f) && pte[p] == FAILED -> DEL(untold, p) :: else fi
#else
#define TELL_PROC(p, f)	HEARS(p, f)
#endif

inline kill_procs(f)
{
	atomic {
		!ent_locked[f];
		NEVER(use_after_free, !memmap);
		NEVER(wrong_signal, ent[f] != FAILED);
		TELL_PROC(0, f);
#if PROCS > 1
		TELL_PROC(1, f);
#endif
		ZAP(f)
	}
}

/* Step 4 for one inode. */
inline tell(f)
{
#ifdef BREAK_NO_RELOOK
	hit = (ent[f] == FAILED);
	down_write(INVALIDATE(f));
#else
#ifndef BREAK_NO_INVALIDATE
	down_write(INVALIDATE(f));
#endif
	hit = (ent[f] == FAILED);
#endif
	if
	:: hit -> kill_procs(f); hit = 0
	:: else
	fi;
#ifndef BREAK_NO_INVALIDATE
	atomic { up_write(INVALIDATE(f)) }
#endif
}

/* A file that cannot have the page when the walk begins: a fault there may be in flight. */
inline wait_for_faults(f)
{
#ifdef BREAK_NO_BARRIER
	skip
#else
	down_write(INVALIDATE(f));
	atomic { up_write(INVALIDATE(f)) }
#endif
}

#define TELL_ONE(f) \
	if \
	:: one == NO_FILE || one == f -> tell(f) \
	:: else -> wait_for_faults(f) \
	fi

/* folio->mapping: the one file that has the page, if there is one. In atomic. */
#define FOLIO_NAMES(f)	(ent[f] == FAILED && ALONE(f))
inline ask_folio(f)
{
	NEVER(use_after_free, !memmap);
	if
	:: FOLIO_NAMES(0) -> f = 0
#if FILES > 1
	:: FOLIO_NAMES(1) -> f = 1
#endif
	:: else -> f = NO_FILE
	fi
}

/* down_read_trylock(): who comes behind a writer that waits does not get it either. */
#ifdef BREAK_SHORTCUT_NO_UMOUNT
#define TRY_SUPER(b)	true
#define LEAVE_SUPER(b)	skip
#else
#define TRY_SUPER(b)	(!writer[S_UMOUNT(b)] && waiting[S_UMOUNT(b)] == 0)
#define LEAVE_SUPER(b)	up_read(S_UMOUNT(b))
#endif

/*
 * The owner is told without a look at any list. RCU keeps the inode and its
 * super block while s_umount is tried for, and the pagemap's reference the folio.
 */
inline shortcut()
{
	atomic {
		if
		:: !unbinding -> ask_folio(f)
		:: else -> f = NO_FILE
		fi;
#ifndef BREAK_SHORTCUT_WAITS
		found = 0;
		if
		:: f != NO_FILE ->
			found = TRY_SUPER(SB(f)) && sb_state[SB(f)] == BORN && in_core[f] == LIVE;
			if
			:: found ->
				refs[f]++;
#ifndef BREAK_SHORTCUT_NO_UMOUNT
				readers[S_UMOUNT(SB(f))]++
#endif
			:: else
			fi
		:: else
		fi
#endif
	};
#ifdef BREAK_SHORTCUT_WAITS
	if
	:: f != NO_FILE ->
		down_read(S_UMOUNT(SB(f)));
		atomic {
			found = (sb_state[SB(f)] == BORN && in_core[f] == LIVE);
			if
			:: found -> refs[f]++
			:: else -> up_read(S_UMOUNT(SB(f)))
			fi
		}
	:: else
	fi;
#endif
	if
	:: found -> tell(f); drop(f); atomic { LEAVE_SUPER(SB(f)); found = 0; f = 0 }
	:: else -> f = 0
	fi
}

/* What was promised, when the pass ends. */
inline all_is_told()
{
	d_step {
		NEVER(silent_read, MAPCOUNT(FAILED));
		NEVER(missed_owner, untold != 0);
		returned = 1
	}
}

/* The worker of the device. */
proctype pass()
{
	byte f, b, one = NO_FILE;
	bit found, hit;

end_idle:
	atomic {
		event ->
#ifndef BREAK_PASS_NO_PAGEMAP
		if
		:: unbinding -> goto end_gone
		:: else -> pagemap_refs++
		fi;
#endif
		ask_folio(one)
	};
#ifndef BREAK_SHORTCUT
	WALK(TELL_ONE);
#ifndef BREAK_ONE_ONCE
	if
	:: atomic { one != NO_FILE -> ask_folio(f); hit = (f != one); one = NO_FILE; f = 0 };
	   if
	   :: hit -> hit = 0; WALK(TELL_ONE)
	   :: else
	   fi
	:: one == NO_FILE
	fi;
#endif
#endif
#ifdef BREAK_PUBLISH_LATE
	publish();
#endif
#ifndef BREAK_NO_STRAYS
	/*
	 * An entry is older than the table: the frame is mapped, and no XArray
	 * has it. folio_mapped() says so; all is unmapped.
	 */
	atomic { NEVER(use_after_free, !memmap); hit = MAPCOUNT(FAILED) };
	if
	:: hit -> hit = 0; WALK(unmap_all)
	:: else
	fi;
#endif
	all_is_told();
#ifndef BREAK_PASS_NO_PAGEMAP
	pagemap_refs--;
#endif
	pass_done = 1;
end_gone:
	one = NO_FILE
}

/* The holder's notifier, under mf_mutex; or the worker that heard of it by the tracepoint. */
proctype failure()
{
	byte f;
	bit found, hit;

#ifdef HOLD
	atomic { !mf_mutex -> mf_mutex = 1 };
#endif
#ifndef BREAK_PUBLISH_LATE
	publish();
#endif
	shortcut();
	event = 1;
#ifdef HOLD
	if
	:: pass_done -> NEVER(silent_read, MAPCOUNT(FAILED))
#ifndef BREAK_WAIT
	:: true		/* the time is over: an error is returned */
#endif
	fi;
	mf_mutex = 0
#endif
}

#ifdef UNBIND
/* Nobody holds the device: it is unbound when umount(2) has returned. */
proctype unbind()
{
end_in_use:
	umounted;
	alive = 0;
	unbinding = 1;
	atomic { memunmap() }
}
#endif

init {
	byte n;

	d_step {
		set_up(n);
		/* The first page of every file is the one that fails: clones of one. */
#ifdef SHARED
		at[1] = FAILED;
#elif FILES > 1
		at[1] = SPARE;
#endif
	};
	atomic {
		run failure();
		run pass();
		run late();
		run mapper(0);
#if PROCS > 1
		run mapper(1);
#endif
#ifdef UNMOUNT
		run unmount(0);
#endif
#ifdef FREEZE
		run freeze();
#endif
#ifdef DO_MOUNT
		run mount(SUPERS - 1);
#endif
#ifdef RELOAD
		run reload();
#endif
#ifdef UNBIND
		run unbind();
#endif
#ifdef PINS
		run pinner();
#endif
	}
}
