/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel does, as the guard meets it: files of other filesystems, each
 * of one page, their inodes, page faults, pins, the device and dm.
 *
 * fs/inode.c, fs/dax.c, mm/memremap.c, the fault handlers of ext4 and XFS.
 */

#ifndef FILES
#define FILES	2
#endif
#ifndef SUPERS
#define SUPERS	1
#endif
#ifdef DO_MOUNT
#define BORN_SUPERS (SUPERS - 1)
#else
#define BORN_SUPERS SUPERS
#endif
#ifndef PROCS
#define PROCS	2	/* processes that map files */
#endif
#define SB(f)		((f) % SUPERS)
#define NO_FILE		FILES

#define INVALIDATE(f)	(f)
#define S_UMOUNT(b)	(FILES + (b))
#define LOCKS		(FILES + SUPERS)
#include "rwsem.pml"

/* Page frames of the device. Only the first fails. */
#define FAILED	0
#define SPARE	1	/* with ELSEWHERE: of another device, which stays */
#define NONE	2
#ifdef ELSEWHERE
#define IS_HERE(b)	((b) == FAILED)
#else
#define IS_HERE(b)	((b) != NONE)
#endif

/* The device: its driver's list, whether it is alive, its memory map. */
byte listed;		/* bad frames that the driver knows of */
bit alive = 1;
bit memmap = 1;
bit unbinding;		/* get_dev_pagemap() fails */
byte pagemap_refs;
bit mf_mutex;

/*
 * Where each file's page is in its filesystem, and to which frame the table
 * below leads. dm may exchange the table at any time; entries and page tables
 * stay as they are then.
 */
byte at[FILES];
#ifdef RELOAD
bit moved;
#define FRAME(f)	(moved -> SPARE - at[f] : at[f])
#else
#define FRAME(f)	at[f]
#endif

/* DAX entries, and the lock bit of each. */
byte ent[FILES];
bit ent_locked[FILES];

/* Each process maps one file at a time: which one, and the frame, if any. */
byte vma[PROCS];
byte pte[PROCS];
byte pinned = NONE;

/* Of the inode of each file. */
#define ABSENT	0
#define LIVE	1
#define FREEING	2	/* in evict(): out of s_inodes already */
byte in_core[FILES];
byte refs[FILES];
byte unlinked;

/* Of each super block. */
#define UNBORN	1
#define BORN	2
#define DYING	3
byte sb_state[SUPERS];
byte s_active[SUPERS];
byte users[SUPERS];	/* open files, which hold the mount */
byte mounted;
bit umounted;		/* umount(2) has returned */

/* Who is to be told of the failure, and has not been: processes. */
byte untold;
bit returned;		/* the pass has ended: nobody reads the page any more */

#define MAPS(p, f)	(vma[p] == (f))
#if PROCS == 1
#define MAPPING_MAPPED(f) MAPS(0, f)
#define MAPCOUNT(b)	(pte[0] == (b))
#else
#define MAPPING_MAPPED(f) (MAPS(0, f) || MAPS(1, f))
#define MAPCOUNT(b)	(pte[0] == (b) || pte[1] == (b))
#endif
#if FILES == 1
#define NO_ENTRIES_HERE	(!IS_HERE(ent[0]))
#define ALONE(f)	true
#else
#define NO_ENTRIES_HERE	(!IS_HERE(ent[0]) && !IS_HERE(ent[1]))
#define ALONE(f)	(ent[1 - (f)] != ent[f])
#endif
#if PROCS == 1
#define MAPPED_HERE	IS_HERE(pte[0])
#else
#define MAPPED_HERE	(IS_HERE(pte[0]) || IS_HERE(pte[1]))
#endif

/* unmap_mapping_pages(). In atomic. */
#define ZAP_OF(p, f) \
	if \
	:: MAPS(p, f) && pte[p] != NONE -> NEVER(use_after_free, IS_HERE(pte[p]) && !memmap); pte[p] = NONE \
	:: else \
	fi
#if PROCS == 1
#define ZAP(f)		ZAP_OF(0, f)
#else
#define ZAP(f)		ZAP_OF(0, f); ZAP_OF(1, f)
#endif

/* Those who map the file need not be told any more. In atomic. */
#define HEARS(p, f) \
	if \
	:: MAPS(p, f) -> DEL(untold, p) \
	:: else \
	fi
#if PROCS == 1
#define HEAR(f)		HEARS(0, f)
#else
#define HEAR(f)		HEARS(0, f); HEARS(1, f)
#endif

#define BUSY(f)		(ent[f] != NONE && ent[f] == pinned)

/* dax_delete_mapping_range(). In atomic. */
#define FORGET(f) \
	NEVER(use_after_free, IS_HERE(ent[f]) && !memmap); \
	ent[f] = NONE

/*
 * evict(): waits for whoever holds the page, in dax_break_layout_final(); and for
 * a thaw, if the file has no name, as that is a change.
 */
#ifdef FREEZE
bit frozen;
#define MAY_CHANGE(f)	(!frozen || !HAS(unlinked, f))
#else
#define MAY_CHANGE(f)	true
#endif

inline evict(f)
{
	atomic {
		MAY_CHANGE(f) && !ent_locked[f] && !BUSY(f) ->
		NEVER(use_after_free, MAPPING_MAPPED(f));
		FORGET(f);
		in_core[f] = ABSENT
	}
}

/* iput(). */
inline put(f)
{
	if
	:: atomic { refs[f] > 1 || !HAS(unlinked, f) -> NEVER(use_after_free, refs[f] == 0); refs[f]-- }
	:: atomic { refs[f] == 1 && HAS(unlinked, f) -> refs[f] = 0; in_core[f] = FREEING };
	   evict(f)
	fi
}

/* open(2) and mmap(2) by process p, of a file that can be found. */
#define CAN_OPEN(f)	(HAS(mounted, SB(f)) && !HAS(unlinked, f))
#define OPEN(f)		:: CAN_OPEN(f) -> vma[p] = f
#if FILES == 1
#define CAN_OPEN_ANY	CAN_OPEN(0)
#else
#define CAN_OPEN_ANY	(CAN_OPEN(0) || CAN_OPEN(1))
#endif

inline map_file(p)
{
	atomic {
		f == NO_FILE && CAN_OPEN_ANY ->
		if
		OPEN(0)
#if FILES > 1
		OPEN(1)
#endif
		fi;
		f = vma[p];
		vma[p] = NO_FILE;
		users[SB(f)]++
	};
	atomic {
		in_core[f] != FREEING ->
		if
		:: in_core[f] == ABSENT && HAS(unlinked, f) -> users[SB(f)]--; f = NO_FILE
		:: else -> in_core[f] = LIVE; refs[f]++; vma[p] = f
		fi
	}
}

/* munmap(2) and close(2). */
inline unmap_file(p)
{
	atomic {
		NEVER(use_after_free, IS_HERE(pte[p]) && !memmap);
		pte[p] = NONE;
		vma[p] = NO_FILE;
		DEL(untold, p)
	};
	put(f);
	atomic { users[SB(f)]--; f = NO_FILE }
}

/*
 * A page fault: the block is looked up and the driver asked; the entry appears;
 * the page is mapped. An entry that is there already stays as it is, whatever
 * frame is mapped (dax_insert_entry()).
 */
inline fault(p)
{
	atomic {
		down_read(INVALIDATE(f));
		!ent_locked[f] ->
		ent_locked[f] = 1;
		fr = FRAME(f);
		if
		:: HAS(listed, fr) || (IS_HERE(fr) && !alive) -> fr = NONE
		:: else
		fi
	};
	if
	:: fr != NONE ->
		atomic {
			NEVER(use_after_free, IS_HERE(fr) && !memmap);
			if
			:: ent[f] == NONE -> ent[f] = fr
			:: else
			fi;
#ifdef SHARED_FAULTS
			/* IOMAP_F_SHARED: readers take the page from each other. */
			ZAP(f)
#endif
		};
		atomic {
			NEVER(use_after_free, IS_HERE(fr) && !memmap);
			NEVER(silent_read, returned && fr == FAILED);
			pte[p] = fr;
			if
			:: HAS(listed, FAILED) && fr == FAILED && ent[f] == FAILED && !returned -> ADD(untold, p)
			:: else
			fi
		}
	:: else	/* SIGBUS */
	fi;
	atomic { ent_locked[f] = 0; up_read(INVALIDATE(f)); fr = NONE }
}

/* truncate(2), and a write that gets another block for the page. */
inline replace_page()
{
	do
	:: atomic { down_write(INVALIDATE(f)); !ent_locked[f] -> ZAP(f) };
	   if
	   :: atomic { BUSY(f) -> up_write(INVALIDATE(f)) }
	   :: atomic {
		!BUSY(f) ->
		FORGET(f);
		HEAR(f);
		at[f] = SPARE - at[f];
		up_write(INVALIDATE(f));
		break
	      }
	   fi
	od
}

/* A process that maps files, one at a time. */
proctype mapper(byte p)
{
	byte f = NO_FILE, fr = NONE;

end_idle:
	do
	:: map_file(p)
	:: f != NO_FILE && pte[p] == NONE -> fault(p)
	:: f != NO_FILE -> unmap_file(p)
#ifdef DO_TRUNCATE
	:: f != NO_FILE -> replace_page()
#endif
#ifdef DO_UNLINK
	:: atomic { f != NO_FILE && !HAS(unlinked, f) -> ADD(unlinked, f) }
#endif
	:: break
	od
}

/*
 * memunmap_pages(): waits for who has the pagemap, but for no entry, no page
 * table and no pin.
 * In atomic.
 */
inline memunmap()
{
	pagemap_refs == 0 ->
	NEVER(use_after_free, !NO_ENTRIES_HERE || MAPPED_HERE || IS_HERE(pinned));
	memmap = 0
}

#ifdef PINS
/* Somebody who holds a page for a while, mapped or not. */
proctype pinner()
{
	byte f;

end_idle:
	atomic { pte[0] != NONE -> pinned = pte[0]; f = vma[0] };
	if
	:: true
	/* He meets other poison first. */
	:: true -> !mf_mutex
	/* He faults on the file first. */
	:: true -> atomic { down_read(INVALIDATE(f)); up_read(INVALIDATE(f)) }
	/* He mounts the filesystem in another way first. */
	:: atomic { HAS(mounted, 0) -> users[0]++ };
	   down_write(S_UMOUNT(0));
	   atomic { up_write(S_UMOUNT(0)); users[0]-- }
	fi;
	atomic { NEVER(use_after_free, IS_HERE(pinned) && !memmap); pinned = NONE; f = 0 }
}
#endif

#ifdef RELOAD
/* dmsetup reload, as often as it likes; moves data under mappings. */
proctype reload()
{
	moved = 1;
	if
	:: moved = 0
	:: true
	fi
}
#endif

/* In the beginning. In d_step. */
inline set_up(n)
{
	n = 0;
	do
	:: n < FILES -> ent[n] = NONE; n++
	:: else -> break
	od;
	n = 0;
	do
	:: n < PROCS -> pte[n] = NONE; vma[n] = NO_FILE; n++
	:: else -> break
	od;
	n = 0;
	do
	:: n < BORN_SUPERS -> sb_state[n] = BORN; s_active[n] = 1; ADD(mounted, n); n++
	:: else -> break
	od;
	n = 0
}
