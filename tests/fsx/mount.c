// SPDX-License-Identifier: GPL-2.0
/* Operations that make files durable, or make the kernel forget them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "fsx.h"

long free_at_start;

bool open_files(void)
{
	for (struct file *f = file; f < file + FILES; f++) {
		f->fd = dr_open(f->name, O_RDWR | O_CREAT);
		f->direct = dr_open(f->name, O_RDWR | O_DIRECT);
		f->map = dr_map(f->name, 0, MOST, PROT_READ | PROT_WRITE, MAP_SHARED);
		if (f->fd < 0 || f->direct < 0 || !f->map) {
			fault(CALLS, "%s: open or mmap", f->name);
			return false;
		}
	}
	return true;
}

void close_files(void)
{
	for (struct file *f = file; f < file + FILES; f++) {
		munmap(f->map, MOST);
		close(f->fd);
		close(f->direct);
	}
}

static void sync_op(void)
{
	struct file *f = any_file();
	int x = dr_pick(3);

	note("%s %s", x == 0 ? "fsync" : x == 1 ? "fdatasync" : "syncfs", f->name);
	must("sync", x == 0 ? fsync(f->fd) : x == 1 ? fdatasync(f->fd) : syncfs(f->fd), 0);
	check_near(f, 0, f->size);
}

/* The pages of the mappings go, and are faulted in again. */
static void forget_op(void)
{
	struct file *f = any_file();

	note("madvise %s", f->name);
	must("madvise", madvise(f->map, MOST, MADV_DONTNEED), 0);
	check_near(f, 0, f->size);
}

static void drop_op(void)
{
	note("drop caches");
	dr_drop_caches();
	check_all();
}

static void mount_op(void)
{
	int r;

	note("mount again");
	if (dr_pick(2))		/* the new mount has the same times */
		for (int i = 0; i < FILES; i++)
			must("fsync", fsync(file[i].fd), 0);
	close_files();
	r = dr_umount();
	if (!r)
		r = dr_mount_again();
	if (r)
		fault(BOOKS, "it cannot be mounted again: %s", strerror(-r));
	else if (open_files())
		check_all();
}

struct op mount_ops[] = {
	{ "sync", sync_op, 15, 0 },
	{ "forget", forget_op, 8, 0 },
	{ "drop", drop_op, 3, 0 },
	{ "mount", mount_op, 4, 0 },
	{ }
};
