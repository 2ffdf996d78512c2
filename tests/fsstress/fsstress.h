/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random operations on names and attributes, by several processes at once. Each has a
 * directory of its own and a model of it, so that it knows what every call must say
 * and what is there; one directory is everybody's, where only the rules are known
 * that hold whatever comes first.
 *
 * Documentation/testing.rst says what that sees.
 */
#ifndef DAXRMAP_FSSTRESS_H
#define DAXRMAP_FSSTRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>
#include "../selftests/common.h"
#include "../selftests/common/basics/random.h"
#include "../selftests/common/basics/text.h"

enum {
	PROCS = 4,
	NODES = 64, ENTRIES = 96, DIRS = 12,	/* of a process */
	DEAD = 16,
	XATTRS = 4,
	BYTES = 4 * 4096,			/* of a file */
	NAME = 256, PATH = 4096,
};

#define TOP	0				/* the node that is the process's directory */

/* ---- what there is (model.c); in memory that all processes share ---- */

struct node {
	mode_t type;			/* 0: none */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	dev_t rdev;
	ino_t ino;
	int names;			/* entries that lead to it */
	int fd;				/* held open, or -1 */
	unsigned int flags;		/* FS_NODUMP_FL, FS_NOATIME_FL, FS_APPEND_FL */
	bool mtime_known;
	struct timespec mtime;
	struct {
		int size;		/* -1: none */
		uint64_t seed;
	} xattr[XATTRS];
	union dr_handle handle;
	long size;
	unsigned char bytes[BYTES];	/* of a symbolic link: its target */
};

struct entry {
	bool used;
	int dir, node;
	char name[NAME];
};

struct tree {
	struct node node[NODES];
	struct entry entry[ENTRIES];
	union dr_handle dead[DEAD];	/* of files that are gone: a ring */
	unsigned int deads;
};

enum fault { CALLS, OWN, SHARED, BOOKS, FAULTS };

enum kind {
	MAKE, TMPFILE, LINK, UNLINK, RMDIR, RENAME, NOREPLACE, EXCHANGE, WHITEOUT,
	XATTR, OWNER, TIMES, FLAGS, IMMUTABLE, APPEND, WRITE, TRUNCATE, HOLD, HANDLE, STALE, LIST,
	RACE, GIVE, TAKE, FORGET, MOUNT, KINDS,
};

struct world {
	unsigned long seed;
	double until;			/* seconds: the rest of a round is left out then; 0: none */
	int round;
	long faults[FAULTS], done[KINDS];
	struct tree tree[PROCS];
};

extern struct world *w;
extern struct tree *t;			/* of this process */
extern int me;				/* its number, -1: the one that leads */

#define DONE(what)	__atomic_fetch_add(&w->done[what], 1, __ATOMIC_RELAXED)

void model_start(struct tree *t);
struct node *any_node(bool (*fits)(const struct node *));
int any_dir(void);
/* Entries: an index, or -1. */
int any_entry(void);
int find(int dir, const char *name);
void any_name(int dir, char *name);
bool only_grows(const struct node *n);	/* append-only */
bool is_empty(int dir);
bool is_above(int node, int dir);	/* or the same */
int subdirs(int dir);
int free_node(void);
bool many_dirs(void);			/* as many as there may be */
bool has_room(void);			/* for a node and an entry */
void add_entry(int dir, const char *name, int node);
void drop_entry(int entry);		/* its node goes if nothing else has it */
void drop_hold(struct node *n);
void changed(int dir);			/* names: so its times are not known */
const char *path_of(int dir, const char *name);		/* two rotating buffers */
const char *entry_path(int entry);
/* A path that leads to a node with a name. */
const char *node_path(const struct node *n);
int nr_of(const struct node *n);

/* ---- faults (report.c) ---- */

void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void fault(enum fault f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool failed(void);
/* A call must fail with `err`, or work if that is 0: true if it did just so. */
bool must(const char *what, long r, int err);

/* ---- what is done: make.c, move.c, attr.c, file.c, list.c, shared.c ---- */

void make_op(void);
void tmpfile_op(void);
void link_op(void);
void unlink_op(void);
void rmdir_op(void);
void rename_op(void);
void xattr_op(void);
void owner_op(void);
void times_op(void);
void flags_op(void);
void immutable_op(void);
/* As chattr does: x stays as it is. 0, or -1 with errno. */
int set_flags(int fd, unsigned int flags);
void append_op(void);
void write_op(void);
void truncate_op(void);
void hold_op(void);
void handle_op(void);
void stale_op(void);
void list_op(void);
void race_op(void);
void give_op(void);
void take_op(void);

/* A new node, which has just been made: what only the filesystem knows. */
bool learn(int node, const char *path);
const char *xattr_name(int i);
void xattr_value(uint64_t seed, unsigned char *value, int size);

/* ---- verification (verify.c, shared.c) ---- */

void verify_file(const struct node *n, int fd);
void verify_tree(void);
void verify_shared(void);

#endif
