// SPDX-License-Identifier: GPL-2.0
/*
 * DAXRMAP_IOC_LOST: which pages of which files are lost.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <uapi/daxrmap.h>
#include "kselftest_harness.h"
#include "common.h"

DR_FIXTURE(lost)

#define MAX		512
#define NOBODY		65534

static struct daxrmap_lost lost[MAX];

static int ask(unsigned long cmd, void *arg)
{
	int fd = dr_open(".", O_RDONLY);
	int ret;

	if (fd < 0)
		return fd;
	ret = ioctl(fd, cmd, arg) ? -errno : 0;
	close(fd);
	return ret;
}

/* All into lost[], `step` at a time: how many, or -errno. */
static int list_lost(unsigned int step)
{
	struct daxrmap_lost_head *h =
		calloc(1, sizeof(*h) + step * sizeof(*lost));
	int n = 0, ret;

	if (!h)
		return -ENOMEM;
	h->count = step;
	do {
		ret = ask(DAXRMAP_IOC_LOST, h);
		if (!ret && (h->entries > step || n + h->entries > MAX))
			ret = -E2BIG;
		if (ret)
			break;
		memcpy(lost + n, h->recs, h->entries * sizeof(*lost));
		n += h->entries;
	} while (!(h->oflags & DAXRMAP_LOST_END));
	free(h);
	return ret ?: n;
}

/* How often a page of a file is among the first n of lost[]. */
static int times_lost(int n, const char *name, unsigned long blk)
{
	unsigned long long ino = dr_ino(name);
	int times = 0;

	for (struct daxrmap_lost *l = lost; l < lost + n; l++)
		times += l->ino == ino && l->offset <= blk * BLK &&
			 blk * BLK < l->offset + l->length;
	return times;
}

/*
 * 0 if the record's handle, which is also that of the name, opens the file: it
 * has the record's inode number, its block @good holds block @pat of @seed, and
 * the record's page is lost.
 */
static int opens(const struct daxrmap_lost *l, const char *name,
		 unsigned long good, int seed, unsigned long pat)
{
	union dr_handle named;
	char byte;
	int fd, ret;

	ret = dr_handle(name, 0, &named);
	if (ret)
		return ret;
	if (named.h.handle_bytes != l->handle_bytes ||
	    memcmp(&named, &l->handle_bytes, sizeof(named.h) + l->handle_bytes) ||
	    /* FILEID_INO64_GEN has it there */
	    memcmp(l->handle + 8, &l->generation, 4))
		return -EBADMSG;
	dr_drop_caches();
	fd = dr_open_handle(&l->handle_bytes, O_RDONLY);
	if (fd < 0)
		return fd;
	ret = dr_fd_verify(fd, good, seed, pat);
	if (dr_fd_ino(fd) != (long)l->ino)
		ret = -ENOENT;
	if (pread(fd, &byte, 1, l->offset) != -1 || errno != EIO)
		ret = -ENODATA;
	close(fd);
	return ret;
}

/* The record of a page of a file among the first n of lost[], or NULL. */
static struct daxrmap_lost *record(int n, const char *name)
{
	for (struct daxrmap_lost *l = lost; l < lost + n; l++)
		if (l->ino == (unsigned long long)dr_ino(name))
			return l;
	return NULL;
}

TEST_F(lost, every_owner)
{
	int n, i;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 8, 1));
	EXPECT_EQ(0, list_lost(4));
	ASSERT_EQ(0, dr_create("f", 40, 1));
	ASSERT_EQ(0, dr_create("g", 8, 2));
	ASSERT_EQ(0, dr_create("gone", 4, 3));
	ASSERT_EQ(0, dr_clone_range("f", 8 * BLK, 8 * BLK, "h", 2 * BLK));
	ASSERT_EQ(0, dr_poison("f", 12));
	ASSERT_EQ(0, dr_poison("g", 3));
	ASSERT_EQ(0, dr_poison("gone", 1));
	ASSERT_EQ(0, unlink(dr_path("gone")));
	for (unsigned int step = 1; step < 5; step++) {
		n = list_lost(step);
		EXPECT_EQ(3, n);
		EXPECT_EQ(1, times_lost(n, "f", 12));
		EXPECT_EQ(1, times_lost(n, "h", 6));
		EXPECT_EQ(1, times_lost(n, "g", 3));
		for (i = 0; i < n; i++) {
			EXPECT_EQ(BLK, lost[i].length);
			EXPECT_EQ(0, lost[i].reserved);
		}
	}
	ASSERT_EQ(3, n);
	EXPECT_EQ(dr_block("f", 12, NULL) * BLK, record(n, "f")->physical);
	EXPECT_EQ(dr_block("f", 12, NULL) * BLK, record(n, "h")->physical);
	EXPECT_EQ(dr_block("g", 3, NULL) * BLK, record(n, "g")->physical);
	EXPECT_EQ(0, opens(record(n, "f"), "f", 0, 1, 0));
	EXPECT_EQ(0, opens(record(n, "h"), "h", 2, 1, 8));
	EXPECT_EQ(0, opens(record(n, "g"), "g", 7, 2, 7));
	/* what is healed is not lost any more, its other owner's data is */
	ASSERT_EQ(0, dr_write_blocks("f", 12, 1, 1));
	EXPECT_EQ(2, list_lost(1));
	EXPECT_EQ(0, times_lost(2, "f", 12));
	EXPECT_EQ(1, times_lost(2, "h", 6));
}

/* More owners of one block than a batch holds, some of which go meanwhile. */
TEST_F(lost, crowd)
{
	struct daxrmap_lost_head *h = calloc(1, sizeof(*h) + 7 * sizeof(*lost));
	char name[16];
	int i, n = 0;

	SKIP_ON_XFS();
	ASSERT_NE(NULL, h);
	ASSERT_EQ(0, dr_create("f", 4, 1));
	for (i = 0; i < 150; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		ASSERT_EQ(0, dr_clone("f", name));
	}
	ASSERT_EQ(0, dr_poison("f", 1));
	ASSERT_EQ(0, dr_poison("f", 2));
	h->count = 7;
	for (i = 0; !(h->oflags & DAXRMAP_LOST_END); i++) {
		ASSERT_GT(MAX, i);
		ASSERT_EQ(0, ask(DAXRMAP_IOC_LOST, h));
		memcpy(lost + n, h->recs, h->entries * sizeof(*lost));
		n += h->entries;
		ASSERT_GT(MAX - 7, n);
		snprintf(name, sizeof(name), "c%d", i * 4);
		if (i < 30)
			ASSERT_EQ(0, unlink(dr_path(name)));
	}
	EXPECT_EQ(1, times_lost(n, "f", 1));
	EXPECT_EQ(1, times_lost(n, "f", 2));
	EXPECT_EQ(0, times_lost(n, "f", 0));
	for (i = 0; i < 150; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		if (i < 120 && i % 4 == 0)
			continue;
		EXPECT_EQ(1, times_lost(n, name, 1));
		EXPECT_EQ(1, times_lost(n, name, 2));
	}
	free(h);
}

TEST_F(lost, arguments)
{
	struct daxrmap_lost_head h = { .count = 0 };

	SKIP_ON_XFS();
	EXPECT_EQ(-EINVAL, ask(DAXRMAP_IOC_LOST, &h));
	h.count = 1;
	h.iflags = 1;
	EXPECT_EQ(-EINVAL, ask(DAXRMAP_IOC_LOST, &h));
	h.iflags = 0;
	h.cursor[1] = 2;
	EXPECT_EQ(-EINVAL, ask(DAXRMAP_IOC_LOST, &h));
	memset(h.cursor, 0xff, sizeof(h.cursor));
	EXPECT_EQ(-EINVAL, ask(DAXRMAP_IOC_LOST, &h));
	memset(h.cursor, 0, sizeof(h.cursor));
	EXPECT_EQ(0, ask(DAXRMAP_IOC_LOST, &h));
	EXPECT_EQ(DAXRMAP_LOST_END, h.oflags);
	EXPECT_EQ(0, h.entries);
	EXPECT_EQ(-EFAULT, ask(DAXRMAP_IOC_LOST, (void *)8));
	EXPECT_EQ(-ENOTTY, ask(_IO(0xDA, 99), &h));
}

static int as_nobody(void *arg)
{
	struct daxrmap_lost_head head = { .count = 1 };
	int fd = dr_open(".", O_RDONLY);

	(void)arg;
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		return 1;
	return ioctl(fd, DAXRMAP_IOC_LOST, &head) && errno == EPERM ? 0 : 2;
}

TEST_F(lost, unprivileged)
{
	SKIP_ON_XFS();
	EXPECT_EQ(0, dr_wait(dr_spawn(as_nobody, NULL)));
}

TEST_HARNESS_MAIN
