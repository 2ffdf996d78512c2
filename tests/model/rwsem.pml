/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rw_semaphore: whoever includes this numbers them, below LOCKS. Who comes to
 * read waits behind a writer that waits, as in the kernel: a reader that takes
 * the lock once more may wait for ever. Who of the waiting comes first is
 * left open.
 */
byte readers[LOCKS];
bit writer[LOCKS];
byte waiting[LOCKS];

#define UNLOCKED(l)	(readers[l] == 0 && !writer[l])

inline down_write(l)
{
	if
	:: atomic { UNLOCKED(l) && waiting[l] == 0 -> writer[l] = 1 }
	:: atomic { !UNLOCKED(l) -> waiting[l]++ };
	   atomic { UNLOCKED(l) -> waiting[l]--; writer[l] = 1 }
	fi
}

inline down_read(l)
{
	atomic { !writer[l] && waiting[l] == 0 -> readers[l]++ }
}

/* The others never wait: in atomic. */
inline up_write(l)
{
	assert(writer[l]);
	writer[l] = 0
}

inline up_read(l)
{
	assert(readers[l] > 0);
	readers[l]--
}

inline downgrade_write(l)
{
	assert(writer[l]);
	writer[l] = 0;
	readers[l]++
}
