// SPDX-License-Identifier: GPL-2.0
/*
 * fsstress [--ops N] [--seconds S] [--seed N]
 *
 * N operations of each process, however long they take; or, without N, as many as
 * there are in S seconds (10). Without a seed, FSSTRESS_SEED's, or a random one; it
 * is printed. The same seed does the same, but for what the processes do to each other.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/fs.h>
#include "kselftest.h"
#include "../selftests/common/basics/clock.h"
#include "../selftests/common/basics/options.h"
#include "fsstress.h"
#include "shared.h"

enum { ROUND = 250, MANY = 40, MOUNTS = 3 };

static const struct {
	void (*run)(void);
	unsigned int weight;
} ops[] = {
	{ make_op, 20 }, { tmpfile_op, 3 }, { link_op, 8 }, { unlink_op, 10 }, { rmdir_op, 5 },
	{ rename_op, 16 }, { xattr_op, 8 }, { owner_op, 5 }, { times_op, 4 }, { flags_op, 6 },
	{ immutable_op, 2 }, { append_op, 4 }, { write_op, 10 }, { truncate_op, 5 }, { hold_op, 8 },
	{ handle_op, 5 }, { stale_op, 2 }, { list_op, 4 }, { race_op, 40 }, { give_op, 3 },
	{ take_op, 3 },
};
enum { OPS = sizeof(ops) / sizeof(*ops) };

static void any_op(void)
{
	unsigned long all = 0, x;
	int i = 0;

	for (int k = 0; k < OPS; k++)
		all += ops[k].weight;
	x = dr_pick(all);
	while (x >= ops[i].weight)
		x -= ops[i++].weight;
	ops[i].run();
	if (!dr_pick(200)) {
		dr_put("/proc/sys/vm/drop_caches", "2");
		DONE(FORGET);
	}
}

static void be(int nr)
{
	me = nr;
	t = &w->tree[nr];
	umask(0);
}

/* Without any of these it has tested nothing. There is a mount at the end, in any case. */
static bool all_done(void)
{
	for (int i = 0; i < KINDS; i++)
		if (!w->done[i] && i != MOUNT)
			return false;
	return true;
}

static bool is_late(void)
{
	return w->until && dr_now() > w->until && all_done();
}

static int play(void *arg)
{
	be((long)arg);
	dr_seed((w->seed * 1000 + w->round) * PROCS + me);
	for (int i = 0; i < ROUND && !failed() && !is_late(); i++)
		any_op();
	for (struct node *n = t->node; n < t->node + NODES; n++)
		if (n->fd >= 0) {
			verify_file(n, n->fd);
			drop_hold(n);
		}
	verify_tree();
	return 0;
}

static int look(void *arg)
{
	be((long)arg);
	verify_tree();
	return 0;
}

static void all(int (*what)(void *))
{
	pid_t pid[PROCS];

	fflush(stdout);
	for (long i = 0; i < PROCS; i++)
		pid[i] = dr_spawn(what, (void *)i);
	for (int i = 0; i < PROCS; i++)
		if (dr_wait(pid[i]))
			fault(CALLS, "process %d has died", i);
}

static void start_tree(int nr)
{
	struct node *n;

	t = &w->tree[nr];
	model_start(t);
	n = &t->node[TOP];
	n->type = S_IFDIR;
	n->mode = 0755;
	for (int i = 0; i < XATTRS; i++)
		n->xattr[i].size = -1;
	if (must("mkdir", mkdir(path_of(TOP, NULL), 0755), 0))
		learn(TOP, path_of(TOP, NULL));
}

static void mount_again(void)
{
	int r = dr_umount();

	if (!r)
		r = dr_mount_again();
	if (r) {
		fault(BOOKS, "it cannot be mounted again: %s", strerror(-r));
		return;
	}
	verify_shared();
	all(look);
	DONE(MOUNT);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	int fd;

	(void)type;
	if (S_ISREG(st->st_mode)) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		must("FS_IOC_SETFLAGS", set_flags(fd, 0), 0);
		close(fd);
	}
	if (ftw->level)
		must("remove", remove(path), 0);
	return 0;
}

/* All is given back; and the mount ends as it should. */
static void end(struct dr_fs *fs)
{
	if (!failed())
		mount_again();
	if (dr_check())
		fault(BOOKS, "the module's check fails");
	nftw(dr_mnt(), remove_one, 32, FTW_DEPTH | FTW_PHYS);
	if (!dr_xfs() && dr_free_settled(fs->free_at_start) != fs->free_at_start)
		fault(BOOKS, "%ld blocks are free, at first %ld", dr_free_blocks(),
		      fs->free_at_start);
	if (dr_teardown(fs))
		fault(BOOKS, "check, mount, umount, or the log");
}

static void report(double seconds)
{
	static const char *const name[KINDS] = {
		"made", "unnamed", "linked", "unlinked", "rmdir", "renamed", "noreplace",
		"exchanged", "whiteouts", "xattrs", "owners", "times", "flags", "immutable",
		"appends", "writes", "truncates", "held", "handles", "stale", "listed", "shared", "given",
		"taken", "caches dropped", "mounts",
	};

	printf("# seed %lu: %d rounds of %d operations in %d processes, %.0f s; it worked:",
	       w->seed, w->round, ROUND, PROCS, seconds);
	for (int i = 0; i < KINDS; i++)
		printf(" %s %ld%s", name[i], w->done[i], i == KINDS - 1 ? "\n" : ",");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct dr_options o = dr_options(argc, argv, "ops", 10, "FSSTRESS_SEED");
	double start = dr_now();
	struct dr_fs fs;

	w = dr_shared_mem(sizeof(*w));
	w->seed = o.seed;

	ksft_print_header();
	ksft_set_plan(5);
	umask(0);
	if (dr_setup(&fs))
		ksft_exit_fail_msg("no mount\n");
	printf("# seed %lu\n", w->seed);
	for (int i = 0; i < PROCS; i++)
		start_tree(i);
	must("mkdir", mkdir(dr_path(SHARED_DIR), 0755), 0);
	w->until = o.ops ? 0 : start + o.seconds;
	while (!failed() && (o.ops ? (unsigned long)w->round * ROUND < o.ops :
			     !is_late() && (dr_now() < w->until || w->round < MANY))) {
		w->round++;
		all(play);
		verify_shared();
		if (w->round % MOUNTS == 0 && !failed())
			mount_again();
	}
	end(&fs);
	report(dr_now() - start);
	ksft_test_result(!w->faults[CALLS], "fsstress.calls every call did what it must\n");
	ksft_test_result(!w->faults[OWN], "fsstress.own each directory is as its process made it\n");
	ksft_test_result(!w->faults[SHARED], "fsstress.shared what all have changed is consistent\n");
	ksft_test_result(!w->faults[BOOKS], "fsstress.books all is kept, and all is given back\n");
	ksft_test_result(all_done() && w->done[MOUNT], "fsstress.done all of it has happened\n");
	if (ksft_get_fail_cnt())
		ksft_exit_fail();
	ksft_exit_pass();
}
