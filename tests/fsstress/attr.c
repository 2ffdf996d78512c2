// SPDX-License-Identifier: GPL-2.0
/* Attributes of files, extended ones and others. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/fs.h>
#include "fsstress.h"

enum { LARGEST = 65536, BIG = 1 /* the attribute that may be so large */ };

const char *xattr_name(int i)
{
	static const char *const name[XATTRS] = {
		"user.fsstress", "user.large", "trusted.fsstress", "security.fsstress",
	};

	return name[i];
}

void xattr_value(uint64_t seed, unsigned char *value, int size)
{
	for (int i = 0; i < size; i++)
		value[i] = (seed = seed * 6364136223846793005 + 1442695040888963407) >> 56;
}

static bool has_name(const struct node *n)
{
	return n->names || n == t->node;
}

static bool has_flags(const struct node *n)
{
	return has_name(n) && (n->type == S_IFREG || n->type == S_IFDIR);
}

/* xattr(7), and sockets. */
static bool may_have_user(const struct node *n)
{
	return n->type == S_IFREG || n->type == S_IFDIR || n->type == S_IFSOCK;
}

/* Not more of them than the log has room for. */
static unsigned int any_size(int i)
{
	int large = 0;

	for (int k = 0; k < NODES; k++)
		large += t->node[k].type && t->node[k].xattr[BIG].size > 4096;
	if (i == BIG && large < 2 && !dr_pick(3))
		return LARGEST - dr_pick(2) * dr_pick(LARGEST);
	return dr_pick(300);
}

void xattr_op(void)
{
	static unsigned char value[LARGEST];
	static const int modes[] = { 0, 0, XATTR_CREATE, XATTR_REPLACE };
	struct node *n = any_node(has_name);
	int i = dr_pick(XATTRS), mode = modes[dr_pick(4)], err;
	unsigned int size = any_size(i);
	bool there = n->xattr[i].size >= 0;
	const char *path = node_path(n);
	uint64_t seed = dr_random();

	err = only_grows(n) || (i < 2 && !may_have_user(n)) ? EPERM : 0;
	if (!dr_pick(4)) {
		err = err ?: there ? 0 : ENODATA;
		note("remove %s of %s", xattr_name(i), path);
		if (must("removexattr", lremovexattr(path, xattr_name(i)), err) && !err)
			n->xattr[i].size = -1;
		return;
	}
	err = err ?: there && mode == XATTR_CREATE ? EEXIST :
		!there && mode == XATTR_REPLACE ? ENODATA : 0;
	xattr_value(seed, value, size);
	note("set %s of %s, %u bytes, mode %d", xattr_name(i), path, size, mode);
	if (must("setxattr", lsetxattr(path, xattr_name(i), value, size, mode), err) && !err) {
		n->xattr[i].size = size;
		n->xattr[i].seed = seed;
		DONE(XATTR);
	}
}

void owner_op(void)
{
	struct node *n = any_node(has_name);
	const char *path = node_path(n);
	mode_t mode = dr_pick(010000);
	uid_t uid = dr_pick(70000);
	gid_t gid = dr_pick(70000);

	note("chmod %o, chown %u:%u %s", mode, uid, gid, path);
	if (only_grows(n)) {
		must("chmod of what is append-only", chmod(path, mode), EPERM);
		must("chown of what is append-only", chown(path, uid, gid), EPERM);
		return;
	}
	if (n->type != S_IFLNK && must("chmod", chmod(path, mode), 0))
		n->mode = mode;
	if (!must("chown", lchown(path, uid, gid), 0))
		return;
	n->uid = uid;
	n->gid = gid;
	if (n->type != S_IFDIR) {
		n->mode &= ~S_ISUID;
		if (n->mode & S_IXGRP)
			n->mode &= ~S_ISGID;
	}
	DONE(OWNER);
}

void times_op(void)
{
	struct node *n = any_node(has_name);
	struct timespec at[2] = {
		{ dr_pick(4000000000), dr_pick(1000000000) },
		{ dr_pick(4000000000), dr_pick(1000000000) },
	};

	note("utimensat %s", node_path(n));
	if (must("utimensat", utimensat(AT_FDCWD, node_path(n), at, AT_SYMLINK_NOFOLLOW),
		 only_grows(n) ? EPERM : 0) && !only_grows(n)) {
		n->mtime = at[1];
		n->mtime_known = true;
		DONE(TIMES);
	}
}

int set_flags(int fd, unsigned int flags)
{
	unsigned int now;

	if (ioctl(fd, FS_IOC_GETFLAGS, &now))
		return -1;
	flags |= now & FS_DAX_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

/* Not directories: some filesystems have new files inherit from them. */
static bool is_named_file(const struct node *n)
{
	return n->names && n->type == S_IFREG;
}

void flags_op(void)
{
	struct node *n = any_node(is_named_file);
	unsigned int flags = (dr_pick(2) ? FS_NODUMP_FL : 0) | (dr_pick(2) ? FS_NOATIME_FL : 0) |
		(dr_pick(2) ? FS_APPEND_FL : 0);
	int fd;

	if (!n)
		return;
	note("chattr %#x %s", flags, node_path(n));
	fd = open(node_path(n), O_RDONLY | O_CLOEXEC);
	if (!must("open", fd, 0))
		return;
	if (must("FS_IOC_SETFLAGS", set_flags(fd, flags), 0)) {
		n->flags = flags;
		DONE(FLAGS);
	}
	close(fd);
}

/* While nobody may change it, nobody does. */
void immutable_op(void)
{
	struct node *n = any_node(has_flags);
	char path[PATH + NAME], inside[PATH + 2 * NAME];
	int fd;

	if (n == t->node)
		return;
	strcpy(path, node_path(n));
	strcpy(inside, path_of(TOP, "not there"));
	note("chattr +i %s", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (!must("open", fd, 0))
		return;
	if (must("FS_IOC_SETFLAGS", set_flags(fd, n->flags | FS_IMMUTABLE_FL), 0)) {
		must("chmod of what is immutable", chmod(path, 0), EPERM);
		must("chown of what is immutable", chown(path, 1, 1), EPERM);
		must("rename of what is immutable", rename(path, inside), EPERM);
		must("setxattr of what is immutable",
		     setxattr(path, xattr_name(2), "", 0, 0), EPERM);
		if (n->type == S_IFREG) {
			must("unlink of what is immutable", unlink(path), EPERM);
			must("truncate of what is immutable", truncate(path, 0), EPERM);
			must("link of what is immutable", link(path, inside), EPERM);
		} else {
			must("rmdir of what is immutable", rmdir(path), EPERM);
			strcat(path, "/not there");
			must("mkdir in what is immutable", mkdir(path, 0), EPERM);
		}
		must("FS_IOC_SETFLAGS", set_flags(fd, n->flags), 0);
		DONE(IMMUTABLE);
	}
	close(fd);
}
