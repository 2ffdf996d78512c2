// SPDX-License-Identifier: GPL-2.0
/* Does with a mount what one does, whatever is in it. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <uapi/daxrmap.h>
#include "files.h"
#include "visit.h"
#include "common/basics/random.h"
#include "common/device/mount.h"
#include "common/device/places.h"
#include "common/module/debugfs.h"
#include "common/processes/signals.h"

#define DEPTH	6
#define ENTRIES	200		/* of all directories */
#define BATCH	64
#define CALLS	50

static char found[16][256];	/* regular files */
static unsigned int files, entries;
static bool maps;		/* also by mmap */

static void look_at_file(const char *path, off_t size)
{
	static char buf[2 * BLK];
	struct {
		struct fiemap fm;
		struct fiemap_extent e[16];
	} q = { .fm = { .fm_length = ~0ULL, .fm_extent_count = 16 } };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *p;

	if (fd < 0)
		return;
	(void)!pread(fd, buf, sizeof(buf), 0);
	(void)!pread(fd, buf, sizeof(buf), size > (off_t)BLK ? size - BLK : 0);
	lseek(fd, 0, SEEK_HOLE);
	lseek(fd, 0, SEEK_DATA);
	ioctl(fd, FS_IOC_FIEMAP, &q);
	p = maps ? mmap(NULL, 2 * BLK, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (p != MAP_FAILED) {
		(void)dr_load(p);
		(void)dr_load(p + BLK);
		munmap(p, 2 * BLK);
	}
	close(fd);
}

static void walk(const char *dir, int depth)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	struct stat st;
	char path[512];

	while (d && entries < ENTRIES && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		entries++;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (lstat(path, &st))
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH)
			walk(path, depth + 1);
		if (!S_ISREG(st.st_mode))
			continue;
		look_at_file(path, st.st_size);
		if (files < sizeof(found) / sizeof(*found) && strlen(path) < sizeof(*found))
			strcpy(found[files++], path);
	}
	if (d)
		closedir(d);
}

static void ask(void)
{
	struct daxrmap_lost_head *lost =
		calloc(1, sizeof(*lost) + BATCH * sizeof(*lost->recs));
	struct fsmap_head *map = dr_fsmap_head(BATCH);
	int fd = open(dr_mnt(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statvfs st;

	statvfs(dr_mnt(), &st);
	lost->count = BATCH;
	for (int i = 0; i < CALLS && !(lost->oflags & DAXRMAP_LOST_END); i++)
		if (ioctl(fd, DAXRMAP_IOC_LOST, lost))
			break;
	for (int i = 0; i < CALLS && !ioctl(fd, FS_IOC_GETFSMAP, map) && map->fmh_entries; i++) {
		if (map->fmh_recs[map->fmh_entries - 1].fmr_flags & FMR_OF_LAST)
			break;
		fsmap_advance(map);
	}
	close(fd);
	free(lost);
	free(map);
}

/* A file of our own, then what others have. */
static int change(void)
{
	static char buf[3 * BLK], back[3 * BLK];
	int fd = dr_open("visit-new", O_RDWR | O_CREAT | O_TRUNC), other, r = 0;
	bool wrote;

	mkdir(dr_path("visit-dir"), 0755);
	memset(buf, 0x5a, sizeof(buf));
	wrote = fd >= 0 && pwrite(fd, buf, sizeof(buf), 100) == sizeof(buf);
	for (unsigned int i = 0; i < files; i++) {
		other = open(found[i], O_RDWR | O_CLOEXEC);
		if (other < 0)
			continue;
		switch (dr_pick(7)) {
		case 0:
			(void)!pwrite(other, back, 2 * BLK, dr_pick(4) * BLK);
			break;
		case 1:
			(void)!ftruncate(other, dr_pick(5 * BLK));
			break;
		case 2:
			(void)!fallocate(other, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					 BLK, BLK + dr_pick(4 * BLK));
			break;
		case 3:
			ioctl(other, FICLONE, fd);
			break;
		case 4:
			unlink(found[i]);
			break;
		case 5:
			rename(found[i], dr_path("visit-moved"));
			break;
		default:
			(void)!fallocate(other, FALLOC_FL_ZERO_RANGE, 0, 3 * BLK);
		}
		close(other);
	}
	if (wrote && pread(fd, back, sizeof(back), 100) == sizeof(back) &&
	    memcmp(buf, back, sizeof(buf)))
		r = -EILSEQ;
	if (fd >= 0)
		close(fd);
	sync();
	return r;
}

int dr_visit(bool writable)
{
	int r = 0;

	files = entries = 0;
	/* A page that is mapped keeps the mark of a failure for ever. */
	maps = dr_pick(2);
	walk(dr_mnt(), 0);
	ask();
	if (writable)
		r = change();
	if (!maps)
		dr_notify(dr_pick(512) * BLK, (1 + dr_pick(3)) * BLK);
	ask();
	return r;
}
