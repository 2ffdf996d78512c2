/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel does: locks, DAX entries, page tables, the inode cache. */

/* Each file has two locks. */
#define INVALIDATE(f)	(f)
#define I_RWSEM(f)	(FILES + (f))
#define LOCKS		(2 * FILES)
#include "rwsem.pml"

/*
 * fs/dax.c: the entry of each slot, and its lock bit. The block whose page
 * stands there; NONE also for a hole's and an empty entry.
 */
byte ent[SLOTS];
bit ent_locked[SLOTS];

inline lock_entry(s)
{
	atomic { !ent_locked[s] -> ent_locked[s] = 1 }
}

/* The block that each process maps at each slot. */
byte pte[MAPPERS * SLOTS];
#define PTE(p, s)	pte[(p) * SLOTS + (s)]

/*
 * Process 0 asked for early kill: the slots at which it maps a failed block
 * and has not been told. Process 1 did not ask: it is told when it touches the
 * page (late kill).
 */
byte untold;
#define EARLY	0

/* unmap_mapping_range() for one page. In atomic. */
#if MAPPERS == 1
#define ZAP(s)		PTE(0, s) = NONE
#define MAPPED(s)	(PTE(0, s) != NONE)
#else
#define ZAP(s)		PTE(0, s) = NONE; PTE(1, s) = NONE
#define MAPPED(s)	(PTE(0, s) != NONE || PTE(1, s) != NONE)
#endif

/* get_user_pages(): the block whose page somebody holds. */
#ifdef PINS
byte pinned = NONE;
#define BUSY(s)		(ent[s] != NONE && ent[s] == pinned)
#else
#define BUSY(s)		false
#endif

/*
 * break_layout() of src/dax/layout.rs. A page that is pinned is unmapped, but
 * not forgotten; busy says so. In atomic; waits for the entry.
 */
inline break_layout(s, busy)
{
	!ent_locked[s];
	ZAP(s);
	DEL(untold, s);
	if
	:: BUSY(s) -> busy = 1
	:: else -> ent[s] = NONE
	fi
}

/*
 * fs/inode.c: where the inode of each file is on its way through the core, and
 * how many hold it. FREEING: whoever wants to open it waits.
 */
#ifdef LIFE
#define ABSENT	0
#define NEW	1
#define LIVE	2
#define FREEING	3
byte in_core[FILES];
byte refs[FILES];
byte vmas[FILES];	/* how many processes map it */
byte users;		/* who holds the mount up */
bit closed;		/* to new users */
#define FILE_IS_MAPPED(f)	(vmas[f] > 0)

/*
 * open(2): lookup() and inode() of src/fs/inode/namespace.rs. The name is looked up
 * first; the inode may be gone when it is read.
 */
inline get(f, ok)
{
	atomic {
		ok = linked[f] && !closed;
		if
		:: ok -> users++
		:: else
		fi
	};
	if
	:: !ok
	:: atomic { ok && in_core[f] == LIVE -> refs[f]++ }
	:: atomic { ok && in_core[f] == ABSENT -> in_core[f] = NEW };
	   atomic {
		TREE_FREE ->
		if
		:: exists[f] -> in_core[f] = LIVE; refs[f] = 1
		:: else -> in_core[f] = ABSENT; ok = 0; users--
		fi
	   }
	fi
}

/* evict_inode() of src/vfs/super_block.rs. The inode is FREEING. */
inline evict(f, s)
{
	s = (f) * PAGES;
	do
	:: atomic {
		/* break_layout_final(): waits while the page is locked or pinned. */
		s < ((f) + 1) * PAGES && !ent_locked[s] && !BUSY(s) ->
		NEVER(broken_rule, MAPPED(s));
		ent[s] = NONE;
		s++
	   }
	:: s == ((f) + 1) * PAGES -> break
	od;
	atomic {
		/* evict_unlinked() of src/fs/filesystem.rs */
		linked[f] || TREE_FREE ->
		s = (f) * PAGES;
		do
		:: !linked[f] && s < ((f) + 1) * PAGES -> set_extent(s, NONE); s++
		:: else -> break
		od;
		exists[f] = linked[f];
		s = 0
	};
	in_core[f] = ABSENT
}

/* iput(). An inode that nobody holds stays in core if it has a name. */
inline put(f, s)
{
	if
	:: atomic { refs[f] > 1 || linked[f] -> refs[f]-- }
	:: atomic { refs[f] == 1 && !linked[f] -> refs[f] = 0; in_core[f] = FREEING };
	   evict(f, s)
	fi
}

/* close(2). */
inline close(f, s)
{
	put(f, s);
	users--
}
#else
#define FILE_IS_MAPPED(f)	true
#endif
