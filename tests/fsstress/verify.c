// SPDX-License-Identifier: GPL-2.0
/* A process's own directory: exactly as the model has it. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/fs.h>
#include "fsstress.h"

enum { LARGEST = 65536 };

void verify_file(const struct node *n, int fd)
{
	unsigned char got[BYTES];
	struct stat st;
	ssize_t r;

	if (!must("fstat", fstat(fd, &st), 0))
		return;
	if (st.st_size != n->size || (int)st.st_nlink != n->names)
		fault(OWN, "inode %lu has %ld bytes and %lu links, not %ld and %d", n->ino,
		      st.st_size, st.st_nlink, n->size, n->names);
	r = pread(fd, got, BYTES, 0);
	if (r != n->size || memcmp(got, n->bytes, n->size))
		fault(OWN, "inode %lu: the %ld bytes of it are not those written (read: %zd)",
		      n->ino, n->size, r);
}

static void verify_stat(const struct node *n, const char *path)
{
	int links = n->type == S_IFDIR ? 2 + subdirs(nr_of(n)) : n->names;
	struct stat st;

	if (!must("lstat", lstat(path, &st), 0))
		return;
	if (st.st_mode != (n->type | n->mode) || st.st_uid != n->uid || st.st_gid != n->gid)
		fault(OWN, "%s: mode %o, owner %u:%u, should be %o, %u:%u", path, st.st_mode,
		      st.st_uid, st.st_gid, n->type | n->mode, n->uid, n->gid);
	if ((int)st.st_nlink != links || st.st_ino != n->ino)
		fault(OWN, "%s: inode %lu, %lu links, should be %lu, %d", path, st.st_ino,
		      st.st_nlink, n->ino, links);
	if (st.st_rdev != n->rdev)
		fault(OWN, "%s: device %#lx, should be %#lx", path, st.st_rdev, n->rdev);
	if (n->mtime_known && (st.st_mtim.tv_sec != n->mtime.tv_sec ||
			       st.st_mtim.tv_nsec != n->mtime.tv_nsec))
		fault(OWN, "%s: changed at %ld.%09ld, should be %ld.%09ld", path,
		      st.st_mtim.tv_sec, st.st_mtim.tv_nsec, n->mtime.tv_sec, n->mtime.tv_nsec);
}

static void verify_xattrs(const struct node *n, const char *path)
{
	static unsigned char got[LARGEST], want[LARGEST];
	char names[1024];
	ssize_t len = llistxattr(path, names, sizeof(names)), listed = 0, size;

	for (int i = 0; i < XATTRS; i++) {
		if (n->xattr[i].size < 0)
			continue;
		listed += strlen(xattr_name(i)) + 1;
		size = lgetxattr(path, xattr_name(i), got, sizeof(got));
		xattr_value(n->xattr[i].seed, want, n->xattr[i].size);
		if (size != n->xattr[i].size || memcmp(got, want, size))
			fault(OWN, "%s: %s is not what was set, of %d bytes (read: %zd)", path,
			      xattr_name(i), n->xattr[i].size, size);
	}
	if (len != listed)
		fault(OWN, "%s lists extended attributes in %zd bytes, should be %zd", path, len,
		      listed);
}

static void verify_opened(const struct node *n, const char *path)
{
	int flags = -1, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (!must("open", fd, 0))
		return;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) ||
	    (flags & (FS_NODUMP_FL | FS_NOATIME_FL | FS_IMMUTABLE_FL | FS_APPEND_FL)) !=
	    (int)n->flags)
		fault(OWN, "%s: flags %#x, should be %#x", path, flags, n->flags);
	if (n->type == S_IFREG)
		verify_file(n, fd);
	close(fd);
}

static void verify_node(const struct node *n, const char *path)
{
	char target[PATH + 1];
	ssize_t r;

	verify_stat(n, path);
	verify_xattrs(n, path);
	if (n->type == S_IFREG || n->type == S_IFDIR)
		verify_opened(n, path);
	if (n->type == S_IFLNK) {
		r = readlink(path, target, sizeof(target));
		if (r != n->size || memcmp(target, n->bytes, r))
			fault(OWN, "%s leads elsewhere: %zd bytes, should be %ld", path, r, n->size);
	}
}

static void verify_names(int dir)
{
	bool seen[ENTRIES] = { 0 };
	struct dirent *x;
	DIR *d = opendir(path_of(dir, NULL));

	if (!d) {
		must("opendir", -1, 0);
		return;
	}
	while ((x = readdir(d))) {
		int e = find(dir, x->d_name);

		if (!strcmp(x->d_name, ".") || !strcmp(x->d_name, ".."))
			continue;
		if (e < 0 || seen[e]) {
			fault(OWN, "%s lists %s%s", path_of(dir, NULL), x->d_name,
			      e < 0 ? "" : ", twice");
			continue;
		}
		seen[e] = true;
		if (x->d_ino != t->node[t->entry[e].node].ino ||
		    x->d_type != IFTODT(t->node[t->entry[e].node].type))
			fault(OWN, "%s is listed as inode %lu of type %d", entry_path(e),
			      x->d_ino, x->d_type);
	}
	closedir(d);
	for (int i = 0; i < ENTRIES; i++)
		if (t->entry[i].used && t->entry[i].dir == dir && !seen[i])
			fault(OWN, "%s is not listed", entry_path(i));
}

void verify_tree(void)
{
	verify_node(t->node, path_of(TOP, NULL));
	for (int i = 0; i < NODES; i++)
		if (t->node[i].type == S_IFDIR)
			verify_names(i);
	for (int i = 0; i < ENTRIES; i++)
		if (t->entry[i].used)
			verify_node(&t->node[t->entry[i].node], entry_path(i));
}
