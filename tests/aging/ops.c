// SPDX-License-Identifier: GPL-2.0
/* Files come, change and go. No space left is no fault: others go then. */
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
#include <sys/stat.h>
#include "../selftests/common/basics/random.h"
#include "../selftests/common/device/mount.h"
#include "aging.h"

/* Files that grow in turn, at most; what cp(1) writes at once. */
enum { TOGETHER = 5, AT_ONCE = 256 * KIB };

struct file file[FILES];
long done[OPS];
static char data[AT_ONCE];

/* Ends the program unless there is only no space. */
static bool must(const char *what, bool ok)
{
	if (ok || errno == ENOSPC)
		return ok;
	printf("# %s: %s\n", what, strerror(errno));
	exit(1);
}

void ops_start(void)
{
	char path[256];

	memset(file, 0, sizeof(file));
	memset(done, 0, sizeof(done));
	memset(data, 'a', sizeof(data));
	for (int i = 0; i < DIRS; i++) {
		snprintf(path, sizeof(path), "%s/%d", dr_mnt(), i);
		must("mkdir", !mkdir(path, 0755));
	}
}

/* Seven of ten are small, one is large. */
static long any_bytes(enum size *size)
{
	unsigned int dice = dr_pick(10);

	*size = dice < 7 ? SMALL : dice < 9 ? MEDIUM : LARGE;
	switch (*size) {
	case SMALL:
		return 4 * KIB + dr_pick(60 * KIB);
	case MEDIUM:
		return 64 * KIB + dr_pick(HUGE - 64 * KIB);
	default:
		/* Every other one is as long as programs make them that want huge pages. */
		return dr_pick(2) ? HUGE * (1 + dr_pick(8)) : HUGE + dr_pick(14 * MIB);
	}
}

static struct file *new_file(enum kind kind)
{
	unsigned int from = dr_pick(FILES);

	for (int i = 0; i < FILES; i++) {
		struct file *f = &file[(from + i) % FILES];

		if (f->used)
			continue;
		f->used = true;
		f->kind = kind;
		f->bytes = any_bytes(&f->size);
		return f;
	}
	printf("# too many files\n");
	exit(1);
}

static struct file *any_file(void)
{
	unsigned int from = dr_pick(FILES);

	for (int i = 0; i < FILES; i++)
		if (file[(from + i) % FILES].used)
			return &file[(from + i) % FILES];
	return NULL;
}

static int open_file(const struct file *f, int flags)
{
	int fd = open(path_of(f), flags | O_CLOEXEC, 0644);

	must("open", fd >= 0);
	return fd;
}

void remove_file(struct file *f)
{
	must("unlink", !unlink(path_of(f)));
	f->used = false;
	done[REMOVE]++;
}

static bool write_file(int fd, long bytes)
{
	for (long at = 0; at < bytes; ) {
		long n = bytes - at < AT_ONCE ? bytes - at : AT_ONCE;

		n = pwrite(fd, data, n, at);
		if (!must("write", n > 0))
			return false;
		at += n;
	}
	return true;
}

/* A byte of each page. The space is there: a store could not say that it is not. */
static bool store(int fd, long at, long bytes)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);

	if (!must("mmap", p != MAP_FAILED))
		return false;
	for (long i = 0; i < bytes; i += BLOCK)
		p[i] = 'm';
	munmap(p, bytes);
	return true;
}

static void make(enum op how)
{
	struct file *f = new_file(WHOLE);
	int fd = open_file(f, O_RDWR | O_CREAT | O_EXCL);
	bool ok;

	if (how == STORE)
		ok = must("truncate", !ftruncate(fd, f->bytes)) && store(fd, 0, f->bytes);
	else
		ok = write_file(fd, f->bytes);
	close(fd);
	if (ok)
		done[how]++;
	else
		remove_file(f);
}

static void make_together(void)
{
	int n = 2 + dr_pick(TOGETHER - 1), fd[TOGETHER], open = n;
	struct file *f[TOGETHER];
	long at[TOGETHER] = { };

	for (int i = 0; i < n; i++) {
		f[i] = new_file(APPENDED);
		fd[i] = open_file(f[i], O_WRONLY | O_APPEND | O_CREAT | O_EXCL);
	}
	for (int i = 0; open; i = (i + 1) % n) {
		long part = 1 + dr_pick(64 * KIB);

		if (fd[i] < 0)
			continue;
		if (part > f[i]->bytes - at[i])
			part = f[i]->bytes - at[i];
		part = write(fd[i], data, part);
		if (must("append", part > 0)) {
			at[i] += part;
			if (at[i] < f[i]->bytes)
				continue;
			done[APPEND]++;
		} else {
			remove_file(f[i]);
		}
		close(fd[i]);
		fd[i] = -1;
		open--;
	}
}

/* Some pieces, of up to 64 KiB; of every other file by stores. */
static void overwrite(struct file *f, int fd)
{
	bool by_store = dr_pick(2);

	f->kind = CHANGED;
	for (int i = 1 + dr_pick(8); i; i--) {
		long bytes = 1 + dr_pick(64 * KIB), at = dr_pick(f->bytes);

		if (bytes > f->bytes - at)
			bytes = f->bytes - at;
		if (by_store) {
			bytes += at % BLOCK;
			at -= at % BLOCK;
			if (!store(fd, at, bytes))
				return;
		} else if (!must("overwrite", pwrite(fd, data, bytes, at) > 0)) {
			return;
		}
	}
	done[OVERWRITE]++;
}

static void overwrite_any(void)
{
	struct file *f = any_file();
	int fd;

	if (!f)
		return;
	fd = open_file(f, O_RDWR);
	overwrite(f, fd);
	close(fd);
}

/* A clone, of which some pieces change. Where there are none a file of its own. */
static void clone_any(void)
{
	struct file *from = any_file(), *f;
	int fd, source;

	if (fs == EXT4 || !from)
		return make(WRITE);
	f = new_file(CHANGED);
	f->bytes = from->bytes;
	f->size = from->size;
	source = open_file(from, O_RDONLY);
	fd = open_file(f, O_RDWR | O_CREAT | O_EXCL);
	if (must("clone", !ioctl(fd, FICLONE, source))) {
		done[CLONE]++;
		overwrite(f, fd);
	} else {
		remove_file(f);
	}
	close(fd);
	close(source);
}

static void punch_any(void)
{
	struct file *f = any_file();
	int fd;

	if (!f)
		return;
	fd = open_file(f, O_RDWR);
	f->kind = CHANGED;
	for (int i = 1 + dr_pick(4); i; i--)
		if (must("punch", !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					     dr_pick(f->bytes), 1 + dr_pick(256 * KIB))))
			done[PUNCH]++;
	close(fd);
}

void shrink(int percent)
{
	struct file *f;

	while (percent_used() > percent && (f = any_file()))
		remove_file(f);
}

void grow(int percent)
{
	while (percent_used() < percent) {
		unsigned int dice = dr_pick(100);

		if (dice < 45)
			make(WRITE);
		else if (dice < 60)
			make(STORE);
		else if (dice < 70)
			make_together();
		else if (dice < 80)
			clone_any();
		else if (dice < 90)
			overwrite_any();
		else
			punch_any();
	}
}
