// SPDX-License-Identifier: GPL-2.0
/* inotify(7) and fanotify(7): who watches is told of changes of names and attributes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(events)

#define PATH(s) dr_path(s)

static char buf[65536] __attribute__((aligned(8)));

/* The next inotify event that is not read yet; NULL if there is none. */
static struct inotify_event *next(int fd)
{
	static ssize_t len, at;
	struct inotify_event *e;

	if (at >= len) {
		at = 0;
		len = read(fd, buf, sizeof(buf));
		if (len <= 0)
			return NULL;
	}
	e = (void *)(buf + at);
	at += sizeof(*e) + e->len;
	return e;
}

#define EXPECT_EVENT(bits, what) do {					\
	struct inotify_event *_e = next(in);				\
									\
	ASSERT_NE(NULL, _e);						\
	EXPECT_EQ((unsigned int)(bits), _e->mask);			\
	EXPECT_STREQ(what, _e->len ? _e->name : "");			\
} while (0)

TEST_F(events, inotify)
{
	int in = inotify_init1(IN_NONBLOCK);
	int fd;

	ASSERT_LE(0, in);
	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	ASSERT_LE(0, inotify_add_watch(in, PATH("d"),
		  IN_ALL_EVENTS & ~(IN_OPEN | IN_ACCESS | IN_CLOSE)));
	fd = open(PATH("d/f"), O_CREAT | O_WRONLY, 0644);
	ASSERT_LE(0, fd);
	EXPECT_EVENT(IN_CREATE, "f");
	ASSERT_EQ(3, write(fd, "abc", 3));
	EXPECT_EVENT(IN_MODIFY, "f");
	close(fd);
	ASSERT_EQ(0, chmod(PATH("d/f"), 0600));
	EXPECT_EVENT(IN_ATTRIB, "f");
	ASSERT_EQ(0, setxattr(PATH("d/f"), "user.a", "1", 1, 0));
	EXPECT_EVENT(IN_ATTRIB, "f");
	ASSERT_EQ(0, link(PATH("d/f"), PATH("d/g")));
	EXPECT_EVENT(IN_CREATE, "g");
	ASSERT_EQ(0, symlink("f", PATH("d/l")));
	EXPECT_EVENT(IN_CREATE, "l");
	ASSERT_EQ(0, mkfifo(PATH("d/p"), 0600));
	EXPECT_EVENT(IN_CREATE, "p");
	ASSERT_EQ(0, mkdir(PATH("d/e"), 0600));
	EXPECT_EVENT(IN_CREATE | IN_ISDIR, "e");
	ASSERT_EQ(0, rename(PATH("d/l"), PATH("d/m")));
	EXPECT_EVENT(IN_MOVED_FROM, "l");
	EXPECT_EVENT(IN_MOVED_TO, "m");
	ASSERT_EQ(0, renameat2(AT_FDCWD, PATH("d/m"), AT_FDCWD, PATH("d/e"),
			       RENAME_EXCHANGE));
	EXPECT_EVENT(IN_MOVED_FROM, "m");
	EXPECT_EVENT(IN_MOVED_TO, "e");
	EXPECT_EVENT(IN_MOVED_FROM | IN_ISDIR, "e");
	EXPECT_EVENT(IN_MOVED_TO | IN_ISDIR, "m");
	ASSERT_EQ(0, unlink(PATH("d/g")));
	EXPECT_EVENT(IN_DELETE, "g");
	ASSERT_EQ(0, rmdir(PATH("d/m")));
	EXPECT_EVENT(IN_DELETE | IN_ISDIR, "m");
	EXPECT_EQ(NULL, next(in));
	close(in);
}

struct seen {
	unsigned long long mask;
	char dir[MAX_HANDLE_SZ];	/* the handle's bytes */
	unsigned int dir_len;
	char name[NAME_MAX + 1];
};

/* The next fanotify event with a directory and a name. */
static int next_named(int fan, struct seen *s)
{
	static ssize_t len, at;
	struct fanotify_event_metadata *m;
	struct fanotify_event_info_fid *fid;
	struct file_handle *h;

	if (at >= len) {
		at = 0;
		len = read(fan, buf, sizeof(buf));
		if (len <= 0)
			return -errno;
	}
	m = (void *)(buf + at);
	at += m->event_len;
	fid = (void *)(m + 1);
	h = (void *)fid->handle;
	memset(s, 0, sizeof(*s));
	s->mask = m->mask;
	if (fid->hdr.info_type != FAN_EVENT_INFO_TYPE_DFID_NAME)
		return -EBADMSG;
	s->dir_len = h->handle_bytes;
	memcpy(s->dir, h->f_handle, h->handle_bytes);
	snprintf(s->name, sizeof(s->name), "%s", (char *)h->f_handle + h->handle_bytes);
	return 0;
}

#define EXPECT_NAMED(bits, what) do {					\
	struct seen _s;							\
									\
	ASSERT_EQ(0, next_named(fan, &_s));				\
	EXPECT_EQ((unsigned long long)(bits), _s.mask);			\
	EXPECT_STREQ(what, _s.name);					\
	EXPECT_EQ(dir.h.handle_bytes, _s.dir_len);			\
	EXPECT_EQ(0, memcmp(dir.h.f_handle, _s.dir, _s.dir_len));	\
} while (0)

TEST_F(events, fanotify)
{
	union dr_handle dir;
	int fan;

	ASSERT_EQ(0, mkdir(PATH("d"), 0755));
	ASSERT_EQ(0, dr_handle("d", 0, &dir));
	fan = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_NONBLOCK,
			    O_RDONLY);
	ASSERT_LE(0, fan);
	ASSERT_EQ(0, fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
				   FAN_CREATE | FAN_DELETE | FAN_MOVED_FROM |
				   FAN_MOVED_TO | FAN_ONDIR, AT_FDCWD, dr_mnt()));
	ASSERT_EQ(0, mknod(PATH("d/f"), S_IFREG | 0600, 0));
	EXPECT_NAMED(FAN_CREATE, "f");
	ASSERT_EQ(0, symlink("f", PATH("d/l")));
	EXPECT_NAMED(FAN_CREATE, "l");
	ASSERT_EQ(0, link(PATH("d/f"), PATH("d/g")));
	EXPECT_NAMED(FAN_CREATE, "g");
	ASSERT_EQ(0, mkdir(PATH("d/e"), 0700));
	EXPECT_NAMED(FAN_CREATE | FAN_ONDIR, "e");
	ASSERT_EQ(0, rename(PATH("d/g"), PATH("d/h")));
	EXPECT_NAMED(FAN_MOVED_FROM, "g");
	EXPECT_NAMED(FAN_MOVED_TO, "h");
	ASSERT_EQ(0, unlink(PATH("d/l")));
	EXPECT_NAMED(FAN_DELETE, "l");
	ASSERT_EQ(0, rmdir(PATH("d/e")));
	EXPECT_NAMED(FAN_DELETE | FAN_ONDIR, "e");
	close(fan);
}

TEST_HARNESS_MAIN
