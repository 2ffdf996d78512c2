// SPDX-License-Identifier: GPL-2.0
/*
 * What a name may stand for, besides regular files and directories of one name
 * each: hard links, files without a name, symbolic links, devices, FIFOs,
 * sockets.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(links)

#define PATH(s) dr_path(s)

static int nlink(const char *name)
{
	struct stat st;

	return lstat(PATH(name), &st) ? -errno : (int)st.st_nlink;
}

TEST_F(links, hard_links)
{
	struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	struct stat st, dir;

	ASSERT_EQ(0, dr_create("a", 3, 1));
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	ASSERT_EQ(0, utimensat(AT_FDCWD, PATH("a"), old, 0));
	ASSERT_EQ(0, utimensat(AT_FDCWD, PATH("d"), old, 0));
	EXPECT_EQ(0, link(PATH("a"), PATH("d/b")));
	EXPECT_EQ(dr_ino("a"), dr_ino("d/b"));
	ASSERT_EQ(0, stat(PATH("a"), &st));
	ASSERT_EQ(0, stat(PATH("d"), &dir));
	EXPECT_EQ(2, st.st_nlink);
	EXPECT_EQ(1000, st.st_mtim.tv_sec);
	EXPECT_GT(dir.st_mtim.tv_sec, 1000);
	EXPECT_EQ(2, dir.st_nlink);

	EXPECT_ERR(EEXIST, link(PATH("a"), PATH("d/b")));
	EXPECT_ERR(ENOENT, link(PATH("no"), PATH("d/c")));
	EXPECT_ERR(ENOTDIR, link(PATH("a"), PATH("d/b/c")));
	EXPECT_ERR(EPERM, link(PATH("d"), PATH("e")));
	EXPECT_ERR(EXDEV, link("/tmp", PATH("x")));
	EXPECT_ERR(EXDEV, link(PATH("a"), "/tmp/x"));

	dr_drop_caches();
	EXPECT_EQ(dr_ino("a"), dr_ino("d/b"));
	EXPECT_EQ(2, nlink("d/b"));
	EXPECT_EQ(0, dr_write_blocks("d/b", 1, 1, 2));
	EXPECT_EQ(0, dr_verify("a", 1, 1, 2, 1));
	EXPECT_EQ(0, unlink(PATH("a")));
	EXPECT_EQ(1, nlink("d/b"));
	EXPECT_EQ(0, dr_verify("d/b", 0, 1, 1, 0));
	EXPECT_USED(3);
	EXPECT_EQ(0, unlink(PATH("d/b")));
	EXPECT_USED(0);
}

/* As many as a directory's window of one hash would hold, and more. */
TEST_F(links, many_links)
{
	enum { N = 1000 };
	char name[32];

	ASSERT_EQ(0, dr_create("f", 1, 1));
	for (int i = 1; i < N; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		ASSERT_EQ(0, link(PATH("f"), PATH(name)));
	}
	EXPECT_EQ(N, nlink("f500"));
	/* Renamed over another name of itself: nothing happens. */
	EXPECT_EQ(0, rename(PATH("f1"), PATH("f2")));
	EXPECT_EQ(N, nlink("f1"));
	for (int i = 1; i < N; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		ASSERT_EQ(0, unlink(PATH(name)));
	}
	EXPECT_EQ(1, nlink("f"));
}

static int link_fd(int fd, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, AT_FDCWD, PATH(name), AT_SYMLINK_FOLLOW);
}

TEST_F(links, files_without_a_name)
{
	char block[BLK];
	struct stat st;
	int fd;

	dr_fill(block, 5, 0);
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	fd = open(PATH("d"), O_TMPFILE | O_RDWR, 0640);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_nlink);
	EXPECT_EQ(S_IFREG | 0640, st.st_mode);
	EXPECT_EQ(BLK, write(fd, block, BLK));
	EXPECT_EQ(0, rmdir(PATH("d")));
	EXPECT_EQ(0, link_fd(fd, "f"));
	EXPECT_EQ(1, nlink("f"));
	EXPECT_EQ(0, dr_verify("f", 0, 1, 5, 0));
	EXPECT_EQ(0, link_fd(fd, "g"));
	EXPECT_EQ(2, nlink("f"));
	close(fd);
	EXPECT_USED(1);

	fd = open(dr_mnt(), O_TMPFILE | O_EXCL | O_RDWR, 0600);
	ASSERT_LE(0, fd);
	EXPECT_EQ(BLK, write(fd, block, BLK));
	EXPECT_ERR(ENOENT, link_fd(fd, "h"));
	EXPECT_USED(2);
	close(fd);
	EXPECT_USED(1);
	EXPECT_ERR(EINVAL, open(dr_mnt(), O_TMPFILE | O_RDONLY, 0600));

	/* One that had a name, and lost the last. */
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, unlink(PATH("f")));
	EXPECT_EQ(0, unlink(PATH("g")));
	EXPECT_ERR(ENOENT, link_fd(fd, "f"));
	close(fd);
	EXPECT_USED(0);
}

TEST_F(links, symbolic_links)
{
	char target[PATH_MAX + 1], buf[PATH_MAX + 1];
	struct stat st;

	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	ASSERT_EQ(0, dr_create("d/f", 1, 1));
	EXPECT_EQ(0, symlink("d/f", PATH("l")));
	EXPECT_EQ(0, symlink("d", PATH("dl")));
	EXPECT_EQ(0, symlink("nowhere", PATH("dangling")));
	EXPECT_EQ(0, symlink("loop", PATH("loop")));
	EXPECT_ERR(EEXIST, symlink("x", PATH("l")));
	EXPECT_ERR(ENOENT, symlink("", PATH("empty")));
	EXPECT_ERR(ENOENT, symlink("x", PATH("no/l")));
	ASSERT_EQ(0, lstat(PATH("l"), &st));
	EXPECT_EQ(S_IFLNK | 0777, st.st_mode);
	EXPECT_EQ(3, st.st_size);
	EXPECT_EQ(0, st.st_blocks);

	memset(target, 't', sizeof(target));
	target[PATH_MAX] = 0;
	EXPECT_ERR(ENAMETOOLONG, symlink(target, PATH("long")));
	target[PATH_MAX - 1] = 0;
	EXPECT_EQ(0, symlink(target, PATH("long")));
	for (int pass = 0; pass < 2; pass++) {
		EXPECT_EQ(0, dr_verify("l", 0, 1, 1, 0));
		EXPECT_EQ(0, dr_verify("dl/f", 0, 1, 1, 0));
		EXPECT_EQ(PATH_MAX - 1, readlink(PATH("long"), buf, sizeof(buf)));
		EXPECT_EQ(0, memcmp(target, buf, PATH_MAX - 1));
		EXPECT_EQ(2, readlink(PATH("l"), buf, 2));
		EXPECT_ERR(ENOENT, open(PATH("dangling"), O_RDONLY));
		EXPECT_ERR(ELOOP, open(PATH("loop"), O_RDONLY));
		EXPECT_ERR(ELOOP, open(PATH("l"), O_RDONLY | O_NOFOLLOW));
		EXPECT_ERR(EINVAL, readlink(PATH("d/f"), buf, sizeof(buf)));
		dr_drop_caches();
	}
	EXPECT_EQ(0, lchown(PATH("l"), 12, 34));
	ASSERT_EQ(0, lstat(PATH("l"), &st));
	EXPECT_EQ(12, st.st_uid);
	EXPECT_EQ(0, rename(PATH("l"), PATH("m")));
	EXPECT_EQ(0, linkat(AT_FDCWD, PATH("m"), AT_FDCWD, PATH("d/n"), 0));
	EXPECT_EQ(2, nlink("m"));
	EXPECT_EQ(0, unlink(PATH("m")));
	EXPECT_EQ(3, readlink(PATH("d/n"), buf, sizeof(buf)));
	/* Created through one that leads nowhere yet. */
	EXPECT_EQ(0, dr_create("dangling", 1, 2));
	EXPECT_EQ(0, dr_verify("nowhere", 0, 1, 2, 0));
}

static int d_type(const char *name)
{
	DIR *d = opendir(dr_mnt());
	struct dirent *e;
	int type = -1;

	while (d && (e = readdir(d)))
		if (!strcmp(e->d_name, name))
			type = e->d_type;
	if (d)
		closedir(d);
	return type;
}

static int make_null(void *path)
{
	return mknod(path, S_IFCHR | 0666, makedev(1, 3));
}

TEST_F(links, devices)
{
	/* All bits of both numbers. */
	dev_t large = makedev(0xfff, 0xfffff);
	struct stat st;
	char c;
	int fd;

	EXPECT_EQ(0, mknod(PATH("null"), S_IFCHR | 0666, makedev(1, 3)));
	EXPECT_EQ(0, mknod(PATH("blk"), S_IFBLK | 0600, large));
	EXPECT_EQ(0, mknod(PATH("reg"), S_IFREG | 0600, 0));
	EXPECT_ERR(EEXIST, mknod(PATH("null"), S_IFCHR | 0666, makedev(1, 5)));
	EXPECT_ERR(EPERM, mknod(PATH("dir"), S_IFDIR | 0755, 0));
	ASSERT_EQ(0, chmod(dr_mnt(), 0777));
	EXPECT_EQ(-EPERM, dr_as(7, 7, make_null, (void *)PATH("n2")));
	for (int pass = 0; pass < 2; pass++) {
		ASSERT_EQ(0, stat(PATH("blk"), &st));
		EXPECT_TRUE(S_ISBLK(st.st_mode));
		EXPECT_EQ(large, st.st_rdev);
		EXPECT_EQ(0, st.st_size);
		EXPECT_EQ(DT_CHR, d_type("null"));
		EXPECT_EQ(DT_BLK, d_type("blk"));
		EXPECT_EQ(DT_REG, d_type("reg"));
		fd = dr_open("null", O_RDWR);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, read(fd, &c, 1));
		EXPECT_EQ(1, write(fd, &c, 1));
		close(fd);
		dr_drop_caches();
	}
	EXPECT_ERR(ENXIO, open(PATH("blk"), O_RDONLY));
	EXPECT_EQ(0, chmod(PATH("blk"), 0640));
	EXPECT_EQ(0, rename(PATH("blk"), PATH("b2")));
	EXPECT_EQ(0, link(PATH("b2"), PATH("b3")));
	EXPECT_EQ(0, unlink(PATH("b2")));
	EXPECT_USED(0);
}

static int write_to(void *name)
{
	int fd = open(name, O_WRONLY);
	int bad = fd < 0 || write(fd, "hello", 5) != 5;

	return bad;
}

TEST_F(links, fifos_and_sockets)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char buf[8];
	int fd, s, c;
	pid_t pid;

	ASSERT_EQ(0, mkfifo(PATH("fifo"), 0600));
	EXPECT_EQ(DT_FIFO, d_type("fifo"));
	dr_drop_caches();
	pid = dr_spawn(write_to, (void *)PATH("fifo"));
	fd = dr_open("fifo", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(5, read(fd, buf, sizeof(buf)));
	EXPECT_EQ(0, dr_wait(pid));
	close(fd);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", PATH("sock"));
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	ASSERT_LE(0, s);
	ASSERT_LE(0, c);
	ASSERT_EQ(0, bind(s, (struct sockaddr *)&a, sizeof(a)));
	EXPECT_ERR(EADDRINUSE, bind(c, (struct sockaddr *)&a, sizeof(a)));
	ASSERT_EQ(0, listen(s, 1));
	EXPECT_EQ(DT_SOCK, d_type("sock"));
	EXPECT_EQ(0, connect(c, (struct sockaddr *)&a, sizeof(a)));
	EXPECT_ERR(ENXIO, open(PATH("sock"), O_RDONLY));
	close(c);
	close(s);
	EXPECT_EQ(0, unlink(PATH("fifo")));
}

/* Handles of all of them, when nothing is in core any more. */
TEST_F(links, handles)
{
	static const char *const names[] = { "l", "fifo", "null", "d", "f", "g" };
	enum { N = sizeof(names) / sizeof(*names) };
	union dr_handle h[N];
	long ino[N];
	struct stat st;
	int fd;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, link(PATH("f"), PATH("g")));
	ASSERT_EQ(0, symlink("f", PATH("l")));
	ASSERT_EQ(0, mkfifo(PATH("fifo"), 0600));
	ASSERT_EQ(0, mkdir(PATH("d"), 0700));
	ASSERT_EQ(0, mknod(PATH("null"), S_IFCHR | 0666, makedev(1, 3)));
	for (int i = 0; i < N; i++) {
		ASSERT_EQ(0, dr_handle(names[i], 0, &h[i]));
		ASSERT_EQ(0, lstat(PATH(names[i]), &st));
		ino[i] = st.st_ino;
	}
	dr_drop_caches();
	for (int i = 0; i < N; i++) {
		fd = dr_open_handle(&h[i].h, O_PATH);
		ASSERT_LE(0, fd);
		EXPECT_EQ(ino[i], dr_fd_ino(fd));
		close(fd);
	}
	for (int i = 0; i < N; i++)
		EXPECT_EQ(0, remove(PATH(names[i])));
	for (int i = 0; i < N; i++)
		EXPECT_EQ(-ESTALE, dr_open_handle(&h[i].h, O_PATH));
}

TEST_HARNESS_MAIN
