// SPDX-License-Identifier: GPL-2.0
/*
 * What goes on around the guard meanwhile: another filesystem of the same type is mounted,
 * used and unmounted; tables of dm are loaded anew; the filesystem is frozen; the guard is switched off and on; the
 * module goes and comes back. The last two wait until no event is under way, and events
 * wait for them: what fails while nobody guards is nobody's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "../selftests/common/module/module.h"
#include "../selftests/common/processes/children.h"
#include "control.h"
#include "disturb.h"
#include "stack.h"
#include "stress.h"

#define OTHER_DEV	"/dev/pmem2"
#define OTHER_MNT	"/tmp/other"

enum { PAGES_OF_IT = 16 };

static const char *const names[] = { "mounts", "tables", "freezes", "switches", "modules" };
enum what { MOUNTS, RELOADS, FREEZES, SWITCHES, LOADS, WHATS };

static pid_t pid;

static bool wanted(enum what what)
{
	const char *list = getenv("STRESS_DISTURB") ?: "mounts tables freezes switches modules";

	if (what == RELOADS && !stack->mapped)
		return false;
	if (what >= SWITCHES && guard == GUARD_OFF)
		return false;
	if (what == LOADS && !dr_module_file())
		return false;
	return strstr(list, names[what]);
}

static long *count_of(enum what what)
{
	struct guard_state *g = &w->guard;
	long *count[] = { &g->mounts, &g->reloads, &g->freezes, &g->switches, &g->loads };

	return count[what];
}

bool all_disturbed(void)
{
	for (int i = 0; i < WHATS; i++)
		if (wanted(i) && !*count_of(i))
			return false;
	return true;
}

/* A file that is mapped and read there. */
static int use_other(void)
{
	int r = -EIO, fd = open(OTHER_MNT "/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char page[BLK], *at;

	if (fd < 0)
		return dr_errno();
	memset(page, 1, sizeof(page));
	for (int i = 0; i < PAGES_OF_IT; i++)
		if (pwrite(fd, page, BLK, i * BLK) != (ssize_t)BLK)
			return dr_errno();
	at = mmap(NULL, PAGES_OF_IT * BLK, PROT_READ, MAP_SHARED, fd, 0);
	if (at != MAP_FAILED) {
		r = 0;
		for (int i = 0; i < PAGES_OF_IT; i++)
			r |= ((volatile char *)at)[i * BLK] != 1 ? -EUCLEAN : 0;
		munmap(at, PAGES_OF_IT * BLK);
	}
	close(fd);
	return r;
}

static int other_mount(void)
{
	int r = guarded_mount(OTHER_DEV, OTHER_MNT), end = 0;

	if (r)
		return r;
	r = use_other();
	for (int i = 0; i < 500 && (end = umount(OTHER_MNT) ? dr_errno() : 0) == -EBUSY; i++)
		usleep(10000);
	return r ?: end;
}

/* Nobody writes to the subject's filesystem for a while. */
static int freeze(void)
{
	int r, fd = open(dr_mnt(), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return dr_errno();
	r = ioctl(fd, FIFREEZE, 0) ? dr_errno() : 0;
	if (!r) {
		usleep(dr_pick(20000));
		r = ioctl(fd, FITHAW, 0) ? dr_errno() : 0;
	}
	close(fd);
	return r;
}

/* Either half of it, or both. */
static int switch_guard(void)
{
	bool watch = dr_pick(3), held = guard == GUARD_HOLD && (!watch || dr_pick(2));
	int r = watch ? guard_watch(false) : 0;

	if (!r && held)
		r = guard_hold(false);
	usleep(dr_pick(20000));
	if (!r && held)
		r = guard_hold(true);
	if (!r && watch)
		r = guard_watch(true);
	return r;
}

/* The module gives back itself what it holds, or is asked to before. */
static int load_anew(void)
{
	int r = dr_pick(2) ? guard_all(false) : 0;

	w->guard.owners += guard_owners();
	for (int i = 0; !r && i < 1000; i++) {
		r = dr_rmmod();
		if (r != -EAGAIN && r != -EBUSY)
			break;
		usleep(10000);
		if (i < 999)
			r = 0;
	}
	r = r ?: dr_insmod();
	r = r ?: guard_all(true);
	if (!r)
		w->guard.heard = guard_events();
	return r;
}

static void disturb(enum what what)
{
	int r = 0;

	if (what >= SWITCHES)
		pthread_rwlock_wrlock(&w->guard.lock);
	switch (what) {
	case MOUNTS:
		r = other_mount();
		break;
	case RELOADS:
		r = stack_reload();
		break;
	case FREEZES:
		r = freeze();
		break;
	case SWITCHES:
		r = switch_guard();
		break;
	default:
		r = load_anew();
	}
	if (what >= SWITCHES)
		pthread_rwlock_unlock(&w->guard.lock);
	__atomic_fetch_add(count_of(what), 1, __ATOMIC_RELAXED);
	if (r)
		fault(BOOKS, "%s: %s", names[what], strerror(-r));
}

static void __attribute__((noreturn)) disturb_main(void)
{
	/* The guard is switched often, the module seldom loaded: that takes its time. */
	static const enum what often[] = { MOUNTS, MOUNTS, RELOADS, RELOADS, RELOADS, FREEZES,
		SWITCHES, SWITCHES, LOADS };

	dr_seed(w->seed * 1000 + PROCS + 1);
	while (w->guard.disturbing) {
		enum what what = often[dr_pick(sizeof(often) / sizeof(*often))];

		if (wanted(what))
			disturb(what);
		usleep(dr_pick(200000));
	}
	_exit(0);
}

void start_to_disturb(void)
{
	char cmd[128];

	mkdir(OTHER_MNT, 0700);
	snprintf(cmd, sizeof(cmd), dr_xfs() ? "mkfs.xfs -fq " OTHER_DEV " >/dev/null" :
		 "mkfs.ext4 -qF " OTHER_DEV " >/dev/null");
	if (wanted(MOUNTS) && system(cmd))
		fault(BOOKS, "no other filesystem");
	w->guard.disturbing = 1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		disturb_main();
	}
}

void stop_to_disturb(void)
{
	w->guard.disturbing = 0;
	if (pid > 0 && dr_wait_for(pid, dr_patience(60000)))
		fault(BOOKS, "who disturbs does not come to an end");
}
