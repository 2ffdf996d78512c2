/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a worker's directory must hold: a function of the seed and of how its
 * operations ended. Sizes are in sectors of 512 bytes; what a sector holds is
 * told by a number, its stamp (0: zeroes).
 */
#ifndef POWER_CUT_MODEL_H
#define POWER_CUT_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define WORKERS		3
#define DIRS		2
#define NAMES		8		/* in each */
#define SLOTS		(DIRS * NAMES)	/* names, and so files at most */
#define PAGES		24		/* of the largest file */
#define SECTOR		512
#define PER_PAGE	8
#define SECTORS		(PAGES * PER_PAGE)
#define BAD_MAX		96		/* bad blocks of a worker */
#define BLOCKS		(1 + SLOTS * PAGES + BAD_MAX)

/* A block: only its identity matters. Number 0 is a hole. */
struct block {
	uint16_t refs;
	bool bad;
};

struct file {
	bool exists;
	unsigned int size;
	uint64_t stamp[SECTORS];	/* 0 behind the end */
	uint16_t block[PAGES];
	bool unwritten[PAGES];		/* the block is there, and reads as zeroes */
};

struct model {
	uint64_t seed;
	int worker;
	int slot[SLOTS];		/* a file, or -1 */
	struct file file[SLOTS];
	struct block block[BLOCKS];
	unsigned int bad;		/* blocks */
	bool dir;			/* there is one more directory */
};

enum kind {
	CREATE, WRITE, STORE, CLONE, CLONE_ALL, RENAME, EXCHANGE, UNLINK, TRUNCATE,
	PUNCH, ZERO, ALLOCATE, POISON, NOTIFY, MAKE_DIR, REMOVE_DIR,
};

struct op {
	enum kind kind;
	uint64_t n;
	int a, b;			/* slots */
	unsigned int from, len, to;	/* sectors */
	bool flag;			/* which of two ways */
	int error;			/* what it must fail with, or 0 */
};

void model_init(struct model *m, uint64_t seed, int worker);
/* The n-th operation, if the ones before have led to `m`. */
void op_choose(const struct model *m, uint64_t n, struct op *op);
/* It happened, as a whole. */
void model_apply(struct model *m, const struct op *op);
/* Whether it happens as a whole or not at all. */
bool op_is_atomic(const struct op *op);
const char *op_name(const struct op *op);

/* Blocks that nobody else can have. */
unsigned int model_used(const struct model *m);
/* Pages of files at bad blocks, but for those that nothing was written to. */
unsigned int model_lost(const struct model *m);
bool page_is_bad(const struct model *m, const struct file *f, unsigned int page);
static inline unsigned int pages_of(unsigned int sectors)
{
	return (sectors + PER_PAGE - 1) / PER_PAGE;
}
/* The i-th word of a sector. */
uint64_t word_of(uint64_t stamp, unsigned int i);
/* The stamp that an operation writes. */
uint64_t stamp_of(const struct model *m, const struct op *op, unsigned int sector);

#endif
