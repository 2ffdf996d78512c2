// SPDX-License-Identifier: GPL-2.0
/*
 * Idmapped mounts: the mount shows the filesystem's users 0 to 999 as 10000 to
 * 10999, and makes what these make theirs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/files/acls.h"

#define MNT	"/mnt-idmapped"
#define SHIFT	10000

static int waits(void *arg)
{
	int *go = arg;

	if (unshare(CLONE_NEWUSER))
		return errno;
	*(volatile int *)go = 1;
	pause();
	return 0;
}

/* A user namespace with that map, as a file. */
static int user_namespace(void)
{
	int *go = dr_shared_mem(sizeof(*go));
	pid_t pid = dr_spawn(waits, go);
	char path[64];
	int fd, r;

	while (!*(volatile int *)go)
		if (dr_wait_for(pid, 0) != -ETIMEDOUT)
			return -EINVAL;
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	r = dr_put(path, "0 10000 1000");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	r = r ?: dr_put(path, "0 10000 1000");
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = r ?: open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && !r)
		fd = -errno;
	kill(pid, SIGKILL);
	dr_wait(pid);
	return fd;
}

FIXTURE(idmapped)
{
	struct dr_fs fs;
};

FIXTURE_SETUP(idmapped)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_IDMAP };
	int ns, tree;

	umount2(MNT, MNT_DETACH);
	ASSERT_EQ(0, dr_setup(&self->fs));
	ns = user_namespace();
	ASSERT_LE(0, ns);
	tree = open_tree(AT_FDCWD, dr_mnt(), OPEN_TREE_CLONE | O_CLOEXEC);
	ASSERT_LE(0, tree);
	a.userns_fd = ns;
	ASSERT_EQ(0, mount_setattr(tree, "", AT_EMPTY_PATH, &a, sizeof(a)));
	mkdir(MNT, 0755);
	ASSERT_EQ(0, move_mount(tree, "", AT_FDCWD, MNT, MOVE_MOUNT_F_EMPTY_PATH));
	close(tree);
	close(ns);
	umask(0);
	ASSERT_EQ(0, chmod(dr_mnt(), 0777));
}

FIXTURE_TEARDOWN_PARENT(idmapped)
{
	EXPECT_EQ(0, umount2(MNT, 0));
	EXPECT_EQ(0, dr_teardown(&self->fs));
}

/* Whose a file is, there and here: -errno if nobody's that it could be. */
#define EXPECT_OWNER(name, there, here) do {				\
	struct stat _s;							\
									\
	ASSERT_EQ(0, lstat(MNT "/" name, &_s));				\
	EXPECT_EQ(there, _s.st_uid);					\
	EXPECT_EQ(there, _s.st_gid);					\
	ASSERT_EQ(0, lstat(dr_path(name), &_s));			\
	EXPECT_EQ(here, _s.st_uid);					\
	EXPECT_EQ(here, _s.st_gid);					\
} while (0)

TEST_F(idmapped, shows)
{
	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, chown(dr_path("f"), 7, 7));
	EXPECT_OWNER("f", SHIFT + 7, 7);
	ASSERT_EQ(0, chown(dr_path("f"), 999, 999));
	EXPECT_OWNER("f", SHIFT + 999, 999);
	ASSERT_EQ(0, chown(dr_path("f"), 1000, 1000));
	EXPECT_OWNER("f", 65534, 1000);
}

static int make_all(void *arg)
{
	int fd = open(MNT "/f", O_CREAT | O_EXCL | O_WRONLY, 0640);

	(void)arg;
	if (fd < 0 || mkdir(MNT "/d", 0750) || symlink("x", MNT "/l") ||
	    mkfifo(MNT "/p", 0600) || link(MNT "/f", MNT "/g"))
		return -1;
	close(fd);
	fd = open(MNT "/d", O_TMPFILE | O_WRONLY, 0600);
	if (fd < 0)
		return -1;
	return 0;
}

static int chown_there(void *arg)
{
	(void)arg;
	return chown(MNT "/f", SHIFT + 8, SHIFT + 8);
}

static int use_it(void *arg)
{
	int fd = open(MNT "/f", O_RDWR);

	(void)arg;
	return fd < 0 || chmod(MNT "/f", 0600) || setxattr(MNT "/f", "user.a", "1", 1, 0) ||
		truncate(MNT "/f", 5) || rename(MNT "/g", MNT "/h") || unlink(MNT "/h");
}

TEST_F(idmapped, makes)
{
	/* Who has no number there cannot make anything. */
	EXPECT_ERR(EOVERFLOW, open(MNT "/no", O_CREAT | O_WRONLY, 0600));
	EXPECT_ERR(EOVERFLOW, mkdir(MNT "/no", 0700));
	EXPECT_ERR(EOVERFLOW, symlink("x", MNT "/no"));
	EXPECT_ERR(EOVERFLOW, mknod(MNT "/no", S_IFCHR | 0600, makedev(1, 3)));
	EXPECT_ERR(EOVERFLOW, open(MNT, O_TMPFILE | O_WRONLY, 0600));

	ASSERT_EQ(0, dr_as(SHIFT + 5, SHIFT + 5, make_all, NULL));
	EXPECT_OWNER("f", SHIFT + 5, 5);
	EXPECT_OWNER("d", SHIFT + 5, 5);
	EXPECT_OWNER("l", SHIFT + 5, 5);
	EXPECT_OWNER("p", SHIFT + 5, 5);
	EXPECT_EQ(-EPERM, dr_as(SHIFT + 5, SHIFT + 5, chown_there, NULL));
	EXPECT_EQ(-EACCES, dr_as(5, 5, use_it, NULL));
	EXPECT_EQ(0, dr_as(SHIFT + 5, SHIFT + 5, use_it, NULL));
	EXPECT_EQ(0, chown(MNT "/f", SHIFT + 6, SHIFT + 6));
	EXPECT_OWNER("f", SHIFT + 6, 6);
	EXPECT_ERR(EOVERFLOW, chown(MNT "/f", 6, 6));
	EXPECT_ERR(EOVERFLOW, chown(MNT "/f", SHIFT + 1000, -1));
	dr_drop_caches();
	EXPECT_OWNER("f", SHIFT + 6, 6);
}

TEST_F(idmapped, setgid)
{
	struct stat st;

	ASSERT_EQ(0, mkdir(dr_path("s"), 0777));
	ASSERT_EQ(0, chown(dr_path("s"), 3, 33));
	ASSERT_EQ(0, chmod(dr_path("s"), 02777));
	ASSERT_EQ(0, mkdir(dr_path("s/x"), 0777));
	ASSERT_EQ(0, stat(MNT "/s/x", &st));
	EXPECT_EQ(SHIFT + 33, st.st_gid);
	EXPECT_TRUE(st.st_mode & S_ISGID);
	/* A whiteout has an owner as well: root has no number there. */
	ASSERT_EQ(0, dr_create("s/f", 1, 1));
	EXPECT_ERR(EOVERFLOW, renameat2(AT_FDCWD, MNT "/s/f", AT_FDCWD, MNT "/s/g",
					RENAME_WHITEOUT));
}

static int opens(void *path)
{
	int fd = open(path, O_RDWR);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int make_there(void *arg)
{
	int fd = open(MNT "/d/f", O_CREAT | O_EXCL | O_WRONLY, 0666);

	(void)arg;
	return fd < 0 ? -1 : close(fd);
}

#define EXPECT_ACL(text, path)	EXPECT_STREQ(text, dr_acl(path, ACL_ACCESS))

/* An ACL names users as the mount shows them. */
TEST_F(idmapped, acls)
{
	if (!dr_has_acls())
		SKIP(return, "a kernel without CONFIG_FS_POSIX_ACL");
	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, dr_set_acl(dr_path("f"), ACL_ACCESS,
				"u::---,u:5:rw-,g::---,g:6:rw-,m::rw-,o::---"));
	EXPECT_ACL("u::---,u:10005:rw-,g::---,g:10006:rw-,m::rw-,o::---", MNT "/f");
	EXPECT_EQ(0, dr_as(5, 9, opens, (void *)dr_path("f")));
	EXPECT_EQ(-EACCES, dr_as(5, 9, opens, MNT "/f"));
	EXPECT_EQ(0, dr_as(SHIFT + 5, 9, opens, MNT "/f"));
	EXPECT_EQ(0, dr_as(SHIFT + 9, SHIFT + 6, opens, MNT "/f"));
	EXPECT_EQ(-EACCES, dr_as(SHIFT + 9, SHIFT + 9, opens, MNT "/f"));
	EXPECT_EQ(-EACCES, dr_as(SHIFT + 5, 9, opens, (void *)dr_path("f")));

	ASSERT_EQ(0, dr_set_acl(MNT "/f", ACL_ACCESS, "u::r--,u:10007:rw-,g::---,m::rw-,o::---"));
	for (int pass = 0; pass < 2; pass++) {
		EXPECT_ACL("u::r--,u:10007:rw-,g::---,m::rw-,o::---", MNT "/f");
		EXPECT_ACL("u::r--,u:7:rw-,g::---,m::rw-,o::---", dr_path("f"));
		EXPECT_EQ(0, dr_as(SHIFT + 7, 9, opens, MNT "/f"));
		EXPECT_EQ(0, dr_as(7, 9, opens, (void *)dr_path("f")));
		dr_drop_caches();
	}
	/* Who has no number there cannot be named, and is shown as nobody. */
	EXPECT_ERR(EINVAL, dr_set_acl(MNT "/f", ACL_ACCESS,
				      "u::r--,u:7:rw-,g::---,m::rw-,o::---"));
	ASSERT_EQ(0, dr_set_acl(dr_path("f"), ACL_ACCESS,
				"u::r--,u:1000:rw-,g::---,m::rw-,o::---"));
	EXPECT_ACL("u::r--,u:4294967295:rw-,g::---,m::rw-,o::---", MNT "/f");

	/* What is made there begins with what the directory has. */
	ASSERT_EQ(0, mkdir(dr_path("d"), 0777));
	ASSERT_EQ(0, dr_set_acl(MNT "/d", ACL_DEFAULT, "u::rwx,u:10007:rwx,g::---,m::rwx,o::---"));
	ASSERT_EQ(0, chmod(dr_path("d"), 0777));
	EXPECT_EQ(0, dr_as(SHIFT + 5, SHIFT + 5, make_there, NULL));
	EXPECT_ACL("u::rw-,u:10007:rwx,g::---,m::rw-,o::---", MNT "/d/f");
	EXPECT_ACL("u::rw-,u:7:rwx,g::---,m::rw-,o::---", dr_path("d/f"));
}

TEST_HARNESS_MAIN
