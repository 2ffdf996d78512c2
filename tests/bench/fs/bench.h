/* SPDX-License-Identifier: GPL-2.0 */
/*
 * daxrmap beside XFS and ext4 (scripts/bench/fs.sh): parts of one program. A load is a function
 * that runs on a new filesystem, once for each filesystem in turn, and says between begin() and
 * end() what is measured; loads.c has the table of them.
 */
#ifndef DAXRMAP_BENCH_FS_H
#define DAXRMAP_BENCH_FS_H

#include <stdbool.h>
#include <sys/types.h>

#define PAGE	4096L
#define MIB	(1L << 20)

enum fs { DAXRMAP, XFS, EXT4, FILESYSTEMS };
extern const char *const fs_names[FILESYSTEMS];

/* A load's run on one filesystem. */
struct turn {
	enum fs fs;
	long size;		/* one of the load's sizes: what it means, its name says */
};

#define SIZES	6
#define CLONES	1		/* so not on ext4 */
#define POISONS	2		/* the device has to be taken from its driver, and given back */
struct load {
	const char *family;
	const char *name;	/* by which it is asked for; what it measures has names of its own */
	void (*run)(const struct turn *t);
	long sizes[SIZES];
	int quick;		/* how many of the sizes `--quick` takes: the first ones */
	int needs;
};

extern const struct load loads[];
extern const int n_loads;

/* Ends the turn when a call has not returned what it should, and says which. */
void must(int r, const char *what);	/* 0, or -errno */
void must_be(long have, long want, const char *what);

/*
 * samples.c. Those of a load's turns are kept in memory that its children share. What has to be
 * compared by its longest time (who waits), not by its median, is told so by its unit, "ns longest".
 */
void samples_start(void);
void samples_print(void);		/* a line for each measurement and filesystem */
void sample(const struct turn *t, const char *what, const char *unit, double value);
void begin(void);
void end(const struct turn *t, const char *what);	/* since begin(), in nanoseconds */
void end_each(const struct turn *t, const char *what, long n);	/* of so many, each */
void end_wait(const struct turn *t, const char *what);	/* the same, "ns longest" */

/* profile.c: `--profile`. Nothing of it does anything without. */
void profile_prepare(void);
void profile_start(void);
void profile_take(const struct turn *t, const char *what);
void profile_print(void);

/* turn.c: a new filesystem on the device of @fs, and what it was before. */
void turn_setup(enum fs fs);
void turn_teardown(bool poisons);
/* The filesystem has written what it had to write, and its workers have had their time. */
void settle(void);
/* Files come and go, so that an allocator has to search. */
void age(void);

/* files.c: in the mount, whose names are relative to it. */
int open_file(const char *name, int flags);
const char *numbered(const char *what, long i);	/* a few rotating buffers */
/* A new file of so many bytes, written @piece at a time. */
int make_file(const char *name, long bytes, long piece);
/* A new file of so many extents of a page, each of which a hole follows. */
int make_fragmented(const char *name, long extents);
void write_at(int fd, const void *buf, long n, long at);
char *map_file(int fd, long bytes, int flags);
char *map_small(int fd, long pages, int flags);	/* the same, but no huge page fits */
/* All that is free, but so many blocks, each with a used one on either side. */
void leave_holes(long holes);

/* clones.c: the new file. */
int clone_of(int from, const char *name);

/* waits.c: somebody who works while others are measured. */
struct worker {
	const char *name;
	void (*prepare)(void);
	void (*work)(long i);		/* over and over */
	bool cloning;
};
pid_t start_worker(const struct worker *w);
void stop_worker(pid_t pid);
/* Before each measurement: sleeps for a while that is different each time, at the head of the queue. */
void go_first(bool on);
void pause_a_bit(long i);

/* programs.c: the root tree of programs, and the mount point in it. */
void programs_mount(void);

/* The loads. */
void fallocate_mib(const struct turn *t);
void write_in_turn(const struct turn *t);
void zero_range(const struct turn *t);
void write_into_holes(const struct turn *t);
void create_and_write(const struct turn *t);
void names(const struct turn *t);
void read_directory(const struct turn *t);
void remove_tree(const struct turn *t);
void attributes(const struct turn *t);
void append(const struct turn *t);
void fragmented_io(const struct turn *t);
void msync_dirty(const struct turn *t);
void faults(const struct turn *t);
void huge_faults(const struct turn *t);
void sync_faults(const struct turn *t);
void clone_extents(const struct turn *t);
void copy_on_write(const struct turn *t);
void copy_tree(const struct turn *t);
void unlink_clone(const struct turn *t);
void beside_xattrs(const struct turn *t);
void beside_removal(const struct turn *t);
void matrix(const struct turn *t);
void fsync_with_bad(const struct turn *t);
void poison_mapped(const struct turn *t);
void poison_unmapped(const struct turn *t);
void poison_not_in_core(const struct turn *t);
void fio(const struct turn *t);
void sqlite(const struct turn *t);
void pgbench(const struct turn *t);
void memory_of_files(const struct turn *t);
void memory_of_extents(const struct turn *t);
void memory_of_clones(const struct turn *t);

#endif
