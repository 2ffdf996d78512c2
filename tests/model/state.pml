/* SPDX-License-Identifier: GPL-2.0 */
/*
 * src/fs/meta and src/state: what the state lock protects. It is held for
 * one look-up or one transaction and never over a wait, so either is one step
 * here; `tree` is set only by a notifier that breaks this rule.
 *
 * The owner tree and the extents agree (State::check), so one array is both.
 */
bit tree;
#define TREE_FREE	(!tree)

byte ext[SLOTS];	/* the block of each slot */
byte bad;		/* the bad set */
byte in_flight;		/* allocated, not mapped yet */
#ifdef LIFE
bit linked[FILES];	/* the file has a name */
bit exists[FILES];
#endif

/* What only the properties ask. */
byte poisoned;		/* blocks whose memory has failed, known or not */
byte returned;		/* of these, those whose notification has returned */
byte tainted;		/* blocks that hold bytes of one that was bad already */
byte visited;		/* owners that this notification came to */

#if SLOTS == 2
#define COUNT(a, b)	((a[0] == b) + (a[1] == b))
#elif SLOTS == 3
#define COUNT(a, b)	((a[0] == b) + (a[1] == b) + (a[2] == b))
#else
#define COUNT(a, b)	((a[0] == b) + (a[1] == b) + (a[2] == b) + (a[3] == b))
#endif
#define OWNERS(b)	COUNT(ext, b)

#define BAD(b)		(b != NONE && HAS(bad, b))
#define WRITABLE(s)	(ext[s] != NONE && !HAS(bad, ext[s]) && OWNERS(ext[s]) == 1)
#define IS_FREE(b)	(OWNERS(b) == 0 && !HAS(bad | in_flight, b))

/*
 * State::allocate(). The lowest: which of the free blocks it is makes no
 * difference, since any block may fail. NONE: no space. In atomic.
 */
inline allocate(new)
{
	d_step {
		new = 0;
		do
		:: new < BLOCKS && !IS_FREE(new) -> new++
		:: else -> break
		od;
		if
		:: new < BLOCKS -> ADD(in_flight, new)
		:: else
		fi
	}
}

/* An extent changes: a commit. In atomic. */
inline set_extent(at, to)
{
	d_step {
		/* Nobody comes to own a block that has been answered for. */
		NEVER(missed_owner, to != NONE && HAS(returned, to));
		if
		:: ext[at] != NONE && OWNERS(ext[at]) == 1 -> DEL(tainted, ext[at])
		:: else
		fi;
		ext[at] = to;
		DEL(visited, at)
	}
}
