// SPDX-License-Identifier: GPL-2.0
/*
 * What runs in the guest whose power is cut (scripts/tests/power-cut.sh): mounts what
 * the last cut has left, looks whether it is what it must be, and goes on.
 *
 *	power-cut JOURNAL-DEVICE SEED [last]
 *
 * WORKERS processes make files, clones, bad blocks ... each in a directory of its
 * own: operations that follow from the seed alone. Each is announced in the
 * journal, a device of its own, before it begins and after it has ended. After a
 * cut all that have ended must be there, whole, and those under way (one of
 * a worker) be there or not; these are then done again, to go on from a known
 * state. Nothing else: no other name, byte, bad block, or block in use.
 *
 * With `last` there is no more load: the filesystem is unmounted, and looked at
 * once more.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "common.h"
#include "journal.h"
#include "run.h"
#include "verify.h"

static struct model model[WORKERS];
static uint64_t next[WORKERS];		/* the operation to come */

static int result(bool ok, const char *what)
{
	printf("%s power-cut: %s\n", ok ? "ok" : "not ok", what);
	return ok ? 0 : 1;
}

/* Directories, then the seed: what is there before there is any load. */
static int prepare(uint64_t seed)
{
	char dir[16];

	for (int w = 0; w < WORKERS; w++) {
		for (int i = -1; i < DIRS; i++) {
			snprintf(dir, sizeof(dir), i < 0 ? "w%d" : "w%d/%c", w, 'a' + i);
			if (mkdir(dr_path(dir), 0755))
				return result(false, "mkdir");
		}
	}
	journal_create(seed);
	return 0;
}

/* What worker `w` has done. */
static int replay(int w)
{
	struct op op;
	int r;

	model_init(&model[w], journal_seed(), w);
	for (next[w] = 0; (r = journal_result(w, next[w])) >= 0; next[w]++) {
		op_choose(&model[w], next[w], &op);
		if (r != op.error) {
			printf("# operation %lu of worker %d, %s: errno %d, not %d\n",
			       next[w], w, op_name(&op), r, op.error);
			return result(false, "operations end as they should");
		}
		if (!r)
			model_apply(&model[w], &op);
	}
	return 0;
}

/* Does it, and announces that. */
static int perform(int w, const struct op *op)
{
	int r;

	journal_begin(w, op->n);
	r = op_run(&model[w], op);
	journal_end(w, op->n, r);
	if (r != op->error) {
		printf("# operation %lu of worker %d, %s: errno %d, not %d\n", op->n, w,
		       op_name(op), r, op->error);
		return result(false, "operations end as they should");
	}
	if (!r)
		model_apply(&model[w], op);
	next[w]++;
	return 0;
}

/* Says how the mount differs from both. */
static int neither(const struct model *m, const struct model *then)
{
	printf("# if it is not there:\n");
	verify_worker(m, NULL, NULL, true);
	printf("# if it is:\n");
	verify_worker(then, NULL, NULL, true);
	return 1;
}

/* The one that was under way: there, or not. It is made so, if it may be written. */
static int settle(int w, bool writable)
{
	static struct model then;
	struct model *m = &model[w];
	bool ok, happened;
	struct op op;

	if (journal_result(w, next[w]) == NEVER_BEGUN)
		return verify_worker(m, NULL, NULL, true);
	op_choose(m, next[w], &op);
	then = *m;
	if (!op.error)
		model_apply(&then, &op);
	if (op_is_atomic(&op)) {
		ok = !verify_worker(m, NULL, NULL, false);
		happened = !ok && !verify_worker(&then, NULL, NULL, false);
		ok |= happened;
	} else {
		ok = !verify_worker(m, &then, &op, true);
		happened = op.kind == TRUNCATE && size_of(m, op.a) == op.to * (long)SECTOR;
	}
	printf("# worker %d was at operation %lu, %s: %s\n", w, op.n, op_name(&op),
	       !ok ? "neither there nor not" : happened ? "there" :
	       op_is_atomic(&op) ? "not there" : "may be there in part");
	if (!ok)
		return neither(m, &then);
	if (!writable)
		return 0;
	if (happened) {
		journal_end(w, op.n, 0);
		next[w]++;
		*m = then;
	} else {
		/* No file is kept open here. */
		if (op.kind == UNLINK)
			op.flag = false;
		if (perform(w, &op))
			return 1;
	}
	return verify_worker(m, NULL, NULL, true);
}

/* Read-only: nothing is settled, and so not all can be counted. */
static int look(bool writable)
{
	int bad = 0;

	for (int w = 0; w < WORKERS; w++) {
		if (replay(w))
			return 1;
		bad += settle(w, writable);
	}
	if (writable)
		bad += verify_all(model, writable);
	return result(!bad, writable ? "all is there, and nothing else" :
		      "all can be seen read-only");
}

static int work(int w)
{
	struct op op;

	while (next[w] < journal_room()) {
		op_choose(&model[w], next[w], &op);
		if (perform(w, &op))
			return 1;
	}
	return result(false, "the journal has room");
}

static int mount_it(unsigned long flags)
{
	int r;

	mkdir(dr_mnt(), 0755);
	r = mount(dr_dev(), dr_mnt(), "daxrmap", flags, "") ? errno : 0;
	if (r)
		printf("# mount: %s\n", strerror(r));
	/* The model has what was written, page by page. */
	r = r ?: -dr_exact_zeroes();
	return result(!r, flags & MS_RDONLY ? "it can be mounted, read-only" :
		      flags & MS_REMOUNT ? "it becomes writable" : "it can be mounted");
}

static int load(void)
{
	pid_t pid;

	for (int w = 0; w < WORKERS; w++) {
		pid = fork();
		if (!pid) {
			setvbuf(stdout, NULL, _IOLBF, 0);
			exit(work(w));
		}
	}
	printf("# load\n");
	/* Until the power is cut: none of them ends but for an error. */
	return wait(NULL) ? 1 : 0;
}

int main(int argc, char **argv)
{
	bool last = argc == 4 && !strcmp(argv[3], "last");
	uint64_t seed, total = 0;
	int r = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3 || !(seed = strtoull(argv[2], NULL, 0)))
		return result(false, "usage: power-cut JOURNAL-DEVICE SEED [last]");
	dr_catch_sigbus();
	journal_open(argv[1]);
	printf("# mounting\n");
	/* Every other time one looks before one touches. */
	if (journal_seed() && seed % 2)
		r = mount_it(MS_RDONLY) || look(false) || mount_it(MS_REMOUNT);
	else
		r = mount_it(0);
	if (!r && !journal_seed())
		r = prepare(seed);
	if (!r)
		r = look(true);
	for (int w = 0; w < WORKERS; w++)
		total += next[w];
	printf("# %lu operations so far\n", total);
	if (r || !last)
		return r ? r : load();
	if (dr_umount())
		return result(false, "umount");
	r = mount_it(0) || look(true);
	return dr_umount() || r;
}
