/* SPDX-License-Identifier: GPL-2.0 */
/* The notifier: src/failure/engine.rs and owners.rs, and how it is called (src/dax/holder.rs). */

byte failures;		/* how many failures there were */

/* Broken: the tree's lock is held until the batch is done, as XFS holds it. */
#ifdef BREAK_KILL_UNDER_TREE
#define HOLD_TREE	tree = 1
#define DROP_TREE	tree = 0
#define TREE_IS_OURS	true
#else
#define HOLD_TREE
#define DROP_TREE	skip
#define TREE_IS_OURS	TREE_FREE
#endif

/* Ground::publish(). */
inline publish()
{
	atomic {
		TREE_FREE ->
		d_step {
			STILL_THERE;
			block = lo;
			do
			:: block <= hi -> ADD(bad, block); block++
			:: else -> break
			od;
			single = (OWNERS(lo) == 1) && lo == hi;
#ifdef BREAK_SHORTCUT
			single = lo == hi;
#endif
			visited = 0;
			/* Who is to be told, if he maps the page when his turn comes. */
			slot = 0;
			do
			:: slot < SLOTS ->
				if
				:: PTE(EARLY, slot) >= lo && PTE(EARLY, slot) <= hi -> ADD(untold, slot)
				:: else
				fi;
				slot++
			:: else -> break
			od;
			slot = 0;
			block = lo
		}
	}
}

/*
 * Ground::owners(): the next owners from the cursor, which is a place in the
 * order of (block, file, page), not a number of owners.
 */
inline collect()
{
	atomic {
		TREE_FREE ->
		d_step {
			STILL_THERE;
			n = 0;
#ifdef BREAK_CURSOR
			i = 0;
			block = lo;
			slot = 0;
#endif
			do
			:: n < BATCH && block <= hi ->
				if
				:: slot == SLOTS -> slot = 0; block++
				:: slot < SLOTS && ext[slot] == block ->
#ifdef BREAK_CURSOR
					i++;
					if
					:: i > seen -> seen++; slots[n] = slot; blocks[n] = block; n++
					:: else
					fi;
#else
					slots[n] = slot;
					blocks[n] = block;
					n++;
#endif
					slot++
				:: else -> slot++
				fi
			:: else -> break
			od;
			i = 0
		};
		HOLD_TREE
	}
}

/* mf_dax_kill_procs() of mm/memory-failure.c: waits for the DAX entry. */
inline kill_procs(b, s)
{
	atomic {
		!ent_locked[s];
		if
		/* Who maps the page and asked for it; then it goes from all. */
		:: ent[s] != NONE && PTE(EARLY, s) != NONE ->
			NEVER(wrong_signal, PTE(EARLY, s) != b);
			DEL(untold, s);
			ZAP(s)
		:: else
		fi
	}
}

/*
 * daxrmap_processes_tell() of src/helpers/processes.c, for owners after the first few. Does not wait
 * for the entry: who maps the page, or unmaps it as a part of something else, has the invalidate_lock.
 */
inline tell_processes(b, s)
{
	atomic {
		if
		:: PTE(EARLY, s) == b ->
#ifndef BREAK_UNKNOWN	/* Broken: he was not there when the processes were walked. */
			DEL(untold, s);
#endif
			ZAP(s)
		:: else
		fi
	}
}

/* dax::is_untouched(). */
#ifdef BREAK_UNTOUCHED
#define UNTOUCHED(f)	(!FILE_IS_MAPPED(f))
#else
#define UNTOUCHED(f)	(UNLOCKED(INVALIDATE(f)) && waiting[INVALIDATE(f)] == 0 && !FILE_IS_MAPPED(f))
#endif

/* Engine::tell(). */
inline tell(b, s)
{
	killed = 0;
#ifdef LIFE
	atomic { STILL_THERE; killed = UNTOUCHED(FILE(s)) };
	atomic {
		/* Ground::extent() */
		!killed || TREE_IS_OURS;
		killed = killed && ext[s] == b;
		told = killed;
		if
		:: told -> ADD(visited, s)
		:: else
		fi
	};
#endif
	if
	:: killed -> killed = 0
	:: else -> tell_locked(b, s)
	fi
}

/* Engine::tell_locked(). */
inline tell_locked(b, s)
{
	atomic {
#ifndef BREAK_NO_INVALIDATE
		down_write(INVALIDATE(FILE(s)));
#endif
		/* Ground::extent(): look again. */
		TREE_IS_OURS;
		STILL_THERE;
		told = (ext[s] == b);
#ifdef BREAK_NO_REVALIDATION
		told = 1;
#endif
		killed = told && FILE_IS_MAPPED(FILE(s))
	};
	if
	:: killed ->
		if
		:: kill_procs(b, s)
		/* Without the lock it misses a fault that has the entry: that has a run of its own. */
#if !defined(BREAK_NO_INVALIDATE) || defined(BREAK_TELL_UNLOCKED)
		:: tell_processes(b, s)
#endif
		fi;
		killed = 0
	:: else
	fi;
	atomic {
#ifndef BREAK_NO_UNMAP
		if
		:: told -> ZAP(s)
		:: else
		fi;
#endif
#ifndef BREAK_NO_INVALIDATE
		up_write(INVALIDATE(FILE(s)));
#endif
		ADD(visited, s)
	}
}

/* Visit::in_core(): never waits for an inode on its way in or out. */
inline find_in_core(f)
{
#ifdef LIFE
#ifdef BREAK_ILOOKUP
	(in_core[f] != NEW && in_core[f] != FREEING);
#endif
	atomic {
		STILL_THERE;
		NEVER(use_after_free, sb && !sb_alive);
		found = sb && in_core[f] == LIVE;
		if
		:: found -> refs[f]++
		:: else
		fi
	}
#else
	found = 1
#endif
}

/* The end of Visited: the last reference is for a worker to drop. */
inline forget_inode(f)
{
#ifdef LIFE
	atomic { NEVER(use_after_free, !sb_alive) };
#ifdef BREAK_PUT
	put(f, s)
#else
	atomic {
		if
		:: refs[f] > 1 -> refs[f]--
		:: else ->
			NEVER(broken_rule, handed[f]);
			handed[f] = 1
		fi
	}
#endif
#else
	skip
#endif
}

/* dax::folio_owner(): folio->mapping, unless more than one has the page. */
#define FOLIO_NAMES(n)	(ent[n] == lo && COUNT(ent, lo) == 1)

/* Engine::shortcut(). */
inline shortcut()
{
	told = 0;
	atomic {
		if
		PICKS(i, FOLIO_NAMES)
		:: i = SLOTS	/* NULL: nobody has it, or more than one had */
		fi
	};
	if
	:: i < SLOTS ->
		find_in_core(FILE(i));
		if
		:: found ->
			tell(lo, i);
			forget_inode(FILE(i))
		:: else
		fi
	:: else
	fi;
	i = 0
}

/* Engine::ask_tree(). */
inline ask_tree()
{
	do
	::
#ifdef BREAK_PUBLISH_LATE
		if
		:: !published -> collect(); publish(); published = 1; block = hi; slot = SLOTS
		:: else -> collect()
		fi;
#else
		collect();
#endif
		if
		:: n == 0 -> break
		:: else
		fi;
		do
		:: i < n ->
			find_in_core(FILE(slots[i]));
			if
			:: found ->
				tell(blocks[i], slots[i]);
				forget_inode(FILE(slots[i]))
			:: else -> ADD(visited, slots[i])	/* nobody has it open */
			fi;
			i++
		:: else -> break
		od;
		DROP_TREE
	od;
	DROP_TREE
}

/* What was promised, at the moment when the notification returns. */
inline all_is_told()
{
	d_step {
		STILL_THERE;
		slot = 0;
		do
		:: slot < SLOTS ->
			NEVER(missed_owner, ext[slot] >= lo && ext[slot] <= hi && !HAS(visited, slot));
			NEVER(silent_read, PTE(0, slot) >= lo && PTE(0, slot) <= hi);
#if MAPPERS > 1
			NEVER(silent_read, PTE(1, slot) >= lo && PTE(1, slot) <= hi);
#endif
			slot++
		:: else -> break
		od;
		NEVER(missed_owner, untold != 0);
		do
		:: lo <= hi -> ADD(returned, lo); lo++
		:: else -> break
		od
	}
}

/* Engine::failed(). */
inline notify_failure()
{
	atomic { STILL_THERE; !gate -> gate = 1; sb = gate_sb };
#ifndef BREAK_PUBLISH_LATE
	publish();
#else
	block = lo;
	published = 0;
#endif
#ifdef BREAK_CURSOR
	seen = 0;
#endif
	if
	:: single && sb -> shortcut()
	:: else -> told = 0
	fi;
	if
	:: !told -> ask_tree()
	:: else
	fi;
	all_is_told();
	d_step {
		/* The same as nothing: so that runs that differ in it are one. */
		lo = 0; hi = 0; block = 0; slot = 0; n = 0; i = 0; s = 0;
		single = 0; told = 0; found = 0; sb = 0;
		slots[0] = 0; blocks[0] = 0;
#if BATCH > 1
		slots[1] = 0; blocks[1] = 0;
#endif
		visited = 0;
		STILL_THERE;
		gate = 0
	}
}

#ifdef UNMOUNT
/* drivers/dax/super.c, and notify_failure() of src/dax/holder.rs. */
inline dax_holder_notify_failure()
{
	d_step { ADD(inside, me) };
	ops = holder_ops;
	if
	:: atomic {
#ifdef BREAK_HOLDERS
		ops == US && holder_data != NOBODY ->
#else
		/* Ours are registered. */
		ops == US && holder_data == US ->
#endif
		/* Whoever it is, he is taken for an Engine. */
		NEVER(use_after_free, holder_data != US)
	   };
	   notify_failure()
	:: else
	fi;
	d_step { DEL(inside, me); DEL(grace, me); lo = 0; hi = 0; ops = 0 }
}
#else
#define dax_holder_notify_failure()	notify_failure()
#endif

/* memory_failure() of RUN blocks of the device. */
proctype notifier(byte me)
{
	byte lo, hi, block, slot, n, i, s;
	byte slots[BATCH], blocks[BATCH];
	bit single, told, killed, found, sb;
#ifdef BREAK_CURSOR
	byte seen;
#endif
#ifdef BREAK_PUBLISH_LATE
	bit published;
#endif
#ifdef UNMOUNT
	byte ops;
#endif

	do
	:: break
	:: atomic {
		failures < FAILURES ->
		failures++;
		do
		:: lo + RUN < BLOCKS -> lo++
		:: break
		od;
		hi = lo + RUN - 1;
		n = lo;
		do
		:: n <= hi -> ADD(poisoned, n); n++
		:: else -> break
		od;
		n = 0
	   };
	   dax_holder_notify_failure()
	od
}
