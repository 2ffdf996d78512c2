// SPDX-License-Identifier: GPL-2.0
/*
 * daxrmap monitor: what it prints, to several at once, while its reader sleeps, and
 * when the mount and the device go away; what hooks are told.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/driver.h"
#include "common/module/tool.h"

#define HOOKS	"/tmp/monitor.d"
#define SPOOL	"/tmp/monitor.spool"
#define METRICS	"/tmp/monitor.prom"

/* A monitor that runs, and the file that it writes to. */
struct monitor {
	pid_t pid;
	char out[32];
};

DR_REMOVING_FIXTURE(tool_monitor, "asks daxrmap")

static int start(struct monitor *m, int number, char *const argv[])
{
	snprintf(m->out, sizeof(m->out), "/tmp/monitor.%d", number);
	/* nobody shall read what an earlier one said */
	unlink(m->out);
	m->pid = fork();
	if (!m->pid) {
		int fd = open(m->out, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0600);

		dup2(fd, 1);
		dup2(fd, 2);
		execv(TOOL, argv);
		_exit(100);
	}
	return m->pid < 0 ? -errno : 0;
}

#define START(m, number, ...) \
	ASSERT_EQ(0, start(m, number, (char *[]) { TOOL, "monitor", __VA_ARGS__, NULL }))

/* How often the text is in the file's last quarter of a megabyte. */
static int times(const char *path, const char *text)
{
	static char all[1 << 18];
	int fd = open(path, O_RDONLY), n = 0;
	off_t end = lseek(fd, 0, SEEK_END), from = end - (off_t)sizeof(all) + 1;
	ssize_t len = fd < 0 ? 0 : pread(fd, all, sizeof(all) - 1, from < 0 ? 0 : from);

	if (fd >= 0)
		close(fd);
	all[len < 0 ? 0 : len] = 0;
	for (char *at = all; (at = strstr(at, text)); at++)
		n++;
	return n;
}

/* Waits until it is there. */
__attribute__((format(printf, 2, 3)))
static int says(const char *path, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (int i = 0; i < dr_patience(500); i++) {
		if (times(path, text))
			return 1;
		usleep(20000);
	}
	fprintf(stderr, "# %s does not say: %s\n", path, text);
	return 0;
}

/* Its exit status when it is told to end. */
static int stop(struct monitor *m, int sig)
{
	int status;

	kill(m->pid, sig);
	kill(m->pid, SIGCONT);
	if (waitpid(m->pid, &status, 0) != m->pid || !WIFEXITED(status))
		return -ECHILD;
	return WEXITSTATUS(status);
}

static int write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, mode);
	ssize_t n = write(fd, text, strlen(text));

	fchmod(fd, mode);
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -EIO;
}

/* Two monitors say the same; another one, started later, what is lost. */
TEST_F(tool_monitor, two_at_once_and_a_third_later)
{
	struct monitor a, b, c;
	char *mnt = (char *)dr_mnt();
	long block;

	ASSERT_EQ(0, dr_create("f", 4, 1));
	ASSERT_EQ(0, dr_clone("f", "odd\nname"));
	ASSERT_EQ(0, dr_create("before", 1, 2));
	ASSERT_EQ(0, dr_poison("before", 0));
	START(&a, 1, mnt);
	START(&b, 2, "--json", "--all", "--textfile", METRICS);
	EXPECT_TRUE(says(a.out, "%s/before: is lost already: offset 0, length 4096", mnt));
	EXPECT_TRUE(says(b.out, "\"type\":\"lost\""));
	block = dr_block("f", 1, NULL);
	ASSERT_LT(0, block);
	ASSERT_EQ(0, dr_poison("f", 1));
	EXPECT_TRUE(says(a.out, "%s/f: lost: offset 4096, length 4096", mnt));
	EXPECT_TRUE(says(a.out, "%s/odd\\nname: lost: offset 4096, length 4096", mnt));
	EXPECT_TRUE(says(a.out, "the failure is dealt with: length 4096, physical %lu, "
			 "owners 2, processes told 0, cause memory failure\n", block * BLK));
	EXPECT_TRUE(says(b.out, "\"type\":\"done\""));
	EXPECT_EQ(2, times(b.out, "\"type\":\"owner\""));
	EXPECT_EQ(1, times(b.out, "/odd\\nname\""));
	EXPECT_TRUE(says(METRICS, "daxrmap_owners_total{device=\"%s\",mountpoint=\"%s\"} 2",
			 dr_dev(), mnt));
	EXPECT_TRUE(says(METRICS, "daxrmap_lost_bytes{device=\"%s\",mountpoint=\"%s\"} 12288",
			 dr_dev(), mnt));
	START(&c, 3, "--all");
	EXPECT_TRUE(says(c.out, "%s/before: is lost already", mnt));
	EXPECT_TRUE(says(c.out, "%s/f: is lost already: offset 4096, length 4096", mnt));
	EXPECT_TRUE(says(c.out, "%s/odd\\nname: is lost already", mnt));
	EXPECT_EQ(0, stop(&a, SIGTERM));
	EXPECT_EQ(0, stop(&b, SIGINT));
	EXPECT_EQ(0, stop(&c, SIGTERM));
}

/* More happens than is kept for one who sleeps. */
TEST_F(tool_monitor, one_that_sleeps)
{
	struct monitor a;

	if (dr_all_checked())
		SKIP(return, "so many records take minutes where all is checked");
	ASSERT_EQ(0, dr_create("before", 1, 2));
	/* one block, 131,072 times */
	ASSERT_EQ(0, dr_create("f", 1, 1));
	for (unsigned long n = 1; n < 131072; n *= 2)
		ASSERT_EQ(0, dr_clone_range("f", 0, n * BLK, "f", n * BLK));
	ASSERT_EQ(0, dr_poison("before", 0));
	START(&a, 1, "--all");
	/* it listens before it tells this */
	ASSERT_TRUE(says(a.out, "%s/before: is lost already", dr_mnt()));
	EXPECT_EQ(0, times(a.out, "events lost"));
	ASSERT_EQ(0, kill(a.pid, SIGSTOP));
	ASSERT_EQ(0, dr_poison("f", 0));
	ASSERT_EQ(0, kill(a.pid, SIGCONT));
	EXPECT_TRUE(says(a.out, " events lost\n"));
	EXPECT_EQ(0, stop(&a, SIGTERM));
}

/* A mount that goes and comes again, and a device that goes. */
TEST_F(tool_monitor, what_goes_away)
{
	struct monitor a;
	char *mnt = (char *)dr_mnt();

	ASSERT_EQ(0, dr_create("before", 1, 2));
	ASSERT_EQ(0, dr_poison("before", 0));
	ASSERT_EQ(0, dr_create("f", 1, 1));
	START(&a, 1, mnt);
	ASSERT_TRUE(says(a.out, "%s/before: is lost already", mnt));
	ASSERT_EQ(0, dr_poison("f", 0));
	EXPECT_TRUE(says(a.out, "%s/f: lost", mnt));
	ASSERT_EQ(0, dr_umount());
	EXPECT_TRUE(says(a.out, ": unmounted"));
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_TRUE(says(a.out, "%s/f: is lost already", mnt));
	ASSERT_EQ(0, dr_unbind(self->device));
	EXPECT_TRUE(says(a.out, "the device is gone"));
	EXPECT_EQ(0, stop(&a, SIGTERM));
}

/* The facts are in the environment of the hooks, which may heal. */
TEST_F(tool_monitor, hooks)
{
	struct monitor a;
	char *mnt = (char *)dr_mnt(), text[512];

	mkdir(HOOKS, 0755);
	ASSERT_EQ(0, write_file(HOOKS "/10-facts",
		"#!/bin/sh\nenv | grep ^DAXRMAP_ >>/tmp/monitor.facts\n", 0755));
	ASSERT_EQ(0, write_file(HOOKS "/20-heal",
		"#!/bin/sh\ndd if=/dev/zero of=\"$DAXRMAP_PATH\" bs=4096 count=1 "
		"seek=$((DAXRMAP_OFFSET / 4096)) conv=notrunc 2>/dev/null\n", 0755));
	ASSERT_EQ(0, write_file(HOOKS "/30-open",
		"#!/bin/sh\ntouch /tmp/monitor.never\n", 0777));
	ASSERT_EQ(0, dr_create("f g", 4, 1));
	START(&a, 1, "--service", "--spool", SPOOL);
	/* it is there when the events are */
	for (int i = 0; i < dr_patience(500) && access(SPOOL, F_OK); i++)
		usleep(20000);
	ASSERT_EQ(0, dr_poison("f g", 2));
	EXPECT_TRUE(says(a.out, "the failure is dealt with"));
	EXPECT_EQ(1, tool_exec(-1, (char *[]) { TOOL, "hooks", "--spool", SPOOL,
						"--hooks", HOOKS, NULL }));
	snprintf(text, sizeof(text), "daxrmap: " HOOKS
		 "/30-open: not run: others than its owner may write to it");
	EXPECT_LINE("%s", text);
	EXPECT_EQ(1, tool_count_lines());
	EXPECT_NE(0, access("/tmp/monitor.never", F_OK));
	EXPECT_EQ(1, times("/tmp/monitor.facts", "DAXRMAP_EVENT=owner\n"));
	/* On a slow machine the monitor finds it lost already, too, when it looks at its start. */
	snprintf(text, sizeof(text), "DAXRMAP_PATH=%s/f g\n", mnt);
	EXPECT_LE(1, times("/tmp/monitor.facts", text));
	snprintf(text, sizeof(text), "DAXRMAP_MOUNTPOINT=%s\n", mnt);
	EXPECT_LE(1, times("/tmp/monitor.facts", text));
	snprintf(text, sizeof(text), "DAXRMAP_DEVICE=%s\n", dr_dev());
	EXPECT_LE(1, times("/tmp/monitor.facts", text));
	EXPECT_LE(1, times("/tmp/monitor.facts", "DAXRMAP_OFFSET=8192\n"));
	EXPECT_LE(1, times("/tmp/monitor.facts", "DAXRMAP_LENGTH=4096\n"));
	EXPECT_EQ(1, times("/tmp/monitor.facts", "DAXRMAP_CAUSE=memory failure\n"));
	EXPECT_TRUE(says(a.out, "%s/f\\ g: healed", mnt));
	EXPECT_EQ(0, stop(&a, SIGTERM));
	ASSERT_EQ(0, tool_run("lost", mnt));
	EXPECT_EQ(0, tool_count_lines());
}

/* Nobody reads it any more, while there is nothing to say. */
TEST_F(tool_monitor, nobody_reads)
{
	int p[2], status;
	pid_t pid;

	ASSERT_EQ(0, pipe(p));
	pid = fork();
	if (!pid) {
		dup2(p[1], 1);
		close(p[0]);
		close(p[1]);
		execl(TOOL, TOOL, "monitor", NULL);
		_exit(100);
	}
	close(p[1]);
	close(p[0]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(1, WEXITSTATUS(status));
}

TEST_F(tool_monitor, errors)
{
	EXPECT_ERROR("/none: No such file or directory", "monitor", "/none");
	EXPECT_ERROR("/tmp: not a filesystem of daxrmap, ext4 or XFS", "monitor", "/tmp");
	EXPECT_EQ(2, tool_run("monitor", "--service", "--json"));
	EXPECT_EQ(2, tool_run("hooks", "--timeout", "0"));
}

TEST_HARNESS_MAIN
