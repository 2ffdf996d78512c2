// SPDX-License-Identifier: GPL-2.0
/*
 * `daxrmap map`, and `daxrmap lost --open` and `--packages`: on daxrmap, ext4
 * and XFS, what is drawn is held against where FIEMAP says that files are, who
 * shares them, and what this test has made bad.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/device/stack.h"
#include "common/module/tool.h"

#define FILE_BLOCKS	8
#define SECTORS		(BLK / 512)
#define PAGE		"/tmp/map"

/* f alone, g shared by 2, h by 3, and k by 11: all of them in one piece each. */
static int make_files(bool clones)
{
	char name[32];
	int r = dr_create("f", FILE_BLOCKS, 1) ?: dr_create("g", FILE_BLOCKS, 2);

	r = r ?: dr_create("h", FILE_BLOCKS, 3) ?: dr_create("k", FILE_BLOCKS, 4);
	for (int i = 0; clones && i < 13; i++) {
		snprintf(name, sizeof(name), "clone%d", i);
		r = r ?: dr_clone(i < 1 ? "g" : i < 3 ? "h" : "k", name);
	}
	sync();
	return r;
}

/* The first block of a file that is in one piece, or -1. */
static long place_of(const char *name)
{
	long first = dr_block(name, 0, NULL);

	for (int i = 1; i < FILE_BLOCKS; i++)
		if (first < 0 || dr_block(name, i, NULL) != first + i)
			return -1;
	return first;
}

/* What is drawn of a file is this, with all of it marked: a cell is a block then. */
static int drawn(const char *name, const char *cells)
{
	static const char marks[] = "^^^^^^^^";
	long first = place_of(name);
	int width = snprintf(NULL, 0, "%ld", first + FILE_BLOCKS - 1);
	char file[256];

	if (first < 0)
		return -1;
	snprintf(file, sizeof(file), "%s", dr_path(name));
	if (tool_run("map", "--file", file, (char *)dr_mnt()))
		return -2;
	return tool_lines("%*ld %s", width, first, cells) == 1 &&
		tool_lines("%*s %s", width, "", marks) == 1 &&
		tool_lines("^ %s", file) == 1 && tool_lines("Each cell is a block.") == 1 ? 0 : -3;
}

/* What a page that was written has, and has not. */
static int page_has(const char *text, const char *not)
{
	static char page[4 << 20];

	if (dr_slurp(PAGE, page, sizeof(page)) <= 0)
		return -1;
	return strstr(page, text) && !strstr(page, not) ? 0 : -2;
}

DR_FIXTURE(map)

TEST_F(map, ours)
{
	char *mnt = (char *)dr_mnt(), range[64], heading[128], file[256];
	long f, bad;
	char *odd = "<script>alert(1)<\\script>\x1b[2J";

	SKIP_ON_XFS();
	ASSERT_EQ(0, make_files(true));
	EXPECT_EQ(0, drawn("f", "oooooooo"));
	EXPECT_EQ(0, drawn("g", "22222222"));
	EXPECT_EQ(0, drawn("clone1", "33333333"));
	EXPECT_EQ(0, drawn("k", "++++++++"));
	bad = dr_block("g", 3, NULL);
	ASSERT_EQ(0, dr_poison("g", 3));
	EXPECT_EQ(0, drawn("g", "222!2222"));
	EXPECT_LINE("Lost:");
	EXPECT_LINE("%s/g: offset 12288, length 4096, block %ld, owners 2", mnt, bad);
	EXPECT_LINE("%s/clone0: offset 12288, length 4096, block %ld, owners 2", mnt, bad);
	/* What is lost elsewhere is not drawn, but said. */
	EXPECT_EQ(0, drawn("f", "oooooooo"));
	EXPECT_LINE("2 other things are lost outside of this range.");
	f = place_of("f");
	snprintf(range, sizeof(range), "%ld-%#lx", f, f + 3);
	ASSERT_EQ(0, tool_run("map", "--range", range, mnt));
	EXPECT_LINE("%s on %s, daxrmap: blocks %ld to %ld of %ld, 16 KiB", mnt, dr_dev(), f,
		    f + 3, dr_counter("blocks_total"));
	EXPECT_LINE("%*ld oooo", snprintf(NULL, 0, "%ld", f + 3), f);
	snprintf(range, sizeof(range), "0-%ld", dr_counter("blocks_total"));
	EXPECT_EQ(1, tool_run("map", "--range", range, mnt));
	EXPECT_EQ(2, tool_run("map", "--range", "1", mnt));
	/* All of it: the log is metadata, and no line is too long. */
	ASSERT_EQ(0, tool_run("map", mnt));
	snprintf(heading, sizeof(heading), "%s on %s, daxrmap: %ld blocks, ", mnt, dr_dev(),
		 dr_counter("blocks_total"));
	EXPECT_EQ(0, strncmp(tool_out, heading, strlen(heading)));
	EXPECT_NE(NULL, strstr(tool_out, "0 mm"));
	EXPECT_EQ(NULL, strchr(tool_out, '\x1b'));
	ASSERT_EQ(0, setenv("CLICOLOR_FORCE", "1", 1));
	ASSERT_EQ(0, tool_run("map", mnt));
	EXPECT_NE(NULL, strstr(tool_out, "\x1b[48;5;160m!"));
	ASSERT_EQ(0, setenv("NO_COLOR", "1", 1));
	unsetenv("CLICOLOR_FORCE");
	ASSERT_EQ(0, tool_run("map", mnt));
	EXPECT_EQ(NULL, strchr(tool_out, '\x1b'));
	unsetenv("NO_COLOR");
	/* Pages name files, and whatever these are called, it is text. */
	ASSERT_EQ(0, dr_create(odd, FILE_BLOCKS, 5));
	snprintf(file, sizeof(file), "%s", dr_path(odd));
	ASSERT_EQ(0, tool_run("map", "--html", PAGE, "--file", file, mnt));
	EXPECT_STREQ("", tool_out);
	EXPECT_EQ(0, page_has("/&lt;script&gt;alert(1)&lt;\\\\script&gt;\\033[2J", "<script>alert"));
	EXPECT_EQ(0, page_has("</script>", "\x1b"));
	ASSERT_EQ(0, tool_run("map", "--svg", PAGE, "--file", file, mnt));
	EXPECT_EQ(0, page_has("/&lt;script&gt;alert(1)&lt;\\\\script&gt;\\033[2J", "<script"));
	ASSERT_EQ(0, tool_run("map", "--json", "--file", (char *)dr_path("g"), mnt));
	EXPECT_LINE("  \"first\": %ld,", place_of("g") < 0 ? bad - 3 : place_of("g"));
	EXPECT_LINE("    \"bad\": 4096,");
	EXPECT_LINE("    \"shared2\": 28672");
	EXPECT_EQ(1, tool_run("map", "--json", "--html", "-", mnt));
	EXPECT_LINE("daxrmap: one thing only can go to standard output");
	EXPECT_EQ(1, tool_run_without(CAP_SYS_ADMIN, "map", mnt));
	unlink(PAGE);
}

TEST_F(map, who_has_what_is_lost)
{
	char *mnt = (char *)dr_mnt(), comm[32];
	volatile char *p;
	long bad;
	int fd;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", FILE_BLOCKS, 1));
	ASSERT_EQ(0, dr_create("g", FILE_BLOCKS, 1));
	bad = dr_block("f", 3, NULL);
	ASSERT_EQ(0, dr_poison("f", 3));
	ASSERT_EQ(0, tool_run("lost", "--open", mnt));
	EXPECT_LINE("%s/f: offset 12288, length 4096, block %ld, owners 1", mnt, bad);
	fd = open("/proc/self/comm", O_RDONLY);
	ASSERT_LE(0, fd);
	comm[read(fd, comm, sizeof(comm)) - 1] = 0;
	close(fd);
	/* A mapping is enough. */
	p = dr_map("f", 0, BLK, PROT_READ, MAP_SHARED);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, tool_run("lost", "--open", mnt));
	EXPECT_LINE("%s/f: offset 12288, length 4096, block %ld, owners 1, open by %s(%d)", mnt, bad,
		    comm, getpid());
	munmap((void *)p, BLK);
	fd = dr_open("f", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, tool_run("lost", "--open", "--json", mnt));
	EXPECT_LINE("          \"pid\": %d,", getpid());
	EXPECT_LINE("          \"open\": true,");
	EXPECT_LINE("          \"mapped\": false");
	close(fd);
	/* There is no dpkg here. */
	EXPECT_EQ(1, tool_run("lost", "--packages", mnt));
	EXPECT_LINE("%s/f: offset 12288, length 4096, block %ld, owners 1", mnt, bad);
	EXPECT_LINE("daxrmap: dpkg: the packages are not known: No such file or directory");
}

FIXTURE(others) { struct dr_stacked state; };
FIXTURE_VARIANT(others) {
	struct dr_stack stack;
	bool clones, names_owners;
};
FIXTURE_VARIANT_ADD(others, ext4) {
	{ "ext4", ON_PMEM, "-E nodiscard,lazy_itable_init=0" }, false, false };
FIXTURE_VARIANT_ADD(others, xfs) { { "xfs", ON_PMEM, "-m reflink=1,rmapbt=0" }, true, false };
FIXTURE_VARIANT_ADD(others, xfs_rmapbt) { { "xfs", ON_PMEM, "-m reflink=1,rmapbt=1" }, true, true };

FIXTURE_SETUP(others)
{
	if (dr_xfs() || getenv("DAXRMAP_TEST_DEV"))
		SKIP(return, "makes its own filesystems, on two e820 devices");
	ASSERT_EQ(0, dr_stack_up(&variant->stack, &self->state));
}
FIXTURE_TEARDOWN_PARENT(others)
{
	if (dr_xfs() || getenv("DAXRMAP_TEST_DEV"))
		return;
	EXPECT_EQ(0, dr_stack_down(&variant->stack, &self->state));
}

TEST_F_TIMEOUT(others, drawn, 100)
{
	bool named = variant->names_owners;
	char *mnt = (char *)dr_mnt(), line[64], file[256];
	long bad;

	ASSERT_EQ(0, make_files(variant->clones));
	EXPECT_EQ(0, drawn("f", named ? "oooooooo" : "uuuuuuuu"));
	EXPECT_EQ(0, drawn("h", named ? "33333333" : "uuuuuuuu"));
	EXPECT_EQ(0, drawn("k", named ? "++++++++" : "uuuuuuuu"));
	bad = dr_block("g", 3, NULL);
	ASSERT_LT(0, bad);
	snprintf(line, sizeof(line), "%ld %lu", bad * SECTORS, SECTORS);
	ASSERT_EQ(0, dr_put("/sys/block/pmem0/badblocks", line));
	EXPECT_EQ(0, drawn("g", named ? "222!2222" : "uuu!uuuu"));
	EXPECT_LINE("%s/g: offset 12288, length 4096, block %ld, owners %d", mnt, bad,
		    variant->clones ? 2 : 1);
	ASSERT_EQ(0, tool_run("map", mnt));
	EXPECT_NE(NULL, strstr(tool_out, "\nLost:\n"));
	EXPECT_EQ(!named, !!strstr(tool_out, "Owner not told: "));
	EXPECT_EQ(!strcmp(variant->stack.fs, "ext4") || named, !!strstr(tool_out, "m metadata "));
	/* Where owners are told, cells have names; what is lost always has. */
	snprintf(file, sizeof(file), "%s", dr_path("g"));
	ASSERT_EQ(0, tool_run("map", "--html", PAGE, "--file", file, mnt));
	EXPECT_EQ(0, page_has(named ? "/clone0</title>" : "/g</span>", "<script>alert"));
	unlink(PAGE);
}

TEST_HARNESS_MAIN
