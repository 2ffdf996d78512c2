/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What takes blocks away from a file, or shares them: src/fs/file/resize.rs,
 * reflink.rs and write_back.rs, and the end of an inode.
 */

/* truncate() of src/fs/file/resize.rs: a page becomes a hole. */
inline truncate(s, busy)
{
	down_write(I_RWSEM(FILE(s)));
	do
	:: atomic { down_write(INVALIDATE(FILE(s))); break_layout(s, busy) };
	   if
	   :: atomic { busy -> busy = 0; up_write(INVALIDATE(FILE(s))) }
	   :: atomic {
		!busy ->
		TREE_FREE;
		set_extent(s, NONE);
		up_write(INVALIDATE(FILE(s)));
		up_write(I_RWSEM(FILE(s)));
		break
	      }
	   fi
	od
}

/* The VFS and lock_two() of src/vfs/inode/lock.rs lock by address. */
inline lock_two(l, k)
{
	if
	:: l < k -> down_write(l); down_write(k)
	:: l > k -> down_write(k); down_write(l)
	:: else -> down_write(l)
	fi
}

inline unlock_two(l, k)
{
	up_write(l);
	if
	:: l != k -> up_write(k)
	:: else
	fi
}

/* State::clone_range() fails for a bad block: EIO. */
#ifdef BREAK_CLONE_TAKES_BAD
#define CLONE_REFUSES(b) false
#else
#define CLONE_REFUSES(b) BAD(b)
#endif

/*
 * share() of src/fs/file/reflink.rs: slot t gets the block of slot s. write_back()
 * unmaps s and waits for its entry, as break_layout() does once more.
 */
inline clone_range(s, t, b, busy)
{
	atomic { lock_two(I_RWSEM(FILE(s)), I_RWSEM(FILE(t))) };
	do
	:: atomic {
		lock_two(INVALIDATE(FILE(s)), INVALIDATE(FILE(t)));
		TREE_FREE;
		b = ext[s];
		if
		:: CLONE_REFUSES(b) ->
			unlock_two(INVALIDATE(FILE(s)), INVALIDATE(FILE(t)));
			unlock_two(I_RWSEM(FILE(s)), I_RWSEM(FILE(t)));
			break
		:: else
		fi
	   };
	   atomic {
		break_layout(s, busy);
		if
		:: !busy -> break_layout(t, busy)
		:: else
		fi;
		if
		:: busy -> unlock_two(INVALIDATE(FILE(s)), INVALIDATE(FILE(t)))
		:: else
		fi
	   };
	   if
	   :: busy -> busy = 0
	   :: atomic {
		!busy ->
		TREE_FREE;
		NEVER(broken_rule, ext[s] != b);
		if
		:: CLONE_REFUSES(b)
		:: else -> set_extent(t, b)
		fi;
		unlock_two(INVALIDATE(FILE(s)), INVALIDATE(FILE(t)));
		unlock_two(I_RWSEM(FILE(s)), I_RWSEM(FILE(t)));
		break
	      }
	   fi
	od;
	b = 0
}

/* fsync(2): dax_writeback_one() locks entries without the invalidate_lock. */
inline sync_file(s, busy)
{
	atomic {
		!ent_locked[s] ->
		busy = (ent[s] != NONE);
		ent_locked[s] = busy
	};
	atomic {
		if
		:: busy -> ent_locked[s] = 0; busy = 0
		:: else
		fi
	}
}

#if CALLERS > 0
#define OTHER_SLOT(n)	(n != s)

/* One system call on slot s; a clone goes to another. */
inline call(s, t, b, new, ok, busy, filled)
{
	if
#ifdef DO_READ
	:: read_file(s, b)
#endif
#ifdef DO_WRITE
	:: write_file(s, b, new, ok, busy, filled)
#endif
#ifdef DO_TRUNCATE
	:: truncate(s, busy)
#endif
#ifdef DO_CLONE
	:: atomic { PICK(t, OTHER_SLOT) };
#ifdef LIFE
	   if
	   :: FILE(t) != FILE(s) ->
		get(FILE(t), open_too);
		if
		:: open_too ->
			clone_range(s, t, b, busy);
			open_too = 0;
			close(FILE(t), b);
			b = 0
		:: else
		fi
	   :: else -> clone_range(s, t, b, busy)
	   fi;
#else
	   clone_range(s, t, b, busy);
#endif
	   t = 0
#endif
#ifdef FAULT_IN
	:: down_write(I_RWSEM(FILE(s)));
	   fault_in(s, t, b)
#endif
#ifdef DO_SYNC
	:: sync_file(s, busy)
#endif
#ifdef DO_UNLINK
	:: atomic { TREE_FREE -> linked[FILE(s)] = 0 }
#endif
	fi
}

/* A process in system calls. */
proctype caller()
{
	byte s, t, b, new, ok;
	bit busy, filled;
#ifdef LIFE
	bit open, open_too;
#endif

	do
	:: break
	:: atomic { PICK(s, ANY) };
#ifdef LIFE
	   get(FILE(s), open);
	   if
	   :: open ->
		call(s, t, b, new, ok, busy, filled);
		open = 0;
		close(FILE(s), b);
		b = 0
	   :: else
	   fi;
#else
	   call(s, t, b, new, ok, busy, filled);
#endif
	   s = 0
	od
}
#endif

#ifdef RECLAIM
#define IS_IDLE(n)	(in_core[n] == LIVE && refs[n] == 0 && !closed)

/* Memory is short: an inode that nobody holds goes out of core. */
proctype reclaim()
{
	byte f, s;

	do
	:: break
	:: atomic { PICK_FILE(f, IS_IDLE); in_core[f] = FREEING };
	   evict(f, s);
	   f = 0
	od
}
#endif
