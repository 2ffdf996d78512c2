/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guard holds a device that is removed while its files are mapped:
 * kill_dax() and the pass that it queues, against faults, pins, the end of
 * inodes and unmount. Documentation/locking.rst, "The guard".
 */
bit silent_read;
bit use_after_free;	/* of the memory map, an inode, a super block */
bit broken_rule;

#include "words.pml"
#include "guard_vfs.pml"
#include "guard_super.pml"

bit event;		/* a pass is queued */

#define MAY_HAVE_IT(f)	(MAPPING_MAPPED(f) || ent[f] != NONE)
#include "guard_pass.pml"

/*
 * One file: who maps it is killed, the page unmapped and forgotten, unless
 * somebody holds it. He may have to fault, or to mount, before he lets go.
 */
inline take_away(f)
{
	down_write(INVALIDATE(f));
	if
	:: IS_HERE(ent[f]) ->
		atomic { !ent_locked[f] -> ZAP(f) };
#ifdef BREAK_PIN_UNDER_LOCK
		!BUSY(f);
#endif
		atomic {
			!ent_locked[f] ->
			if
			:: BUSY(f) -> again = 1
			:: else -> FORGET(f)
			fi
		}
	:: else
	fi;
	atomic { up_write(INVALIDATE(f)) }
#ifdef BREAK_PIN_UNDER_UMOUNT
	;
	!BUSY(f)
#endif
}

/* The worker of the device that is removed. */
proctype removal()
{
	byte f, b;
	bit found, again;

end_idle:
	event;
#ifndef BREAK_BEFORE_DEAD
	!alive;
#endif
	do
	::
		WALK(take_away);
		if
		:: !again -> break
		/* No lock is held meanwhile. */
		:: again -> pinned == NONE; again = 0
		fi
	od;
#ifndef BREAK_NO_STRAYS
	/* A table leads here since a short time ago: the files' entries do not. */
	atomic { NEVER(use_after_free, !memmap); again = MAPPED_HERE };
	if
	:: again -> again = 0; WALK(unmap_all)
	:: else
	fi;
#endif
	/*
	 * evict() takes an inode out of s_inodes before its pages from it: such a
	 * one was not found. Who holds a page that no XArray has is in none either.
	 * All page frames of the device are looked at.
	 */
#ifndef BREAK_NO_SCAN
	NO_ENTRIES_HERE;
#endif
#ifndef BREAK_NO_COUNTS
	!IS_HERE(pinned);
#endif
#ifndef BREAK_NO_PAGEMAP
	pagemap_refs--;
#endif
	f = 0
}

/* The driver is unbound: kill_dax(), then memunmap_pages(). */
proctype unbind()
{
	/* The holder is told, and does not wait. */
	atomic {
#ifndef BREAK_NO_PAGEMAP
		pagemap_refs++;
#endif
		event = 1
	};
	alive = 0;
	unbinding = 1;
	atomic { memunmap() }
}

init {
	byte n;

	d_step {
		set_up(n);
#ifdef ELSEWHERE
		at[0] = SPARE;
#elif FILES > 1
		at[1] = SPARE;
#endif
	};
	atomic {
		run unbind();
		run removal();
		run late();
		run mapper(0);
#if PROCS > 1
		run mapper(1);
#endif
#ifdef UNMOUNT
		run unmount(0);
#endif
#ifdef RELOAD
		run reload();
#endif
#ifdef PINS
		run pinner();
#endif
	}
}
