// SPDX-License-Identifier: GPL-2.0
/*
 * cachestat(2), which takes DAX entries for shadows of evicted pages. A kernel that the
 * module does not keep from that dies here (Documentation/kernel-faults.rst).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(cachestat)

static int ask(const char *name, uint64_t *evicted)
{
	struct { uint64_t off, len; } all = { 0, 0 };
	struct { uint64_t cache, dirty, writeback, evicted, recently; } s = { 0 };
	int fd = dr_open(name, O_RDWR);
	int ret;

	if (fd < 0)
		return fd;
	ret = syscall(SYS_cachestat, fd, &all, &s, 0) ? -errno : 0;
	*evicted = s.evicted;
	close(fd);
	return ret ?: s.cache ? -EILSEQ : 0;
}

static int ask_about(void *name)
{
	uint64_t n;

	errno = -ask(name, &n);
	return errno ? -1 : 0;
}

/* Pages of blocks whose numbers differ in each bit that a shadow's node can have; a hole, too. */
TEST_F(cachestat, of_dax_entries)
{
	uint64_t n = 0;
	char *p;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 1100, 1));
	ASSERT_EQ(0, truncate(dr_path("f"), 1200 * BLK));
	if (ask("f", &n) == -ENOSYS)
		SKIP(return, "no cachestat(2)");
	p = dr_map("f", 0, 1200 * BLK, PROT_READ, MAP_SHARED);
	ASSERT_NE(NULL, p);
	for (int i = 0; i < 1200; i++)
		ASSERT_EQ(0, dr_load(p + i * BLK).sig.signo);
	EXPECT_EQ(0, ask("f", &n));
	EXPECT_LT(0, n);		/* the entries were there */
	ASSERT_EQ(0, chown(dr_path("f"), 65534, 65534));
	EXPECT_EQ(0, dr_as(65534, 65534, ask_about, "f"));
	/* a page that is written to, or that has failed */
	ASSERT_EQ(0, dr_write_blocks("f", 3, 1, 2));
	ASSERT_EQ(0, dr_poison("f", 7));
	EXPECT_EQ(0, ask("f", &n));
	munmap(p, 1200 * BLK);
}

TEST_HARNESS_MAIN
