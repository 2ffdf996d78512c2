// SPDX-License-Identifier: GPL-2.0
/*
 * File handles: name_to_handle_at(2), open_by_handle_at(2), and those that
 * fanotify gives.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(handles)

#define NOBODY		65534

/* Opens, looks at the error or the inode number, closes. */
static long try(const void *handle)
{
	int fd = dr_open_handle(handle, O_RDONLY);
	long ino = fd;

	if (fd >= 0) {
		ino = dr_fd_ino(fd);
		close(fd);
	}
	return ino;
}

TEST_F(handles, file)
{
	const char *name = "d/f";
	union dr_handle h, again;
	int fd;

	ASSERT_EQ(0, mkdir(dr_path("d"), 0755));
	ASSERT_EQ(0, dr_create("d/f", 4, 1));
	ASSERT_EQ(0, dr_create("d/g", 4, 2));
	ASSERT_EQ(0, dr_handle("d/f", 0, &h));
	EXPECT_EQ(dr_ino("d/f"), try(&h));
	for (int i = 0; i < 2; i++) {
		dr_drop_caches();
		fd = dr_open_handle(&h, O_RDONLY);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, dr_fd_verify(fd, 2, 1, 2));
		/* the name leads to the same inode, however it came in core */
		EXPECT_EQ(dr_fd_ino(fd), dr_ino(name));
		close(fd);
		ASSERT_EQ(0, dr_handle(name, 0, &again));
		EXPECT_EQ(0, memcmp(&h, &again, sizeof(h)));
		/* it has another name the second time */
		if (!i)
			ASSERT_EQ(0, rename(dr_path(name), dr_path("f")));
		name = "f";
	}
	ASSERT_EQ(0, dr_handle("d/g", 0, &again));
	EXPECT_EQ(dr_ino("d/g"), try(&again));
}

/* A directory that nobody has in core has a path all the same. */
TEST_F(handles, directory)
{
	union dr_handle h, root;
	int fd;

	ASSERT_EQ(0, mkdir(dr_path("a"), 0755));
	ASSERT_EQ(0, mkdir(dr_path("a/b"), 0755));
	ASSERT_EQ(0, mkdir(dr_path("a/b/c"), 0755));
	ASSERT_EQ(0, dr_create("a/b/c/f", 1, 1));
	ASSERT_EQ(0, dr_handle("a/b/c", 0, &h));
	ASSERT_EQ(0, dr_handle(".", 0, &root));
	dr_drop_caches();
	fd = dr_open_handle(&h, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, dr_fd_is(fd, "a/b/c"));
	EXPECT_EQ(0, faccessat(fd, "f", F_OK, 0));
	EXPECT_EQ(0, faccessat(fd, "../../../a/b/c/f", F_OK, 0));
	close(fd);
	EXPECT_EQ(dr_ino("."), try(&root));
	/* moved */
	dr_drop_caches();
	ASSERT_EQ(0, rename(dr_path("a/b/c"), dr_path("moved")));
	dr_drop_caches();
	fd = dr_open_handle(&h, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, dr_fd_is(fd, "moved"));
	close(fd);
}

/* A handle with the parent in it leads to a path, that without one does not. */
TEST_F(handles, connectable)
{
	union dr_handle h;
	int fd;

	ASSERT_EQ(0, mkdir(dr_path("a"), 0755));
	ASSERT_EQ(0, mkdir(dr_path("a/b"), 0755));
	ASSERT_EQ(0, dr_create("a/b/f", 1, 1));
	ASSERT_EQ(0, dr_create("a/b/g", 1, 2));
	if (dr_handle("a/b/f", AT_HANDLE_CONNECTABLE, &h) == -EINVAL)
		SKIP(return, "no AT_HANDLE_CONNECTABLE before 6.13");
	dr_drop_caches();
	fd = dr_open_handle(&h, O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, dr_fd_is(fd, "a/b/f"));
	EXPECT_EQ(0, dr_fd_verify(fd, 0, 1, 0));
	close(fd);
	ASSERT_EQ(0, rename(dr_path("a/b/f"), dr_path("f")));
	dr_drop_caches();
	EXPECT_EQ(-ESTALE, try(&h));
}

TEST_F(handles, stale)
{
	union dr_handle f, d, open;
	int fd;

	ASSERT_EQ(0, dr_create("f", 2, 1));
	ASSERT_EQ(0, dr_create("open", 2, 2));
	ASSERT_EQ(0, mkdir(dr_path("d"), 0755));
	ASSERT_EQ(0, dr_handle("f", 0, &f));
	ASSERT_EQ(0, dr_handle("d", 0, &d));
	ASSERT_EQ(0, dr_handle("open", 0, &open));
	ASSERT_EQ(0, unlink(dr_path("f")));
	ASSERT_EQ(0, rmdir(dr_path("d")));
	EXPECT_EQ(-ESTALE, try(&f));
	EXPECT_EQ(-ESTALE, try(&d));
	/* what is open is there, named or not */
	fd = dr_open("open", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unlink(dr_path("open")));
	EXPECT_EQ(dr_fd_ino(fd), try(&open));
	EXPECT_EQ(0, dr_fd_verify(fd, 1, 2, 1));
	close(fd);
	EXPECT_EQ(-ESTALE, try(&open));
	/* others that have come since are not taken for them */
	ASSERT_EQ(0, dr_create("f", 2, 3));
	ASSERT_EQ(0, mkdir(dr_path("d"), 0755));
	EXPECT_EQ(-ESTALE, try(&f));
	EXPECT_EQ(-ESTALE, try(&d));
}

TEST_F(handles, other_mount)
{
	union dr_handle f, root;
	long ino;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, dr_handle("f", 0, &f));
	ASSERT_EQ(0, dr_handle(".", 0, &root));
	ino = dr_ino("f");
	ASSERT_EQ(0, dr_umount());
	/* a new filesystem */
	ASSERT_EQ(0, dr_mount());
	ASSERT_EQ(0, dr_create("g", 1, 2));
	/* the number means another file now */
	ASSERT_EQ(ino, dr_ino("g"));
	EXPECT_EQ(-ESTALE, try(&f));
	EXPECT_EQ(-ESTALE, try(&root));
}

/* Whatever comes along names nothing, but for the real one. */
TEST_F(handles, garbage)
{
	union dr_handle real, h;
	unsigned int bit, len, opened = 0;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, dr_handle("f", 0, &real));
	ASSERT_EQ(12, real.h.handle_bytes);
	for (bit = 0; bit < 8 * real.h.handle_bytes; bit++) {
		h = real;
		h.h.f_handle[bit / 8] ^= 1 << bit % 8;
		EXPECT_EQ(-ESTALE, try(&h));
	}
	srand(1);
	for (int type = 0; type < 256; type++) {
		for (len = 4; len <= 32; len += 4) {
			h = real;
			h.h.handle_type = type;
			h.h.handle_bytes = len;
			for (unsigned int i = 12; i < len; i++)
				h.h.f_handle[i] = rand();
			if (try(&h) >= 0)
				opened++;
			else
				EXPECT_EQ(-ESTALE, try(&h));
		}
	}
	/* INO64_GEN and INO64_GEN_PARENT, with the words that they need */
	EXPECT_EQ(2 * 6, opened);
	/* every short one */
	for (len = 0; len < 12; len++) {
		h = real;
		h.h.handle_bytes = len;
		EXPECT_GT(0, try(&h));
	}
	memset(&h, 0xff, sizeof(h));
	h.h.handle_type = real.h.handle_type;
	h.h.handle_bytes = 12;
	EXPECT_EQ(-ESTALE, try(&h));
}

TEST_F(handles, arguments)
{
	union dr_handle h = { .h.handle_bytes = 8 };
	int id;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 1, 1));
	EXPECT_EQ(-1, name_to_handle_at(AT_FDCWD, dr_path("f"), &h.h, &id, 0));
	EXPECT_EQ(EOVERFLOW, errno);
	EXPECT_EQ(12, h.h.handle_bytes);
	EXPECT_EQ(0, name_to_handle_at(AT_FDCWD, dr_path("f"), &h.h, &id, 0));
	EXPECT_EQ(dr_ino("f"), try(&h));
}

static int open_as_nobody(void *handle)
{
	int mnt = dr_open(".", O_RDONLY);

	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		return 1;
	return open_by_handle_at(mnt, handle, O_RDONLY) == -1 && errno == EPERM ?
		0 : 2;
}

TEST_F(handles, unprivileged)
{
	union dr_handle h;

	ASSERT_EQ(0, dr_create("f", 1, 1));
	ASSERT_EQ(0, dr_handle("f", 0, &h));
	EXPECT_EQ(0, dr_wait(dr_spawn(open_as_nobody, &h)));
}

/* The part of an event of that type, or NULL. */
static void *event_info(struct fanotify_event_metadata *event, int type)
{
	char *at = (char *)(event + 1), *end = (char *)event + event->event_len;

	while (at + sizeof(struct fanotify_event_info_header) <= end) {
		struct fanotify_event_info_header *h = (void *)at;

		if (!h->len)
			break;
		if (h->info_type == type)
			return h;
		at += h->len;
	}
	return NULL;
}

/* A failure comes as FAN_FS_ERROR, with a handle that opens the file. */
TEST_F(handles, fanotify)
{
	char buf[4096] __attribute__((aligned(8)));
	struct fanotify_event_metadata *event = (void *)buf;
	struct fanotify_event_info_error *error;
	struct fanotify_event_info_fid *fid;
	struct statfs st;
	struct pollfd p;
	int fd, file;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 4, 1));
	ASSERT_EQ(0, dr_create("g", 4, 2));
	fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_CLOEXEC, O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
				   FAN_FS_ERROR, AT_FDCWD, dr_mnt()));
	file = dr_open("f", O_RDONLY);
	ASSERT_LE(0, file);
	ASSERT_EQ(0, dr_poison("f", 2));
	p = (struct pollfd) { .fd = fd, .events = POLLIN };
	ASSERT_EQ(1, poll(&p, 1, 60000));
	ASSERT_LT(sizeof(*event), read(fd, buf, sizeof(buf)));
	EXPECT_EQ(FAN_FS_ERROR, event->mask);
	error = event_info(event, FAN_EVENT_INFO_TYPE_ERROR);
	ASSERT_NE(NULL, error);
	EXPECT_EQ(EIO, error->error);
	EXPECT_EQ(1, error->error_count);
	fid = event_info(event, FAN_EVENT_INFO_TYPE_FID);
	ASSERT_NE(NULL, fid);
	ASSERT_EQ(0, statfs(dr_mnt(), &st));
	EXPECT_EQ(0, memcmp(&fid->fsid, &st.f_fsid, sizeof(fid->fsid)));
	EXPECT_EQ(dr_ino("f"), try(fid->handle));
	close(file);
	close(fd);
}

TEST_HARNESS_MAIN
