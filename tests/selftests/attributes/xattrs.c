// SPDX-License-Identifier: GPL-2.0
/* Extended attributes: user., trusted., security.; what is refused, and how. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(xattrs)

#define PATH(s) dr_path(s)
#define LARGE	65536

static char value[LARGE + 1];
static char list[LARGE + 1];

/* Whether a name is in what listxattr() gives. */
static int listed(const char *file, const char *name)
{
	ssize_t len = llistxattr(PATH(file), list, sizeof(list));

	for (char *n = list; n < list + len; n += strlen(n) + 1)
		if (!strcmp(n, name))
			return 1;
	return len < 0 ? -errno : 0;
}

TEST_F(xattrs, set_get_remove)
{
	static const char *const names[] = { "user.a", "trusted.a", "security.a" };
	struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	struct stat before, st;
	char buf[16];

	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	EXPECT_EQ(0, listxattr(PATH("f"), list, sizeof(list)));
	for (int i = 0; i < 3; i++) {
		const char *n = names[i];

		EXPECT_ERR(ENODATA, getxattr(PATH("f"), n, buf, sizeof(buf)));
		EXPECT_ERR(ENODATA, removexattr(PATH("f"), n));
		EXPECT_ERR(ENODATA, setxattr(PATH("f"), n, "1", 1, XATTR_REPLACE));
		EXPECT_EQ(0, setxattr(PATH("f"), n, "one", 3, XATTR_CREATE));
		EXPECT_ERR(EEXIST, setxattr(PATH("f"), n, "1", 1, XATTR_CREATE));
		EXPECT_EQ(0, setxattr(PATH("f"), n, "three", 5, XATTR_REPLACE));
		EXPECT_EQ(0, setxattr(PATH("d"), n, "", 0, 0));
	}
	ASSERT_EQ(0, utimensat(AT_FDCWD, PATH("f"), old, 0));
	ASSERT_EQ(0, stat(PATH("f"), &before));
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 3; i++) {
			EXPECT_EQ(5, getxattr(PATH("f"), names[i], NULL, 0));
			EXPECT_EQ(5, getxattr(PATH("f"), names[i], buf, 5));
			EXPECT_EQ(0, memcmp(buf, "three", 5));
			EXPECT_ERR(ERANGE, getxattr(PATH("f"), names[i], buf, 4));
			EXPECT_EQ(0, getxattr(PATH("d"), names[i], buf, sizeof(buf)));
			EXPECT_EQ(1, listed("f", names[i]));
		}
		EXPECT_EQ(28, listxattr(PATH("f"), NULL, 0));
		EXPECT_EQ(28, listxattr(PATH("f"), list, 28));
		EXPECT_ERR(ERANGE, listxattr(PATH("f"), list, 27));
		dr_drop_caches();
	}
	EXPECT_EQ(0, removexattr(PATH("f"), "user.a"));
	EXPECT_ERR(ENODATA, removexattr(PATH("f"), "user.a"));
	EXPECT_EQ(0, listed("f", "user.a"));
	EXPECT_EQ(1, listed("f", "trusted.a"));
	/* That is a change of the inode, not of its data. */
	ASSERT_EQ(0, stat(PATH("f"), &st));
	EXPECT_EQ(1000, st.st_mtim.tv_sec);
	EXPECT_TRUE(st.st_ctim.tv_sec > before.st_ctim.tv_sec ||
		    st.st_ctim.tv_nsec != before.st_ctim.tv_nsec);
}

TEST_F(xattrs, names)
{
	char name[300];

	ASSERT_EQ(0, dr_create("f", 1, 1));
	EXPECT_ERR(EINVAL, setxattr(PATH("f"), "user.", "1", 1, 0));
	EXPECT_ERR(ERANGE, setxattr(PATH("f"), "", "1", 1, 0));
	EXPECT_ERR(EOPNOTSUPP, setxattr(PATH("f"), "nospace", "1", 1, 0));
	EXPECT_ERR(EOPNOTSUPP, setxattr(PATH("f"), "other.a", "1", 1, 0));
	EXPECT_ERR(EOPNOTSUPP, setxattr(PATH("f"), "system.a", "1", 1, 0));
	EXPECT_ERR(EOPNOTSUPP, getxattr(PATH("f"), "other.a", list, 9));
	EXPECT_ERR(EINVAL, setxattr(PATH("f"), "user.a", "1", 1, 1 << 7));
	memset(name, 'n', sizeof(name));
	memcpy(name, "user.", 5);
	name[256] = 0;
	EXPECT_ERR(ERANGE, setxattr(PATH("f"), name, "1", 1, 0));
	name[255] = 0;
	EXPECT_EQ(0, setxattr(PATH("f"), name, "1", 1, 0));
	EXPECT_EQ(1, listed("f", name));
	/* Any bytes but NUL; what one begins with is another. */
	EXPECT_EQ(0, setxattr(PATH("f"), "user.\x01/\xff", "2", 1, 0));
	EXPECT_EQ(0, setxattr(PATH("f"), "user.n", "3", 1, 0));
	EXPECT_EQ(1, getxattr(PATH("f"), "user.\x01/\xff", list, 9));
	EXPECT_ERR(ENODATA, getxattr(PATH("f"), "user.nn", list, 9));
	EXPECT_EQ(1, getxattr(PATH("f"), "user.n", list, 9));
	EXPECT_EQ('3', list[0]);
}

TEST_F(xattrs, large_values)
{
	ASSERT_EQ(0, dr_create("f", 1, 1));
	for (int i = 0; i < LARGE; i++)
		value[i] = i * 7 + i / 251;
	EXPECT_ERR(E2BIG, setxattr(PATH("f"), "user.a", value, LARGE + 1, 0));
	EXPECT_EQ(0, setxattr(PATH("f"), "user.a", value, LARGE, 0));
	dr_drop_caches();
	EXPECT_EQ(LARGE, getxattr(PATH("f"), "user.a", list, LARGE));
	EXPECT_EQ(0, memcmp(value, list, LARGE));
	EXPECT_EQ(0, setxattr(PATH("f"), "user.a", "short", 5, XATTR_REPLACE));
	EXPECT_EQ(5, getxattr(PATH("f"), "user.a", list, LARGE));
	/* Not one byte of a file's space. */
	EXPECT_USED(1);
}

/* As many names as can be listed. */
TEST_F(xattrs, many)
{
	enum { LEN = 200 };
	char name[LEN + 1];
	int n = 0;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	do
		snprintf(name, sizeof(name), "user.%0*d", LEN - 5, n);
	while (!setxattr(PATH("f"), name, &n, sizeof(n), 0) && ++n < LARGE);
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(LARGE / (LEN + 1), n);
	EXPECT_EQ(n * (LEN + 1), listxattr(PATH("f"), list, LARGE));
	for (int i = 0; i < n; i += 2) {
		snprintf(name, sizeof(name), "user.%0*d", LEN - 5, i);
		ASSERT_EQ(0, removexattr(PATH("f"), name));
	}
	for (int i = 0, v; i < n; i++) {
		snprintf(name, sizeof(name), "user.%0*d", LEN - 5, i);
		ASSERT_EQ(i % 2 ? (int)sizeof(v) : -1,
			  getxattr(PATH("f"), name, &v, sizeof(v)));
		if (i % 2)
			ASSERT_EQ(i, v);
	}
}

/* Until the metadata log is full: then they go, and there is room again. */
TEST_F(xattrs, no_space)
{
	char name[32];
	int n = 0;

	do
		snprintf(name, sizeof(name), "f%d", n);
	while (!dr_create(name, 0, 1) &&
	       !setxattr(PATH(name), "user.a", value, LARGE, 0) && ++n < 10000);
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_GT(n, 10);
	EXPECT_ERR(ENOSPC, setxattr(PATH("f0"), "user.b", value, LARGE, 0));
	EXPECT_EQ(LARGE, getxattr(PATH("f0"), "user.a", NULL, 0));
	EXPECT_EQ(0, removexattr(PATH("f0"), "user.a"));
	EXPECT_EQ(0, unlink(PATH("f1")));
	EXPECT_EQ(0, setxattr(PATH("f0"), "user.b", value, LARGE, 0));
	EXPECT_EQ(0, dr_check());
}

static const char *target;

static int set_user(void *name)
{
	return setxattr(target, name, "1", 1, 0);
}

static int sees_trusted(void *arg)
{
	(void)arg;
	return listed("f", "trusted.a") || listed("f", "user.a") != 1;
}

static int gets(void *name)
{
	return getxattr(target, name, value, LARGE) < 0;
}

TEST_F(xattrs, who_may)
{
	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, setxattr(PATH("f"), "trusted.a", "1", 1, 0));
	ASSERT_EQ(0, setxattr(PATH("f"), "user.a", "1", 1, 0));
	ASSERT_EQ(0, chmod(PATH("f"), 0644));
	target = strdup(PATH("f"));
	EXPECT_EQ(0, dr_as(5, 5, sees_trusted, NULL));
	EXPECT_EQ(0, dr_as(5, 5, gets, "user.a"));
	EXPECT_EQ(-ENODATA, dr_as(5, 5, gets, "trusted.a"));
	EXPECT_EQ(-EACCES, dr_as(5, 5, set_user, "user.b"));
	EXPECT_EQ(-EPERM, dr_as(5, 5, set_user, "trusted.b"));
	EXPECT_EQ(-EPERM, dr_as(5, 5, set_user, "security.b"));
	ASSERT_EQ(0, chown(PATH("f"), 5, 5));
	EXPECT_EQ(0, dr_as(5, 5, set_user, "user.b"));
	ASSERT_EQ(0, chmod(PATH("f"), 0600));
	EXPECT_EQ(-EACCES, dr_as(6, 6, gets, "user.a"));
	/* Of a sticky directory, only its owner's. */
	ASSERT_EQ(0, mkdir(PATH("d"), 0777));
	ASSERT_EQ(0, chmod(PATH("d"), 01777));
	target = strdup(PATH("d"));
	EXPECT_EQ(-EPERM, dr_as(6, 6, set_user, "user.b"));
}

/* user. is for files and directories; the others are for everything. */
TEST_F(xattrs, kinds)
{
	static const char *const names[] = { "l", "p", "c" };

	ASSERT_EQ(0, symlink("nowhere", PATH("l")));
	ASSERT_EQ(0, mkfifo(PATH("p"), 0666));
	ASSERT_EQ(0, mknod(PATH("c"), S_IFCHR | 0666, 0));
	for (int i = 0; i < 3; i++) {
		const char *n = names[i];

		EXPECT_ERR(EPERM, lsetxattr(PATH(n), "user.a", "1", 1, 0));
		EXPECT_ERR(ENODATA, lgetxattr(PATH(n), "user.a", list, 9));
		EXPECT_EQ(0, lsetxattr(PATH(n), "trusted.a", n, 1, 0));
		EXPECT_EQ(0, lsetxattr(PATH(n), "security.a", n, 1, 0));
	}
	dr_drop_caches();
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(1, lgetxattr(PATH(names[i]), "trusted.a", list, 9));
		EXPECT_EQ(*names[i], list[0]);
	}
	EXPECT_ERR(ENOENT, getxattr(PATH("l"), "trusted.a", list, 9));
}

/* What a security module stores is bytes like others, if the module is not there. */
TEST_F(xattrs, labels)
{
	static const char label[] = "system_u:object_r:etc_t:s0";
	static const char *const names[] = { "security.selinux", "security.SMACK64" };

	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, symlink("f", PATH("l")));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, setxattr(PATH("f"), names[i], label, sizeof(label), 0));
		ASSERT_EQ(0, lsetxattr(PATH("l"), names[i], label, 8, 0));
	}
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mount_again());
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(sizeof(label), getxattr(PATH("f"), names[i], list, 99));
		EXPECT_EQ(0, memcmp(label, list, sizeof(label)));
		EXPECT_EQ(8, lgetxattr(PATH("l"), names[i], list, 99));
		EXPECT_EQ(1, listed("f", names[i]));
	}
}

static int write_it(void *path)
{
	int fd = open(path, O_WRONLY);

	return fd < 0 ? -1 : write(fd, "x", 1) != 1;
}

/* What a program may do does not outlive a change of it. */
TEST_F(xattrs, capabilities_go_with_a_write)
{
	struct vfs_cap_data caps = {
		.magic_etc = VFS_CAP_REVISION_2,
		.data[0].permitted = 1 << CAP_CHOWN,
	};
	static const char name[] = "security.capability";

	ASSERT_EQ(0, dr_create("f", 1, 1));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, chmod(PATH("f"), 0777));
		ASSERT_EQ(0, setxattr(PATH("f"), name, &caps, XATTR_CAPS_SZ_2, 0));
		EXPECT_EQ(XATTR_CAPS_SZ_2, getxattr(PATH("f"), name, list, 99));
		if (i) {
			EXPECT_EQ(0, chown(PATH("f"), 7, 7));
		} else {
			EXPECT_EQ(0, dr_as(5, 5, write_it, (void *)PATH("f")));
		}
		EXPECT_ERR(ENODATA, getxattr(PATH("f"), name, list, 99));
	}
}

/* They are the file's: whatever it is called, whatever becomes of its data. */
TEST_F(xattrs, go_with_the_inode)
{
	int fd;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, setxattr(PATH("f"), "user.a", "1", 1, 0));
	ASSERT_EQ(0, link(PATH("f"), PATH("g")));
	ASSERT_EQ(0, dr_clone("f", "h"));
	EXPECT_EQ(0, listed("h", "user.a"));
	ASSERT_EQ(0, rename(PATH("f"), PATH("h")));
	EXPECT_EQ(1, listed("g", "user.a"));
	EXPECT_EQ(1, listed("h", "user.a"));
	ASSERT_EQ(0, truncate(PATH("g"), 0));
	EXPECT_EQ(1, listed("h", "user.a"));
	fd = dr_open("g", O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unlink(PATH("g")));
	ASSERT_EQ(0, unlink(PATH("h")));
	EXPECT_EQ(0, fsetxattr(fd, "user.b", "2", 1, 0));
	EXPECT_EQ(1, fgetxattr(fd, "user.b", list, 9));
	close(fd);
	EXPECT_USED(0);
}

TEST_HARNESS_MAIN
