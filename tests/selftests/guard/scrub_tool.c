// SPDX-License-Identifier: GPL-2.0
/*
 * `daxrmap scrub`: what it reads and finds, how fast it is told to be, and that it goes on where it
 * was stopped or killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/device/dm.h"
#include "common/device/stack.h"
#include "common/module/guard.h"
#include "common/module/latent.h"
#include "common/module/tool.h"

#define STATE	"/tmp/state"
#define OUT	"/tmp/scrub.out"
#define MIB	(1L << 20)

FIXTURE(scrub_tool) { struct dr_stacked state; };
FIXTURE_VARIANT(scrub_tool) { struct dr_stack stack; };
FIXTURE_SETUP(scrub_tool)
{
	dr_latent_off();
	setenv("DAXRMAP_STATE", STATE, 1);
	(void)!system("rm -rf " STATE);
	ASSERT_EQ(0, dr_stack_up(&variant->stack, &self->state));
}
FIXTURE_TEARDOWN_PARENT(scrub_tool)
{
	EXPECT_EQ(0, dr_latent_off());
	EXPECT_EQ(0, dr_stack_down(&variant->stack, &self->state));
}
DR_STACK(scrub_tool, ext4, "ext4", ON_PMEM);
DR_STACK(scrub_tool, xfs_pieces, "xfs", ON_PIECES);

#define MNT	((char *)dr_mnt())
#define DEV	((char *)dr_stack_dev(&variant->stack))

/* A number of the JSON that the last run printed, or -1. */
static long number(const char *name)
{
	char key[64], *at;

	snprintf(key, sizeof(key), "\"%s\": ", name);
	at = strstr(tool_out, key);
	return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

/* What is in use is less than all, and both are read to their end. */
TEST_F(scrub_tool, clean)
{
	long all = dr_sectors(DEV) * 512, used;

	ASSERT_EQ(0, dr_create("f", 64, 1));
	ASSERT_EQ(0, tool_run("scrub", MNT));
	EXPECT_LINE("known as bad:     0 pages");
	EXPECT_LINE("found:            0 pages");
	EXPECT_EQ(3, tool_count_lines());
	ASSERT_EQ(0, tool_run("scrub", "--json", MNT));
	EXPECT_LINE("  \"complete\": true,");
	EXPECT_LINE("  \"resumed_from\": null,");
	EXPECT_LINE("  \"found\": []");
	used = number("read");
	EXPECT_LE(64 * (long)BLK, used);
	EXPECT_EQ(used, number("bytes"));
	ASSERT_EQ(0, tool_run("scrub", "--json", "--all", MNT));
	/* A page that an earlier test has lost may still be flagged. */
	EXPECT_EQ(all, number("read") + (long)BLK * number("known_pages"));
	EXPECT_LT(used, all / 2);
	/* By the device it is the same; all of it, if nothing is mounted. */
	ASSERT_EQ(0, tool_run("scrub", "--json", "--wait-ars", DEV));
	EXPECT_EQ(used, number("read"));
	EXPECT_LINE("  \"ars\": false,");
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, tool_run("scrub", "--json", DEV));
	EXPECT_EQ(all, number("read") + (long)BLK * number("known_pages"));
	/* Nothing is left that one could go on from. */
	EXPECT_EQ(4, tool_run("scrub", "--resume", DEV));
	EXPECT_LINE("daxrmap: %s: there is no scrub of it, with these options, that has stopped half way",
		    DEV);
}

/* What nobody knew is found, and told of; then it is known, and `lost` has its name. */
TEST_F(scrub_tool, find)
{
	struct daxrmap_guard_device d;
	long pfn, block;

	if (!dr_latent_there())
		SKIP(return, "there is no latent.ko");
	ASSERT_EQ(0, dr_create("f", 64, 1));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	block = dr_block("f", 7, NULL);
	pfn = dr_pfn_in_file("f", 7);
	ASSERT_LT(0, pfn);
	ASSERT_EQ(0, dr_latent(&pfn, 1));
	EXPECT_EQ(1, tool_run("scrub", MNT));
	EXPECT_LINE("daxrmap: pmem0 page %lld cannot be read", (long long)(pfn - d.first_pfn));
	EXPECT_LINE("found:            1 pages");
	EXPECT_LINE("  pmem0 page %lld: byte %ld of the device", (long long)(pfn - d.first_pfn),
		    block * (long)BLK);
	EXPECT_EQ(0, tool_run("lost", MNT));
	EXPECT_LINE("%s/f: offset %ld, length 4096, block %ld, owners 1", MNT, 7 * (long)BLK, block);
	EXPECT_EQ(0, tool_run("scrub", "--json", MNT));
	EXPECT_EQ(1, number("known_pages"));
	EXPECT_LINE("  \"found\": []");
}

/* Starts one that takes long, with its output in a file. */
static pid_t start(char *const argv[])
{
	pid_t pid = fork();

	if (!pid) {
		int fd = open(OUT, O_CREAT | O_TRUNC | O_WRONLY, 0600);

		dup2(fd, 1);
		dup2(fd, 2);
		execv(TOOL, argv);
		_exit(100);
	}
	return pid;
}

static int end(pid_t pid, int sig)
{
	int status;

	kill(pid, sig);
	if (waitpid(pid, &status, 0) != pid || dr_slurp(OUT, tool_out, TOOL_ROOM) < 0)
		return -ECHILD;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST_F(scrub_tool, stopped)
{
	char *argv[] = { TOOL, "scrub", "--json", "--all", "--rate", "1M", MNT, NULL };
	long all = dr_sectors(DEV) * 512, at, bytes;
	pid_t pid;

	if (dr_stack_dm(&variant->stack))
		SKIP(return, "takes long, and is the same on the device itself");
	pid = start(argv);
	ASSERT_LT(0, pid);
	sleep(3);
	/* Nobody else scrubs it meanwhile. */
	EXPECT_EQ(4, tool_run("scrub", "--all", MNT));
	EXPECT_TRUE(strstr(tool_out, "another scrub of this is running"));
	EXPECT_EQ(128 + SIGINT, end(pid, SIGINT));
	EXPECT_LINE("  \"complete\": false,");
	at = number("position");
	bytes = number("bytes");
	printf("# %ld KiB in some 3 s at 1 MiB a second\n", bytes >> 10);
	EXPECT_EQ(bytes, at);
	EXPECT_LE(MIB / 2, bytes);
	EXPECT_GE((number("seconds") + 1) * MIB + MIB, bytes);
	/* One that reads other things is not the same. */
	EXPECT_EQ(4, tool_run("scrub", "--resume", MNT));
	ASSERT_EQ(0, tool_run("scrub", "--resume", "--all", "--json", MNT));
	EXPECT_LINE("daxrmap: going on at byte %ld, where an earlier scrub has stopped", at);
	EXPECT_EQ(at, number("resumed_from"));
	EXPECT_EQ(all - at, number("bytes"));
	EXPECT_EQ(all, number("read") + (long)BLK * number("known_pages"));
}

/* What is written down now and then is enough to go on from. */
TEST_F(scrub_tool, killed)
{
	char *argv[] = { TOOL, "scrub", "--all", "--rate", "1M", MNT, NULL };
	long all = dr_sectors(DEV) * 512, at;
	pid_t pid;

	if (dr_stack_dm(&variant->stack))
		SKIP(return, "takes long, and is the same on the device itself");
	pid = start(argv);
	ASSERT_LT(0, pid);
	sleep(8);
	EXPECT_EQ(-SIGKILL, end(pid, SIGKILL));
	ASSERT_EQ(0, tool_run("scrub", "--all", "--json", MNT));
	at = number("resumed_from");
	EXPECT_LE(2 * MIB, at);
	EXPECT_EQ(all - at, number("bytes"));
	EXPECT_EQ(all, number("read") + (long)BLK * number("known_pages"));
	/* Or not, if one does not want that. */
	pid = start(argv);
	sleep(1);
	EXPECT_EQ(128 + SIGTERM, end(pid, SIGTERM));
	ASSERT_EQ(0, tool_run("scrub", "--all", "--restart", "--json", MNT));
	EXPECT_LINE("  \"resumed_from\": null,");
	EXPECT_EQ(all, number("bytes"));
}

TEST_F(scrub_tool, refused)
{
	EXPECT_EQ(4, tool_run("scrub", "/no/such"));
	EXPECT_LINE("daxrmap: /no/such: No such file or directory");
	EXPECT_EQ(4, tool_run("scrub", "/proc"));
	EXPECT_LINE("daxrmap: /proc: a filesystem that is on no block device");
	EXPECT_EQ(4, tool_run_without(CAP_SYS_ADMIN, "scrub", MNT));
	/* Device mapper is looked through first, and says it in other words. */
	if (!dr_stack_dm(&variant->stack))
		EXPECT_TRUE(strstr(tool_out, "Operation not permitted"));
	EXPECT_EQ(2, tool_run("scrub", "--rate", "0", MNT));
	EXPECT_EQ(2, tool_run("scrub"));
}

/* Ours knows which blocks are bad. */
FIXTURE(scrub_tool_own) { struct dr_fs fs; };
FIXTURE_SETUP(scrub_tool_own)
{
	setenv("DAXRMAP_STATE", STATE, 1);
	(void)!system("rm -rf " STATE);
	ASSERT_EQ(0, dr_setup(&self->fs));
}
FIXTURE_TEARDOWN_PARENT(scrub_tool_own)
{
	EXPECT_EQ(0, dr_teardown(&self->fs));
}

TEST_F(scrub_tool_own, in_use)
{
	long used;

	ASSERT_EQ(0, tool_run("scrub", "--json", MNT));
	used = number("read");
	EXPECT_LT(0, used);
	ASSERT_EQ(0, dr_create("f", 512, 1));
	ASSERT_EQ(0, tool_run("scrub", "--json", MNT));
	EXPECT_EQ(used + 512 * (long)BLK, number("read"));
	EXPECT_EQ(0, number("known_pages"));
	EXPECT_LINE("  \"complete\": true,");
}

TEST_HARNESS_MAIN
