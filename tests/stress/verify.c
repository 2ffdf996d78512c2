// SPDX-License-Identifier: GPL-2.0
/* Everything, exactly, while all processes stand still. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "stress.h"
#include "subject.h"

static int pagemap_of(const struct proc *p)
{
	static int fd[PROCS];	/* 0: not open yet */
	char path[64];

	if (!fd[p->nr]) {
		snprintf(path, sizeof(path), "/proc/%d/pagemap", p->pid);
		fd[p->nr] = open(path, O_RDONLY | O_CLOEXEC);
	}
	return fd[p->nr];
}

static long pfn_in(uint64_t e)
{
	return e >> 63 ? (long)(e & ((1ULL << 55) - 1)) : -1;
}

long present_pfn(const struct proc *p, const char *addr)
{
	uint64_t e = 0;

	if (pread(pagemap_of(p), &e, 8, (unsigned long)addr / BLK * 8) != 8)
		fault(BOOKS, "pagemap: %s", strerror(errno));
	return pfn_in(e);
}

int open_any(int f)
{
	char path[64];

	if (w->file[f].named)
		return dr_open(name_of(f), O_RDWR);
	for (struct proc *p = w->proc; p < w->proc + PROCS; p++)
		for (int k = 0; k < SLOTS; k++)
			if (p->slot[k].file == f) {
				snprintf(path, sizeof(path), "/proc/%d/fd/%d",
					 p->pid, p->slot[k].fd);
				return open(path, O_RDWR | O_CLOEXEC);
			}
	return -ENOENT;
}

/* FIEMAP, and read(2) of every page. */
static void check_file(int f)
{
	static uint32_t block[BIG_PAGES], flags[BIG_PAGES];
	struct file *o = &w->file[f];
	int fd;

	if (!o->named && !o->users)
		return;
	fd = open_any(f);
	if (fd < 0) {
		fault(INTACT, "open of %s: %s", name_of(f), strerror(errno));
		return;
	}
	blocks_of(fd, 0, o->pages, block, flags);
	for (unsigned int p = 0; p < o->pages; p++) {
		struct past is = now_of(f, p);

		if (is.block != block[p])
			fault(BOOKS, "%s page %u is at block %d, not %d", name_of(f), p,
			      (int)block[p], (int)is.block);
		else if (!subject->heals && is.block != NONE && (w->block[is.block].refs > 1) !=
					     !!(flags[p] & FIEMAP_SHARED))
			fault(BOOKS, "%s page %u at block %u: %u owners, and flags %#x",
			      name_of(f), p, is.block, w->block[is.block].refs, flags[p]);
		read_at(f, fd, p);
	}
	close(fd);
}

/* What processes map is what the files have there, and is good. */
static void check_maps(void)
{
	static uint64_t e[BIG_PAGES];

	for (struct proc *p = w->proc; p < w->proc + WORKERS; p++)
		for (struct slot *s = p->slot; s < p->slot + SLOTS; s++) {
			if (s->file < 0)
				continue;
			if (pread(pagemap_of(p), e, s->count * 8,
				  (unsigned long)s->base / BLK * 8) != s->count * 8)
				fault(BOOKS, "pagemap: %s", strerror(errno));
			for (unsigned int i = 0; i < s->count; i++) {
				struct past is = now_of(s->file, i);
				unsigned long pfn = pfn_in(e[i]);
				uint32_t at = subject->block_of(pfn);

				/* Not of the device: a hole's page of zeroes. */
				if (at != NONE && (is.kind != DATA || at != is.block ||
						      lost(is.block, tick())))
					fault(lost(is.block, tick()) ? MISSED : INTACT,
					      "process %d maps page frame %#lx at %s page %u, which is at block %d",
					      p->nr, pfn, name_of(s->file), i, (int)is.block);
			}
		}
}

/* Owners, as the oracle counts them. */
void check_refs(void)
{
	uint32_t *refs = calloc(w->total, sizeof(*refs));

	if (!refs)
		return;
	for (int f = 0; f < FILES; f++)
		for (unsigned int p = 0; p < w->file[f].pages; p++) {
			struct past is = now_of(f, p);

			if (is.block != NONE)
				refs[is.block]++;
		}
	for (unsigned long b = 0; b < w->total; b++) {
		struct block *k = &w->block[b];

		if (refs[b] != k->refs || !k->done != !k->begun || k->running || k->healers)
			fault(BOOKS, "block %lu: %u owners, not %u; events from %lu to %lu",
			      b, refs[b], k->refs, (long)k->begun, (long)k->done);
	}
	free(refs);
}

void verify(void)
{
	/* What is removed shares blocks until it is freed. */
	dr_counter_settled("inodes_dead", 0);
	for (int f = 0; f < FILES; f++)
		check_file(f);
	ask_all(VERIFY);
	check_maps();
	check_refs();
	subject->check_all();
}
