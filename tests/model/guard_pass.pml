/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What passes of the guard are made of: super blocks, their inodes, and who
 * drops the last reference to one. src/vfs/others, src/vfs/late_puts.rs.
 */
byte handed;	/* inodes that the late worker is to drop */

/*
 * The late worker has the inode, its super block, and the pagemap: umount(2)
 * may return while he keeps the super block, and an unbind come after it.
 */
#ifdef BREAK_LATE_NO_PAGEMAP
#define HOLD_PAGEMAP	skip
#define DROP_PAGEMAP	skip
#else
#define HOLD_PAGEMAP	pagemap_refs++
#define DROP_PAGEMAP	pagemap_refs--
#endif

/* The pass asks the current table where the super block's pages are. */
#ifdef BREAK_FILTER_TABLE
#define IS_WANTED(b)	(!moved)
#else
#define IS_WANTED(b)	true
#endif

/* super_lock(): found, with s_umount, or not at all. */
inline lock_super(b)
{
	found = 0;
	if
	:: sb_state[b] == ABSENT || sb_state[b] == DYING
	:: else ->
		(sb_state[b] == BORN || sb_state[b] == DYING);
		down_read(S_UMOUNT(b));
		atomic {
			found = (sb_state[b] == BORN && IS_WANTED(b));
			NEVER(use_after_free, found && s_active[b] == 0);
			if
			:: !found -> up_read(S_UMOUNT(b))
			:: else
#ifdef BREAK_NO_UMOUNT
				-> up_read(S_UMOUNT(b))
#endif
			fi
		}
	fi
}

inline unlock_super(b)
{
#ifdef BREAK_NO_UMOUNT
	skip
#else
	up_read(S_UMOUNT(b))
#endif
}

/* igrab() of what is in s_inodes, mapped by somebody. */
inline grab(f)
{
	atomic {
		found = in_core[f] == LIVE && MAY_HAVE_IT(f);
		if
		:: found -> refs[f]++
		:: else
		fi
	}
}

/* Under s_umount. The last reference is for the late worker. */
inline drop(f)
{
#ifdef BREAK_PUT
	put(f)
#else
	atomic {
		NEVER(use_after_free, refs[f] == 0);
		if
		:: refs[f] > 1 -> refs[f]--
		:: else ->
			NEVER(use_after_free, HAS(handed, f) || s_active[SB(f)] == 0);
			ADD(handed, f);
#ifndef BREAK_LATE_NO_ACTIVE
			s_active[SB(f)]++;
#endif
			HOLD_PAGEMAP
		fi
	}
#endif
}

/*
 * iterate_supers_type(), and the files of each super block: EACH is done with
 * file f, whose super block's s_umount is held.
 */
#define WALK(EACH) \
	do \
	:: b < SUPERS -> \
		lock_super(b); \
		if \
		:: found -> \
			do \
			:: f < FILES && SB(f) == b -> \
				grab(f); \
				if \
				:: found -> EACH(f); drop(f) \
				:: else \
				fi; \
				f++ \
			:: f < FILES && SB(f) != b -> f++ \
			:: f == FILES -> break \
			od; \
			atomic { unlock_super(b); f = 0; b++ } \
		:: else -> b++ \
		fi \
	:: b == SUPERS -> b = 0; break \
	od

inline unmap_all(f)
{
	down_write(INVALIDATE(f));
	atomic { ZAP(f); up_write(INVALIDATE(f)) }
}

#define IS_HANDED(n)	:: HAS(handed, n) -> DEL(handed, n); f = n

proctype late()
{
	byte f = NO_FILE, b, i;

end_idle:
	do
	:: atomic {
		if
		IS_HANDED(0)
#if FILES > 1
		IS_HANDED(1)
#endif
		fi;
		b = SB(f)
	   };
	   put(f);
#ifndef BREAK_LATE_NO_ACTIVE
	   deactivate(b);
#endif
	   atomic { DROP_PAGEMAP; f = NO_FILE; b = 0 }
	od
}
