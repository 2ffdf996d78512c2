/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page faults, read(2) and write(2): src/fs/file/data.rs and writable.rs, with
 * src/dax/fault.rs and what fs/dax.c does then.
 */

/* Somebody sees bytes of a block. In atomic. */
#define SEES(b)		NEVER(silent_read, HAS(returned | tainted, b))

/*
 * dax_iomap_fault() of fs/dax.c until iomap_begin, which is Extents::map() of
 * data.rs: the entry is locked before it asks for the state lock. The
 * invalidate_lock is held, shared. In atomic; b is NONE if there is nothing to
 * map, or a SIGBUS.
 */
inline look_up(s, b, write)
{
	lock_entry(s);
	TREE_FREE;
	b = ext[s];
#ifndef BREAK_FAULT_IGNORES_BAD
	if
	:: BAD(b) -> b = NONE
	:: else
	fi;
#endif
	/* lock_writable() has seen to it, and nothing has changed since. */
	NEVER(broken_rule, write && b != NONE && OWNERS(b) != 1)
}

/* The rest of dax_iomap_fault(). Drops the entry and the invalidate_lock. */
inline map_page(p, s, b)
{
#ifdef SYNC_FAULTS
	/* dax_finish_sync_fault(): the page is mapped in a second go. */
	if
	:: atomic { b != NONE -> ent[s] = b; ent_locked[s] = 0 };
	   lock_entry(s)
	:: true
	fi;
#endif
	atomic {
		if
		:: b != NONE ->
			NEVER(broken_rule, ent[s] != NONE && ent[s] != b);
			SEES(b);
			ent[s] = b;
			PTE(p, s) = b;
			if
			:: p == EARLY && BAD(b) -> ADD(untold, s)
			:: else
			fi
		:: else
		fi;
		ent_locked[s] = 0;
		up_read(INVALIDATE(FILE(s)));
		b = 0;
		s = 0
	}
}

/* What make_writable() does, by what it finds. */
#define REFUSE	0
#define IN_PLACE 1
#define REPLACE	2

#ifdef BREAK_COW_NO_RECHECK
#define SOURCE_IS_BAD(b) false
#else
#define SOURCE_IS_BAD(b) BAD(b)
#endif

/*
 * replace() of writable.rs: a new block for a hole, or for the shared block b.
 * Drops the lock, or downgrades it; ok stays REPLACE if the page is pinned.
 */
inline replace(s, b, new, ok, busy, filled)
{
	atomic {
		break_layout(s, busy);
		if
		:: busy -> up_write(INVALIDATE(FILE(s)))
		:: else
		fi
	};
	do
	:: busy -> busy = 0; break
	:: atomic {
		!busy ->
		TREE_FREE;
		allocate(new);
		if
		:: new == NONE -> ok = REFUSE; up_write(INVALIDATE(FILE(s))); break
		:: else
		fi
	   };
	   atomic {
		/* Device::copy() or zero(): the CPU meets the poison, or copies bytes of it. */
		if
		:: b != NONE && HAS(poisoned, b) -> filled = 0
		:: filled = 1;
		   if
		   :: BAD(b) -> ADD(tainted, new)
		   :: else
		   fi
		fi
	   };
	   atomic {
		TREE_FREE;
		DEL(in_flight, new);
		if
		:: SOURCE_IS_BAD(b) || (!HAS(bad, new) && !filled) ->
			ok = REFUSE;
			up_write(INVALIDATE(FILE(s)))
		:: !SOURCE_IS_BAD(b) && !HAS(bad, new) && filled ->
			ok = IN_PLACE;
			set_extent(s, new);
			downgrade_write(INVALIDATE(FILE(s)))
		:: else	/* once more, with another block */
		fi;
		filled = 0;
		if
		:: ok != IN_PLACE -> DEL(tainted, new)
		:: else
		fi;
		if
		:: ok != REPLACE -> break
		:: else
		fi
	   }
	od;
	new = 0
}

/*
 * lock_writable() of writable.rs. Either ok, and the invalidate_lock held
 * shared, the page writable in place; or not ok, and no lock.
 */
inline lock_writable(s, b, new, ok, busy, filled)
{
	atomic {
		down_read(INVALIDATE(FILE(s)));
		TREE_FREE;
		if
		:: WRITABLE(s) -> ok = IN_PLACE
		:: else -> up_read(INVALIDATE(FILE(s))); ok = REPLACE
		fi
	};
	do
	:: ok != REPLACE -> break
	:: atomic {
		/* make_writable() */
		ok == REPLACE ->
		down_write(INVALIDATE(FILE(s)));
		TREE_FREE;
		b = ext[s];
		if
		:: BAD(b) -> ok = REFUSE; up_write(INVALIDATE(FILE(s)))
		:: WRITABLE(s) -> ok = IN_PLACE; downgrade_write(INVALIDATE(FILE(s)))
		:: else
		fi
	   };
	   if
	   :: ok == REPLACE -> replace(s, b, new, ok, busy, filled)
	   :: else
	   fi
	od;
	b = 0
}


/* FileData::read() of data.rs. */
inline read_file(s, b)
{
	atomic {
		down_read(I_RWSEM(FILE(s)));
		down_read(INVALIDATE(FILE(s)));
		TREE_FREE;
		b = ext[s];
		if
		:: BAD(b) -> b = NONE	/* EIO */
		:: else
		fi
	};
#ifdef BREAK_COPY_FAULTS
	/* Broken: a fault on the user's buffer, which maps the same file. */
	atomic { down_read(INVALIDATE(FILE(s))); up_read(INVALIDATE(FILE(s))) };
#endif
	atomic {
		if
		:: b != NONE -> SEES(b)
		:: else
		fi;
		up_read(INVALIDATE(FILE(s)));
		up_read(I_RWSEM(FILE(s)));
		b = 0
	}
}

/* FileData::write() of data.rs: copy on write by write(2), then in place. */
inline write_file(s, b, new, ok, busy, filled)
{
	down_write(I_RWSEM(FILE(s)));
	lock_writable(s, b, new, ok, busy, filled);
	if
	:: atomic {
		ok == IN_PLACE ->
		TREE_FREE;
		b = ext[s];
		NEVER(broken_rule, b == NONE || OWNERS(b) != 1);
		if
		:: BAD(b) -> b = NONE
		:: else
		fi
	   };
	   atomic {
		if
		:: b != NONE -> SEES(b)
		:: else
		fi;
		b = 0;
		ok = 0;
		up_read(INVALIDATE(FILE(s)));
		up_write(I_RWSEM(FILE(s)))
	   }
	:: atomic { ok == REFUSE -> up_write(I_RWSEM(FILE(s))) }
	fi
}

#ifdef FAULT_IN
/*
 * in_chunks() of data.rs, between two chunks: a page of the user's buffer,
 * which may map any file, is faulted in under the i_rwsem alone.
 */
inline fault_in(s, t, b)
{
	atomic { PICK(t, ANY); down_read(INVALIDATE(FILE(t))); look_up(t, b, false) };
	atomic {
		ent_locked[t] = 0;
		up_read(INVALIDATE(FILE(t)));
		up_write(I_RWSEM(FILE(s)));
		b = 0;
		t = 0
	}
}
#endif

/* munmap() of some slots. In d_step. */
inline zap_mine(p, s, first, end)
{
	s = first;
	do
	:: s < end ->
		PTE(p, s) = NONE;
		if
		:: p == EARLY -> DEL(untold, s)
		:: else
		fi;
		s++
	:: else -> break
	od;
	s = 0
}

#ifdef LIFE
#define CAN_TOUCH(n)	(open && FILE(n) == f)
#else
#define CAN_TOUCH(n)	true
#endif
#define CAN_READ(n)	(CAN_TOUCH(n) && PTE(p, n) == NONE)

/* A process that maps files: all of them, or one at a time that it opens. */
proctype mapper(byte p)
{
	byte s, b, new, ok;
	bit busy, filled;
#ifdef LIFE
	byte f;
	bit open;
#endif

	do
	:: atomic {
		PICK(s, CAN_READ);
		down_read(INVALIDATE(FILE(s)));
		look_up(s, b, false)
	   };
	   map_page(p, s, b)
#ifndef NO_WRITE_FAULTS
	/* Copy on write by fault. */
	:: atomic { PICK(s, CAN_TOUCH) };
	   lock_writable(s, b, new, ok, busy, filled);
	   if
	   :: atomic { ok == IN_PLACE -> ok = 0; look_up(s, b, true) };
	      map_page(p, s, b)
	   :: atomic { ok == REFUSE -> s = 0 }
	   fi
#endif
#ifndef LIFE
	:: d_step { zap_mine(p, s, 0, SLOTS) }
#else
	:: atomic { !open && !closed -> PICK_FILE(f, ANY) };
	   get(f, open);
	   atomic {
		if
		:: open -> vmas[f]++
		:: else -> f = 0
		fi
	   }
	:: atomic {
		open ->
		d_step { zap_mine(p, s, f * PAGES, (f + 1) * PAGES) };
		vmas[f]--;
		open = 0
	   };
	   close(f, s);
	   f = 0
#endif
	:: break
	od
}

#ifdef PINS
#define CAN_PIN(n)	(PTE(0, n) != NONE)

/* get_user_pages(): somebody who holds a page, mapped or not, for a while. */
proctype pinner()
{
	byte s;

	do
	:: atomic { PICK(s, CAN_PIN); pinned = PTE(0, s); s = 0 };
#ifdef PINNER_FAILS
	   /* He meets other poison first: memory_failure() under mf_mutex. */
	   !gate;
#endif
	   pinned = NONE
	:: break
	od
}
#endif
