// SPDX-License-Identifier: GPL-2.0
/*
 * /usr/sbin/daxrmap: what people see of it all. Its parts have tests of their
 * own, which need no kernel (tools/).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/module/tool.h"

DR_FIXTURE(tool)

TEST_F(tool, errors)
{
	char *commands[] = { "lost", "status" };
	char *foreign[] = { "/tmp: not a filesystem of daxrmap, ext4 or XFS",
		"/tmp: not a daxrmap filesystem" };
	char text[512];

	SKIP_ON_XFS();
	ASSERT_EQ(0, mkdir(dr_path("d"), 0755));
	ASSERT_EQ(0, dr_create("f", 1, 1));
	for (int i = 0; i < 2; i++) {
		char *c = commands[i];

		EXPECT_ERROR(foreign[i], c, "/tmp");
		EXPECT_ERROR("/none: No such file or directory", c, "/none");
		snprintf(text, sizeof(text), "%s: not a mount point", dr_path("d"));
		EXPECT_ERROR(text, c, (char *)dr_path("d"));
		snprintf(text, sizeof(text), "%s: Not a directory", dr_path("f"));
		EXPECT_ERROR(text, c, (char *)dr_path("f"));
		EXPECT_EQ(1, tool_run_without(CAP_SYS_ADMIN, c, (char *)dr_mnt()));
		EXPECT_LINE("daxrmap: %s: Operation not permitted", dr_mnt());
		EXPECT_EQ(1, tool_count_lines());
		EXPECT_EQ(2, tool_run(c));
		EXPECT_EQ(2, tool_run(c, "/mnt", "more"));
	}
	EXPECT_ERROR(foreign[0], "owners", "/tmp", "1");
	EXPECT_EQ(1, tool_run_without(CAP_SYS_ADMIN, "owners", (char *)dr_mnt(),
				      "1"));
	EXPECT_LINE("daxrmap: %s: Operation not permitted", dr_mnt());
	EXPECT_EQ(2, tool_run("owners", (char *)dr_mnt()));
	EXPECT_EQ(2, tool_run("owners", (char *)dr_mnt(), "1", "--pfn", "1"));
	EXPECT_EQ(2, tool_run("frob", (char *)dr_mnt()));
	/* nobody takes the output */
	tool_stdout = "/dev/full";
	EXPECT_ERROR("standard output: No space left on device", "status",
		     (char *)dr_mnt());
	tool_stdout = NULL;
}

TEST_F(tool, status)
{
	char *mnt = (char *)dr_mnt();

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, dr_poison("f", 3));
	ASSERT_EQ(0, tool_run("status", mnt));
	EXPECT_LINE("mount:            %s", mnt);
	EXPECT_LINE("device:           %s", dr_dev());
	EXPECT_LINE("state:            in use");
	EXPECT_LINE("block size:       4096");
	EXPECT_LINE("blocks:           %ld", dr_counter("blocks_total"));
	EXPECT_LINE("free blocks:      %ld", dr_free_blocks());
	EXPECT_LINE("bad blocks:       1");
	EXPECT_LINE("first pfn:        %#lx", dr_pfn_of_block(0));
	EXPECT_LINE("inodes:           3");
	EXPECT_LINE("owner records:    %ld", dr_counter("owner_records"));
	EXPECT_LINE("failures:         1");
	EXPECT_LINE("owners found:     2");
	ASSERT_EQ(0, tool_run("status", "--json", mnt));
	EXPECT_LINE("  \"bad_blocks\": 1,");
	EXPECT_LINE("  \"shut_down\": false,");
	EXPECT_LINE("  \"first_pfn\": %ld,", dr_pfn_of_block(0));
}

/* The owners of block 1 of f, and what the tool says of it. */
TEST_F(tool, owners)
{
	char *mnt = (char *)dr_mnt(), pfn[32], dec[32], at[512], *ways[3][2] = {
		{ dec, NULL }, { "--pfn", pfn }, { "--file", at },
	};
	long block, hole;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 4, 1));
	ASSERT_EQ(0, mkdir(dr_path("d"), 0755));
	ASSERT_EQ(0, dr_clone_range("f", 0, 4 * BLK, "d/odd\n\xff name", 2 * BLK));
	block = dr_block("f", 1, NULL);
	ASSERT_LE(0, block);
	snprintf(dec, sizeof(dec), "%ld", block);
	snprintf(pfn, sizeof(pfn), "%#lx", dr_pfn_of_block(block));
	snprintf(at, sizeof(at), "%s:%lu", dr_path("f"), BLK + 5);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, tool_run("owners", mnt, ways[i][0], ways[i][1]));
		EXPECT_LINE("block %ld (pfn %s): 2 owners", block, pfn);
		EXPECT_LINE("%s/f: offset 4096", mnt);
		EXPECT_LINE("%s/d/odd\\n\\377\\ name: offset 12288", mnt);
		EXPECT_EQ(3, tool_count_lines());
	}
	/* the same from the other side */
	snprintf(at, sizeof(at), "%s:12288", dr_path("d/odd\n\xff name"));
	ASSERT_EQ(0, tool_run("owners", mnt, "--file", at));
	EXPECT_LINE("block %ld (pfn %s): 2 owners", block, pfn);
	ASSERT_EQ(0, tool_run("owners", mnt, dec, "--json"));
	EXPECT_LINE("  \"block\": %ld,", block);
	EXPECT_LINE("  \"use\": \"owned\",");
	EXPECT_LINE("  \"bad\": false,");
	EXPECT_LINE("          \"path\": \"%s/d/odd\\n\xef\xbf\xbd name\",", mnt);
	ASSERT_EQ(0, dr_poison("f", 1));
	ASSERT_EQ(0, tool_run("owners", mnt, dec));
	EXPECT_LINE("block %ld (pfn %s): bad, 2 owners", block, pfn);
	ASSERT_EQ(0, unlink(dr_path("d/odd\n\xff name")));
	ASSERT_EQ(0, tool_run("owners", mnt, dec));
	EXPECT_LINE("block %ld (pfn %s): bad, 1 owner", block, pfn);
	ASSERT_EQ(0, unlink(dr_path("f")));
	EXPECT_EQ(dr_free_settled(self->fs.free_at_start - 1),
		  self->fs.free_at_start - 1);
	ASSERT_EQ(0, tool_run("owners", mnt, dec));
	EXPECT_LINE("block %ld (pfn %s): bad, no owner", block, pfn);
	ASSERT_EQ(0, tool_run("owners", mnt, "0"));
	EXPECT_LINE("block 0 (pfn %#lx): superblock", dr_pfn_of_block(0));
	ASSERT_EQ(0, tool_run("owners", mnt, "1"));
	EXPECT_LINE("block 1 (pfn %#lx): metadata log", dr_pfn_of_block(1));
	block = dr_end_block() - 1;
	snprintf(dec, sizeof(dec), "%ld", block);
	ASSERT_EQ(0, tool_run("owners", mnt, dec));
	EXPECT_LINE("block %ld (pfn %#lx): free", block, dr_pfn_of_block(block));
	/* blocks that are not there */
	hole = dr_open("hole", O_RDWR | O_CREAT);
	ASSERT_LE(0, hole);
	EXPECT_EQ(0, ftruncate(hole, 8 * BLK));
	close(hole);
	snprintf(at, sizeof(at), "%s: no block at offset 4096", dr_path("hole"));
	snprintf(dec, sizeof(dec), "%s:4096", dr_path("hole"));
	EXPECT_ERROR(at, "owners", mnt, "--file", dec);
	snprintf(at, sizeof(at), "/init: not on %s", mnt);
	EXPECT_ERROR(at, "owners", mnt, "--file", "/init:0");
	snprintf(at, sizeof(at), "%s: not a regular file", mnt);
	snprintf(dec, sizeof(dec), "%s:0", mnt);
	EXPECT_ERROR(at, "owners", mnt, "--file", dec);
	snprintf(dec, sizeof(dec), "%ld", dr_counter("blocks_total"));
	snprintf(at, sizeof(at), "%s: block %s is not here: it has 0 to %ld", mnt,
		 dec, dr_counter("blocks_total") - 1);
	EXPECT_ERROR(at, "owners", mnt, dec);
	EXPECT_EQ(1, tool_run("owners", mnt, "--pfn", "0"));
	EXPECT_EQ(1, tool_run("owners", mnt, "0xffffffffffffffff"));
}

TEST_F(tool, lost)
{
	long block, other, ino;
	char *mnt = (char *)dr_mnt();
	int fd;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, tool_run("lost", mnt));
	EXPECT_STREQ("", tool_out);
	ASSERT_EQ(0, mkdir(dr_path("d"), 0755));
	ASSERT_EQ(0, mkdir(dr_path("over"), 0755));
	ASSERT_EQ(0, dr_clone("f", "d/g"));
	ASSERT_EQ(0, dr_clone("f", "over/hidden"));
	ASSERT_EQ(0, dr_clone("f", "gone"));
	ASSERT_EQ(0, dr_create("good", 8, 2));
	block = dr_block("f", 2, NULL);
	ASSERT_EQ(0, dr_poison("f", 2));
	ASSERT_EQ(0, dr_poison("f", 3));
	ASSERT_EQ(0, dr_poison("f", 6));
	other = dr_block("f", 6, NULL);
	/* a file that is open only, one that is mounted over, one that is healed */
	fd = dr_open("gone", O_RDONLY);
	ASSERT_LE(0, fd);
	ino = dr_ino("gone");
	ASSERT_EQ(0, unlink(dr_path("gone")));
	ASSERT_EQ(0, dr_write_blocks("d/g", 6, 1, 3));
	ASSERT_EQ(0, tool_run("lost", mnt));
	EXPECT_LINE("%s/f: offset 8192, length 8192, block %ld, owners 4", mnt, block);
	EXPECT_LINE("%s/f: offset 24576, length 4096, block %ld, owners 3", mnt, other);
	EXPECT_LINE("%s/d/g: offset 8192, length 8192, block %ld, owners 4", mnt, block);
	EXPECT_LINE("%s/over/hidden: offset 24576, length 4096, block %ld, owners 3",
		    mnt, other);
	EXPECT_LINE("(unlinked) inode %ld: offset 8192, length 8192, block %ld, owners 4",
		    ino, block);
	EXPECT_EQ(7, tool_count_lines());
	ASSERT_EQ(0, tool_run("lost", "--json", mnt));
	EXPECT_LINE("      \"state\": \"unlinked\",");
	EXPECT_LINE("          \"path\": \"%s/d/g\"", mnt);
	/* who may not open by a handle learns what there is, and what failed */
	EXPECT_EQ(1, tool_run_without(CAP_DAC_READ_SEARCH, "lost", mnt));
	EXPECT_LINE("(no name found) inode %ld: offset 8192, length 8192, block %ld, owners 4",
		    ino, block);
	EXPECT_LINE("daxrmap: inode %ld: Operation not permitted", ino);
	EXPECT_EQ(8, tool_count_lines());
	/* the tool neither goes into other mounts nor finds what they cover */
	close(fd);
	ino = dr_ino("over/hidden");
	ASSERT_EQ(0, mount("tmpfs", dr_path("over"), "tmpfs", 0, ""));
	ASSERT_EQ(0, dr_create("over/f", 8, 1));
	ASSERT_EQ(0, tool_run("lost", mnt));
	EXPECT_LINE("(no name found) inode %ld: offset 8192, length 8192, block %ld, owners 3",
		    ino, block);
	EXPECT_EQ(5, tool_count_lines());
	ASSERT_EQ(0, umount(dr_path("over")));
}

#define CLONES	1000

/* How many owners of the last failure were not in core; negative: -errno. */
static long absent(void)
{
	static char text[1 << 18];
	char path[256];
	ssize_t r;
	long n = 0;

	snprintf(path, sizeof(path), DEBUGFS "/daxrmap/%s/last_failure",
		 strrchr(dr_dev(), '/') + 1);
	r = dr_slurp(path, text, sizeof(text));
	if (r < 0)
		return r;
	for (char *at = text; (at = strstr(at, " absent ")); at++)
		n++;
	return n;
}

/* One poison, a thousand clones, half of which nobody has in core. */
TEST_F_TIMEOUT(tool, thousand_clones, 300)
{
	char name[32], *mnt = (char *)dr_mnt();
	static int fds[CLONES];
	long block, away;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 4, 1));
	for (int i = 0; i < CLONES; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		ASSERT_EQ(0, dr_clone("f", name));
	}
	for (int i = 0; i < CLONES; i += 2) {
		snprintf(name, sizeof(name), "c%d", i);
		fds[i] = dr_open(name, O_RDONLY);
		ASSERT_LE(0, fds[i]);
	}
	block = dr_block("f", 1, NULL);
	dr_drop_caches();
	ASSERT_EQ(0, dr_poison_pfn(dr_pfn_of_block(block)));
	EXPECT_EQ(CLONES + 1, dr_counter("owners"));
	away = absent();
	printf("# %ld of %d owners were not in core\n", away, CLONES + 1);
	/* the rest: f and the odd ones, unless the kernel keeps some */
	EXPECT_LE(CLONES / 2 - 20, away);
	EXPECT_GE(CLONES / 2 + 1, away);
	ASSERT_EQ(0, tool_run("lost", mnt));
	EXPECT_EQ(CLONES + 1, tool_count_lines());
	EXPECT_LINE("%s/f: offset 4096, length 4096, block %ld, owners %d", mnt,
		    block, CLONES + 1);
	for (int i = 0; i < CLONES; i++)
		ASSERT_EQ(1, tool_lines("%s/c%d: offset 4096, length 4096, block %ld, owners %d",
					mnt, i, block, CLONES + 1));
	/* and each of them is lost indeed */
	for (int i = 0; i < CLONES; i += 50) {
		unsigned char byte;

		snprintf(name, sizeof(name), "c%d", i + 1);
		EXPECT_EQ(-EIO, dr_read1(name, 1, &byte));
		EXPECT_EQ(0, dr_verify(name, 2, 1, 1, 2));
	}
	for (int i = 0; i < CLONES; i += 2)
		close(fds[i]);
}

TEST_HARNESS_MAIN
