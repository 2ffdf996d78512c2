/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guard: rmmod, while a page of a device that it watches and holds fails,
 * and the device is unbound. src/guard/mod.rs (Registration).
 * Documentation/locking.rst, "The guard".
 */
bit use_after_free;	/* of the guard, or of the module's code */

#include "words.pml"

bit unloaded;		/* the module's code is gone */
bit going;		/* who opens the misc device fails */
bit opened;		/* somebody has */
bit alive = 1;		/* the device */
byte pagemap_refs;

bit holds;		/* the device has the guard as its holder */
bit watches;		/* the probe is registered */
byte in_notifier;	/* how many are: under dax SRCU */
bit in_probe;

/* Work, in the guard's queue: who watches, who walks, who removes; who drops, in another one. */
#define WATCHER	0
#define WALKER	1
#define REMOVAL	2
#define LATE	3
byte queued;
byte running;
#define IN_GUARDS_QUEUE	(((queued | running) & 7) != 0)

byte guard_refs = 1;	/* the registration has one, the watcher, and the walker's work */
byte watcher_refs;	/* the probe has one, and so has its work */

#define RUN_CODE	NEVER(use_after_free, unloaded)

/* The last reference destroys the queues, which wait for all work in them. */
inline put_guard()
{
	atomic { RUN_CODE; guard_refs--; last = guard_refs == 0 };
	if
	:: last ->
		!IN_GUARDS_QUEUE;
#ifndef BREAK_LATE
		!HAS(queued | running, LATE);
#endif
		last = 0
	:: else
	fi
}

/* The device's worker is queued once, with one reference. In atomic. */
inline queue_walker()
{
	if
	:: !HAS(queued, WALKER) -> ADD(queued, WALKER); guard_refs++
	:: else
	fi
}

inline put_watcher()
{
	atomic { RUN_CODE; watcher_refs--; last = watcher_refs == 0 };
	if
	:: last -> put_guard()
	:: else
	fi
}

/* An ioctl. An open file holds the module. */
proctype admin()
{
end_idle:
#ifdef BREAK_NO_OWNER
	true;
#else
	atomic { !going -> opened = 1 };
#endif
	atomic { RUN_CODE; watches = 1; watcher_refs = 1; guard_refs++ };
	atomic { RUN_CODE; holds = alive };
	opened = 0
}

/* memory_failure(): the holder, then the tracepoint. */
proctype failure()
{
end_idle:
	atomic { holds -> in_notifier++ };
	atomic { RUN_CODE; queue_walker() };
	if
	:: !HAS(queued | running, WALKER)
	:: true		/* the time is over */
	fi;
	atomic { RUN_CODE; in_notifier-- };
	if
	:: atomic { watches -> in_probe = 1 };
	   atomic { RUN_CODE; ADD(queued, WATCHER); watcher_refs++ };
	   atomic { RUN_CODE; in_probe = 0 }
	:: !watches
	fi
}

#define TAKE(n)		atomic { HAS(queued, n) -> DEL(queued, n); ADD(running, n); RUN_CODE }
#define END(n)		atomic { RUN_CODE; DEL(running, n) }

/* It has the walker walk. Its reference goes with it. */
proctype watcher()
{
	bit last;

end_idle:
	TAKE(WATCHER);
	atomic { RUN_CODE; queue_walker() };
	if
	:: !HAS(queued | running, WALKER)
	:: true		/* the time is over */
	fi;
	put_watcher();
	END(WATCHER)
}

proctype walker()
{
	bit last;

end_idle:
	do
	:: TAKE(WALKER);
	   if
	   :: atomic { RUN_CODE; ADD(queued, LATE) }
	   :: true
	   fi;
	   put_guard();
	   END(WALKER)
	od
}

proctype late()
{
end_idle:
	do
	:: TAKE(LATE); END(LATE)
	od
}

proctype removal()
{
end_idle:
	TAKE(REMOVAL);
	!alive;
	atomic { RUN_CODE; pagemap_refs-- };
	END(REMOVAL)
}

/* kill_dax(), and memunmap_pages(). */
proctype unbind()
{
	if
	:: atomic { holds -> in_notifier++ };
	   atomic { RUN_CODE; pagemap_refs++; ADD(queued, REMOVAL) };
	   atomic { RUN_CODE; in_notifier-- }
	:: !holds
	fi;
	atomic { alive = 0; holds = 0 };
	pagemap_refs == 0
}

inline stop_watching()
{
	if
	:: watches ->
		watches = 0;
#ifndef BREAK_NO_SYNC
		!in_probe;
#endif
		put_watcher()
	:: else
	fi
}

proctype rmmod()
{
	bit last;
#ifdef BREAK_FLUSH_ONLY
	byte before;
#endif

	atomic { !opened -> going = 1 };
#ifdef BREAK_DRAIN_FIRST
	!IN_GUARDS_QUEUE;
#endif
	/* Each device is released: fs_put_dax(), a grace period. */
	holds = 0;
#ifndef BREAK_NO_GRACE
	in_notifier == 0;
#endif
	stop_watching();
#ifdef BREAK_FLUSH_ONLY
	/* A flush waits for what is queued when it begins, not for what that starts. */
	before = queued | running;
	((queued | running) & before & ~BIT(LATE)) == 0;
#elif !defined(BREAK_NO_DRAIN) && !defined(BREAK_DRAIN_FIRST)
	!IN_GUARDS_QUEUE;
#endif
	put_guard();
	unloaded = 1
}

init {
	atomic {
		run admin();
		run failure();
		run watcher();
		run walker();
		run late();
		run removal();
		run unbind();
		run rmmod()
	}
}
