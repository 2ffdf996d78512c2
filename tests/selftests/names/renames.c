// SPDX-License-Identifier: GPL-2.0
/*
 * renameat2(2) with its flags, and who may do what in which directory: setgid,
 * sticky, permissions, "." and "..".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/clock.h"

DR_FIXTURE(renames)

#define PATH(s) dr_path(s)

#define RENAME(a, b, flags) renameat2(AT_FDCWD, PATH(a), AT_FDCWD, PATH(b), flags)

static int nlink(const char *name)
{
	struct stat st;

	return lstat(PATH(name), &st) ? -errno : (int)st.st_nlink;
}

TEST_F(renames, exchange)
{
	long f, d;

	ASSERT_EQ(0, mkdir(PATH("a"), 0755));
	ASSERT_EQ(0, mkdir(PATH("b"), 0755));
	ASSERT_EQ(0, dr_create("a/f", 1, 1));
	ASSERT_EQ(0, mkdir(PATH("b/d"), 0755));
	ASSERT_EQ(0, dr_create("b/d/g", 1, 2));
	f = dr_ino("a/f");
	d = dr_ino("b/d");
	EXPECT_ERR(ENOENT, RENAME("a/f", "b/no", RENAME_EXCHANGE));
	EXPECT_ERR(EINVAL, RENAME("b", "b/d", RENAME_EXCHANGE));
	EXPECT_ERR(EINVAL, RENAME("b/d", "b", RENAME_EXCHANGE));
	EXPECT_ERR(EINVAL, RENAME("a/f", "b/d", RENAME_EXCHANGE | RENAME_NOREPLACE));
	EXPECT_ERR(EINVAL, RENAME("a/f", "b/d", RENAME_EXCHANGE | RENAME_WHITEOUT));
	EXPECT_ERR(EINVAL, RENAME("a/f", "b/d", 1 << 5));
	EXPECT_EQ(0, RENAME("a/f", "b/d", RENAME_EXCHANGE));
	for (int pass = 0; pass < 2; pass++) {
		EXPECT_EQ(d, dr_ino("a/f"));
		EXPECT_EQ(f, dr_ino("b/d"));
		EXPECT_EQ(3, nlink("a"));
		EXPECT_EQ(2, nlink("b"));
		EXPECT_EQ(dr_ino("a"), dr_ino("a/f/.."));
		EXPECT_EQ(0, dr_verify("a/f/g", 0, 1, 2, 0));
		EXPECT_EQ(0, dr_verify("b/d", 0, 1, 1, 0));
		dr_drop_caches();
	}
	/* Within a directory, not empty ones, and with itself. */
	EXPECT_EQ(0, RENAME("a", "b", RENAME_EXCHANGE));
	EXPECT_EQ(0, dr_verify("b/f/g", 0, 1, 2, 0));
	EXPECT_EQ(0, RENAME("b/f/g", "b/f/g", RENAME_EXCHANGE));
	EXPECT_USED(2);
}

TEST_F(renames, noreplace)
{
	ASSERT_EQ(0, dr_create("a", 1, 1));
	ASSERT_EQ(0, dr_create("b", 1, 2));
	EXPECT_ERR(EEXIST, RENAME("a", "b", RENAME_NOREPLACE));
	EXPECT_EQ(0, RENAME("a", "c", RENAME_NOREPLACE));
	EXPECT_EQ(0, dr_verify("c", 0, 1, 1, 0));
	EXPECT_EQ(0, dr_verify("b", 0, 1, 2, 0));
}

TEST_F(renames, whiteout)
{
	struct stat st;

	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	ASSERT_EQ(0, dr_create("d/a", 1, 1));
	ASSERT_EQ(0, dr_create("d/b", 2, 2));
	ASSERT_EQ(0, dr_create("d/c", 3, 3));
	EXPECT_EQ(0, RENAME("d/a", "d/b", RENAME_WHITEOUT));
	EXPECT_ERR(EEXIST, RENAME("d/b", "d/c", RENAME_WHITEOUT | RENAME_NOREPLACE));
	EXPECT_EQ(0, RENAME("d/b", "e", RENAME_WHITEOUT | RENAME_NOREPLACE));
	for (int pass = 0; pass < 2; pass++) {
		for (const char *n = "ab"; *n; n++) {
			char name[] = { 'd', '/', *n, 0 };

			ASSERT_EQ(0, lstat(PATH(name), &st));
			EXPECT_EQ(S_IFCHR, st.st_mode);
			EXPECT_EQ(0, st.st_rdev);
			EXPECT_EQ(1, st.st_nlink);
		}
		EXPECT_EQ(0, dr_verify("e", 0, 1, 1, 0));
		dr_drop_caches();
	}
	/* A directory too, and one takes the place of another. */
	EXPECT_EQ(0, RENAME("d", "f", RENAME_WHITEOUT));
	EXPECT_EQ(2, nlink("f"));
	EXPECT_EQ(3, nlink("."));
	EXPECT_EQ(0, unlink(PATH("d")));
	EXPECT_EQ(0, unlink(PATH("f/a")));
	EXPECT_USED(4);
}

TEST_F(renames, dots)
{
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	EXPECT_ERR(EINVAL, rmdir(PATH("d/.")));
	EXPECT_ERR(ENOTEMPTY, rmdir(PATH("d/..")));
	EXPECT_ERR(EEXIST, mkdir(PATH("d/."), 0755));
	EXPECT_ERR(EEXIST, mkdir(PATH("d/.."), 0755));
	EXPECT_ERR(EISDIR, open(PATH("d/."), O_RDWR));
	EXPECT_ERR(EBUSY, rename(PATH("d/."), PATH("e")));
	EXPECT_ERR(EBUSY, rename(PATH("d"), PATH("d/..")));
	EXPECT_ERR(EISDIR, unlink(PATH("d/.")));
	EXPECT_EQ(dr_ino("."), dr_ino("d/.."));
	EXPECT_EQ(dr_ino("."), dr_ino("../mnt"));
}

static int make_setgid(void *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 02775);

	return fd < 0 ? -1 : close(fd);
}

TEST_F(renames, setgid_directories)
{
	struct stat st;
	int fd;

	umask(0);
	ASSERT_EQ(0, mkdir(PATH("d"), 0777));
	ASSERT_EQ(0, chown(PATH("d"), 0, 77));
	ASSERT_EQ(0, chmod(PATH("d"), 02777));
	ASSERT_EQ(0, mkdir(PATH("d/e"), 0755));
	ASSERT_EQ(0, symlink("x", PATH("d/l")));
	ASSERT_EQ(0, mkfifo(PATH("d/p"), 0644));
	fd = open(PATH("d"), O_TMPFILE | O_RDWR, 0644);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(77, st.st_gid);
	close(fd);
	ASSERT_EQ(0, stat(PATH("d/e"), &st));
	EXPECT_EQ(77, st.st_gid);
	EXPECT_EQ(S_IFDIR | 02755, st.st_mode);
	ASSERT_EQ(0, lstat(PATH("d/l"), &st));
	EXPECT_EQ(77, st.st_gid);
	ASSERT_EQ(0, lstat(PATH("d/p"), &st));
	EXPECT_EQ(77, st.st_gid);
	EXPECT_EQ(S_IFIFO | 0644, st.st_mode);
	/* Who is not in the group does not get a setgid program for it. */
	ASSERT_EQ(0, dr_as(5, 6, make_setgid, (void *)PATH("d/f")));
	ASSERT_EQ(0, stat(PATH("d/f"), &st));
	EXPECT_EQ(5, st.st_uid);
	EXPECT_EQ(77, st.st_gid);
	EXPECT_EQ(S_IFREG | 0775, st.st_mode);
	/* In another directory, the group is one's own. */
	ASSERT_EQ(0, mkdir(PATH("o"), 0777));
	ASSERT_EQ(0, dr_as(5, 6, make_setgid, (void *)PATH("o/f")));
	ASSERT_EQ(0, stat(PATH("o/f"), &st));
	EXPECT_EQ(6, st.st_gid);
	EXPECT_EQ(S_IFREG | 02775, st.st_mode);
}

static int remove_it(void *path)
{
	return unlink(path);
}

static int open_it(void *path)
{
	return open(path, O_RDWR) < 0 ? -1 : 0;
}

static int write_it(void *path)
{
	int fd = open(path, O_WRONLY);

	return fd < 0 ? -1 : write(fd, "x", 1) != 1;
}

static int chmod_it(void *path)
{
	return chmod(path, 0777);
}

TEST_F(renames, who_may)
{
	struct stat st;

	umask(0);
	ASSERT_EQ(0, mkdir(PATH("sticky"), 01777));
	ASSERT_EQ(0, dr_create("sticky/f", 1, 1));
	ASSERT_EQ(0, chown(PATH("sticky/f"), 5, 5));
	ASSERT_EQ(0, chmod(PATH("sticky/f"), 0600));
	EXPECT_EQ(-EPERM, dr_as(6, 5, remove_it, (void *)PATH("sticky/f")));
	EXPECT_EQ(-EACCES, dr_as(6, 5, open_it, (void *)PATH("sticky/f")));
	EXPECT_EQ(-EPERM, dr_as(6, 5, chmod_it, (void *)PATH("sticky/f")));
	EXPECT_EQ(0, dr_as(5, 5, open_it, (void *)PATH("sticky/f")));
	EXPECT_EQ(0, dr_as(5, 5, remove_it, (void *)PATH("sticky/f")));

	ASSERT_EQ(0, mkdir(PATH("closed"), 0755));
	ASSERT_EQ(0, dr_create("closed/f", 1, 1));
	EXPECT_EQ(-EACCES, dr_as(5, 5, remove_it, (void *)PATH("closed/f")));
	EXPECT_EQ(-EACCES, dr_as(5, 5, make_setgid, (void *)PATH("closed/g")));
	/* What runs as its owner does not stay so when others write it. */
	ASSERT_EQ(0, chmod(PATH("closed/f"), 06777));
	EXPECT_EQ(0, dr_as(5, 5, write_it, (void *)PATH("closed/f")));
	ASSERT_EQ(0, stat(PATH("closed/f"), &st));
	EXPECT_EQ(S_IFREG | 0777, st.st_mode);
	/* Nor when it has another one. */
	ASSERT_EQ(0, chmod(PATH("closed/f"), 06777));
	ASSERT_EQ(0, chown(PATH("closed/f"), 9, 9));
	ASSERT_EQ(0, stat(PATH("closed/f"), &st));
	EXPECT_EQ(S_IFREG | 0777, st.st_mode);
}

/* Seconds for some renames of a directory within the one that is open. */
static double rename_there(int dir)
{
	double best = 0;

	for (int round = 0; round < 3; round++) {
		double took = -dr_now();

		for (int i = 0; i < 100; i++)
			if (renameat(dir, i % 2 ? "y" : "x", dir, i % 2 ? "x" : "y"))
				return -1;
		took += dr_now();
		if (!round || took < best)
			best = took;
	}
	return best;
}

/*
 * The directories above are not looked at under the state lock: that took 50 times as long. (The VFS
 * goes up once by itself, when it moves the dentry.)
 */
TEST_F(renames, deep_down)
{
	int depth = dr_all_checked() ? 1000 : 8000;
	int dir = open(dr_mnt(), O_PATH | O_DIRECTORY), next;
	double top, deep;

	ASSERT_LE(0, dir);
	ASSERT_EQ(0, mkdirat(dir, "x", 0755));
	top = rename_there(dir);
	ASSERT_LT(0, top);
	for (int i = 0; i < depth; i++) {
		ASSERT_EQ(0, mkdirat(dir, "d", 0755));
		next = openat(dir, "d", O_PATH | O_DIRECTORY);
		ASSERT_LE(0, next);
		close(dir);
		dir = next;
	}
	ASSERT_EQ(0, mkdirat(dir, "x", 0755));
	deep = rename_there(dir);
	ASSERT_LT(0, deep);
	close(dir);
	fprintf(stderr, "# 100 renames: %.1f ms, %d directories down: %.1f ms\n",
		top * 1e3, depth, deep * 1e3);
	EXPECT_LT(deep, 20 * top);
	EXPECT_EQ(0, dr_check());
}

TEST_HARNESS_MAIN
