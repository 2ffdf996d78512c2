// SPDX-License-Identifier: GPL-2.0
/* When atime changes, and when that is on the medium: noatime, relatime, lazytime... */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/files/snapshot.h"

DR_FIXTURE(times)

#define PATH(s) dr_path(s)

static int remount(unsigned long flags)
{
	return mount(NULL, dr_mnt(), NULL, MS_REMOUNT | flags, "") ? -errno : 0;
}

/* Sets both times, reads the file or directory, and says if atime has moved. */
static int moves(const char *name, time_t atime, time_t mtime)
{
	struct timespec t[2] = { { atime, 0 }, { mtime, 0 } };
	struct stat st;
	unsigned char c;
	DIR *d;

	if (utimensat(AT_FDCWD, PATH(name), t, 0))
		return -errno;
	d = opendir(PATH(name));
	if (d) {
		while (readdir(d))
			;
		closedir(d);
	} else if (dr_read1(name, 0, &c)) {
		return -EIO;
	}
	if (stat(PATH(name), &st))
		return -errno;
	return st.st_atim.tv_sec != atime;
}

TEST_F(times, atime)
{
	time_t now = time(NULL);

	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	ASSERT_EQ(0, remount(MS_RELATIME));
	EXPECT_EQ(1, moves("f", 1000, 2000));
	EXPECT_EQ(1, moves("f", 2000, 1000));	/* a day old */
	/* After the last change, which is now. */
	EXPECT_EQ(0, moves("f", now + 1000, now - 200));
	EXPECT_EQ(1, moves("f", now + 1000, now + 2000));
	EXPECT_EQ(1, moves("d", 1000, 2000));
	ASSERT_EQ(0, remount(MS_NOATIME));
	EXPECT_EQ(0, moves("f", 1000, 2000));
	EXPECT_EQ(0, moves("d", 1000, 2000));
	ASSERT_EQ(0, remount(MS_STRICTATIME));
	EXPECT_EQ(1, moves("f", now + 1000, now - 200));
	EXPECT_EQ(1, moves("d", now + 1000, now - 200));
	ASSERT_EQ(0, remount(MS_STRICTATIME | MS_NODIRATIME));
	EXPECT_EQ(1, moves("f", now + 1000, now - 200));
	EXPECT_EQ(0, moves("d", now + 1000, now - 200));
	ASSERT_EQ(0, remount(MS_STRICTATIME | MS_RDONLY));
	ASSERT_EQ(0, remount(MS_RELATIME));
}

static int write_byte(int fd)
{
	return pwrite(fd, "x", 1, 1) == 1 ? 0 : -errno;
}

/* With it, times stay in core: nothing is written to the log for them. */
TEST_F(times, lazytime)
{
	struct timespec t[2] = { { 1000, 0 }, { 1000, 0 } };
	struct stat st;
	long used;
	int fd;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 1, 1));
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	dr_tick();
	used = dr_counter("log_used");
	ASSERT_EQ(0, write_byte(fd));
	EXPECT_LT(used, dr_counter("log_used"));

	ASSERT_EQ(0, remount(MS_LAZYTIME | MS_STRICTATIME));
	for (int how = 0; how < 5; how++) {
		ASSERT_EQ(0, futimens(fd, t));
		used = dr_counter("log_used");
		ASSERT_EQ(0, write_byte(fd));
		dr_tick();
		EXPECT_EQ(1, pread(fd, &st, 1, 0));
		EXPECT_EQ(used, dr_counter("log_used"));
		ASSERT_EQ(0, fstat(fd, &st));
		EXPECT_LT(1000, st.st_mtim.tv_sec);
		switch (how) {
		case 0:
			EXPECT_EQ(0, fsync(fd));
			break;
		case 1:
			sync();
			break;
		case 2:
			/* Of the names, but not of the times in core. */
			EXPECT_EQ(0, link(PATH("f"), PATH("g")));
			EXPECT_EQ(0, rename(PATH("g"), PATH("h")));
			break;
		case 3:
			close(fd);
			dr_drop_caches();
			fd = dr_open("f", O_RDWR);
			ASSERT_LE(0, fd);
			break;
		case 4:
			EXPECT_EQ(0, fchmod(fd, 0600));
			break;
		}
		EXPECT_LT(used, dr_counter("log_used"));
		t[1] = st.st_mtim;
		t[0] = st.st_atim;
		ASSERT_EQ(0, fstat(fd, &st));
		EXPECT_EQ(t[1].tv_sec, st.st_mtim.tv_sec);
		EXPECT_EQ(t[1].tv_nsec, st.st_mtim.tv_nsec);
		EXPECT_EQ(t[0].tv_nsec, st.st_atim.tv_nsec);
		t[0].tv_sec = t[1].tv_sec = 1000;
	}
	/* When it becomes read-only. */
	ASSERT_EQ(0, futimens(fd, t));
	ASSERT_EQ(0, write_byte(fd));
	ASSERT_EQ(0, fstat(fd, &st));
	close(fd);
	used = dr_counter("log_used");
	ASSERT_EQ(0, remount(MS_LAZYTIME | MS_RDONLY));
	EXPECT_LT(used, dr_counter("log_used"));
	dr_drop_caches();
	t[1] = st.st_mtim;
	ASSERT_EQ(0, stat(PATH("f"), &st));
	EXPECT_EQ(t[1].tv_nsec, st.st_mtim.tv_nsec);
	ASSERT_EQ(0, remount(MS_LAZYTIME | MS_STRICTATIME));
	fd = dr_open("f", O_RDWR);
	ASSERT_LE(0, fd);
	t[1].tv_sec = 1000;
	/* And when the mount goes; dr_teardown() looks once more. */
	ASSERT_EQ(0, futimens(fd, t));
	ASSERT_EQ(0, write_byte(fd));
	close(fd);
	ASSERT_EQ(0, dr_persists());
	ASSERT_EQ(0, stat(PATH("f"), &st));
	EXPECT_LT(1000, st.st_mtim.tv_sec);
}

/* A directory's too: only its atime can be lazy. */
TEST_F(times, lazy_directory)
{
	struct timespec t[2] = { { 1000, 0 }, { 2000, 0 } };
	struct stat st;
	long used;
	DIR *d;
	int fd;

	SKIP_ON_XFS();
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	ASSERT_EQ(0, remount(MS_LAZYTIME | MS_STRICTATIME));
	ASSERT_EQ(0, utimensat(AT_FDCWD, PATH("d"), t, 0));
	d = opendir(PATH("d"));
	ASSERT_NE(NULL, d);
	used = dr_counter("log_used");
	readdir(d);
	EXPECT_EQ(used, dr_counter("log_used"));
	ASSERT_EQ(0, stat(PATH("d"), &st));
	EXPECT_LT(1000, st.st_atim.tv_sec);
	EXPECT_EQ(0, fsync(dirfd(d)));
	EXPECT_LT(used, dr_counter("log_used"));
	/* A new entry leaves it as it is. */
	fd = open(PATH("d/f"), O_CREAT | O_WRONLY, 0600);
	ASSERT_LE(0, fd);
	close(fd);
	closedir(d);
	t[0] = st.st_atim;
	ASSERT_EQ(0, stat(PATH("d"), &st));
	EXPECT_EQ(t[0].tv_nsec, st.st_atim.tv_nsec);
	EXPECT_LT(2000, st.st_mtim.tv_sec);
}

TEST_HARNESS_MAIN
