/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Unmount (src/vfs/mount/register.rs, gate.rs; src/dax/device.rs) against a notifier, which
 * holds no reference to the mount.
 */

bit gate;		/* src/vfs/mount/gate.rs: the mutex */
bit gate_sb;		/* and whether there is a super block behind it */
#if defined(LIFE) && !defined(BREAK_PUT)
bit handed[FILES];	/* src/vfs/late_puts.rs: who is in the list, with a reference */
bit putting;		/* the worker has taken one off */
#endif

#ifdef UNMOUNT
#define NOBODY	0
#define US	1
#define OTHER	2	/* a filesystem of another type */
byte holder_data;
byte holder_ops;
byte inside;		/* notifiers in dax_read_lock() (SRCU) */
byte grace;		/* of these, those that unmount waits for */
bit engine_alive;
bit sb_alive;

#define STILL_THERE	NEVER(use_after_free, !engine_alive)

inline mount_it()
{
	holder_data = US;
	holder_ops = US;
	engine_alive = 1;
	sb_alive = 1;
	gate_sb = 1;
	names()
}

/* kill_sb() of src/vfs/mount/fs_type.rs, then the drop of Mount and Device. */
proctype unmount()
{
	byte f, s;

end_in_use:
	atomic { users == 0 -> closed = 1 };
#ifdef BREAK_GATE
	gate_sb = 0;
#else
	atomic { !gate -> gate_sb = 0 };
#endif
#ifndef BREAK_PUT
	(handed[0] + handed[1] + putting == 0);	/* flush_workqueue() */
#endif
	/* generic_shutdown_super(): evict_inodes() */
	do
	:: f < FILES ->
		if
		:: atomic { in_core[f] == ABSENT -> f++ }
		:: atomic {
			in_core[f] == LIVE ->
			NEVER(use_after_free, refs[f] > 0);	/* busy inodes after unmount */
			in_core[f] = FREEING
		   };
		   evict(f, s);
		   f++
		fi
	:: else -> break
	od;
	atomic { sb_alive = 0; f = 0 };
	/* Device::drop(): fs_put_dax(), then a grace period, then the engine goes. */
	holder_ops = NOBODY;
	d_step {
		if
		:: holder_data == US -> holder_data = NOBODY
		:: else
		fi
	};
#ifndef BREAK_DRAIN
	grace = inside;
	(grace == 0);
#endif
	engine_alive = 0
}

#ifdef NEXT_HOLDER
/* fs_dax_get_by_bdev(): a mount of another type, of this device or a partition. */
proctype next_mount()
{
end_taken:
	atomic { holder_data == NOBODY -> holder_data = OTHER };
	holder_ops = OTHER
}
#endif
#else
#define STILL_THERE	skip
#define sb_alive	true
inline mount_it()
{
	gate_sb = 1;
	names()
}
#endif

#if defined(LIFE) && !defined(BREAK_PUT)
#define IS_HANDED(n)	handed[n]

/* LatePuts::run(). */
proctype worker()
{
	byte f, s;

end_idle:
	do
	:: atomic { PICK_FILE(f, IS_HANDED); handed[f] = 0; putting = 1 };
	   put(f, s);
	   atomic { putting = 0; f = 0 }
	od
}
#endif

/* In the beginning every file has a name. In d_step. */
inline names()
{
#ifdef LIFE
	n = 0;
	do
	:: n < FILES -> linked[n] = 1; exists[n] = 1; n++
	:: else -> break
	od;
	n = 0
#else
	skip
#endif
}
