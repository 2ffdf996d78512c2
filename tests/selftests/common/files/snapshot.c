// SPDX-License-Identifier: GPL-2.0
/* All that a mount has, as text. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <uapi/daxrmap.h>
#include "snapshot.h"
#include "common/basics/text.h"
#include "common/device/mount.h"
#include "common/device/places.h"
#include "common/module/debugfs.h"

#define BATCH	256
/* Of larger files the first bytes are enough. */
#define MOST	(64UL << 20)
#define CHUNK	4096
#define FNV_START	0xcbf29ce484222325
#define FNV_PRIME	0x100000001b3

/* nftw() passes nothing on. */
static FILE *out;

static void add_place(const struct fsmap *r, void *arg)
{
	(void)arg;
	fprintf(out, "%llx+%llx: owner %llx at %llx, flags %x\n", r->fmr_physical,
		r->fmr_length, r->fmr_owner, r->fmr_offset,
		r->fmr_flags & ~FMR_OF_LAST);
}

static void add_places(int dir)
{
	int r = dr_places(dir, add_place, NULL);

	if (r)
		fprintf(out, "fsmap: errno %d\n", -r);
}

static void add_lost(int dir)
{
	struct daxrmap_lost_head *h =
		calloc(1, sizeof(*h) + BATCH * sizeof(struct daxrmap_lost));

	h->count = BATCH;
	do {
		if (ioctl(dir, DAXRMAP_IOC_LOST, h)) {
			fprintf(out, "lost: errno %d\n", errno);
			break;
		}
		for (unsigned int i = 0; i < h->entries; i++)
			fprintf(out, "lost: inode %llx generation %x, %llx+%llx\n",
				(unsigned long long)h->recs[i].ino,
				(unsigned int)h->recs[i].generation,
				(unsigned long long)h->recs[i].offset,
				(unsigned long long)h->recs[i].length);
	} while (!(h->oflags & DAXRMAP_LOST_END));
	free(h);
}

/* A sum of what can be read (FNV-1a), and of where it cannot. */
static unsigned long sum(const char *path, unsigned long size)
{
	unsigned char buf[CHUNK];
	unsigned long hash = FNV_START;
	int fd = open(path, O_RDONLY | O_NOATIME);

	if (size > MOST)
		size = MOST;
	for (unsigned long at = 0; fd >= 0 && at < size; at += CHUNK) {
		ssize_t n = pread(fd, buf, CHUNK, at);

		if (n < 0) {
			n = 1;
			buf[0] = errno;
		}
		for (ssize_t i = 0; i < n; i++)
			hash = (hash ^ buf[i]) * FNV_PRIME;
	}
	if (fd < 0)
		return errno;
	close(fd);
	return hash;
}

static void add_xattrs(const char *path)
{
	static char names[65536], value[65536];
	ssize_t len = llistxattr(path, names, sizeof(names));

	if (len < 0 && errno != EOPNOTSUPP)
		fprintf(out, " xattrs: errno %d", errno);
	for (char *n = names; n < names + len; n += strlen(n) + 1) {
		unsigned long hash = FNV_START;
		ssize_t size = lgetxattr(path, n, value, sizeof(value));

		for (ssize_t i = 0; i < size; i++)
			hash = (hash ^ (unsigned char)value[i]) * FNV_PRIME;
		fprintf(out, " %s %zd bytes sum %lx", n, size, hash);
	}
}

/* What it is and has, but for data and times. */
static void add_kind(const char *path, const struct stat *st)
{
	char target[PATH_MAX];
	struct statx stx;
	ssize_t n;

	if (S_ISLNK(st->st_mode)) {
		n = readlink(path, target, sizeof(target));
		fprintf(out, " to %.*s", n < 0 ? 0 : (int)n, target);
	}
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		fprintf(out, " device %u:%u", major(st->st_rdev), minor(st->st_rdev));
	if (!statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &stx))
		fprintf(out, " flags %llx b %lld.%09u",
			(unsigned long long)stx.stx_attributes & ~STATX_ATTR_MOUNT_ROOT,
			(long long)stx.stx_btime.tv_sec, stx.stx_btime.tv_nsec);
	add_xattrs(path);
}

static int add_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	fprintf(out, "%s: inode %lu mode %o links %lu owner %u:%u size %lu blocks %lu", path,
		st->st_ino, st->st_mode, st->st_nlink, st->st_uid, st->st_gid,
		st->st_size, st->st_blocks);
	fprintf(out, " m %ld.%09ld c %ld.%09ld", st->st_mtim.tv_sec,
		st->st_mtim.tv_nsec, st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
	add_kind(path, st);
	(void)type;
	/* This walk may have changed that of a directory, or a symbolic link. */
	if (S_ISREG(st->st_mode))
		fprintf(out, " a %ld.%09ld sum %lx", st->st_atim.tv_sec,
			st->st_atim.tv_nsec, sum(path, st->st_size));
	fputc('\n', out);
	return 0;
}

char *dr_snapshot(void)
{
	char *text = NULL;
	size_t size;
	int dir = open(dr_mnt(), O_RDONLY | O_DIRECTORY | O_NOATIME);

	if (dir < 0)
		return NULL;
	out = open_memstream(&text, &size);
	/* Reading them may find blocks that are bad. */
	nftw(dr_mnt(), add_file, 16, FTW_PHYS | FTW_MOUNT);
	add_places(dir);
	add_lost(dir);
	fclose(out);
	close(dir);
	return text;
}

/* Says where two texts differ. */
static int differ(const char *was, const char *is)
{
	size_t line = 0;

	for (size_t i = 0; was[i] == is[i]; i++) {
		if (!was[i])
			return 0;
		if (was[i] == '\n')
			line = i + 1;
	}
	fprintf(stderr, "# before the mount: %.*s\n", (int)strcspn(was + line, "\n"), was + line);
	fprintf(stderr, "# after the mount:  %.*s\n", (int)strcspn(is + line, "\n"), is + line);
	return -EILSEQ;
}

int dr_persists(void)
{
	char *was, *is = NULL;
	int r;

	/* What has no name does not outlive the mount, and is not there now either. */
	dr_settle();
	was = dr_snapshot();
	if (!was)
		return dr_errno();
	r = dr_umount();
	if (!r)
		r = dr_mount_again();
	if (!r) {
		is = dr_snapshot();
		r = is ? differ(was, is) : dr_errno();
	}
	if (!r)
		r = dr_check();
	free(was);
	free(is);
	return r;
}
