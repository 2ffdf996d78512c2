// SPDX-License-Identifier: GPL-2.0
/* Files come and go: create, unlink, open and map, close. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "stress.h"

static char buffer[BIG_PAGES * BLK];

/* A new file in the place of one that is gone for good. The caller holds its life. */
static void create_locked(int f)
{
	struct file *o = &w->file[f];
	unsigned int n = f < BIG ? o->pages : 1 + dr_pick(o->pages);
	static uint32_t block[BIG_PAGES];
	static struct content c[BIG_PAGES];
	uint64_t start = tick();
	struct stat st;
	int fd;

	o->generation++;
	fd = dr_open(name_of(f), O_RDWR | O_CREAT | O_EXCL);
	if (fd < 0 || fstat(fd, &st)) {
		fault(INTACT, "create of %s: %s", name_of(f), strerror(errno));
		return;
	}
	for (unsigned int p = 0; p < n; p++) {
		c[p] = new_content();
		fill_page(&c[p], (uint64_t *)(buffer + p * BLK));
	}
	/* A block may go bad under the write: then again, and that heals it. */
	for (int tries = 0; ; tries++) {
		ssize_t r = pwrite(fd, buffer, n * BLK, 0);

		if (r == (ssize_t)(n * BLK))
			break;
		if (tries == 20 || (r < 0 && errno != EIO)) {
			fault(INTACT, "write of all of %s: %zd, %s", name_of(f), r,
			      strerror(errno));
			close(fd);
			return;
		}
	}
	if (blocks_of(fd, 0, n, block, NULL))
		memset(block, 0xff, sizeof(block));
	o->size = n;
	o->ino = st.st_ino;
	for (unsigned int p = 0; p < n; p++) {
		struct past is = { .kind = DATA, .block = block[p], .c = c[p] };

		if (block[p] == NONE)
			fault(BOOKS, "%s page %u has no block", name_of(f), p);
		used_anew(block[p], start);
		if (own(block[p]))
			fault(BOOKS, "%s page %u is at block %u, which another has",
			      name_of(f), p, block[p]);
		settle(page_of(f, p), expect(page_of(f, p), is), &is);
	}
	o->named = true;
	close(fd);
}

/* It has no name and no user any more: its blocks are about to come free. */
static void forget(int f)
{
	struct past none = { .kind = AFTER_END, .block = NONE };

	for (unsigned int p = 0; p < w->file[f].size; p++) {
		disown(now_of(f, p).block);
		settle(page_of(f, p), expect(page_of(f, p), none), &none);
	}
	w->file[f].size = 0;
}

void create_file(int f)
{
	lock_life(f);
	if (!w->file[f].named && !w->file[f].users)
		create_locked(f);
	unlock_life(f);
}

void remove_file(int f)
{
	lock_life(f);
	if (w->file[f].named && !w->file[f].pins) {
		if (!w->file[f].users)
			forget(f);
		if (unlink(dr_path(name_of(f))))
			fault(INTACT, "unlink of %s: %s", name_of(f), strerror(errno));
		w->file[f].named = false;
	}
	unlock_life(f);
}

void change_names(void)
{
	int f = dr_pick(FILES);

	/* Half of them gone at any time is not what we want. */
	if (w->file[f].named && !dr_pick(3))
		remove_file(f);
	else
		create_file(f);
	COUNT(changes);
}

/* At an address that huge pages can use. */
static char *map(int fd, unsigned long len, int prot, int flags)
{
	char *at = mmap(NULL, len + HUGE_SIZE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *start = (char *)(((unsigned long)at + HUGE_SIZE - 1) & -HUGE_SIZE);

	munmap(at, start - at);
	munmap(start + len, at + HUGE_SIZE - start);
	return mmap(start, len, prot, flags | MAP_FIXED, fd, 0);
}

void open_something(struct slot *s, int f)
{
	struct file *o;

	if (f < 0)
		f = dr_pick(FILES);
	o = &w->file[f];
	lock_life(f);
	if (o->named) {
		s->writable = dr_pick(3);
		s->fd = dr_open(name_of(f), O_RDWR);
		s->first = 0;
		s->count = o->pages;
		s->base = MAP_FAILED;
		if (s->fd >= 0)
			s->base = map(s->fd, s->count * BLK,
				      s->writable ? PROT_READ | PROT_WRITE : PROT_READ,
				      s->writable || dr_pick(2) ? MAP_SHARED : MAP_PRIVATE);
		if (s->base == MAP_FAILED)
			fault(INTACT, "open or mmap of %s: %s", name_of(f),
			      strerror(errno));
		else {
			o->users++;
			s->file = f;
		}
	}
	unlock_life(f);
}

void unmap_slot(struct slot *s)
{
	struct gone *g = &me->gone[me->goners++ % GONE];

	me->older_gone = g->to;
	g->slot = *s;
	g->from = me->quiet;
	munmap(s->base, s->count * BLK);
	close(s->fd);
	/* A signal that was under way is for this mapping. */
	all_signals_are_here();
	g->to = tick();
	s->file = -1;
}

void close_slot(struct slot *s)
{
	struct file *o = &w->file[s->file];
	int f = s->file;

	lock_life(f);
	if (!o->pins) {
		if (!--o->users && !o->named)
			forget(f);
		unmap_slot(s);
	}
	unlock_life(f);
}
