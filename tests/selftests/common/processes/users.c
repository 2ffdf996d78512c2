// SPDX-License-Identifier: GPL-2.0
/* Functions that run as somebody else. */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>
#include "children.h"
#include "users.h"

struct task {
	uid_t uid;
	gid_t gid;
	int (*fn)(void *);
	void *arg;
};

/* Errors are positive here: a child's exit status. Those of interest fit. */
static int run(void *arg)
{
	const struct task *t = arg;

	if (setgroups(0, NULL) || setresgid(t->gid, t->gid, t->gid) ||
	    setresuid(t->uid, t->uid, t->uid))
		return 125;
	return t->fn(t->arg) ? errno : 0;
}

int dr_as(uid_t uid, gid_t gid, int (*fn)(void *), void *arg)
{
	struct task t = { uid, gid, fn, arg };
	int r;

	/* The guest's root may be for root only. */
	chmod("/", 0755);
	r = dr_wait(dr_spawn(run, &t));
	return r < 0 || r == 125 ? -EPIPE : -r;
}
