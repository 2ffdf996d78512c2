// SPDX-License-Identifier: GPL-2.0
/*
 * The namespace: files and directories come and go under every name, errors
 * are the ones that POSIX gives, a directory can be read while it shrinks.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(names)

#define PATH(s) dr_path(s)

static long entries(const char *dir)
{
	DIR *d = opendir(PATH(dir));
	struct dirent *e;
	long n = 0;

	if (!d)
		return -errno;
	while ((e = readdir(d)))
		n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
	closedir(d);
	return n;
}

static int nlink(const char *name)
{
	struct stat st;

	return stat(PATH(name), &st) ? -errno : (int)st.st_nlink;
}

TEST_F(names, starts_empty)
{
	struct stat st;

	EXPECT_EQ(0, entries("."));
	ASSERT_EQ(0, stat(dr_mnt(), &st));
	EXPECT_TRUE(S_ISDIR(st.st_mode));
	EXPECT_EQ(2, st.st_nlink);
}

TEST_F(names, create_and_unlink)
{
	struct stat st;
	int fd;

	EXPECT_ERR(ENOENT, open(PATH("f"), O_RDONLY));
	fd = open(PATH("f"), O_RDWR | O_CREAT | O_EXCL, 0640);
	ASSERT_GE(fd, 0);
	EXPECT_ERR(EEXIST, open(PATH("f"), O_RDWR | O_CREAT | O_EXCL, 0640));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(S_IFREG | 0640, st.st_mode);
	EXPECT_EQ(0, st.st_size);
	EXPECT_EQ(0, st.st_blocks);
	EXPECT_EQ(1, st.st_nlink);
	EXPECT_EQ(4096, st.st_blksize);
	EXPECT_EQ(1, entries("."));
	EXPECT_ERR(ENOTDIR, rmdir(PATH("f")));
	EXPECT_ERR(ENOTDIR, open(PATH("f/g"), O_RDONLY));
	EXPECT_EQ(0, unlink(PATH("f")));
	EXPECT_ERR(ENOENT, unlink(PATH("f")));
	EXPECT_EQ(0, entries("."));

	/* Unlinked but open: lives on. */
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_nlink);
	EXPECT_EQ(3, write(fd, "abc", 3));
	close(fd);
	EXPECT_USED(0);
}

TEST_F(names, directories)
{
	EXPECT_EQ(0, mkdir(PATH("d"), 0755));
	EXPECT_ERR(EEXIST, mkdir(PATH("d"), 0755));
	EXPECT_EQ(2, nlink("d"));
	EXPECT_EQ(0, mkdir(PATH("d/e"), 0755));
	EXPECT_EQ(3, nlink("d"));
	EXPECT_EQ(3, nlink("."));
	EXPECT_ERR(ENOTEMPTY, rmdir(PATH("d")));
	EXPECT_ERR(EISDIR, unlink(PATH("d")));
	EXPECT_ERR(ENOENT, mkdir(PATH("x/y"), 0755));
	EXPECT_EQ(0, dr_create("d/e/f", 1, 1));
	EXPECT_ERR(ENOTEMPTY, rmdir(PATH("d/e")));
	EXPECT_EQ(0, unlink(PATH("d/e/f")));
	EXPECT_EQ(0, rmdir(PATH("d/e")));
	EXPECT_EQ(2, nlink("d"));
	EXPECT_EQ(0, rmdir(PATH("d")));
	EXPECT_ERR(ENOENT, rmdir(PATH("d")));
	EXPECT_EQ(2, nlink("."));
}

TEST_F(names, rename_files)
{
	long ino;

	ASSERT_EQ(0, dr_create("a", 2, 1));
	ino = dr_ino("a");
	EXPECT_EQ(0, rename(PATH("a"), PATH("b")));
	EXPECT_ERR(ENOENT, rename(PATH("a"), PATH("b")));
	EXPECT_EQ(ino, dr_ino("b"));
	EXPECT_EQ(0, dr_verify("b", 0, 2, 1, 0));

	/* Over an existing file: that one's blocks come back. */
	ASSERT_EQ(0, dr_create("c", 7, 2));
	EXPECT_EQ(0, rename(PATH("b"), PATH("c")));
	EXPECT_EQ(-ENOENT, dr_ino("b"));
	EXPECT_EQ(ino, dr_ino("c"));
	EXPECT_EQ(0, dr_verify("c", 0, 2, 1, 0));
	EXPECT_USED(2);
	EXPECT_EQ(0, rename(PATH("c"), PATH("c")));
	EXPECT_EQ(ino, dr_ino("c"));
	EXPECT_EQ(1, entries("."));
}

TEST_F(names, rename_directories)
{
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	ASSERT_EQ(0, mkdir(PATH("d/e"), 0755));
	ASSERT_EQ(0, mkdir(PATH("t"), 0755));
	ASSERT_EQ(0, dr_create("d/e/f", 1, 3));
	ASSERT_EQ(0, dr_create("g", 1, 4));

	EXPECT_ERR(EINVAL, rename(PATH("d"), PATH("d/e/x")));
	EXPECT_EQ(-1, rename(PATH("t"), PATH("d")));
	EXPECT_TRUE(errno == ENOTEMPTY || errno == EEXIST);
	EXPECT_ERR(ENOTDIR, rename(PATH("d"), PATH("g")));
	EXPECT_ERR(EISDIR, rename(PATH("g"), PATH("t")));

	/* Over an empty directory, and to another parent: link counts follow. */
	EXPECT_EQ(0, rename(PATH("d/e"), PATH("t")));
	EXPECT_EQ(2, nlink("d"));
	EXPECT_EQ(2, nlink("t"));
	EXPECT_EQ(4, nlink("."));
	EXPECT_EQ(0, rename(PATH("t"), PATH("d/u")));
	EXPECT_EQ(3, nlink("d"));
	EXPECT_EQ(3, nlink("."));
	EXPECT_EQ(0, dr_verify("d/u/f", 0, 1, 3, 0));
	/* ".." leads to the new parent */
	EXPECT_EQ(dr_ino("d"), dr_ino("d/u/.."));
}

TEST_F(names, long_names)
{
	char name[300];
	DIR *d;
	struct dirent *e;
	int found = 0;

	memset(name, 'n', sizeof(name));
	name[255] = 0;
	EXPECT_EQ(0, dr_create(name, 1, 5));
	EXPECT_EQ(0, dr_verify(name, 0, 1, 5, 0));
	d = opendir(dr_mnt());
	ASSERT_NE(NULL, d);
	while ((e = readdir(d)))
		found += !strcmp(e->d_name, name);
	closedir(d);
	EXPECT_EQ(1, found);
	EXPECT_EQ(0, rename(PATH(name), PATH("short")));
	EXPECT_EQ(0, rename(PATH("short"), PATH(name)));
	name[255] = 'n';
	name[256] = 0;
	EXPECT_EQ(-ENAMETOOLONG, dr_create(name, 1, 5));
	EXPECT_ERR(ENAMETOOLONG, mkdir(PATH(name), 0755));
	EXPECT_EQ(1, entries("."));
}

struct listing {
	int fd;
	long n, at;
	union {		/* small: a dozen entries, so there are many calls */
		char bytes[320];
		struct dirent64 e;
	} buf;
};

/* readdir(3) with that buffer: NULL at the end. */
static struct dirent64 *next(struct listing *l)
{
	struct dirent64 *e;

	if (l->at == l->n) {
		l->at = 0;
		l->n = getdents64(l->fd, l->buf.bytes, sizeof(l->buf.bytes));
		if (l->n <= 0)
			return NULL;
	}
	e = (void *)(l->buf.bytes + l->at);
	l->at += e->d_reclen;
	return e;
}

/*
 * Entries unlinked while the directory is read, behind the reader and ahead of
 * it: an entry that stays is seen exactly once, one that goes at most once.
 */
TEST_F(names, readdir_while_deleting)
{
	enum { N = 300 };
	static unsigned char seen[N], gone[N];
	struct listing l = { 0 };
	struct dirent64 *e;
	char name[32];
	int fd, n, count = 0;

	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "d/%d", i);
		fd = open(PATH(name), O_WRONLY | O_CREAT | O_EXCL, 0644);
		ASSERT_GE(fd, 0);
		close(fd);
	}
	EXPECT_EQ(N, entries("d"));
	l.fd = open(PATH("d"), O_RDONLY | O_DIRECTORY);
	ASSERT_GE(l.fd, 0);
	while ((e = next(&l))) {
		if (e->d_name[0] == '.')
			continue;
		n = atoi(e->d_name);
		ASSERT_LT(n, N);
		seen[n]++;
		if (++count % 2)
			continue;
		/* One that was just read, and one that may be ahead. */
		if (n % 3 == 0 && !gone[n]) {
			EXPECT_EQ(0, unlinkat(l.fd, e->d_name, 0));
			gone[n] = 1;
		}
		n = (n * 7 + 3) % N / 3 * 3;
		if (!gone[n]) {
			snprintf(name, sizeof(name), "%d", n);
			EXPECT_EQ(0, unlinkat(l.fd, name, 0));
			gone[n] = 1;
		}
	}
	EXPECT_EQ(0, l.n);
	count = 0;
	for (int i = 0; i < N; i++) {
		EXPECT_LE(seen[i], 1);
		if (i % 3)
			EXPECT_EQ(1, seen[i]);
		count += gone[i];
	}
	EXPECT_GT(count, N / 10);
	EXPECT_EQ(N - count, entries("d"));
	EXPECT_ERR(ENOTEMPTY, rmdir(PATH("d")));

	/* From the start again, with all of the rest deleted on the way. */
	for (int pass = 0; pass < 2; pass++) {
		ASSERT_EQ(0, lseek(l.fd, 0, SEEK_SET));
		count = 0;
		while ((e = next(&l))) {
			count++;
			if (e->d_name[0] != '.')
				EXPECT_EQ(0, unlinkat(l.fd, e->d_name, 0));
		}
		EXPECT_EQ(0, l.n);
	}
	EXPECT_EQ(2, count);
	close(l.fd);
	EXPECT_EQ(0, rmdir(PATH("d")));
}

TEST_F(names, attributes)
{
	struct timespec ts[2] = { { 1000000000, 123456789 }, { 1100000000, 987654321 } };
	struct stat st, before;

	ASSERT_EQ(0, dr_create("f", 3, 6));
	ASSERT_EQ(0, stat(PATH("f"), &before));
	EXPECT_EQ(3 * BLK, before.st_size);
	EXPECT_EQ(3 * BLK / 512, before.st_blocks);
	EXPECT_EQ(0, chmod(PATH("f"), 0600));
	EXPECT_EQ(0, chown(PATH("f"), 12, 34));
	EXPECT_EQ(0, utimensat(AT_FDCWD, PATH("f"), ts, 0));
	ASSERT_EQ(0, stat(PATH("f"), &st));
	EXPECT_EQ(S_IFREG | 0600, st.st_mode);
	EXPECT_EQ(12, st.st_uid);
	EXPECT_EQ(34, st.st_gid);
	EXPECT_EQ(ts[0].tv_nsec, st.st_atim.tv_nsec);
	EXPECT_EQ(ts[1].tv_sec, st.st_mtim.tv_sec);

	/* What is not in core any more comes back the same. */
	dr_drop_caches();
	ASSERT_EQ(0, stat(PATH("f"), &before));
	EXPECT_EQ(st.st_ino, before.st_ino);
	EXPECT_EQ(st.st_mode, before.st_mode);
	EXPECT_EQ(st.st_uid, before.st_uid);
	EXPECT_EQ(st.st_gid, before.st_gid);
	EXPECT_EQ(st.st_size, before.st_size);
	EXPECT_EQ(st.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	EXPECT_EQ(0, dr_verify("f", 0, 3, 6, 0));
}

/* A write stamps mtime and ctime; making a name stamps its directory. */
TEST_F(names, times_move_on)
{
	struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	struct stat st;

	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	ASSERT_EQ(0, utimensat(AT_FDCWD, PATH("d"), old, 0));
	ASSERT_EQ(0, dr_create("d/f", 1, 7));
	ASSERT_EQ(0, stat(PATH("d"), &st));
	EXPECT_GT(st.st_mtim.tv_sec, 1000);
	ASSERT_EQ(0, utimensat(AT_FDCWD, PATH("d/f"), old, 0));
	ASSERT_EQ(0, dr_write_part("d/f", 0));
	ASSERT_EQ(0, stat(PATH("d/f"), &st));
	EXPECT_GT(st.st_mtim.tv_sec, 1000);
}

TEST_HARNESS_MAIN
