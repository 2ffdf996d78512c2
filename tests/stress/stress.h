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
};

struct block {
	uint64_t begun, done;	/* its first poison event; 0: none */
	uint32_t refs;		/* pages that own it */
	uint32_t events;
};

struct file {
	pthread_mutex_t life;		/* name, users; taken before chunk[] */
	pthread_mutex_t chunk[CHUNKS];	/* a change of these pages */
	bool named;
	int users;			/* slots */
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

struct world {
	unsigned long seed;
	int round;
	volatile int running;
	long left;			/* poison events until the next calm */
	uint64_t clock, versions;
	unsigned long total;		/* blocks */
	long data;			/* those of them that are not metadata */
	unsigned long first_pfn;
	long fault[FAULTS], said;
	struct counts n;
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
void lock_life(int file);
void unlock_life(int file);
uint64_t chunks_of(unsigned int p, unsigned int n);

/* A page may become `next` from now on; and has done so, perhaps, or has not. */
int expect(struct page *p, struct past next);
void settle(struct page *p, int i, const struct past *is);
void withdraw(struct page *p, int i);
/* Owners of a block: how many there were before. */
uint32_t own(uint32_t block);
void disown(uint32_t block);
bool lost(uint32_t block, uint64_t by);	/* poisoned, and all told, before */
bool shaky(uint32_t block);		/* an event has begun */
void mark_begun(unsigned long block, unsigned long n);
void mark_done(unsigned long block, unsigned long n);

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

bool take_event(void);
/* A page with data, of any file: its file, or -1 if none was found. */
int pick_data(unsigned int *p, struct past *is);
unsigned long pick_free(void);
int inject(unsigned long block, unsigned long n, bool notify);
void poison_own_page(struct slot *s);
void storm(int events);
void calm(int events);
void watched_event(void);
void moved_event(void);
void gone_event(void);

/* ---- the calm's exact checks (verify.c) ---- */

void verify(void);
int open_any(int file);		/* unlinked files, too */
long present_pfn(const struct proc *p, const char *addr);	/* or -1 */

/* ---- telling (report.c) ---- */

void fault(enum fault f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void report(double seconds);

#endif
