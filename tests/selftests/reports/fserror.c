// SPDX-License-Identifier: GPL-2.0
/*
 * What fanotify (FAN_FS_ERROR) tells of a failure: of each owner, in core or
 * not. Events of one filesystem merge while nobody reads them, but are counted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fanotify.h>
#include <poll.h>
#include <sys/fanotify.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/clock.h"

#define PATIENCE 10000		/* ms: the debug kernel is slow */

FIXTURE(fserror) {
	struct dr_fs fs;
	int group;
};

FIXTURE_SETUP(fserror)
{
	ASSERT_EQ(0, dr_setup(&self->fs));
	self->group = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_NONBLOCK,
				    O_RDONLY);
	ASSERT_GE(self->group, 0);
	ASSERT_EQ(0, fanotify_mark(self->group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
				   FAN_FS_ERROR, AT_FDCWD, dr_mnt()));
}

FIXTURE_TEARDOWN_PARENT(fserror)
{
	close(self->group);
	EXPECT_EQ(0, dr_teardown(&self->fs));
}

struct told {
	long count;		/* of errors */
	int error;		/* of the first one */
	bool has_file;		/* and whether it has a file's handle */
};

static void read_event(char *p, struct told *told)
{
	struct fanotify_event_metadata *m = (void *)p;
	char *end = p + m->event_len;

	for (p += m->metadata_len; p < end;) {
		struct fanotify_event_info_header *h = (void *)p;

		if (h->info_type == FAN_EVENT_INFO_TYPE_ERROR) {
			struct fanotify_event_info_error *e = (void *)p;

			told->count += e->error_count;
			told->error = e->error;
		} else if (h->info_type == FAN_EVENT_INFO_TYPE_FID) {
			struct fanotify_event_info_fid *f = (void *)p;
			struct file_handle *fh = (void *)f->handle;

			told->has_file = fh->handle_type != 0xff && fh->handle_bytes;
		}
		p += h->len;
	}
}

/* Reads what comes until there were `want` errors. */
static struct told listen_for(int group, long want, int ms)
{
	struct pollfd p = { .fd = group, .events = POLLIN };
	struct told told = {};
	char buf[4096];

	while (told.count < want && poll(&p, 1, ms) == 1) {
		ssize_t n = read(group, buf, sizeof(buf));
		struct fanotify_event_metadata *m = (void *)buf;

		for (; n > 0 && FAN_EVENT_OK(m, n); m = FAN_EVENT_NEXT(m, n))
			read_event((char *)m, &told);
	}
	return told;
}

/* Owners that are open, that are mapped, and that nobody has in core. */
TEST_F(fserror, each_owner_counts)
{
	struct dr_failure f;
	struct told told;
	struct peer p;
	char name[16];
	long pfn;

	SKIP_ON_XFS();		/* which tells of none that is not in core */
	ASSERT_EQ(0, dr_create("a", 4, 1));
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		ASSERT_EQ(0, dr_clone("a", name));
	}
	pfn = dr_pfn_of_block(dr_block("a", 2, NULL));
	dr_drop_caches();
	ASSERT_EQ(0, peer_open(&p, false, "c7", 4 * BLK, 2));
	ASSERT_EQ(0, dr_poison_pfn(pfn));
	ASSERT_EQ(0, dr_last_failure(&f));
	ASSERT_EQ(41, f.owners);
	told = listen_for(self->group, 41, dr_patience(PATIENCE));
	EXPECT_EQ(41, told.count);
	EXPECT_EQ(EIO, told.error);
	EXPECT_TRUE(told.has_file);
	/* Not one too many. */
	told = listen_for(self->group, 1, 500);
	EXPECT_EQ(0, told.count);
	peer_stop(&p);
}

/* More than are noted one by one: nobody is left out. */
TEST_F(fserror, many_owners)
{
	struct told told;
	char name[16];

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("a", 1, 1));
	for (int i = 1; i < 300; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		ASSERT_EQ(0, dr_clone("a", name));
	}
	dr_drop_caches();
	ASSERT_EQ(0, dr_poison("a", 0));
	told = listen_for(self->group, 300, dr_patience(PATIENCE));
	EXPECT_EQ(300, told.count);
	EXPECT_EQ(EIO, told.error);
	EXPECT_TRUE(told.has_file);
	EXPECT_EQ(0, listen_for(self->group, 1, 500).count);
}

/* Has `name` so many owners of its page `blk`, by `at` on: each twice as many. */
static int multiply(const char *name, unsigned long blk, unsigned long at,
		    unsigned long owners)
{
	unsigned long have = 1;
	int r = dr_clone_range(name, blk * BLK, BLK, name, at * BLK);

	for (; !r && have < owners; have *= 2)
		r = dr_clone_range(name, at * BLK, have * BLK, name,
				   (at + have) * BLK);
	return r;
}

#define OWNERS	256

struct failure { long block; };

static int fail(void *arg)
{
	struct failure *f = arg;

	return -dr_notify(f->block * BLK, BLK);
}

/*
 * Two blocks fail, one right after the other. The one between them is good, and
 * so are those who have it.
 */
TEST_F(fserror, who_lost_nothing)
{
	struct failure f[2];
	struct told told;
	pid_t pid[2];

	SKIP_ON_XFS();
	for (int round = 0; round < 4; round++) {
		long before = dr_counter("notifies");
		char name[] = { 'a' + round, 0 };

		ASSERT_EQ(0, dr_create(name, 3, 1));
		for (unsigned long i = 0; i < 3; i++)
			ASSERT_EQ(0, multiply(name, i, (i + 1) * 2 * OWNERS, OWNERS));
		ASSERT_EQ(dr_block(name, 0, NULL) + 2, dr_block(name, 2, NULL));
		/* The second one waits when the first ends, as does who tells. */
		ASSERT_EQ(0, dr_notify_delay(20));
		for (int i = 0; i < 2; i++) {
			f[i].block = dr_block(name, 2 * i, NULL);
			pid[i] = dr_spawn(fail, &f[i]);
			ASSERT_EQ(before + 1, dr_counter_settled("notifies", before + 1));
		}
		usleep(50000);
		ASSERT_EQ(0, dr_notify_delay(0));
		for (int i = 0; i < 2; i++)
			EXPECT_EQ(0, dr_wait(pid[i]));
		told = listen_for(self->group, 2 * (OWNERS + 1), dr_patience(PATIENCE));
		EXPECT_EQ(2 * (OWNERS + 1), told.count);
		EXPECT_EQ(0, listen_for(self->group, 1, 300).count);
	}
}

struct pinned { int fd, *pipe, *go; };

static int let_go(void *arg)
{
	struct pinned *p = arg;
	char byte;

	close(p->pipe[0]);
	close(p->pipe[1]);
	/* Until the parent has closed both of his. */
	close(p->go[1]);
	if (read(p->go[0], &byte, 1))
		return 1;
	close(p->fd);
	return 0;
}

/*
 * A file without a name goes when nobody pins its pages any more. Who waits to be
 * told of does not wait for that.
 */
TEST_F(fserror, unlinked_and_pinned)
{
	struct pinned p = {};
	struct told told;
	struct iovec iov;
	int fds[2], go[2];
	pid_t pid;

	SKIP_ON_XFS();
	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, dr_create("a", 2, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	ASSERT_EQ(0, dr_clone("a", "z"));
	p.pipe = fds;
	p.go = go;
	p.fd = dr_open("z", O_RDWR);
	ASSERT_LE(0, p.fd);
	iov.iov_base = dr_map("z", BLK, BLK, PROT_READ, MAP_SHARED);
	iov.iov_len = BLK;
	ASSERT_NE(NULL, iov.iov_base);
	ASSERT_EQ(BLK, vmsplice(fds[1], &iov, 1, 0));
	munmap(iov.iov_base, BLK);
	ASSERT_EQ(0, unlink(dr_path("z")));
	/* The child closes it last, and is stuck in that. */
	pid = dr_spawn(let_go, &p);
	close(p.fd);
	close(go[1]);
	usleep(300000);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	ASSERT_EQ(0, dr_poison("a", 0));
	told = listen_for(self->group, 3, dr_patience(PATIENCE));
	EXPECT_EQ(3, told.count);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	close(fds[0]);
	close(fds[1]);
	EXPECT_EQ(0, dr_wait(pid));
	EXPECT_EQ(0, listen_for(self->group, 1, 500).count);
}

/*
 * What has not been told when unmount begins does not hold it up: it takes less than
 * a quarter of what it takes to tell a listener of as many.
 */
TEST_F(fserror, unmount)
{
	const long owners = 8192;
	double begun, all, unmount = 0;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("a", 2, 1));
	ASSERT_EQ(0, multiply("a", 0, 16, owners));
	ASSERT_EQ(0, dr_notify(dr_block("a", 0, NULL) * BLK, BLK));
	begun = dr_now();
	EXPECT_EQ(owners + 1, listen_for(self->group, owners + 1, dr_patience(PATIENCE)).count);
	all = dr_now() - begun;
	ASSERT_EQ(0, unlink(dr_path("a")));
	for (int i = 0; i < 3; i++) {
		char name[] = { 'b' + i, 0 };

		ASSERT_EQ(0, dr_create(name, 1, 1));
		ASSERT_EQ(0, multiply(name, 0, 16, owners));
		ASSERT_EQ(0, dr_notify(dr_block(name, 0, NULL) * BLK, BLK));
		begun = dr_now();
		ASSERT_EQ(0, dr_umount());
		unmount = dr_now() - begun;
		ASSERT_EQ(0, dr_mount_again());
		ASSERT_EQ(0, fanotify_mark(self->group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
					   FAN_FS_ERROR, AT_FDCWD, dr_mnt()));
		if (unmount < all / 4)
			break;
		ASSERT_EQ(0, unlink(dr_path(name)));
	}
	TH_LOG("to tell all: %.3f s, to unmount: %.3f s", all, unmount);
	EXPECT_LT(unmount, all / 4);
}

/* A file that is gone when its turn comes is nobody's, and no error. */
TEST_F(fserror, unlinked)
{
	struct told told;
	long pfn;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("a", 1, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	pfn = dr_pfn_of_block(dr_block("a", 0, NULL));
	dr_drop_caches();
	ASSERT_EQ(0, dr_poison_pfn(pfn));
	ASSERT_EQ(0, unlink(dr_path("a")));
	told = listen_for(self->group, 2, 1000);
	EXPECT_GE(told.count, 1);
	EXPECT_LE(told.count, 2);
	ASSERT_EQ(0, unlink(dr_path("b")));
	EXPECT_USED(1);
}

TEST_HARNESS_MAIN
