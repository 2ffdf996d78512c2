// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel waits for itself. Who punches, truncates or unlinks a file waits for pages of it
 * that are in use other than by a mapping; and once it waits, until they are not mapped
 * either (fs/dax.c: dax_busy_page() and dax_page_is_idle() do not mean the same). One more
 * reference for a moment, as a fault, an event or a munmap takes it, is enough to begin. If
 * somebody maps the page then, or, on XFS, has mapped it through another file, perhaps
 * who waits himself, it may be for good.
 *
 * So a process looks whether a worker waits there. A signal makes him begin anew. An unlink
 * takes none: there the shared pages of all files are read, which on XFS takes them from all
 * others, and given up.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include "../selftests/common/processes/children.h"
#include "unstick.h"
#include "stress.h"
#include "subject.h"

enum { LOOK = 300000 };			/* us */

static pid_t pid;

static bool waits(const struct proc *p)
{
	char where[64];

	where_it_waits(p, where, sizeof(where));
	return strstr(where, "dax");
}

static void read_shared(int f)
{
	struct file *o = &w->file[f];
	uint64_t word;
	char *at;
	int fd = open_any(f);

	if (fd < 0)
		return;
	at = mmap(NULL, o->pages * BLK, PROT_READ, MAP_SHARED, fd, 0);
	for (unsigned int p = 0; at != MAP_FAILED && p < o->pages; p++) {
		struct past is = now_of(f, p);

		if (is.kind == DATA)
			load_word(at + p * BLK, &word);
	}
	if (at != MAP_FAILED)
		munmap(at, o->pages * BLK);
	close(fd);
}

static void __attribute__((noreturn)) unstick_main(void)
{
	bool did[PROCS] = { false };

	catch_signals();
	while (w->guard.disturbing) {
		bool stuck = false;

		usleep(LOOK);
		for (int i = 0; i < WORKERS; i++) {
			bool does = waits(&w->proc[i]);

			if (does && did[i]) {
				kill(w->proc[i].pid, SIGUSR1);
				stuck = true;
			}
			did[i] = does;
		}
		if (!stuck)
			continue;
		for (int f = BIG; subject->clones && f < FILES; f++)
			read_shared(f);
		w->guard.unstuck++;
	}
	_exit(0);
}

void start_to_unstick(void)
{
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		unstick_main();
	}
}

void stop_to_unstick(void)
{
	if (pid > 0 && dr_wait_for(pid, 30000))
		fault(BOOKS, "who reads shared pages does not come to an end");
}
