// SPDX-License-Identifier: GPL-2.0
/*
 * What each call says after FS_IOC_SHUTDOWN, here and on XFS in the same guest. The
 * table in Documentation/syscalls.rst is this one.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fsmap.h>
#include "kselftest_harness.h"
#include "common.h"

#ifndef FS_IOC_SHUTDOWN
#define FS_IOC_SHUTDOWN	_IOR('X', 125, unsigned int)
#endif
#define RW	(PROT_READ | PROT_WRITE)
#define BLOCKS	16

/* What is open, mapped and known when it happens. */
static struct {
	int fd, other, dir;
	char *map;
} at;

static union {
	struct file_handle h;
	char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
} handle;

static int said(long r)
{
	return r < 0 ? errno : 0;
}

static int opened(int fd)
{
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int open_it(const char *name, int flags)
{
	return opened(open(dr_path(name), flags | O_CLOEXEC, 0644));
}

static struct stat st;
static char buf[65536];

static int c_stat_known(void) { return said(stat(dr_path("f"), &st)); }
static int c_stat_new(void) { return said(stat(dr_path("cold"), &st)); }
static int c_stat_absent(void) { return said(stat(dr_path("absent"), &st)); }
static int c_fstat(void) { return said(fstat(at.fd, &st)); }
static int c_open_known(void) { return open_it("f", O_RDONLY); }
static int c_open_writable(void) { return open_it("f", O_RDWR); }
static int c_open_new(void) { return open_it("cold", O_RDONLY); }
static int c_open_create(void) { return open_it("new", O_RDWR | O_CREAT); }
static int c_open_truncate(void) { return open_it("f", O_RDWR | O_TRUNC); }
static int c_tmpfile(void) { return open_it(".", O_RDWR | O_TMPFILE); }
static int c_access(void) { return said(access(dr_path("f"), W_OK)); }
static int c_readlink(void) { return said(readlink(dr_path("link"), buf, sizeof(buf))); }
static int c_read(void) { return said(pread(at.fd, buf, 1, 0)); }
static int c_write(void) { return said(pwrite(at.fd, buf, 1, 0)); }
static int c_write_more(void) { return said(pwrite(at.fd, buf, 1, 99 * BLK)); }
static int c_fsync(void) { return said(fsync(at.fd)); }
static int c_fdatasync(void) { return said(fdatasync(at.fd)); }
static int c_fsync_clean(void) { return said(fsync(at.other)); }
static int c_fsync_dir(void) { return said(fsync(at.dir)); }
static int c_msync(void) { return said(msync(at.map, BLOCKS * BLK, MS_SYNC)); }
static int c_msync_async(void) { return said(msync(at.map, BLOCKS * BLK, MS_ASYNC)); }
static int c_syncfs(void) { return said(syncfs(at.fd)); }
static int c_range(void)
{
	return said(sync_file_range(at.fd, 0, BLK, SYNC_FILE_RANGE_WAIT_BEFORE |
				    SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
}
static int c_truncate(void) { return said(ftruncate(at.fd, BLK)); }
static int c_fallocate(void) { return said(fallocate(at.fd, 0, 0, 99 * BLK)); }
static int c_punch(void)
{
	return said(fallocate(at.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BLK));
}
static int c_clone(void) { return said(ioctl(at.other, FICLONE, at.fd)); }
static int c_copy(void)
{
	loff_t from = 0, to = 0;

	return said(copy_file_range(at.fd, &from, at.other, &to, BLK, 0));
}
static int c_rename(void) { return said(rename(dr_path("f"), dr_path("g"))); }
static int c_link(void) { return said(link(dr_path("f"), dr_path("h"))); }
static int c_unlink(void) { return said(unlink(dr_path("other"))); }
static int c_mkdir(void) { return said(mkdir(dr_path("d"), 0755)); }
static int c_rmdir(void) { return said(rmdir(dr_path("dir"))); }
static int c_symlink(void) { return said(symlink("f", dr_path("s"))); }
static int c_mknod(void) { return said(mknod(dr_path("p"), S_IFIFO | 0644, 0)); }
static int c_chmod(void) { return said(fchmod(at.fd, 0600)); }
static int c_chown(void) { return said(fchown(at.fd, 5, 5)); }
static int c_utimens(void) { return said(futimens(at.fd, NULL)); }
static int c_setxattr(void) { return said(fsetxattr(at.fd, "user.b", "b", 1, 0)); }
static int c_getxattr(void) { return said(fgetxattr(at.fd, "user.a", buf, 10)); }
static int c_listxattr(void) { return said(flistxattr(at.fd, buf, sizeof(buf))); }
static int c_removexattr(void) { return said(fremovexattr(at.fd, "user.a")); }
static int c_statfs(void)
{
	struct statfs s;

	return said(fstatfs(at.fd, &s));
}
static int c_seek(void) { return said(lseek(at.fd, 0, SEEK_DATA)); }
static int c_fiemap(void)
{
	struct fiemap f = { .fm_length = 1 << 20 };

	return said(ioctl(at.fd, FS_IOC_FIEMAP, &f));
}
static int c_fsmap(void)
{
	struct fsmap_head *h = (void *)buf;

	memset(h, 0, sizeof(*h));
	h->fmh_keys[1].fmr_device = ~0U;
	h->fmh_keys[1].fmr_flags = ~0U;
	h->fmh_keys[1].fmr_physical = ~0ULL;
	h->fmh_keys[1].fmr_owner = ~0ULL;
	h->fmh_keys[1].fmr_offset = ~0ULL;
	return said(ioctl(at.fd, FS_IOC_GETFSMAP, h));
}
static int c_getflags(void)
{
	int flags;

	return said(ioctl(at.fd, FS_IOC_GETFLAGS, &flags));
}
static int c_setflags(void)
{
	int flags = FS_NODUMP_FL;

	return said(ioctl(at.fd, FS_IOC_SETFLAGS, &flags));
}
static int c_getlabel(void) { return said(ioctl(at.fd, FS_IOC_GETFSLABEL, buf)); }
static int c_setlabel(void)
{
	strcpy(buf, "x");
	return said(ioctl(at.fd, FS_IOC_SETFSLABEL, buf));
}
static int c_getuuid(void) { return said(ioctl(at.fd, FS_IOC_GETFSUUID, buf)); }
static int c_handle(void)
{
	int id;

	handle.h.handle_bytes = MAX_HANDLE_SZ;
	return said(name_to_handle_at(AT_FDCWD, dr_path("f"), &handle.h, &id, 0));
}
static int c_by_handle(void)
{
	return opened(open_by_handle_at(at.dir, &handle.h, O_RDONLY));
}
static int c_readdir(void)
{
	struct dirent *e;
	int n = 0;
	DIR *d;

	d = opendir(dr_path("."));
	if (!d)
		return errno;
	errno = 0;
	while ((e = readdir(d)))
		n++;
	n = errno;
	closedir(d);
	return n;
}
static int c_mmap(void)
{
	char *p = mmap(NULL, BLK, RW, MAP_SHARED, at.fd, 0);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, BLK);
	return 0;
}
/* Signals count as 1000 and their code. */
static int touched(struct dr_touch t)
{
	return t.sig.signo ? 1000 + t.sig.code : 0;
}
static int c_load_there(void) { return touched(dr_load(at.map + 2 * BLK)); }
static int c_store_there(void) { return touched(dr_store(at.map + 2 * BLK, 9)); }
static int c_load_new(void) { return touched(dr_load(at.map + 5 * BLK)); }
static int c_store_new(void) { return touched(dr_store(at.map + 6 * BLK, 9)); }
static int c_shutdown(void)
{
	unsigned int kind = 2;

	return said(ioctl(at.fd, FS_IOC_SHUTDOWN, &kind));
}

#define ADRERR	(1000 + BUS_ADRERR)

static const struct {
	const char *what;
	int (*call)(void);
	int ours, xfs;
} calls[] = {
	{ "store, page mapped writable", c_store_there, 0, 0 },
	{ "load, page mapped", c_load_there, 0, 0 },
	{ "fsync, mmap has stored", c_fsync, EIO, EIO },
	{ "fsync again", c_fsync, EIO, EIO },
	{ "fdatasync", c_fdatasync, EIO, EIO },
	{ "msync MS_SYNC", c_msync, EIO, EIO },
	{ "msync MS_ASYNC", c_msync_async, 0, 0 },
	{ "fsync, clean file", c_fsync_clean, EIO, EIO },
	{ "fsync, directory", c_fsync_dir, EIO, 0 },
	{ "syncfs", c_syncfs, EIO, EIO },
	{ "sync_file_range", c_range, EIO, 0 },
	{ "load, page not mapped", c_load_new, ADRERR, ADRERR },
	{ "store, page not mapped", c_store_new, ADRERR, ADRERR },
	{ "mmap", c_mmap, 0, 0 },
	{ "read", c_read, EIO, EIO },
	{ "write", c_write, EIO, EIO },
	{ "write behind the end", c_write_more, EIO, EIO },
	{ "stat, known", c_stat_known, 0, EIO },
	{ "stat, not in core", c_stat_new, 0, EIO },
	{ "stat, absent", c_stat_absent, ENOENT, EIO },
	{ "fstat", c_fstat, 0, EIO },
	{ "open", c_open_known, 0, EIO },
	{ "open O_RDWR", c_open_writable, 0, EIO },
	{ "open, not in core", c_open_new, 0, EIO },
	{ "open O_CREAT", c_open_create, EIO, EIO },
	{ "open O_TRUNC", c_open_truncate, EIO, EIO },
	{ "open O_TMPFILE", c_tmpfile, EIO, EIO },
	{ "access", c_access, 0, 0 },
	{ "readlink", c_readlink, 0, EIO },
	{ "getdents", c_readdir, 0, EIO },
	{ "ftruncate", c_truncate, EIO, EIO },
	{ "fallocate", c_fallocate, EIO, EIO },
	{ "fallocate PUNCH_HOLE", c_punch, EIO, EIO },
	{ "FICLONE", c_clone, EIO, EIO },
	{ "copy_file_range", c_copy, EIO, EIO },
	{ "rename", c_rename, EIO, EIO },
	{ "link", c_link, EIO, EIO },
	{ "unlink", c_unlink, EIO, EIO },
	{ "mkdir", c_mkdir, EIO, EIO },
	{ "rmdir", c_rmdir, EIO, EIO },
	{ "symlink", c_symlink, EIO, EIO },
	{ "mknod", c_mknod, EIO, EIO },
	{ "fchmod", c_chmod, EIO, EIO },
	{ "fchown", c_chown, EIO, EIO },
	{ "futimens", c_utimens, EIO, EIO },
	{ "setxattr", c_setxattr, EIO, EIO },
	{ "getxattr", c_getxattr, 0, EIO },
	{ "listxattr", c_listxattr, 0, EIO },
	{ "removexattr", c_removexattr, EIO, EIO },
	{ "statfs", c_statfs, 0, 0 },
	{ "SEEK_DATA", c_seek, EIO, EIO },
	{ "FIEMAP", c_fiemap, EIO, EIO },
	{ "FS_IOC_GETFSMAP", c_fsmap, 0, EIO },
	{ "FS_IOC_GETFLAGS", c_getflags, 0, 0 },
	{ "FS_IOC_SETFLAGS", c_setflags, EIO, EIO },
	{ "FS_IOC_GETFSLABEL", c_getlabel, 0, 0 },
	{ "FS_IOC_SETFSLABEL", c_setlabel, EIO, EIO },
	{ "FS_IOC_GETFSUUID", c_getuuid, 0, 0 },
	{ "name_to_handle_at", c_handle, 0, 0 },
	{ "open_by_handle_at", c_by_handle, 0, EIO },
	{ "FS_IOC_SHUTDOWN", c_shutdown, 0, 0 },
};

#define CALLS	((int)(sizeof(calls) / sizeof(*calls)))

static void there(struct __test_metadata *_metadata)
{
	unsigned int kind = 2;	/* nothing is flushed first */

	ASSERT_EQ(0, dr_create("f", BLOCKS, 1));
	ASSERT_EQ(0, dr_create("other", BLOCKS, 2));
	ASSERT_EQ(0, dr_create("cold", BLOCKS, 3));
	ASSERT_EQ(0, mkdir(dr_path("dir"), 0755));
	ASSERT_EQ(0, symlink("f", dr_path("link")));
	ASSERT_EQ(0, setxattr(dr_path("f"), "user.a", "a", 1, 0));
	sync();
	dr_drop_caches();
	at.fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, at.fd);
	at.other = dr_open("other", O_RDWR);
	ASSERT_LE(0, at.other);
	at.dir = dr_open("dir", O_RDONLY);
	ASSERT_LE(0, at.dir);
	at.map = dr_map("f", 0, BLOCKS * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, at.map);
	ASSERT_EQ(0, dr_store(at.map + 2 * BLK, 5).sig.signo);
	ASSERT_EQ(0, ioctl(at.fd, FS_IOC_SHUTDOWN, &kind));
}

static void gone(struct __test_metadata *_metadata)
{
	munmap(at.map, BLOCKS * BLK);
	close(at.fd);
	close(at.other);
	close(at.dir);
	EXPECT_EQ(0, dr_umount());
}

static void each(struct __test_metadata *_metadata, int *said)
{
	there(_metadata);
	for (int i = 0; i < CALLS; i++)
		said[i] = calls[i].call();
	gone(_metadata);
}

TEST(shutdown_calls)
{
	static int ours[CALLS], xfs[CALLS];
	struct dr_fs fs;
	bool beside;

	if (dr_xfs())
		SKIP(return, "has XFS beside daxrmap");
	ASSERT_EQ(0, dr_setup(&fs));
	each(_metadata, ours);
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_EQ(0, dr_check());
	EXPECT_EQ(0, dr_verify("other", 0, BLOCKS, 2, 0));
	ASSERT_EQ(0, dr_umount());

	setenv("DAXRMAP_TEST_FS", "xfs", 1);
	beside = !dr_mount();
	if (beside)
		each(_metadata, xfs);
	unsetenv("DAXRMAP_TEST_FS");
	for (int i = 0; i < CALLS; i++) {
		EXPECT_EQ(calls[i].ours, ours[i]) {
			TH_LOG("here: %s", calls[i].what);
		}
		if (beside)
			EXPECT_EQ(calls[i].xfs, xfs[i]) {
				TH_LOG("XFS: %s", calls[i].what);
			}
	}
	if (!beside)
		TH_LOG("this kernel has no XFS");
}

TEST_HARNESS_MAIN
