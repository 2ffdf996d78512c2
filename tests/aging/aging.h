/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A filesystem grows old: files of all sizes come and go on a device that is nearly
 * full, and now and then it is measured how well files and free space hang together.
 *
 * Documentation/testing.rst has what came out.
 */
#ifndef DAXRMAP_AGING_H
#define DAXRMAP_AGING_H

#include <stdbool.h>

#define KIB	1024L
#define MIB	(1024 * KIB)
#define HUGE	(2 * MIB)
#define BLOCK	4096L

enum { FILES = 16384, DIRS = 8 };

/* Up to 64 KiB, up to 2 MiB, up to 16 MiB. */
enum size { SMALL, MEDIUM, LARGE, SIZES };

/*
 * How a file has come about: in one go, by write(2) or by stores to a mapping; by
 * appends, in turn with others; by a clone, a hole, or a write to the middle.
 */
enum kind { WHOLE, APPENDED, CHANGED, KINDS };

struct file {
	bool used;
	enum size size;
	enum kind kind;
	long bytes;
};

extern struct file file[FILES];

/* ---- the filesystem (fs.c) ---- */

enum fs { DAXRMAP, XFS, EXT4 };

extern enum fs fs;
extern const char *const fs_name[];
extern long blocks, free_at_start;	/* of the new filesystem */

int fs_setup(void);		/* makes and mounts a new one: 0 or -errno */
int fs_learn(void);		/* what is above, of one that is mounted */
int percent_used(void);
const char *path_of(const struct file *f);

/* ---- what is done (ops.c) ---- */

enum op { WRITE, STORE, APPEND, CLONE, OVERWRITE, PUNCH, REMOVE, OPS };

extern long done[OPS];

void remove_file(struct file *f);
/* Fewer files, until no more than `percent` is in use; then more. */
void shrink(int percent);
void grow(int percent);
void ops_start(void);		/* the directories */

/* ---- what there is (measure.c) ---- */

struct extents {
	long files, extents, most;	/* most: of one file */
};

/* Pieces of files, each of 2 MiB, and on how many of these a huge page fits. */
struct pieces {
	long files, all_huge;		/* files of that size, and those with no other pieces */
	long pieces, huge;
};

struct measure {
	struct extents extents[SIZES][KINDS];
	struct pieces pieces[KINDS];
	long used;			/* blocks that files have; shared ones once */
	long said_used;			/* as statfs(2) has it, since the filesystem was new */
	long free;			/* of GETFSMAP: blocks, and runs of them */
	long runs, longest;
	long free_huge;			/* aligned ones of 2 MiB in these runs */
};

int measure(struct measure *m);	/* 0 or -errno */
double per_file(const struct extents *e);
double percent(long part, long whole);

#endif
