// SPDX-License-Identifier: GPL-2.0
/*
 * What an administrator does with a mount: options, freeze, sync, shutdown,
 * label, uuid, trim.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/fs.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"
#include "common/files/snapshot.h"

#ifndef FS_IOC_SHUTDOWN
#define FS_IOC_SHUTDOWN	_IOR('X', 125, unsigned int)
#endif
#define LABEL_MAX	64
#define RW		(PROT_READ | PROT_WRITE)

FIXTURE(admin) { struct dr_fs fs; int dir; };
FIXTURE_SETUP(admin)
{
	if (dr_xfs())
		SKIP(return, "asks daxrmap's debugfs");
	ASSERT_EQ(0, dr_setup(&self->fs));
}
FIXTURE_TEARDOWN_PARENT(admin)
{
	int fd = dr_open(".", O_RDONLY);

	ioctl(fd, FITHAW, 0);		/* what a test that failed has left */
	close(fd);
	EXPECT_EQ(0, dr_xfs() ? 0 : dr_teardown(&self->fs));
}

static int ask(unsigned long cmd, void *arg)
{
	int fd = dr_open(".", O_RDONLY), r;

	if (fd < 0)
		return fd;
	r = ioctl(fd, cmd, arg) ? -errno : 0;
	close(fd);
	return r;
}

/* The same as nobody in particular. */
struct question { unsigned long cmd; void *arg; };

static int ask_as_user(void *arg)
{
	struct question *q = arg;
	int fd = dr_open(".", O_RDONLY);

	if (fd < 0 || setuid(1000))
		return 125;
	return ioctl(fd, q->cmd, q->arg) ? errno : 0;
}

#define EXPECT_NOT_FOR_USERS(cmd, arg) do {				\
	struct question _q = { cmd, arg };				\
	EXPECT_EQ(EPERM, dr_wait(dr_spawn(ask_as_user, &_q)));		\
} while (0)

TEST_F(admin, label)
{
	char label[FSLABEL_MAX] = "", want[FSLABEL_MAX] = "Brünhild 2";

	/* All of it is written, as its type says. */
	memset(label, 'x', sizeof(label));
	ASSERT_EQ(0, ask(FS_IOC_GETFSLABEL, label));
	for (size_t i = 0; i < sizeof(label); i++)
		EXPECT_EQ(0, label[i]) break;
	ASSERT_EQ(0, ask(FS_IOC_SETFSLABEL, want));
	ASSERT_EQ(0, ask(FS_IOC_GETFSLABEL, label));
	EXPECT_STREQ(want, label);
	EXPECT_EQ(0, dr_persists());
	memset(label, 'x', sizeof(label));
	ASSERT_EQ(0, ask(FS_IOC_GETFSLABEL, label));
	EXPECT_STREQ(want, label);

	/* as long as can be, and longer; not text */
	memset(want, 'y', LABEL_MAX + 1);
	EXPECT_EQ(-EINVAL, ask(FS_IOC_SETFSLABEL, want));
	want[LABEL_MAX] = 0;
	ASSERT_EQ(0, ask(FS_IOC_SETFSLABEL, want));
	ASSERT_EQ(0, dr_create("f", 1, 1));
	EXPECT_EQ(0, dr_persists());
	memset(label, 'x', sizeof(label));
	ASSERT_EQ(0, ask(FS_IOC_GETFSLABEL, label));
	EXPECT_EQ(0, memcmp(want, label, sizeof(label)));
	EXPECT_EQ(-EINVAL, ask(FS_IOC_SETFSLABEL, "\xff\xfe"));
	EXPECT_EQ(-EFAULT, ask(FS_IOC_SETFSLABEL, (void *)8));
	EXPECT_EQ(-EFAULT, ask(FS_IOC_GETFSLABEL, (void *)8));
	EXPECT_NOT_FOR_USERS(FS_IOC_SETFSLABEL, want);
	ASSERT_EQ(0, mount(NULL, dr_mnt(), NULL, MS_REMOUNT | MS_RDONLY, ""));
	EXPECT_EQ(-EROFS, ask(FS_IOC_SETFSLABEL, want));
	ASSERT_EQ(0, mount(NULL, dr_mnt(), NULL, MS_REMOUNT, ""));
}

/* Whether xfs_io, told so, prints just this. */
static int xfs_io_says(const char *command, const char *want)
{
	char cmd[256], out[256] = "";
	FILE *p;

	snprintf(cmd, sizeof(cmd), "xfs_io -r -c '%s' %s 2>&1", command, dr_mnt());
	p = popen(cmd, "r");
	if (!p)
		return -errno;
	fread(out, 1, sizeof(out) - 1, p);
	pclose(p);
	if (!strcmp(out, want))
		return 0;
	fprintf(stderr, "# %s: %s", cmd, out);
	return -EILSEQ;
}

TEST_F(admin, label_by_xfs_io)
{
	if (system("xfs_io -V >/dev/null 2>&1"))
		SKIP(return, "no xfs_io");
	EXPECT_EQ(0, xfs_io_says("label -s Isolde", "label = \"Isolde\"\n"));
	EXPECT_EQ(0, xfs_io_says("label", "label = \"Isolde\"\n"));
	EXPECT_EQ(0, xfs_io_says("label -c", "label = \"\"\n"));
}

TEST_F(admin, uuid_and_trim)
{
	struct fsuuid2 a = { 0 }, b = { 0 };
	struct fstrim_range range = { .len = ~0ULL };

	ASSERT_EQ(0, ask(FS_IOC_GETFSUUID, &a));
	EXPECT_EQ(16, a.len);
	EXPECT_EQ(0, dr_persists());
	ASSERT_EQ(0, ask(FS_IOC_GETFSUUID, &b));
	EXPECT_EQ(0, memcmp(&a, &b, sizeof(a)));
	EXPECT_EQ(-EOPNOTSUPP, ask(FITRIM, &range));
	EXPECT_NOT_FOR_USERS(FITRIM, &range);
	EXPECT_EQ(-ENOTTY, ask(_IO('X', 99), NULL));
}

/* The options of the mount, as /proc/mounts has them. */
static bool has_option(const char *option)
{
	char line[1024];
	bool has = false;
	FILE *f = fopen("/proc/mounts", "r");

	while (f && fgets(line, sizeof(line), f)) {
		char dev[256], mnt[256], type[64], options[400];

		if (sscanf(line, "%255s %255s %63s %399s", dev, mnt, type, options) != 4 ||
		    strcmp(type, "daxrmap") || strcmp(mnt, dr_mnt()))
			continue;
		for (char *o = strtok(options, ","); o; o = strtok(NULL, ","))
			has |= !strcmp(o, option);
	}
	if (f)
		fclose(f);
	return has;
}

TEST_F(admin, options)
{
	static const struct { const char *text; int err; const char *says; } bad[] = {
		{ "dax=never", EINVAL, "dax=never" },
		{ "dax=inode", EINVAL, "dax=inode" },
		{ "dax=always,frobnicate", EINVAL, "Unknown parameter 'frobnicate'" },
		{ "rmapbt=1", EINVAL, "Unknown parameter 'rmapbt'" },
	};
	static const char *const good[] = { "dax", "dax=always", "" };

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, dr_umount());
		ASSERT_EQ(0, mount(dr_dev(), dr_mnt(), "daxrmap", MS_NOATIME, good[i]));
		EXPECT_TRUE(has_option("dax=always"));
		EXPECT_TRUE(has_option("noatime"));
		EXPECT_TRUE(has_option("rw"));
	}
	/* what it shows it takes */
	ASSERT_EQ(0, mount(NULL, dr_mnt(), NULL, MS_REMOUNT | MS_RDONLY, "dax=always"));
	EXPECT_TRUE(has_option("ro"));
	ASSERT_EQ(0, mount(NULL, dr_mnt(), NULL, MS_REMOUNT, "dax=always"));
	for (int i = 0; i < 4; i++) {
		unsigned long long seq = dr_log_seq();

		EXPECT_EQ(-1, mount(NULL, dr_mnt(), NULL, MS_REMOUNT, bad[i].text));
		EXPECT_EQ(bad[i].err, errno);
		ASSERT_EQ(0, dr_umount());
		EXPECT_EQ(-1, mount(dr_dev(), dr_mnt(), "daxrmap", 0, bad[i].text));
		EXPECT_EQ(bad[i].err, errno);
		EXPECT_EQ(2, dr_log_count(seq, bad[i].says));
		ASSERT_EQ(0, dr_mount_again());
	}
}

struct writers { int done[4]; };

static int write_data(void *arg)
{
	struct writers *w = arg;

	if (dr_write_blocks("f", 0, 1, 5))
		return 1;
	w->done[0] = 1;
	return 0;
}

static int write_mapped(void *arg)
{
	struct writers *w = arg;
	char *p = dr_map("g", 0, BLK, RW, MAP_SHARED);

	if (!p)
		return 1;
	p[7] = 7;
	w->done[1] = 1;
	return 0;
}

static int make_name(void *arg)
{
	struct writers *w = arg;

	if (mkdir(dr_path("new"), 0700))
		return 1;
	w->done[2] = 1;
	return 0;
}

/* Nobody writes, everybody reads, and failures are dealt with as ever. */
TEST_F(admin, freeze)
{
	struct writers *w = dr_shared_mem(sizeof(*w));
	struct peer q;
	unsigned char b;
	pid_t pids[3];
	long used;
	int fd;

	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, dr_create("g", 8, 2));
	ASSERT_EQ(0, dr_clone("g", "h"));
	ASSERT_EQ(0, dr_create("gone", 16, 3));
	ASSERT_EQ(0, peer_open(&q, true, "h", 8 * BLK, 3));
	fd = dr_open("gone", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unlink(dr_path("gone")));
	EXPECT_USED(32);

	ASSERT_EQ(0, ask(FIFREEZE, NULL));
	EXPECT_EQ(-EBUSY, ask(FIFREEZE, NULL));
	used = dr_counter("log_used");
	pids[0] = dr_spawn(write_data, w);
	pids[1] = dr_spawn(write_mapped, w);
	pids[2] = dr_spawn(make_name, w);
	EXPECT_EQ(0, dr_verify("f", 0, 8, 1, 0));
	EXPECT_EQ(0, dr_read1("g", 0, &b));

	/* a failure */
	ASSERT_EQ(0, dr_poison("g", 3));
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	EXPECT_EQ(-EIO, dr_read1("g", 3, &b));
	EXPECT_EQ(-EIO, dr_read1("h", 3, &b));
	EXPECT_EARLY(&q, q.base + 3 * BLK);
	EXPECT_POISON(peer_load(&q, 3 * BLK + 1), q.base + 3 * BLK + 1);
	/* a file that goes: its blocks have to wait */
	close(fd);
	EXPECT_USED(32);
	EXPECT_EQ(used, dr_counter("log_used"));
	EXPECT_EQ(0, w->done[0] + w->done[1] + w->done[2]);
	EXPECT_EQ(-1, access(dr_path("new"), F_OK));

	ASSERT_EQ(0, ask(FITHAW, NULL));
	EXPECT_EQ(-EINVAL, ask(FITHAW, NULL));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, dr_wait(pids[i]));
	EXPECT_EQ(3, w->done[0] + w->done[1] + w->done[2]);
	EXPECT_LT(used, dr_counter("log_used"));
	peer_stop(&q);
	EXPECT_USED(17);	/* f, g, h; g has a page of its own */
	EXPECT_EQ(0, dr_verify("f", 0, 1, 5, 0));
	EXPECT_EQ(0, dr_persists());
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	EXPECT_EQ(-EIO, dr_read1("h", 3, &b));
}

/* The log fails while it may not be written: it moves when it may. */
TEST_F(admin, freeze_and_the_log)
{
	unsigned long long seq = dr_log_seq();

	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, ask(FIFREEZE, NULL));
	ASSERT_EQ(0, dr_notify(BLK, BLK));	/* the first block of the log */
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	EXPECT_EQ(0, dr_log_count(seq, "moved from block"));
	EXPECT_EQ(0, dr_verify("f", 0, 8, 1, 0));
	ASSERT_EQ(0, ask(FITHAW, NULL));
	EXPECT_EQ(1, dr_log_count(seq, "moved from block"));
	EXPECT_EQ(0, dr_persists());
	EXPECT_EQ(1, dr_counter("blocks_bad"));
	EXPECT_EQ(0, dr_verify("f", 0, 8, 1, 0));
}

/* Pages that were flushed are clean: the next store to one is noticed. */
TEST_F(admin, sync)
{
	long faults;
	char *p;
	int fd;

	ASSERT_EQ(0, dr_create("f", 4, 1));
	p = dr_map("f", 0, 4 * BLK, RW, MAP_SHARED);
	ASSERT_NE(NULL, p);
	fd = dr_open("f", O_RDONLY);
	for (int by = 0; by < 3; by++) {
		for (int i = 0; i < 4; i++)
			p[i * BLK] = by;
		faults = -dr_faults();
		p[0] = 9;
		EXPECT_EQ(0, faults + dr_faults());
		if (by == 1)
			sync();
		else
			EXPECT_EQ(0, by ? fdatasync(fd) : syncfs(fd));
		faults = -dr_faults();
		for (int i = 0; i < 4; i++)
			p[i * BLK] = by;
		faults += dr_faults();
		EXPECT_LE(4, faults);
	}
	close(fd);
}

TEST_F(admin, shutdown)
{
	for (unsigned int kind = 0; kind < 3; kind++) {
		unsigned long long seq = dr_log_seq();
		unsigned char b;
		char *p;
		int fd;

		ASSERT_EQ(0, dr_create("f", 8, 1));
		p = dr_map("f", 0, 8 * BLK, RW, MAP_SHARED);
		ASSERT_NE(NULL, p);
			EXPECT_NOT_FOR_USERS(FS_IOC_SHUTDOWN, &kind);
		EXPECT_EQ(-EFAULT, ask(FS_IOC_SHUTDOWN, (void *)8));
		kind += 3;
		EXPECT_EQ(-EINVAL, ask(FS_IOC_SHUTDOWN, &kind));
		kind -= 3;
		EXPECT_EQ(0, dr_read1("f", 1, &b));
		fd = dr_open("f", O_RDWR);
		ASSERT_EQ(0, ask(FS_IOC_SHUTDOWN, &kind));
		EXPECT_EQ(1, dr_log_count(seq, "shut down, because it was asked for"));
		EXPECT_EQ(-1, pread(fd, &b, 1, 0));
		EXPECT_EQ(EIO, errno);
		EXPECT_EQ(-1, pwrite(fd, &b, 1, 0));
		EXPECT_EQ(EIO, errno);
		EXPECT_EQ(-1, ftruncate(fd, 0));
		EXPECT_EQ(EIO, errno);
		EXPECT_EQ(-1, mkdir(dr_path("d"), 0700));
		EXPECT_EQ(EIO, errno);
		EXPECT_EQ(-1, syncfs(fd));
		EXPECT_EQ(EIO, errno);
		EXPECT_SIG(dr_load(p + BLK).sig, BUS_ADRERR, p + BLK, 0);
		munmap(p, 8 * BLK);
		close(fd);
		/* nothing that was complete is lost */
		ASSERT_EQ(0, dr_umount());
		ASSERT_EQ(0, dr_mount_again());
		EXPECT_EQ(0, dr_verify("f", 0, 8, 1, 0));
		EXPECT_EQ(0, dr_check());
	}
}

TEST_HARNESS_MAIN
