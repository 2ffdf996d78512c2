// SPDX-License-Identifier: GPL-2.0
/* chattr(1): what is immutable, may only grow, is not dumped, keeps its atime. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/files/snapshot.h"

DR_FIXTURE(flags)

#define PATH(s) dr_path(s)

/* What is always there. */
#define DAX	(dr_xfs() ? 0 : FS_DAX_FL)

/* The flags besides DAX, or -errno. */
static int get(const char *name)
{
	int flags = 0, fd = dr_open(name, O_RDONLY);

	if (fd < 0)
		return fd;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		flags = -errno;
	close(fd);
	if (flags >= 0 && (flags & FS_DAX_FL) != DAX)
		return -EILSEQ;
	return flags < 0 ? flags : flags & ~FS_DAX_FL;
}

static int set(const char *name, int flags)
{
	int r, fd = dr_open(name, O_RDONLY);

	if (fd < 0)
		return fd;
	r = ioctl(fd, FS_IOC_SETFLAGS, &flags) ? -errno : 0;
	close(fd);
	return r;
}

static unsigned long attributes(const char *name, unsigned long *mask)
{
	struct statx stx;

	if (statx(AT_FDCWD, PATH(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx))
		return -errno;
	if (mask)
		*mask = stx.stx_attributes_mask;
	return stx.stx_attributes & stx.stx_attributes_mask & ~STATX_ATTR_MOUNT_ROOT;
}

TEST_F(flags, are_kept)
{
	static const struct {
		int flag;
		unsigned long attr;
	} all[] = {
		{ FS_IMMUTABLE_FL, STATX_ATTR_IMMUTABLE },
		{ FS_APPEND_FL, STATX_ATTR_APPEND },
		{ FS_NODUMP_FL, STATX_ATTR_NODUMP },
		{ FS_NOATIME_FL, 0 },
		{ FS_NODUMP_FL | FS_APPEND_FL, STATX_ATTR_NODUMP | STATX_ATTR_APPEND },
	};
	unsigned long mask = 0;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	EXPECT_EQ(0, get("f"));
	EXPECT_EQ(STATX_ATTR_DAX, attributes("f", &mask));
	EXPECT_EQ(0, attributes("d", NULL));
	EXPECT_TRUE(mask & STATX_ATTR_DAX && mask & STATX_ATTR_IMMUTABLE &&
		    mask & STATX_ATTR_APPEND && mask & STATX_ATTR_NODUMP);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		EXPECT_EQ(0, set("f", all[i].flag));
		EXPECT_EQ(0, set("d", all[i].flag));
		/* In core, then from the state. */
		for (int pass = 0; pass < 2; pass++) {
			EXPECT_EQ(all[i].flag, get("f"));
			EXPECT_EQ(all[i].flag, get("d"));
			EXPECT_EQ(STATX_ATTR_DAX | all[i].attr, attributes("f", NULL));
			EXPECT_EQ(all[i].attr, attributes("d", NULL));
			if (!pass)
				dr_drop_caches();
		}
	}
	EXPECT_EQ(0, dr_persists());
	EXPECT_EQ(FS_NODUMP_FL | FS_APPEND_FL, get("f"));
	EXPECT_EQ(-EOPNOTSUPP, set("f", FS_COMPR_FL));
	EXPECT_EQ(-EOPNOTSUPP, set("f", FS_NODUMP_FL | FS_SYNC_FL));
	EXPECT_EQ(FS_NODUMP_FL | FS_APPEND_FL, get("f"));
	EXPECT_EQ(0, set("f", 0));
	EXPECT_EQ(0, set("d", 0));
	EXPECT_EQ(0, unlink(PATH("f")));
}

TEST_F(flags, immutable)
{
	struct timespec now[2] = { { 0, UTIME_NOW }, { 5, 5 } };

	ASSERT_EQ(0, dr_create("f", 2, 1));
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	ASSERT_EQ(0, dr_create("d/g", 1, 2));
	ASSERT_EQ(0, set("f", FS_IMMUTABLE_FL));
	ASSERT_EQ(0, set("d", FS_IMMUTABLE_FL));
	for (int pass = 0; pass < 2; pass++) {
		EXPECT_ERR(EPERM, open(PATH("f"), O_WRONLY));
		EXPECT_ERR(EPERM, open(PATH("f"), O_RDWR | O_APPEND));
		EXPECT_ERR(EPERM, truncate(PATH("f"), 0));
		EXPECT_ERR(EPERM, unlink(PATH("f")));
		EXPECT_ERR(EPERM, rename(PATH("f"), PATH("h")));
		EXPECT_ERR(EPERM, link(PATH("f"), PATH("h")));
		EXPECT_ERR(EPERM, chmod(PATH("f"), 0600));
		EXPECT_ERR(EPERM, chown(PATH("f"), 1, 1));
		EXPECT_ERR(EPERM, utimensat(AT_FDCWD, PATH("f"), now, 0));
		EXPECT_ERR(EPERM, setxattr(PATH("f"), "user.a", "1", 1, 0));
		EXPECT_EQ(-EPERM, dr_clone("d/g", "f"));
		EXPECT_ERR(EPERM, unlink(PATH("d/g")));
		EXPECT_EQ(-EPERM, dr_create("d/h", 1, 1));
		EXPECT_ERR(EPERM, rmdir(PATH("d")));
		EXPECT_EQ(0, dr_verify("f", 0, 2, 1, 0));
		EXPECT_EQ(0, dr_write_blocks("d/g", 0, 1, 2 + pass));
		dr_drop_caches();
	}
	EXPECT_EQ(0, dr_clone("f", "copy"));
	EXPECT_EQ(0, get("copy"));
	EXPECT_EQ(0, set("f", 0));
	EXPECT_EQ(0, set("d", 0));
	EXPECT_EQ(0, chmod(PATH("f"), 0600));
	EXPECT_EQ(0, dr_write_blocks("f", 0, 1, 4));
	EXPECT_EQ(0, unlink(PATH("d/g")));
}

TEST_F(flags, append)
{
	int fd;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, set("f", FS_APPEND_FL));
	dr_drop_caches();
	EXPECT_ERR(EPERM, open(PATH("f"), O_WRONLY));
	EXPECT_ERR(EPERM, open(PATH("f"), O_WRONLY | O_APPEND | O_TRUNC));
	EXPECT_ERR(EPERM, truncate(PATH("f"), 0));
	EXPECT_ERR(EPERM, unlink(PATH("f")));
	fd = dr_open("f", O_RDWR | O_APPEND);
	ASSERT_LE(0, fd);
	EXPECT_EQ(3, pwrite(fd, "end", 3, 0));
	EXPECT_ERR(EPERM, ftruncate(fd, 1));
	EXPECT_ERR(EPERM, fcntl(fd, F_SETFL, 0));
	EXPECT_ERR(EPERM, fallocate(fd, 3, 0, BLK));
	close(fd);
	EXPECT_EQ(0, dr_verify("f", 0, 1, 1, 0));
	EXPECT_EQ(0, set("f", 0));
}

TEST_F(flags, noatime)
{
	struct timespec old[2] = { { 1000, 0 }, { 2000, 0 } };
	struct stat st;
	unsigned char c;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, dr_create("g", 1, 1));
	ASSERT_EQ(0, set("f", FS_NOATIME_FL));
	dr_drop_caches();
	ASSERT_EQ(0, utimensat(AT_FDCWD, PATH("f"), old, 0));
	ASSERT_EQ(0, utimensat(AT_FDCWD, PATH("g"), old, 0));
	EXPECT_EQ(0, dr_read1("f", 0, &c));
	EXPECT_EQ(0, dr_read1("g", 0, &c));
	ASSERT_EQ(0, stat(PATH("f"), &st));
	EXPECT_EQ(1000, st.st_atim.tv_sec);
	ASSERT_EQ(0, stat(PATH("g"), &st));
	EXPECT_LT(1000, st.st_atim.tv_sec);
}

/* The same by XFS's ioctls; what only these have is refused. */
TEST_F(flags, fsxattr)
{
	struct fsxattr x;
	int fd;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	memset(&x, 0xff, sizeof(x));
	ASSERT_EQ(0, ioctl(fd, FS_IOC_FSGETXATTR, &x));
	EXPECT_EQ(dr_xfs() ? 0 : FS_XFLAG_DAX, x.fsx_xflags);
	EXPECT_EQ(0, x.fsx_projid);
	x.fsx_xflags = FS_XFLAG_NODUMP | FS_XFLAG_NOATIME;
	EXPECT_EQ(0, ioctl(fd, FS_IOC_FSSETXATTR, &x));
	EXPECT_EQ(FS_NODUMP_FL | FS_NOATIME_FL, get("f"));
	memset(&x, 0xff, sizeof(x));
	ASSERT_EQ(0, ioctl(fd, FS_IOC_FSGETXATTR, &x));
	EXPECT_EQ(FS_XFLAG_NODUMP | FS_XFLAG_NOATIME | (dr_xfs() ? 0 : FS_XFLAG_DAX),
		  x.fsx_xflags);
	x.fsx_projid = 5;
	EXPECT_ERR(EOPNOTSUPP, ioctl(fd, FS_IOC_FSSETXATTR, &x));
	x.fsx_projid = 0;
	x.fsx_xflags = FS_XFLAG_NODEFRAG;
	EXPECT_ERR(EOPNOTSUPP, ioctl(fd, FS_IOC_FSSETXATTR, &x));
	EXPECT_EQ(FS_NODUMP_FL | FS_NOATIME_FL, get("f"));
	close(fd);
}

/* chattr +x changes nothing, as all is DAX; chattr -x is refused. The others go on as they were. */
TEST_F(flags, dax)
{
	static const char *const names[] = { "f", "d" };
	struct stat was, is;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	for (size_t i = 0; i < 2; i++) {
		const char *name = names[i];

		EXPECT_EQ(0, set(name, FS_DAX_FL));
		EXPECT_EQ(0, get(name));
		EXPECT_EQ(0, set(name, FS_DAX_FL | FS_NODUMP_FL));
		EXPECT_EQ(FS_NODUMP_FL, get(name));
		ASSERT_EQ(0, stat(PATH(name), &was));
		EXPECT_EQ(-EOPNOTSUPP, set(name, FS_NODUMP_FL));
		ASSERT_EQ(0, stat(PATH(name), &is));
		EXPECT_EQ(0, memcmp(&was.st_ctim, &is.st_ctim, sizeof(was.st_ctim)));
		EXPECT_EQ(FS_NODUMP_FL, get(name));
		/* All at once, by who does not know it. */
		EXPECT_EQ(0, set(name, 0));
		EXPECT_EQ(0, get(name));
		EXPECT_EQ(-EOPNOTSUPP, set(name, 0));
	}
	EXPECT_EQ(STATX_ATTR_DAX, attributes("f", NULL));
	ASSERT_EQ(0, dr_create("d/g", 1, 1));
	EXPECT_EQ(0, get("d/g"));
	EXPECT_EQ(0, dr_persists());
	EXPECT_EQ(0, get("f"));
}

static int set_as(void *arg)
{
	int flags = *(int *)arg, fd = open(PATH("f"), O_RDONLY);

	return fd < 0 ? -1 : ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

TEST_F(flags, who_may)
{
	int immutable = FS_IMMUTABLE_FL, nodump = FS_NODUMP_FL;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, chmod(PATH("f"), 0666));
	EXPECT_EQ(-EPERM, dr_as(5, 5, set_as, &nodump));
	ASSERT_EQ(0, chown(PATH("f"), 5, 5));
	EXPECT_EQ(0, dr_as(5, 5, set_as, &nodump));
	EXPECT_EQ(-EPERM, dr_as(5, 5, set_as, &immutable));
	EXPECT_EQ(FS_NODUMP_FL, get("f"));
	ASSERT_EQ(0, mount(NULL, dr_mnt(), NULL, MS_REMOUNT | MS_RDONLY, ""));
	EXPECT_EQ(-EROFS, set("f", 0));
	ASSERT_EQ(0, mount(NULL, dr_mnt(), NULL, MS_REMOUNT, ""));
}

TEST_F(flags, birth_time)
{
	struct timespec t[2] = { { 1, 2 }, { 3, 4 } };
	struct statx before, after;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, statx(AT_FDCWD, PATH("f"), 0, STATX_BTIME, &before));
	EXPECT_TRUE(before.stx_mask & STATX_BTIME);
	EXPECT_LT(1000000000, before.stx_btime.tv_sec);
	ASSERT_EQ(0, dr_write_blocks("f", 0, 1, 2));
	ASSERT_EQ(0, utimensat(AT_FDCWD, PATH("f"), t, 0));
	ASSERT_EQ(0, rename(PATH("f"), PATH("g")));
	dr_drop_caches();
	ASSERT_EQ(0, statx(AT_FDCWD, PATH("g"), 0, STATX_BTIME | STATX_BASIC_STATS, &after));
	EXPECT_EQ(0, memcmp(&before.stx_btime, &after.stx_btime, sizeof(before.stx_btime)));
	EXPECT_EQ(4, after.stx_mtime.tv_nsec);
	EXPECT_EQ(2, after.stx_atime.tv_nsec);
}

TEST_HARNESS_MAIN
