// SPDX-License-Identifier: GPL-2.0
/*
 * A change is seen by whoever has looked before it, however soon it follows:
 * the times of files are finer than the clock's tick where that matters. NFS
 * servers rely on it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/files/acls.h"

DR_FIXTURE(ctimes)

#define ROUNDS		60
#define PATH(s)		dr_path(s)

/* 1 if @a is later than @b, -1 if earlier. */
static int later(struct timespec a, struct timespec b)
{
	if (a.tv_sec != b.tv_sec)
		return a.tv_sec > b.tv_sec ? 1 : -1;
	return (a.tv_nsec > b.tv_nsec) - (a.tv_nsec < b.tv_nsec);
}

struct seen {
	struct stat root, sub, f;
};

/* What looks: that alone makes the next change get a time of its own. */
static int look(struct seen *s)
{
	return stat(PATH(""), &s->root) || stat(PATH("sub"), &s->sub) ||
	       stat(PATH("f"), &s->f) ? -errno : 0;
}

enum { ROOT = 1, SUB = 2, F = 4 };

/* What has a later ctime; -1 if something has an earlier one. */
static int changed(const struct seen *was, const struct seen *is)
{
	int root = later(is->root.st_ctim, was->root.st_ctim);
	int sub = later(is->sub.st_ctim, was->sub.st_ctim);
	int f = later(is->f.st_ctim, was->f.st_ctim);

	if (root < 0 || sub < 0 || f < 0)
		return -1;
	return (root ? ROOT : 0) | (sub ? SUB : 0) | (f ? F : 0);
}

/* The operation succeeds, and changes just these. */
#define CHANGES(what, call) do {					\
	struct seen _was, _is;						\
	for (int _i = 0; _i < 2; _i++)					\
		ASSERT_EQ(0, look(&_was));				\
	ASSERT_LE(0, call) TH_LOG("errno %d", errno);			\
	ASSERT_EQ(0, look(&_is));					\
	EXPECT_EQ(what, changed(&_was, &_is)) TH_LOG("round %d", round); \
	/* The same for the data of what it changed, if that is data. */ \
	EXPECT_LE(0, later(_is.f.st_mtim, _was.f.st_mtim));		\
} while (0)

/* It fails, and nobody sees a change. */
#define CHANGES_NOTHING(err, call) do {					\
	struct seen _was, _is;						\
	ASSERT_EQ(0, look(&_was));					\
	EXPECT_ERR(err, call);						\
	ASSERT_EQ(0, look(&_is));					\
	EXPECT_EQ(0, changed(&_was, &_is));				\
} while (0)

TEST_F(ctimes, of_names)
{
	ASSERT_EQ(0, mkdir(PATH("sub"), 0755));
	ASSERT_EQ(0, dr_create("f", 1, 1));
	for (int round = 0; round < ROUNDS; round++) {
		CHANGES(SUB | F, link(PATH("f"), PATH("sub/l")));
		CHANGES(SUB | ROOT | F, rename(PATH("sub/l"), PATH("l")));
		CHANGES(ROOT | F, unlink(PATH("l")));
		CHANGES(SUB, mknod(PATH("sub/p"), S_IFIFO | 0600, 0));
		CHANGES(SUB, symlink("nowhere", PATH("sub/s")));
		CHANGES(SUB, renameat2(AT_FDCWD, PATH("sub/p"), AT_FDCWD, PATH("sub/s"),
				       RENAME_EXCHANGE));
		CHANGES(SUB, unlink(PATH("sub/s")));
		CHANGES(SUB, unlink(PATH("sub/p")));
		CHANGES(SUB, mkdir(PATH("sub/d"), 0755));
		CHANGES_NOTHING(ENOTEMPTY, rmdir(PATH("sub")));
		CHANGES(SUB, rmdir(PATH("sub/d")));
		CHANGES(ROOT | SUB | F, rename(PATH("f"), PATH("sub/f")) ||
					rename(PATH("sub/f"), PATH("f")) ? -1 : 0);
	}
}

TEST_F(ctimes, of_attributes)
{
	struct timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	int fd, flags;

	ASSERT_EQ(0, mkdir(PATH("sub"), 0755));
	ASSERT_EQ(0, dr_create("f", 1, 1));
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	for (int round = 0; round < ROUNDS; round++) {
		CHANGES(F, fchmod(fd, round % 2 ? 0600 : 0644));
		CHANGES(SUB, chmod(PATH("sub"), round % 2 ? 0755 : 0700));
		CHANGES(F, fchown(fd, round % 2, 0));
		CHANGES(F, futimens(fd, now));
		CHANGES(F, fsetxattr(fd, "user.a", "value", 5, 0));
		CHANGES_NOTHING(EEXIST, fsetxattr(fd, "user.a", "v", 1, XATTR_CREATE));
		CHANGES(F, fremovexattr(fd, "user.a"));
		CHANGES_NOTHING(ENODATA, fremovexattr(fd, "user.a"));
		flags = round % 2 ? 0 : FS_NODUMP_FL;
		CHANGES(F, ioctl(fd, FS_IOC_SETFLAGS, &flags));
		if (dr_has_acls()) {
			CHANGES(F, dr_set_acl(PATH("f"), ACL_ACCESS,
					      "u::rw-,u:5:rw-,g::r--,m::rw-,o::---"));
			CHANGES(F, fremovexattr(fd, ACL_ACCESS));
		}
	}
	close(fd);
}

/* Here mtime moves as well, together with it. */
#define CHANGES_DATA(call) do {						\
	struct stat _was, _is;						\
	ASSERT_EQ(0, fstat(fd, &_was));					\
	ASSERT_LE(0, call) TH_LOG("errno %d", errno);			\
	ASSERT_EQ(0, fstat(fd, &_is));					\
	EXPECT_EQ(1, later(_is.st_ctim, _was.st_ctim)) TH_LOG("round %d", round); \
	EXPECT_EQ(0, later(_is.st_mtim, _is.st_ctim)) TH_LOG("round %d", round); \
} while (0)

TEST_F(ctimes, of_data)
{
	int fd, from;

	ASSERT_EQ(0, dr_create("from", 1, 1));
	ASSERT_EQ(0, dr_create("f", 4, 1));
	from = dr_open("from", O_RDONLY);
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, from);
	ASSERT_LE(0, fd);
	for (int round = 0; round < ROUNDS; round++) {
		struct file_clone_range range = { .src_fd = from, .src_length = BLK };
		char *at;

		CHANGES_DATA(pwrite(fd, "x", 1, 1));
		CHANGES_DATA(ftruncate(fd, 2 * BLK));
		CHANGES_DATA(ftruncate(fd, 4 * BLK));
		CHANGES_DATA(fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, BLK, BLK));
		CHANGES_DATA(fallocate(fd, 0, BLK, BLK));
		CHANGES_DATA(ioctl(fd, FICLONERANGE, &range));
		at = dr_map("f", 0, BLK, PROT_READ | PROT_WRITE, MAP_SHARED);
		ASSERT_NE(NULL, at);
		CHANGES_DATA((*(volatile char *)at = 1));
		munmap(at, BLK);
	}
	close(from);
	close(fd);
}

/* What changed later has no earlier time, whichever of the two was looked at. */
TEST_F(ctimes, in_order)
{
	struct stat a, b;

	ASSERT_EQ(0, mkdir(PATH("sub"), 0755));
	ASSERT_EQ(0, dr_create("f", 1, 1));
	for (int round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, stat(PATH("f"), &a));
		ASSERT_EQ(0, chmod(PATH("f"), round % 2 ? 0600 : 0644));
		ASSERT_EQ(0, mkdir(PATH("sub/d"), 0755));
		ASSERT_EQ(0, rmdir(PATH("sub/d")));
		ASSERT_EQ(0, stat(PATH("f"), &a));
		ASSERT_EQ(0, stat(PATH("sub"), &b));
		EXPECT_LE(0, later(b.st_ctim, a.st_ctim));
	}
}

/* An inode that leaves memory and comes back is as one that was seen. */
TEST_F(ctimes, over_drop_caches)
{
	struct stat was, is;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	for (int round = 0; round < 5; round++) {
		ASSERT_EQ(0, chmod(PATH("f"), round % 2 ? 0600 : 0644));
		ASSERT_EQ(0, stat(PATH("f"), &was));
		dr_drop_caches();
		ASSERT_EQ(0, chmod(PATH("f"), round % 2 ? 0604 : 0640));
		ASSERT_EQ(0, stat(PATH("f"), &is));
		EXPECT_EQ(1, later(is.st_ctim, was.st_ctim));
	}
}

TEST_HARNESS_MAIN
