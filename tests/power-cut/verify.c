// SPDX-License-Identifier: GPL-2.0
/* The oracle: whether the mount is as the workers' models say. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <uapi/daxrmap.h>
#include "common.h"
#include "run.h"
#include "verify.h"

#define LOST_BATCH	64
#define WORDS		(SECTOR / 8)

static bool is_loud;
static int wrong;

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	va_list args;

	wrong++;
	if (!is_loud || wrong > 20)
		return;
	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

/* Names that are there and should not be; those missing are found when opened. */
static void check_names(const struct model *m)
{
	char dir[16];
	int slot;

	for (int i = 0; i <= DIRS; i++) {
		struct dirent *e;
		DIR *d;

		snprintf(dir, sizeof(dir), i < DIRS ? "w%d/%c" : "w%d", m->worker, 'a' + i);
		d = opendir(dr_path(dir));
		if (!d) {
			say("%s: %s", dir, strerror(errno));
			continue;
		}
		while ((e = readdir(d))) {
			if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
				continue;
			if (i == DIRS) {
				if (strlen(e->d_name) != 1 &&
				    !(m->dir && !strcmp(e->d_name, "extra")))
					say("%s/%s should not be there", dir, e->d_name);
				continue;
			}
			slot = i * NAMES + atoi(e->d_name + 1);
			if (slot >= SLOTS || m->slot[slot] < 0)
				say("%s/%s should not be there", dir, e->d_name);
		}
		closedir(d);
	}
	if (!access(dr_path(extra_dir(m)), F_OK) != m->dir)
		say("%s is %sthere", extra_dir(m), m->dir ? "not " : "");
}

struct versions {
	const struct model *m, *then;	/* the second may be missing */
	const struct file *f, *g;
	const struct op *op;
	const char *name;
};

/* Whether a word is what it was, or (under way) what it becomes. */
static void check_sector(const struct versions *v, const uint64_t *words, unsigned int s,
			 unsigned long size, bool healed)
{
	bool dropped;

	/* What is behind the new end goes with it, in one, but for that page. */
	dropped = v->g && v->op->kind == TRUNCATE && size == v->f->size * SECTOR &&
		  s / PER_PAGE >= pages_of(v->g->size);
	for (unsigned int i = 0; i < WORDS; i++) {
		if (!healed && words[i] == word_of(v->f->stamp[s], i))
			continue;
		if (v->g && !dropped && words[i] == word_of(v->g->stamp[s], i))
			continue;
		say("%s: byte %lu is %016llx, not %016llx", v->name, s * SECTOR + i * 8UL,
		    (unsigned long long)words[i],
		    (unsigned long long)word_of(v->f->stamp[s], i));
		return;
	}
}

static void check_contents(const struct versions *v, int fd, unsigned long size)
{
	static uint64_t buf[BLK / 8];

	for (unsigned int p = 0; p < pages_of(size / SECTOR); p++) {
		unsigned long want = size - p * BLK < BLK ? size - p * BLK : BLK;
		bool bad = page_is_bad(v->m, v->f, p), may_heal;
		ssize_t n = pread(fd, buf, BLK, p * BLK);

		may_heal = v->g && bad && !page_is_bad(v->then, v->g, p);
		if (n < 0) {
			if (errno != EIO || !bad)
				say("%s: page %u: %s", v->name, p, strerror(errno));
			continue;
		}
		if (n != (ssize_t)want || (bad && !may_heal)) {
			say("%s: page %u: %zd bytes, not %s", v->name, p, n,
			    bad ? "EIO" : "all");
			continue;
		}
		for (unsigned int s = 0; s < want / SECTOR; s++)
			check_sector(v, buf + s * WORDS, p * PER_PAGE + s, size, bad);
	}
}

static bool size_is_right(const struct versions *v, unsigned long size)
{
	unsigned long was = v->f->size * SECTOR, will;

	if (!v->g)
		return size == was;
	will = v->g->size * SECTOR;
	if (v->op->kind == TRUNCATE || v->op->kind == ALLOCATE)
		return size == was || size == will;
	return size % SECTOR == 0 && size >= was && size <= will;
}

static void check_file(const struct versions *v)
{
	unsigned int blocks = 0;
	struct stat st;
	int fd = dr_open(v->name, O_RDONLY);

	if (fd < 0 || fstat(fd, &st)) {
		say("%s: %s", v->name, strerror(fd < 0 ? -fd : errno));
		return;
	}
	for (int p = 0; p < PAGES; p++)
		blocks += !!v->f->block[p];
	if (st.st_nlink != 1)
		say("%s: %ld links, not 1", v->name, (long)st.st_nlink);
	if (!v->g && st.st_blocks != blocks * PER_PAGE)
		say("%s: %ld blocks, not %u", v->name, (long)st.st_blocks / PER_PAGE, blocks);
	if (size_is_right(v, st.st_size))
		check_contents(v, fd, st.st_size);
	else
		say("%s: %ld bytes, not %u", v->name, (long)st.st_size, v->f->size * SECTOR);
	close(fd);
}

int verify_worker(const struct model *m, const struct model *then, const struct op *op,
		  bool loud)
{
	wrong = 0;
	is_loud = loud;
	check_names(m);
	for (int s = 0; s < SLOTS; s++) {
		int i = m->slot[s];
		struct versions v = { .m = m, .op = op, .name = slot_path(m, s) };

		if (i < 0)
			continue;
		v.f = &m->file[i];
		if (then && m->slot[op->a] == i) {
			v.then = then;
			v.g = &then->file[i];
		}
		check_file(&v);
	}
	return wrong;
}

/* Which file of the models has this inode number; its model. */
static const struct file *file_of(const struct model *all, unsigned long ino,
				  const struct model **of)
{
	for (const struct model *m = all; m < all + WORKERS; m++) {
		for (int s = 0; s < SLOTS; s++) {
			if (m->slot[s] >= 0 && dr_ino(slot_path(m, s)) == (long)ino) {
				*of = m;
				return &m->file[m->slot[s]];
			}
		}
	}
	return NULL;
}

/* Each record is of a page that is bad: how many pages. */
static unsigned long lost_pages(const struct model *all, const struct daxrmap_lost_head *h)
{
	unsigned long pages = 0;

	for (unsigned int i = 0; i < h->entries; i++) {
		const struct daxrmap_lost *l = &h->recs[i];
		const struct model *m = NULL;
		const struct file *f = file_of(all, l->ino, &m);

		for (unsigned long at = l->offset; at < l->offset + l->length; at += BLK) {
			pages++;
			if (!f || at / BLK >= PAGES || !page_is_bad(m, f, at / BLK))
				say("lost: byte %lu of inode %llu is not", at,
				    (unsigned long long)l->ino);
		}
	}
	return pages;
}

static void check_lost(const struct model *all)
{
	struct daxrmap_lost_head *h = calloc(1, sizeof(*h) + LOST_BATCH * sizeof(*h->recs));
	unsigned long pages = 0, want = 0;
	int fd = dr_open("", O_RDONLY);

	for (int w = 0; w < WORKERS; w++)
		want += model_lost(&all[w]);
	h->count = LOST_BATCH;
	do {
		if (ioctl(fd, DAXRMAP_IOC_LOST, h)) {
			say("lost: %s", strerror(errno));
			break;
		}
		pages += lost_pages(all, h);
	} while (!(h->oflags & DAXRMAP_LOST_END));
	if (pages != want)
		say("%lu pages are lost, not %lu", pages, want);
	close(fd);
	free(h);
}

int verify_all(const struct model *all, bool writable)
{
	unsigned long used = 0, bad = 0, taken;
	struct statvfs st;

	wrong = 0;
	is_loud = true;
	for (int w = 0; w < WORKERS; w++) {
		used += model_used(&all[w]);
		bad += all[w].bad;
	}
	if (dr_counter("blocks_bad") != (long)bad)
		say("%ld blocks are bad, not %lu", dr_counter("blocks_bad"), bad);
	check_lost(all);
	/* Files of many extents are freed by a worker. */
	if (writable && dr_settle())
		say("not all that was removed is freed");
	if (statvfs(dr_mnt(), &st))
		say("statvfs: %s", strerror(errno));
	taken = st.f_blocks - st.f_bfree;
	/* What was unlinked while it was open stays until it can be written. */
	if (writable ? taken != used : taken < used)
		say("%lu blocks are taken, not %lu", taken, used);
	if (dr_check())
		say("the module's check fails");
	return wrong;
}

long size_of(const struct model *m, int slot)
{
	struct stat st;

	return stat(dr_path(slot_path(m, slot)), &st) ? -errno : (long)st.st_size;
}
