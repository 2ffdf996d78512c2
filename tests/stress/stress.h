/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stress test: what its processes share.
 *
 * Workers map, read, write, clone, truncate, punch and unlink; blocks are
 * poisoned meanwhile (a storm) and while all of them stand still (a calm). The
 * oracle is the memory below: what every page of every file holds, on which
 * block, since when and until when, and when which block was poisoned. Only a
 * change of a page takes a lock; reads and poison take none, and are judged
 * afterwards by the times.
 *
 * Documentation/testing.rst says what that can see, and what it cannot.
 */
#ifndef DAXRMAP_STRESS_H
#define DAXRMAP_STRESS_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "../selftests/common.h"
#include "../selftests/common/basics/random.h"
#include "../selftests/common/basics/text.h"

enum {
	BIG = 2,		/* files of a PMD's size; they come first */
	FILES = 24,
	BIG_PAGES = 512, PAGES = 48,
	ALL_PAGES = BIG * BIG_PAGES + (FILES - BIG) * PAGES,
	CHUNK = 8,		/* pages under one lock */
	CHUNKS = BIG_PAGES / CHUNK,
	PAST = 8,		/* what a page is and was */
	SLOTS = 3,		/* files that a worker has open at a time */
	WORKERS = 6, WATCHERS = 3, PROCS = WORKERS + WATCHERS,
	SIGS = 64, GONE = 64,
	WORDS = BLK / 8,
};

#define NONE	UINT32_MAX	/* no block, or not known yet */
#define FOREVER	UINT64_MAX

/* ---- what a page holds (stamp.c) ---- */

/* Word i is a function of `version` below word `cut`, and 0 from there on; the last one is `patch` if there is one. */
struct content {
	uint64_t version, patch;
	uint32_t cut;
};

uint64_t word_of(const struct content *c, unsigned int i);
void fill_page(const struct content *c, uint64_t *words);
struct content new_content(void);
uint64_t new_patch(void);

/* ---- the oracle (oracle.c) ---- */

enum kind { AFTER_END, HOLE, DATA };

/* What a page was from one tick to another. */
struct past {
	uint64_t from, to;
	enum kind kind;
	uint32_t block;		/* NONE: a change is under way */
	struct content c;
};

struct page {
	int busy;
	uint32_t next, now;	/* in past[] */
	uint64_t forgotten;	/* up to when */
	struct past past[PAST];
	int pins;		/* events that want it to stay at its block */
};

struct block {
	uint64_t begun, done;	/* its first poison event; 0: none */
	uint64_t heal, healed;	/* it was written over between these, and is good */
	uint64_t last;		/* its last event began */
	uint32_t refs;		/* pages that own it */
	uint32_t events, running;
	uint32_t healers;	/* writes over it that are under way */
	bool unclear;		/* nobody knows whether it is bad */
};

struct file {
	pthread_mutex_t life;		/* name, users; taken before chunk[] */
	pthread_mutex_t chunk[CHUNKS];	/* a change of these pages */
	bool named;
	int users;			/* slots */
	int pins;			/* events that want it to stay */
	unsigned int generation, first, pages, size;	/* pages */
	unsigned long ino;
};

/* A file that a process has open, and maps from page `first` on. */
struct slot {
	int file, fd;		/* file -1: none */
	unsigned int first, count;
	bool writable;
	char *base;
};

/* A slot until then. The kernel may have noted who maps it before, and tell him after. */
struct gone {
	struct slot slot;
	uint64_t from, to;
};

struct sig {
	uint64_t quiet, at;	/* sent between these */
	char *addr;
	int code, lsb;
};

struct proc {
	pid_t pid;
	int nr, to, from;	/* pipes */
	bool early;
	uint64_t quiet;		/* all signals sent before have come */
	struct slot slot[SLOTS];
	struct gone gone[GONE];	/* a ring */
	unsigned int goners;
	uint64_t older_gone;	/* up to when others ended, which are not in it any more */
	struct sig sig[SIGS];
	volatile unsigned int sigs, judged;	/* sig[] is a ring */
};

enum fault { MISSED, WRONG, SILENT, INTACT, BOOKS, FAULTS };

struct counts {
	long events, quiet_events, watched, moved, gone, repeated, ranges, of_free;
	long owners, told, refused, touches, reads, changes, healed, clones;
	long pages, unjudged, leaving, own;
};

/* guarded.c and disturb.c. */
struct guard_state {
	pthread_rwlock_t lock;		/* an event; or who switches the guard */
	long heard;			/* events that its counter is to have */
	volatile int disturbing;
	long mounts, reloads, freezes, switches, loads;
	long treated, sponges, owners, unstuck;
};

struct world {
	unsigned long seed;
	int round;
	volatile int running;
	long left;			/* poison events until the next calm */
	uint64_t clock, versions;
	unsigned long total;		/* blocks */
	long fault[FAULTS], said;
	struct counts n;
	struct guard_state guard;
	struct file file[FILES];
	struct page page[ALL_PAGES];
	struct proc proc[PROCS];
	struct block block[];
};

extern struct world *w;
extern struct proc *me;			/* NULL in the process that leads */

#define COUNT(what)		COUNT_N(what, 1)
#define COUNT_N(what, x)	__atomic_fetch_add(&w->n.what, x, __ATOMIC_RELAXED)

int make_world(unsigned long seed);
uint64_t tick(void);
struct page *page_of(int file, unsigned int p);
struct past now_of(int file, unsigned int p);
void copy_page(struct page *to, struct page *p);
const char *name_of(int file);		/* of its generation */

/* Locks of pages, of up to two files. */
struct hold {
	int file;
	uint64_t chunks;
};
void hold(struct hold *h, int n);
void release(struct hold *h, int n);
void where_it_waits(const struct proc *p, char *where, size_t size);
void lock_life(int file);
void unlock_life(int file);
uint64_t chunks_of(unsigned int p, unsigned int n);

/* A page may become `next` from now on; and has done so, perhaps, or has not. */
int expect(struct page *p, struct past next);
void settle(struct page *p, int i, const struct past *is);
void withdraw(struct page *p, int i);
/* Pages that stay at their blocks, and the file: false if that is not so any more. */
bool pin(int file, unsigned int p, uint32_t block);
void unpin(int file, unsigned int p);
bool pin_locked(int file, unsigned int p, uint32_t block);	/* the file's life is held */
void unpin_locked(int file, unsigned int p);
bool pinned(int file, unsigned int p, unsigned int n);

/* ---- its blocks (block.c) ---- */

/* Owners of a block: how many there were before. */
uint32_t own(uint32_t block);
void disown(uint32_t block);
bool lost(uint32_t block, uint64_t by);	/* poisoned, and all told, before */
bool lost_in(uint32_t block, uint64_t from, uint64_t to);	/* all of that time */
bool shaky(uint32_t block);		/* an event has begun */
bool shaky_since(uint32_t block, uint64_t from);	/* it was so then, or later */
bool poisoned_once(uint32_t block);	/* healed or not */
void mark_begun(const uint32_t *block, unsigned int n);
void mark_done(const uint32_t *block, unsigned int n);
void mark_undone(uint32_t block);	/* that event did not happen */
/* All of a block is written over: it is good, if that worked. */
void heal_begins(uint32_t block);
void heal_ends(uint32_t block, uint64_t since, bool worked);
/* A block that came free has an owner again. */
void used_anew(uint32_t block, uint64_t since);
void forget_events(uint32_t block);

/* ---- judging (judge.c) ---- */

struct seen {
	enum { GOT, REFUSED, ENDED } what;
	uint64_t from, to;		/* when it was looked at */
	const uint64_t *words;
	unsigned int first, count;	/* which words of the page */
	bool torn;			/* not read by whole words */
};

void judge_page(int file, unsigned int p, const struct seen *s, const char *how);
void judge_signals(struct proc *p);	/* those that came; forgets them */
struct slot *slot_at(struct proc *p, const char *addr, unsigned int *page);

/* ---- touching (touch.c) ---- */

void catch_signals(void);
void all_signals_are_here(void);
struct sig load_word(const char *at, uint64_t *word);	/* code 0: worked */
struct sig store_word(char *at, uint64_t word);
/* Whether it is the answer to a touch of poison; says so if it is neither that nor a touch behind the end. */
bool is_refusal(const struct sig *s, const char *at, const char *how);

/* ---- the processes (proc.c, names.c, look.c, ops.c, change.c) ---- */

enum order { PING, RUN, VERIFY, POISON, WATCH, TOUCH, CHANGE, INJECT, UNWATCH, QUIT };

struct command {
	enum order order;
	int file, slot;
	unsigned int page;	/* INJECT: block */
};

int start_procs(void);
long ask(struct proc *p, struct command c);	/* what it answers */
int tell(struct proc *p, struct command c);	/* ask() in two halves */
long answer(struct proc *p);
void ask_all(enum order order);
void close_slot(struct slot *s);
void unmap_slot(struct slot *s);
void stop_procs(void);

void change_something(struct slot *s);
void move_page(struct slot *s, unsigned int p);
void change_names(void);
void open_something(struct slot *s, int file);
void create_file(int file);
void remove_file(int file);
int blocks_of(int fd, unsigned int p, unsigned int n, uint32_t *block, uint32_t *flags);
void look_somewhere(struct slot *s);
void look_everywhere(void);
void look_at(struct slot *s, unsigned int p);
void read_at(int file, int fd, unsigned int p);

/* ---- poison (poison.c, calm.c, watch.c) ---- */

enum { RUN_MOST = 8 };		/* blocks of an event */

bool take_event(void);
/* A page with data, of any file: its file, or -1 if none was found. */
int pick_data(unsigned int *p, struct past *is);
int inject(const uint32_t *block, unsigned int n, bool notify);
int poison_here(char *at, uint32_t block);	/* MADV_HWPOISON */
/* Blocks that follow this one: how many, at most n. */
unsigned int run_of(uint32_t *run, uint32_t block, unsigned int n);
void poison_own_page(struct slot *s);
void storm(int events);
void calm(int events);
void watched_event(void);
void moved_event(void);
void gone_event(void);

/* The owners of the calm's last event. */
struct owner {
	int file;
	unsigned int page;
	uint32_t block;
};
extern struct owner owner[ALL_PAGES];
extern int owners;

/* ---- the calm's exact checks (verify.c) ---- */

void verify(void);
void check_refs(void);
int open_any(int file);		/* unlinked files, too */
long present_pfn(const struct proc *p, const char *addr);	/* or -1 */

/* ---- telling (report.c) ---- */

void fault(enum fault f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void report(double seconds);

#endif
