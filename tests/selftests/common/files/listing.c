// SPDX-License-Identifier: GPL-2.0
/* What a mount holds, as text. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <uapi/daxrmap.h>
#include "files.h"
#include "listing.h"
#include "common/device/mount.h"
#include "common/module/debugfs.h"

#define EXTENTS	256
#define BATCH	64

static FILE *out;
static int error;

static unsigned long add_bytes(unsigned long sum, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	/* FNV-1a */
	while (len--)
		sum = (sum ^ *p++) * 0x100000001b3;
	return sum;
}

/* Of the contents; a page that cannot be read counts as "EIO". */
static unsigned long sum_of(int fd, unsigned long size)
{
	unsigned long sum = 0xcbf29ce484222325;
	static char buf[BLK];

	for (unsigned long at = 0; at < size; at += BLK) {
		ssize_t n = pread(fd, buf, BLK, at);

		sum = n < 0 ? add_bytes(sum, "EIO", 3) : add_bytes(sum, buf, n);
	}
	return sum;
}

/* One entry for each run that goes on in the file and on the device. */
static void add_extents(int fd)
{
	struct fiemap *fm = calloc(1, sizeof(*fm) + EXTENTS * sizeof(struct fiemap_extent));
	unsigned long page = 0, block = 0, len = 0;

	fm->fm_length = ~0ULL;
	fm->fm_extent_count = EXTENTS;
	if (ioctl(fd, FS_IOC_FIEMAP, fm) || fm->fm_mapped_extents == EXTENTS)
		error = errno ?: E2BIG;
	fprintf(out, " extents=");
	for (unsigned int i = 0; i <= fm->fm_mapped_extents; i++) {
		const struct fiemap_extent *e = &fm->fm_extents[i];
		bool end = i == fm->fm_mapped_extents;

		if (!end && len && e->fe_logical == (page + len) * BLK &&
		    e->fe_physical == (block + len) * BLK) {
			len += e->fe_length / BLK;
			continue;
		}
		if (len)
			fprintf(out, "%lu+%lu@%lu,", page, len, block);
		page = e->fe_logical / BLK;
		block = e->fe_physical / BLK;
		len = e->fe_length / BLK;
	}
	free(fm);
}

static void add_xattrs(const char *path)
{
	static char names[1024], value[1024];
	ssize_t len = llistxattr(dr_path(path), names, sizeof(names)), n;

	if (len < 0)
		error = errno;
	for (char *name = names; name < names + len; name += strlen(name) + 1) {
		n = lgetxattr(dr_path(path), name, value, sizeof(value));
		if (n < 0)
			error = errno;
		fprintf(out, "xattr /%s %s=%.*s\n", path, name, (int)n, value);
	}
}

/* What chattr(1) sets, as the medium has it. */
static int flags_of(int fd)
{
	int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		error = errno;
	return (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL)) >> 4;
}

static void add_dir(const char *path);

static void add_file(const char *path, const struct stat *st)
{
	int fd = dr_open(path, O_RDONLY | O_NOATIME);

	if (fd < 0)
		error = -fd;
	fprintf(out, " flags=%d size=%ld sum=%016lx", flags_of(fd), (long)st->st_size,
		sum_of(fd, st->st_size));
	add_extents(fd);
	close(fd);
}

static void add_entry(const char *path)
{
	static const char *const kinds[] = {
		[S_IFDIR >> 12] = "dir", [S_IFREG >> 12] = "file", [S_IFLNK >> 12] = "symlink",
		[S_IFIFO >> 12] = "special", [S_IFCHR >> 12] = "special",
		[S_IFBLK >> 12] = "special", [S_IFSOCK >> 12] = "special",
	};
	static char target[4096];
	struct stat st;

	if (lstat(dr_path(path), &st)) {
		error = errno;
		return;
	}
	fprintf(out, "%s /%s ino=%lu mode=%o uid=%u gid=%u links=%lu dev=%u:%u mtime=%ld.%09ld",
		kinds[(st.st_mode & S_IFMT) >> 12], path, st.st_ino, st.st_mode, st.st_uid,
		st.st_gid, (long)st.st_nlink, major(st.st_rdev), minor(st.st_rdev),
		st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	if (S_ISREG(st.st_mode))
		add_file(path, &st);
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlink(dr_path(path), target, sizeof(target));

		fprintf(out, " target=%.*s", (int)(n < 0 ? 0 : n), target);
	}
	fputc('\n', out);
	add_xattrs(path);
	if (S_ISDIR(st.st_mode))
		add_dir(path);
}

static void add_dir(const char *path)
{
	struct dirent **names;
	char *below;
	int n = scandir(dr_path(path), &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (strcmp(names[i]->d_name, ".") && strcmp(names[i]->d_name, "..") &&
		    asprintf(&below, "%s%s%s", path, *path ? "/" : "", names[i]->d_name) > 0) {
			add_entry(below);
			free(below);
		}
		free(names[i]);
	}
	if (n < 0)
		error = errno;
	else
		free(names);
}

static void add_lost(void)
{
	struct daxrmap_lost_head *h = calloc(1, sizeof(*h) + BATCH * sizeof(*h->recs));
	int fd = dr_open("", O_RDONLY);

	h->count = BATCH;
	do {
		if (ioctl(fd, DAXRMAP_IOC_LOST, h)) {
			error = errno;
			break;
		}
		for (unsigned int i = 0; i < h->entries; i++)
			for (unsigned long at = 0; at < h->recs[i].length; at += BLK)
				fprintf(out, "lost block=%llu ino=%llu page=%llu\n",
					(h->recs[i].physical + at) / BLK,
					(unsigned long long)h->recs[i].ino,
					(h->recs[i].offset + at) / BLK);
	} while (!(h->oflags & DAXRMAP_LOST_END));
	close(fd);
	free(h);
}

char *dr_listing(void)
{
	char *text = NULL;
	struct statvfs st;
	size_t size;

	error = 0;
	setenv("LC_ALL", "C", 1);
	out = open_memstream(&text, &size);
	add_dir("");
	add_lost();
	if (statvfs(dr_mnt(), &st))
		error = errno;
	fprintf(out, "blocks total=%ld free=%lu bad=%ld inodes=%ld\n",
		dr_counter("blocks_total"), (unsigned long)st.f_bfree,
		dr_counter("blocks_bad"), dr_counter("inodes"));
	fclose(out);
	if (!error)
		return text;
	free(text);
	errno = error;
	return NULL;
}
