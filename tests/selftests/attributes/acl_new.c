// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX ACLs of new files, and how much of them there can be. XFS is the
 * reference: DAXRMAP_TEST_FS=xfs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/files/acls.h"

ACL_FIXTURE(acl_new)

#define PATH(s)	dr_path(s)
#define FIVE	"u::rw-,u:5:rw-,g::r--,m::rw-,o::---"

static int make_file(const char *name, int mode)
{
	int fd = open(PATH(name), O_CREAT | O_EXCL | O_WRONLY, mode);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

#define PASSED_ON	"u::rwx,u:5:rwx,g::r-x,m::rwx,o::r-x"

TEST_F(acl_new, inheritance)
{
	int fd;

	umask(077);
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	SET_DEFAULT("d", PASSED_ON);
	/* What is asked for at most; no umask. */
	ASSERT_EQ(0, make_file("d/f", 0666));
	EXPECT_ACCESS("u::rw-,u:5:rwx,g::r-x,m::rw-,o::r--", "d/f");
	EXPECT_MODE(0664, "d/f");
	EXPECT_DEFAULT("none", "d/f");
	ASSERT_EQ(0, make_file("d/g", 0700));
	EXPECT_ACCESS("u::rwx,u:5:rwx,g::r-x,m::---,o::---", "d/g");
	EXPECT_MODE(0700, "d/g");
	ASSERT_EQ(0, mkdir(PATH("d/d"), 0777));
	EXPECT_ACCESS(PASSED_ON, "d/d");
	EXPECT_DEFAULT(PASSED_ON, "d/d");
	EXPECT_MODE(0775, "d/d");
	ASSERT_EQ(0, mkdir(PATH("d/d/d"), 0700));
	EXPECT_ACCESS("u::rwx,u:5:rwx,g::r-x,m::---,o::---", "d/d/d");
	EXPECT_DEFAULT(PASSED_ON, "d/d/d");
	ASSERT_EQ(0, mkfifo(PATH("d/p"), 0666));
	EXPECT_ACCESS("u::rw-,u:5:rwx,g::r-x,m::rw-,o::r--", "d/p");
	ASSERT_EQ(0, mknod(PATH("d/c"), S_IFCHR | 0600, 0));
	EXPECT_ACCESS("u::rw-,u:5:rwx,g::r-x,m::---,o::---", "d/c");
	ASSERT_EQ(0, symlink("f", PATH("d/l")));
	EXPECT_EQ(0, dr_lists("d/l", ACL_ACCESS));
	EXPECT_MODE(0777, "d/l");
	fd = open(PATH("d"), O_TMPFILE | O_RDWR, 0666);
	ASSERT_LE(0, fd);
	EXPECT_EQ(44, fgetxattr(fd, ACL_ACCESS, NULL, 0));
	ASSERT_EQ(0, linkat(fd, "", AT_FDCWD, PATH("d/t"), AT_EMPTY_PATH));
	close(fd);
	EXPECT_ACCESS("u::rw-,u:5:rwx,g::r-x,m::rw-,o::r--", "d/t");
	dr_drop_caches();
	EXPECT_ACCESS("u::rw-,u:5:rwx,g::r-x,m::rw-,o::r--", "d/f");
	EXPECT_ACCESS(PASSED_ON, "d/d");
	EXPECT_DEFAULT(PASSED_ON, "d/d/d");
	EXPECT_ACCESS("u::rw-,u:5:rwx,g::r-x,m::rw-,o::r--", "d/t");
	EXPECT_EQ(0, dr_lists("d/l", ACL_ACCESS));
	/* What comes by another way keeps what it has. */
	ASSERT_EQ(0, make_file("f", 0666));
	EXPECT_MODE(0600, "f");
	ASSERT_EQ(0, rename(PATH("f"), PATH("d/r")));
	EXPECT_ACCESS("none", "d/r");
	/* A whiteout is nothing that anybody makes. */
	ASSERT_EQ(0, renameat2(AT_FDCWD, PATH("d/r"), AT_FDCWD, PATH("d/s"), RENAME_WHITEOUT));
	EXPECT_ACCESS("none", "d/r");
	EXPECT_EQ(0, removexattr(PATH("d"), ACL_DEFAULT));
	ASSERT_EQ(0, make_file("d/h", 0666));
	EXPECT_ACCESS("none", "d/h");
	EXPECT_MODE(0600, "d/h");
}

/* A default ACL that has no names is in place of the umask. */
TEST_F(acl_new, minimal_default)
{
	umask(077);
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	SET_DEFAULT("d", "u::rwx,g::rwx,o::r--");
	ASSERT_EQ(0, make_file("d/f", 0666));
	EXPECT_ACCESS("none", "d/f");
	EXPECT_MODE(0664, "d/f");
	ASSERT_EQ(0, mkdir(PATH("d/d"), 0777));
	EXPECT_ACCESS("none", "d/d");
	EXPECT_DEFAULT("u::rwx,g::rwx,o::r--", "d/d");
	EXPECT_MODE(0774, "d/d");
	/* With setgid as well. */
	ASSERT_EQ(0, chown(PATH("d"), 0, 33));
	ASSERT_EQ(0, chmod(PATH("d"), 02777));
	ASSERT_EQ(0, mkdir(PATH("d/s"), 0777));
	EXPECT_MODE(02774, "d/s");
	/* And none: the umask. */
	ASSERT_EQ(0, mkdir(PATH("e"), 0777));
	EXPECT_MODE(0700, "e");
}

/* As many entries as fit: a new directory has two copies. */
TEST_F(acl_new, large)
{
	enum { XFS_MOST = 5461, MOST = 8191 };
	unsigned int n = dr_xfs() ? XFS_MOST - 1 : MOST;
	size_t len = sizeof(int) + n * sizeof(struct dr_acl_entry);
	struct dr_acl_entry *e;
	unsigned int *value = calloc(1, 65536), *got = calloc(1, 65536);

	value[0] = 2;
	e = (void *)(value + 1);
	e[0] = (struct dr_acl_entry){ U_OBJ, 7, ~0u };
	for (unsigned int i = 1; i < n - 3; i++)
		e[i] = (struct dr_acl_entry){ U_ONE, i % 8, i };
	e[n - 3] = (struct dr_acl_entry){ G_OBJ, 5, ~0u };
	e[n - 2] = (struct dr_acl_entry){ A_MASK, 7, ~0u };
	e[n - 1] = (struct dr_acl_entry){ A_OTHER, 0, ~0u };
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	ASSERT_EQ(0, setxattr(PATH("d"), ACL_DEFAULT, value, len, 0));
	ASSERT_EQ(0, mkdir(PATH("d/d"), 0777));
	dr_drop_caches();
	EXPECT_EQ(len, getxattr(PATH("d/d"), ACL_DEFAULT, got, 65536));
	EXPECT_EQ(0, memcmp(value, got, len));
	EXPECT_EQ(len, getxattr(PATH("d/d"), ACL_ACCESS, got, 65536));
	EXPECT_EQ(0, memcmp(value, got, len));
	ASSERT_EQ(0, chmod(PATH("d/d"), 0750));
	e[n - 2].perm = 5;
	EXPECT_EQ(len, getxattr(PATH("d/d"), ACL_ACCESS, got, 65536));
	EXPECT_EQ(0, memcmp(value, got, len));
	ASSERT_EQ(0, chmod(dr_mnt(), 0755));
	ASSERT_EQ(0, chmod(PATH("d"), 0755));
	ASSERT_EQ(0, rmdir(PATH("d/d")));
	ASSERT_EQ(0, rmdir(PATH("d")));
}

/* All of it or nothing, when there is no room left in the log. */
TEST_F(acl_new, no_space)
{
	static char value[65536];
	char name[32];
	int n = 0;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mount_small());
	self->fs.free_at_start = dr_free_blocks();
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	SET_DEFAULT("d", PASSED_ON);
	ASSERT_EQ(0, make_file("f", 0644));
	for (int size = sizeof(value); size; size /= 2) {
		do
			snprintf(name, sizeof(name), "user.%d", n++);
		while (!setxattr(PATH("f"), name, value, size, 0) && n < 100000);
		ASSERT_EQ(ENOSPC, errno);
	}
	EXPECT_ERR(ENOSPC, dr_set_acl(PATH("f"), ACL_ACCESS, PASSED_ON));
	EXPECT_MODE(0644, "f");
	EXPECT_ACCESS("none", "f");
	EXPECT_EQ(-ENOSPC, make_file("d/f", 0600));
	EXPECT_ERR(ENOSPC, mkdir(PATH("d/d"), 0700));
	EXPECT_MODE(-ENOENT, "d/f");
	EXPECT_MODE(-ENOENT, "d/d");
	EXPECT_EQ(0, dr_check());
	/* What makes nothing larger goes. */
	EXPECT_EQ(0, removexattr(PATH("d"), ACL_DEFAULT));
	ASSERT_EQ(0, unlink(PATH("f")));
	ASSERT_EQ(0, make_file("d/f", 0666));
	SET_ACCESS("d/f", PASSED_ON);
}

/* It is the inode's: links have it, clones have not, and it goes with the last name. */
TEST_F(acl_new, go_with_the_inode)
{
	int fd;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	SET_ACCESS("f", FIVE);
	ASSERT_EQ(0, link(PATH("f"), PATH("g")));
	ASSERT_EQ(0, dr_clone("f", "h"));
	EXPECT_ACCESS(FIVE, "g");
	EXPECT_ACCESS("none", "h");
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unlink(PATH("f")));
	ASSERT_EQ(0, unlink(PATH("g")));
	EXPECT_EQ(44, fgetxattr(fd, ACL_ACCESS, NULL, 0));
	EXPECT_EQ(0, fchmod(fd, 0600));
	EXPECT_EQ(0, fremovexattr(fd, ACL_ACCESS));
	close(fd);
	ASSERT_EQ(0, unlink(PATH("h")));
	EXPECT_USED(0);
}

TEST_HARNESS_MAIN
