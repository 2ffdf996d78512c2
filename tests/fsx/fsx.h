/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random operations on two files, each of which is held against a model of them
 * in memory: every byte, the size, and which pages are holes. One process, so
 * there is one right answer to everything.
 *
 * Documentation/testing.rst says what that sees.
 */
#ifndef DAXRMAP_FSX_H
#define DAXRMAP_FSX_H

#include <stdbool.h>
#include "../selftests/common.h"
#include "../selftests/common/basics/random.h"
#include "../selftests/common/basics/text.h"

enum { FILES = 2, PAGES = 1024 };
/* Bytes of a file at most, blocks beyond its end included. */
#define MOST ((long)(PAGES * BLK))

/* ---- what the files are (model.c) ---- */

/*
 * EITHER: it may be a hole, or zeroes that take a block. UNWRITTEN: it has a block, and nobody has written
 * there; but that is up to the module: only right after a look it is so for certain.
 */
enum page { HOLE, DATA, EITHER, UNWRITTEN };

struct file {
	const char *name;
	int fd, direct;			/* direct: with O_DIRECT */
	char *map;			/* all of it up to MOST, from mount to mount */
	long size, checked;		/* checked: the size at the last check */
	unsigned char *bytes;		/* zeroes from `size` on */
	unsigned char page[PAGES];
};

extern struct file file[FILES];

void model_start(void);
void model_write(struct file *f, long off, long len, const void *bytes);
/* A store through a mapping: a huge page may come with it. */
void model_store(struct file *f, long off, long len, const void *bytes);
void model_truncate(struct file *f, long size);
void model_grow(struct file *f, long size);
void model_allocate(struct file *f, long off, long len);
void model_zero(struct file *f, long off, long len, enum page whole);
void model_collapse(struct file *f, long off, long len);
void model_insert(struct file *f, long off, long len);
bool model_can_insert(const struct file *f, long len);
void model_clone(struct file *f, long off, const struct file *from, long at, long len);
/* Pages that the range is in part or all of are of this kind. */
void model_pages(struct file *f, long off, long len, enum page kind);
/* What lseek(2) must return; -ENXIO. False: not known. */
bool model_seek(const struct file *f, long off, int whence, long *to);

/* ---- faults, and what came before them (report.c) ---- */

enum fault { CALLS, BYTES, HOLES, BOOKS, FAULTS };

extern long faults[FAULTS];
extern unsigned long op_nr, noted, seed;	/* noted: how often note() was called */

void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void fault(enum fault f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool failed(void);
/* A call must return `want`, or -errno. */
bool must(const char *what, long r, long want);

/* ---- comparing (check.c) ---- */

void check_near(struct file *f, long off, long len);
void check_all(void);
/* Loads and stores that say which byte was refused. */
bool load_all(struct file *f, const char *from, void *to, long len);
bool store_all(struct file *f, char *to, const unsigned char *from, long len);

/* ---- what is done (range.c, and one file for each kind) ---- */

struct op {
	const char *name;
	void (*run)(void);
	unsigned int weight;
	unsigned long times;
};

extern struct op data_ops[], map_ops[], space_ops[], share_ops[], mount_ops[];

struct file *any_file(void);
struct file *other(const struct file *f);
long any_offset(const struct file *f);
/* A range that ends at `end` at most, with a byte at least; false if there is none. */
bool any_range(const struct file *f, long end, long *off, long *len);
/* The same, of whole pages. */
bool any_pages(const struct file *f, long end, long *off, long *len);
/* Bytes to write, aligned somehow, of all kinds: until the next call. */
unsigned char *any_bytes(long len);

/* ---- the mount (mount.c) ---- */

extern long free_at_start;
bool open_files(void);
void close_files(void);

#endif
