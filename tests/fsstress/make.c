// SPDX-License-Identifier: GPL-2.0
/* New files, and new names of files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "fsstress.h"

/* Of a symbolic link; XFS has shorter ones. */
enum { TARGET = 4095, XFS_TARGET = 1023 };

bool learn(int node, const char *path)
{
	struct node *n = &t->node[node];
	struct stat st;
	int id;

	n->handle.h.handle_bytes = MAX_HANDLE_SZ;
	if (!must("lstat", lstat(path, &st), 0) ||
	    !must("name_to_handle_at",
		  name_to_handle_at(AT_FDCWD, path, &n->handle.h, &id, 0), 0))
		return false;
	for (int i = 0; i < NODES; i++)
		if (i != node && t->node[i].type && t->node[i].ino == st.st_ino)
			fault(OWN, "a new file has inode %lu, which node %d has", st.st_ino, i);
	n->ino = st.st_ino;
	return true;
}

/* What the VFS gives a new file; type and mode as they were asked for. */
static void fill_node(int node, int dir, mode_t type, mode_t mode)
{
	struct node *n = &t->node[node], *d = &t->node[dir];

	*n = (struct node){ .fd = -1, .type = type, .mode = mode };
	if (d->mode & S_ISGID) {
		n->gid = d->gid;
		n->mode |= type == S_IFDIR ? S_ISGID : 0;
	}
	for (int i = 0; i < XATTRS; i++)
		n->xattr[i].size = -1;
}

static mode_t any_type(void)
{
	switch (dr_pick(16)) {
	case 0 ... 2:
		return many_dirs() ? S_IFREG : S_IFDIR;
	case 3 ... 5:
		return S_IFLNK;
	case 6:
		return S_IFIFO;
	case 7:
		return S_IFCHR;
	case 8:
		return S_IFSOCK;
	default:
		return S_IFREG;
	}
}

static int create(const char *path, mode_t mode)
{
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, mode);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

/* A target of any length, whose text is in the node that is to have it. */
static void any_target(struct node *n)
{
	n->size = 1 + dr_pick(dr_pick(3) ? 60 : dr_xfs() ? XFS_TARGET : TARGET);
	for (long i = 0; i < n->size; i++)
		n->bytes[i] = i % 100 == 99 ? '/' : 'a' + dr_pick(26);
	n->bytes[n->size] = 0;
}

void make_op(void)
{
	int dir = any_dir(), node = free_node();
	mode_t type = any_type(), mode = type == S_IFLNK ? 0777 : dr_pick(01000);
	struct node *n;
	char name[NAME];
	const char *path;
	long r;

	if (!has_room()) {
		unlink_op();
		return;
	}
	any_name(dir, name);
	path = path_of(dir, name);
	note("make %o %s", type | mode, path);
	n = &t->node[node];
	fill_node(node, dir, type, mode);
	if (type == S_IFCHR)
		n->rdev = makedev(dr_pick(512), dr_pick(1 << 18));
	if (type == S_IFLNK)
		any_target(n);
	r = type == S_IFDIR ? mkdir(path, mode) :
		type == S_IFLNK ? symlink((char *)n->bytes, path) :
		type == S_IFREG && dr_pick(8) ? create(path, mode) :
		mknod(path, type | mode, n->rdev);
	if (must("make", r, find(dir, name) < 0 ? 0 : EEXIST) && !r && learn(node, path)) {
		add_entry(dir, name, node);
		DONE(MAKE);
		return;
	}
	*n = (struct node){ .fd = -1 };
}

void tmpfile_op(void)
{
	int dir = any_dir(), node = free_node(), fd;
	mode_t mode = dr_pick(01000);
	char name[NAME], link[64];

	if (!has_room())
		return;
	any_name(dir, name);
	note("O_TMPFILE in %s", path_of(dir, NULL));
	fd = open(path_of(dir, NULL), O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
	if (!must("O_TMPFILE", fd, 0))
		return;
	fill_node(node, dir, S_IFREG, mode);
	t->node[node].fd = fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	note("linkat of it to %s", path_of(dir, name));
	if (must("linkat of O_TMPFILE",
		 linkat(AT_FDCWD, link, AT_FDCWD, path_of(dir, name), AT_SYMLINK_FOLLOW),
		 find(dir, name) < 0 ? 0 : EEXIST) && find(dir, name) < 0) {
		add_entry(dir, name, node);
		DONE(TMPFILE);
		if (learn(node, path_of(dir, name)) && dr_pick(2))
			drop_hold(&t->node[node]);
		return;
	}
	close(fd);
	t->node[node] = (struct node){ .fd = -1 };
}

void link_op(void)
{
	int e = any_entry(), dir = any_dir(), err;
	char name[NAME];
	struct node *n;

	if (e < 0 || !has_room())
		return;
	any_name(dir, name);
	n = &t->node[t->entry[e].node];
	err = find(dir, name) >= 0 ? EEXIST : n->type == S_IFDIR || only_grows(n) ? EPERM : 0;
	note("link %s to %s", entry_path(e), path_of(dir, name));
	if (must("link", link(entry_path(e), path_of(dir, name)), err) && !err) {
		add_entry(dir, name, t->entry[e].node);
		DONE(LINK);
	}
}
