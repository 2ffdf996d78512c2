// SPDX-License-Identifier: GPL-2.0
/* Processes that map a file and do as they are told. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "children.h"
#include "peers.h"
#include "signals.h"
#include "common/basics/text.h"
#include "common/files/data.h"
#include "common/files/files.h"
#include "common/module/poison.h"

enum { OP_MAP, OP_LOAD, OP_STORE, OP_POISON, OP_SIGNALS, OP_PASSES };

struct order {
	int op, prot, flags, passes, seed;
	unsigned char byte;
	unsigned long off, len;
	char name[64];
};

struct answer {
	long ret, faults;
	char *base;
	struct dr_touch t;
	struct dr_sig sigs[8];
};

static long passes(const char *base, unsigned long len, int n, int seed)
{
	long wrong = 0;

	for (int i = 0; i < n; i++)
		for (unsigned long b = 0; b < len / BLK; b++)
			wrong += *(const volatile unsigned char *)(base + b * BLK) !=
				 dr_byte(seed, b);
	return wrong;
}

static void __attribute__((noreturn)) peer_main(int in, int out)
{
	char *base = NULL;
	unsigned long len = 0;
	struct order o;
	struct answer a;

	while (read(in, &o, sizeof(o)) == sizeof(o)) {
		memset(&a, 0, sizeof(a));
		switch (o.op) {
		case OP_MAP:
			base = dr_map(o.name, o.off, o.len, o.prot, o.flags);
			len = o.len;
			a.base = base;
			a.ret = base ? 0 : dr_errno();
			break;
		case OP_LOAD:
			a.t = dr_load(base + o.off);
			break;
		case OP_STORE:
			a.t = dr_store(base + o.off, o.byte);
			break;
		case OP_POISON:
			a.ret = dr_poison_addr(base + o.off);
			break;
		case OP_SIGNALS:
			a.ret = dr_signals(a.sigs, 8);
			break;
		case OP_PASSES:
			a.faults = -dr_faults();
			a.ret = passes(base, len, o.passes, o.seed);
			a.faults += dr_faults();
			break;
		}
		if (write(out, &a, sizeof(a)) != sizeof(a))
			break;
	}
	_exit(0);
}

int peer_start(struct peer *p, bool early)
{
	pid_t parent = getpid();
	int to[2], from[2];

	/* Messages are far below PIPE_BUF: they come and go in one piece. */
	memset(p, 0, sizeof(*p));
	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		return dr_errno();
	p->pid = fork();
	if (p->pid < 0)
		return dr_errno();
	if (!p->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		close(to[1]);
		close(from[0]);
		dr_catch_sigbus();
		if (early && prctl(PR_MCE_KILL, PR_MCE_KILL_SET,
				   PR_MCE_KILL_EARLY, 0, 0))
			_exit(1);
		peer_main(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	p->to = to[1];
	p->from = from[0];
	return 0;
}

static int ask(struct peer *p, const struct order *o, struct answer *a)
{
	if (o && write(p->to, o, sizeof(*o)) != sizeof(*o))
		return -EPIPE;
	if (a && read(p->from, a, sizeof(*a)) != sizeof(*a))
		return -EPIPE;		/* the peer died */
	return 0;
}

int peer_map(struct peer *p, const char *name, unsigned long off,
	     unsigned long len, int prot, int flags)
{
	struct order o = { .op = OP_MAP, .prot = prot, .flags = flags,
		.off = off, .len = len };
	struct answer a;

	snprintf(o.name, sizeof(o.name), "%s", name);
	if (ask(p, &o, &a))
		return -EPIPE;
	p->base = a.base;
	return a.ret;
}

int peer_open(struct peer *p, bool early, const char *name, unsigned long len,
	      long touch)
{
	int r = peer_start(p, early);

	if (!r)
		r = peer_map(p, name, 0, len, PROT_READ | PROT_WRITE, MAP_SHARED);
	if (!r && touch >= 0 && peer_load(p, touch * BLK).sig.signo)
		r = -EFAULT;
	return r;
}

static struct dr_touch peer_touch(struct peer *p, const struct order *o)
{
	struct answer a = { .t = { .sig = { .signo = -EPIPE } } };

	ask(p, o, &a);
	return a.t;
}

struct dr_touch peer_load(struct peer *p, unsigned long off)
{
	return peer_touch(p, &(struct order){ .op = OP_LOAD, .off = off });
}

struct dr_touch peer_store(struct peer *p, unsigned long off, unsigned char b)
{
	return peer_touch(p, &(struct order){ .op = OP_STORE, .off = off, .byte = b });
}

int peer_poison(struct peer *p, unsigned long off)
{
	struct answer a;

	return ask(p, &(struct order){ .op = OP_POISON, .off = off }, &a) ?: a.ret;
}

int peer_signals(struct peer *p, struct dr_sig *sigs, int max)
{
	struct answer a;

	if (ask(p, &(struct order){ .op = OP_SIGNALS }, &a))
		return -EPIPE;
	memcpy(sigs, a.sigs, (max < 8 ? max : 8) * sizeof(*sigs));
	return a.ret;
}

int peer_passes_start(struct peer *p, int n, int seed)
{
	return ask(p, &(struct order){ .op = OP_PASSES, .passes = n, .seed = seed },
		   NULL);
}

long peer_passes_end(struct peer *p, long *faults)
{
	struct answer a;

	if (ask(p, NULL, &a))
		return -EPIPE;
	*faults = a.faults;
	return a.ret;
}

int peer_stop(struct peer *p)
{
	int status;

	close(p->to);
	close(p->from);
	kill(p->pid, SIGKILL);
	return waitpid(p->pid, &status, 0) < 0 ? dr_errno() : 0;
}
