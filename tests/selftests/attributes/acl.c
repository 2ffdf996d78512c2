// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX ACLs: what is kept, what is refused, who may do what. XFS is the
 * reference: DAXRMAP_TEST_FS=xfs. What new files begin with: acl_new.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/files/acls.h"

ACL_FIXTURE(acl)

#define PATH(s)	dr_path(s)
#define FIVE	"u::rw-,u:5:rw-,g::r--,m::rw-,o::---"
#define MINIMAL	"u::rw-,g::r--,o::---"

TEST_F(acl, set_get_remove)
{
	struct dr_acl acl;
	size_t len = dr_acl_parse(&acl, FIVE);
	struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	struct stat before, st;
	char buf[64];

	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, chmod(PATH("f"), 0644));
	EXPECT_ACCESS("none", "f");
	EXPECT_EQ(0, dr_lists("f", ACL_ACCESS));
	ASSERT_EQ(0, utimensat(AT_FDCWD, PATH("f"), old, 0));
	ASSERT_EQ(0, stat(PATH("f"), &before));
	SET_ACCESS("f", FIVE);
	/* The mask is the group's part of the mode. */
	EXPECT_MODE(0660, "f");
	for (int pass = 0; pass < 2; pass++) {
		EXPECT_ACCESS(FIVE, "f");
		EXPECT_MODE(0660, "f");
		EXPECT_EQ(1, dr_lists("f", ACL_ACCESS));
		EXPECT_EQ(0, dr_lists("f", ACL_DEFAULT));
		EXPECT_EQ(len, getxattr(PATH("f"), ACL_ACCESS, NULL, 0));
		EXPECT_EQ(len, getxattr(PATH("f"), ACL_ACCESS, buf, len));
		EXPECT_EQ(0, memcmp(&acl, buf, len));
		EXPECT_ERR(ERANGE, getxattr(PATH("f"), ACL_ACCESS, buf, len - 1));
		dr_drop_caches();
	}
	/* A change of the inode, not of its data. */
	ASSERT_EQ(0, stat(PATH("f"), &st));
	EXPECT_EQ(1000, st.st_mtim.tv_sec);
	EXPECT_TRUE(st.st_ctim.tv_sec > before.st_ctim.tv_sec ||
		    st.st_ctim.tv_nsec != before.st_ctim.tv_nsec);
	SET_ACCESS("f", "u::r--,u:5:---,u:6:r-x,g::---,g:5:-w-,m::r--,o::--x");
	EXPECT_ACCESS("u::r--,u:5:---,u:6:r-x,g::---,g:5:-w-,m::r--,o::--x", "f");
	EXPECT_MODE(0441, "f");
	/* The permissions stay when it goes. */
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, removexattr(PATH("f"), ACL_ACCESS));
		EXPECT_ACCESS("none", "f");
		EXPECT_EQ(0, dr_lists("f", ACL_ACCESS));
		EXPECT_MODE(0441, "f");
	}
	/* So does one without a value, and one that says no more than a mode is none. */
	SET_ACCESS("f", FIVE);
	EXPECT_EQ(0, setxattr(PATH("f"), ACL_ACCESS, NULL, 0, 0));
	EXPECT_ACCESS("none", "f");
	EXPECT_MODE(0660, "f");
	for (int i = 0; i < 2; i++) {
		SET_ACCESS("f", MINIMAL);
		EXPECT_ACCESS("none", "f");
		EXPECT_MODE(0640, "f");
		SET_ACCESS("f", FIVE);
	}
	dr_drop_caches();
	EXPECT_ACCESS(FIVE, "f");
	EXPECT_USED(1);
}

TEST_F(acl, of_directories)
{
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	EXPECT_DEFAULT("none", "d");
	SET_DEFAULT("d", FIVE);
	EXPECT_DEFAULT(FIVE, "d");
	/* That is for what will be made in it. */
	EXPECT_ACCESS("none", "d");
	EXPECT_MODE(0755, "d");
	SET_ACCESS("d", "u::rwx,g::r-x,g:7:rwx,m::rwx,o::---");
	EXPECT_MODE(0770, "d");
	dr_drop_caches();
	EXPECT_DEFAULT(FIVE, "d");
	EXPECT_ACCESS("u::rwx,g::r-x,g:7:rwx,m::rwx,o::---", "d");
	EXPECT_EQ(1, dr_lists("d", ACL_DEFAULT));
	EXPECT_EQ(1, dr_lists("d", ACL_ACCESS));
	/* A default ACL without names is one. */
	SET_DEFAULT("d", MINIMAL);
	EXPECT_DEFAULT(MINIMAL, "d");
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, removexattr(PATH("d"), ACL_DEFAULT));
		EXPECT_DEFAULT("none", "d");
	}
	EXPECT_EQ(1, dr_lists("d", ACL_ACCESS));
}

TEST_F(acl, refused)
{
	static const char *const invalid[] = {
		"u::rw-", "u::rw-,g::r--", "g::r--,o::---", "u::rw-,o::---",
		"u::rw-,u:5:rw-,g::r--,o::---", "u::rw-,g::r--,g:5:rw-,o::---",
		"u::rw-,g::r--,u:5:rw-,m::rw-,o::---", "u::rw-,g::r--,o::---,m::rw-",
		"u::rw-,u::rw-,g::r--,o::---", "u::rw-,g::r--,m::r--,m::r--,o::---",
		"u::rw-,g::r--,o::---,o::---", "u:5:rw-,u::rw-,g::r--,m::rw-,o::---",
	};
	struct dr_acl acl;
	size_t len;
	int attr = FS_IMMUTABLE_FL, fd;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	ASSERT_EQ(0, symlink("f", PATH("l")));
	SET_ACCESS("f", FIVE);
	SET_DEFAULT("d", FIVE);
	for (unsigned int i = 0; i < sizeof(invalid) / sizeof(*invalid); i++) {
		EXPECT_ERR(EINVAL, dr_set_acl(PATH("f"), ACL_ACCESS, invalid[i]));
		EXPECT_ERR(EINVAL, dr_set_acl(PATH("d"), ACL_DEFAULT, invalid[i]));
	}
	len = dr_acl_parse(&acl, FIVE);
	for (size_t l = 1; l < len; l++)
		if (l < 4 || (l - 4) % 8)
			EXPECT_ERR(EINVAL, setxattr(PATH("f"), ACL_ACCESS, &acl, l, 0));
	acl.version = 1;
	EXPECT_ERR(EOPNOTSUPP, setxattr(PATH("f"), ACL_ACCESS, &acl, len, 0));
	acl.version = 2;
	acl.e[0].perm = 8;
	EXPECT_ERR(EINVAL, setxattr(PATH("f"), ACL_ACCESS, &acl, len, 0));
	acl.e[0].perm = 6;
	acl.e[1].tag = 64;
	EXPECT_ERR(EINVAL, setxattr(PATH("f"), ACL_ACCESS, &acl, len, 0));
	acl.e[1].tag = U_ONE;
	acl.e[1].id = ~0u;
	EXPECT_ERR(EINVAL, setxattr(PATH("f"), ACL_ACCESS, &acl, len, 0));

	EXPECT_ERR(EACCES, dr_set_acl(PATH("f"), ACL_DEFAULT, FIVE));
	EXPECT_EQ(0, removexattr(PATH("f"), ACL_DEFAULT));
	EXPECT_ERR(EOPNOTSUPP, dr_set_acl(PATH("l"), ACL_ACCESS, FIVE));
	EXPECT_ERR(EOPNOTSUPP, setxattr(PATH("f"), "system.posix_acl", &acl, len, 0));

	/* Nothing of it has changed anything. */
	EXPECT_ACCESS(FIVE, "f");
	EXPECT_DEFAULT(FIVE, "d");
	EXPECT_MODE(0660, "f");
	fd = dr_open("f", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, FS_IOC_SETFLAGS, &attr));
	EXPECT_ERR(EPERM, dr_set_acl(PATH("f"), ACL_ACCESS, MINIMAL));
	EXPECT_ERR(EPERM, removexattr(PATH("f"), ACL_ACCESS));
	attr = 0;
	ASSERT_EQ(0, ioctl(fd, FS_IOC_SETFLAGS, &attr));
	EXPECT_EQ(0, removexattr(PATH("f"), ACL_ACCESS));
	close(fd);
}

static int opens(void *flags)
{
	int fd = open(PATH("f"), (int)(long)flags);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int runs(void *arg)
{
	(void)arg;
	return faccessat(AT_FDCWD, PATH("f"), X_OK, AT_EACCESS);
}

/* What a user may do with "f": 4 read, 2 write, 1 execute. */
static int may(uid_t uid, gid_t gid)
{
	return (dr_as(uid, gid, opens, (void *)O_RDONLY) ? 0 : 4) |
		(dr_as(uid, gid, opens, (void *)O_WRONLY) ? 0 : 2) |
		(dr_as(uid, gid, runs, NULL) ? 0 : 1);
}

TEST_F(acl, who_may)
{
	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, chmod(dr_mnt(), 0755));
	ASSERT_EQ(0, chown(PATH("f"), 10, 20));
	SET_ACCESS("f", "u::r--,u:5:rw-,u:6:---,g::--x,g:30:r--,g:31:rwx,m::rw-,o::-w-");
	EXPECT_MODE(0462, "f");
	for (int pass = 0; pass < 2; pass++) {
		EXPECT_EQ(4, may(10, 31));	/* the owner: whatever else there is */
		EXPECT_EQ(6, may(5, 99));	/* a user of its own */
		EXPECT_EQ(6, may(5, 20));	/* who is in a group as well */
		EXPECT_EQ(0, may(6, 31));	/* a user who may not do anything */
		EXPECT_EQ(0, may(7, 20));	/* the owning group: the mask takes x away */
		EXPECT_EQ(4, may(7, 30));
		EXPECT_EQ(6, may(7, 31));	/* less x */
		EXPECT_EQ(2, may(7, 99));	/* all others: no mask */
		dr_drop_caches();
	}
	/* The same again with another mask, at once. */
	ASSERT_EQ(0, chmod(PATH("f"), 0710));
	EXPECT_EQ(7, may(10, 31));
	EXPECT_EQ(0, may(5, 99));
	EXPECT_EQ(1, may(7, 20));
	EXPECT_EQ(0, may(7, 30));
	EXPECT_EQ(1, may(7, 31));
	EXPECT_EQ(0, may(7, 99));
	EXPECT_EQ(0, removexattr(PATH("f"), ACL_ACCESS));
	EXPECT_EQ(1, may(7, 20));
	EXPECT_EQ(0, may(7, 31));
	EXPECT_EQ(0, may(5, 99));
}

/* In more than one of the groups: any of them is enough. */
static int opens_in_groups(void *flags)
{
	gid_t groups[] = { 30, 31 };

	if (setgroups(2, groups) || setresgid(7, 7, 7) || setresuid(7, 7, 7))
		return 125;
	return opens(flags) ? errno : 0;
}

TEST_F(acl, groups)
{
	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, chmod(dr_mnt(), 0755));
	SET_ACCESS("f", "u::rw-,g::---,g:30:r--,g:31:-w-,m::rw-,o::rw-");
	EXPECT_EQ(0, dr_wait(dr_spawn(opens_in_groups, (void *)O_RDONLY)));
	EXPECT_EQ(0, dr_wait(dr_spawn(opens_in_groups, (void *)O_WRONLY)));
	EXPECT_EQ(EACCES, dr_wait(dr_spawn(opens_in_groups, (void *)O_RDWR)));
}

static int sets(void *name)
{
	return dr_set_acl(PATH(name), ACL_ACCESS, FIVE);
}

static int removes(void *name)
{
	return removexattr(PATH(name), ACL_ACCESS);
}

static int gets(void *name)
{
	return getxattr(PATH(name), ACL_ACCESS, NULL, 0) < 0 ? -1 : 0;
}

TEST_F(acl, who_may_change)
{
	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, chmod(dr_mnt(), 0755));
	ASSERT_EQ(0, chown(PATH("f"), 10, 20));
	SET_ACCESS("f", "u::---,u:5:rwx,g::---,m::rwx,o::---");
	EXPECT_EQ(-EPERM, dr_as(5, 5, sets, "f"));
	EXPECT_EQ(-EPERM, dr_as(5, 5, removes, "f"));
	EXPECT_EQ(0, dr_as(7, 7, gets, "f"));
	EXPECT_EQ(0, dr_as(10, 99, sets, "f"));
	EXPECT_ACCESS(FIVE, "f");
	EXPECT_EQ(0, dr_as(10, 99, removes, "f"));
	/* An owner who is not in the group loses setgid by that. */
	ASSERT_EQ(0, chmod(PATH("f"), 06755));
	EXPECT_EQ(0, dr_as(10, 20, sets, "f"));
	EXPECT_MODE(06660, "f");
	EXPECT_EQ(0, dr_as(10, 99, sets, "f"));
	EXPECT_MODE(04660, "f");
	dr_drop_caches();
	EXPECT_MODE(04660, "f");
}

TEST_F(acl, chmod)
{
	int fd;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	SET_ACCESS("f", "u::rw-,u:5:rwx,g::r--,m::rwx,o::---");
	ASSERT_EQ(0, chmod(PATH("f"), 0754));
	for (int pass = 0; pass < 2; pass++) {
		EXPECT_ACCESS("u::rwx,u:5:rwx,g::r--,m::r-x,o::r--", "f");
		EXPECT_MODE(0754, "f");
		dr_drop_caches();
	}
	fd = dr_open("f", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fchmod(fd, 04000));
	close(fd);
	EXPECT_ACCESS("u::---,u:5:rwx,g::r--,m::---,o::---", "f");
	EXPECT_MODE(04000, "f");
	/* A mask without names is as good. */
	SET_ACCESS("f", "u::rw-,g::rw-,m::r--,o::---");
	ASSERT_EQ(0, chmod(PATH("f"), 0677));
	EXPECT_ACCESS("u::rw-,g::rw-,m::rwx,o::rwx", "f");
	/* Other attributes leave it alone; chown takes setuid away, and that is a mode too. */
	SET_ACCESS("f", FIVE);
	ASSERT_EQ(0, chmod(PATH("f"), 06670));
	ASSERT_EQ(0, chown(PATH("f"), 10, 20));
	EXPECT_MODE(0670, "f");
	EXPECT_ACCESS("u::rw-,u:5:rw-,g::r--,m::rwx,o::---", "f");
	ASSERT_EQ(0, truncate(PATH("f"), 10));
	EXPECT_ACCESS("u::rw-,u:5:rw-,g::r--,m::rwx,o::---", "f");
	/* A default ACL is not a directory's own. */
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	SET_DEFAULT("d", FIVE);
	ASSERT_EQ(0, chmod(PATH("d"), 0700));
	EXPECT_DEFAULT(FIVE, "d");
	EXPECT_ACCESS("none", "d");
}

static int walks(void *arg)
{
	struct stat st;

	(void)arg;
	return stat(PATH("d/e/f"), &st);
}

/* On a path, where there is no time to read one in. */
TEST_F(acl, search)
{
	ASSERT_EQ(0, chmod(dr_mnt(), 0755));
	ASSERT_EQ(0, mkdir(PATH("d"), 0700));
	ASSERT_EQ(0, mkdir(PATH("d/e"), 0700));
	ASSERT_EQ(0, dr_create("d/e/f", 0, 1));
	SET_ACCESS("d", "u::rwx,u:5:--x,g::---,m::--x,o::---");
	EXPECT_EQ(-EACCES, dr_as(5, 5, walks, NULL));
	SET_ACCESS("d/e", "u::rwx,g::---,g:6:--x,m::--x,o::---");
	for (int pass = 0; pass < 2; pass++) {
		EXPECT_EQ(0, dr_as(5, 6, walks, NULL));
		EXPECT_EQ(-EACCES, dr_as(5, 5, walks, NULL));
		EXPECT_EQ(-EACCES, dr_as(6, 6, walks, NULL));
		dr_drop_caches();
	}
	EXPECT_EQ(0, removexattr(PATH("d"), ACL_ACCESS));
	/* The mask is the group's part now. */
	EXPECT_EQ(-EACCES, dr_as(5, 6, walks, NULL));
	EXPECT_EQ(-EACCES, dr_as(6, 6, walks, NULL));
}

TEST_HARNESS_MAIN
