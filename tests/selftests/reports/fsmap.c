// SPDX-License-Identifier: GPL-2.0
/*
 * FS_IOC_GETFSMAP: what is where on the device, held against what FIEMAP and
 * the counters say.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/device/places.h"

DR_FIXTURE(fsmap)

#define MAX		512
#define NOBODY		65534

static struct fsmap recs[MAX];

static struct fsmap_head *new_head(unsigned int count)
{
	struct fsmap_head *h = dr_fsmap_head(count);

	if (!h)
		exit(100);
	return h;
}

static int ask(const char *name, void *arg)
{
	int fd = dr_open(name, O_RDONLY);
	int ret;

	if (fd < 0)
		return fd;
	ret = ioctl(fd, FS_IOC_GETFSMAP, arg) ? -errno : 0;
	close(fd);
	return ret;
}

/* All records into recs[], `step` at a time: how many, or -errno. */
static int list(int fd, unsigned int step)
{
	struct fsmap_head *h = new_head(step);
	int n = 0, ret;

	for (;;) {
		ret = ioctl(fd, FS_IOC_GETFSMAP, h) ? -errno : 0;
		if (ret)
			break;
		ret = -ENODATA;
		if (!h->fmh_entries || h->fmh_entries > step ||
		    n + h->fmh_entries > MAX)
			break;
		memcpy(recs + n, h->fmh_recs, h->fmh_entries * sizeof(*recs));
		n += h->fmh_entries;
		ret = n;
		if (recs[n - 1].fmr_flags & FMR_OF_LAST)
			break;
		fsmap_advance(h);
	}
	free(h);
	return ret;
}

/* The same, of the directory of the mount. */
static int list_all(unsigned int step)
{
	int fd = dr_open(".", O_RDONLY);
	int n = fd < 0 ? fd : list(fd, step);

	close(fd);
	return n;
}

static bool is_special(const struct fsmap *r, unsigned long long owner)
{
	return r->fmr_flags & FMR_OF_SPECIAL_OWNER && r->fmr_owner == owner;
}

/* The record of a file's block, or NULL; NULL too if there are two. */
static struct fsmap *owner_of(int n, const char *name, unsigned long blk)
{
	unsigned long long at = dr_block(name, blk, NULL) * BLK;
	unsigned long long ino = dr_ino(name);
	struct fsmap *found = NULL;

	for (struct fsmap *r = recs; r < recs + n; r++) {
		if (r->fmr_flags & FMR_OF_SPECIAL_OWNER || r->fmr_owner != ino ||
		    at < r->fmr_physical || at >= r->fmr_physical + r->fmr_length ||
		    r->fmr_offset + (at - r->fmr_physical) != blk * BLK)
			continue;
		if (found)
			return NULL;
		found = r;
	}
	return found;
}

/* Blocks of records with this special owner. */
static long blocks_of(int n, unsigned long long owner)
{
	long sum = 0;

	for (int i = 0; i < n; i++)
		if (is_special(recs + i, owner))
			sum += recs[i].fmr_length / BLK;
	return sum;
}

/* In order, without gaps, and LAST is the last one's alone: the end, or -1. */
static long long covered(int n)
{
	unsigned long long end = 0;

	for (int i = 0; i < n; i++) {
		struct fsmap *r = recs + i;

		if (r->fmr_physical > end || !r->fmr_length)
			return -1;
		if (i && r->fmr_physical < r[-1].fmr_physical)
			return -1;
		if (r->fmr_flags & FMR_OF_SPECIAL_OWNER && r->fmr_physical < end)
			return -1;
		if (!(r->fmr_flags & FMR_OF_LAST) != (i != n - 1))
			return -1;
		if (r->fmr_physical + r->fmr_length > end)
			end = r->fmr_physical + r->fmr_length;
	}
	return end;
}

static int nap(void *arg)
{
	(void)arg;
	usleep(200000);
	return 0;
}

/* Unlinks a file that somebody has open a moment longer; waits until its blocks are free. */
static int remove_used(const char *name)
{
	int fd = dr_open(name, O_RDONLY);

	if (fd < 0)
		return fd;
	dr_spawn(nap, NULL);
	close(fd);
	return unlink(dr_path(name)) ? -errno : dr_settle();
}

/* Files that share some blocks; one block of both is bad, and one of nobody. */
static int make_some(void)
{
	int ret = dr_create("f", 40, 1) ?: dr_create("g", 8, 2) ?:
		  dr_create("gone", 4, 3) ?:
		  dr_clone_range("f", 8 * BLK, 8 * BLK, "h", 2 * BLK) ?:
		  dr_write_blocks("h", 4, 1, 4) ?:
		  dr_poison("f", 12) ?: dr_poison("g", 3) ?: dr_poison("gone", 1);

	return ret ?: remove_used("gone");
}

TEST_F(fsmap, every_block_once)
{
	struct stat st;
	long blk;
	int n;

	SKIP_ON_XFS();
	ASSERT_EQ(0, make_some());
	n = list_all(MAX);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, stat(dr_mnt(), &st));
	EXPECT_EQ(dr_counter("blocks_total") * BLK, covered(n));
	EXPECT_EQ(dr_counter("blocks_free"), blocks_of(n, FMR_OWN_FREE));
	EXPECT_EQ(1, blocks_of(n, DR_OWN_BAD));
	EXPECT_EQ(0, blocks_of(n, FMR_OWN_UNKNOWN));
	for (int i = 0; i < n; i++)
		/* minors below 256: as dev_t is */
		EXPECT_EQ(major(st.st_dev) << 8 | minor(st.st_dev),
			  recs[i].fmr_device);
	for (blk = 0; blk < 40; blk++)
		EXPECT_NE(NULL, owner_of(n, "f", blk));
	for (blk = 0; blk < 8; blk++) {
		struct fsmap *r = owner_of(n, "g", blk);

		ASSERT_NE(NULL, r);
		EXPECT_EQ(0, r->fmr_flags & FMR_OF_SHARED);
		r = owner_of(n, "h", blk + 2);
		ASSERT_NE(NULL, r);
		EXPECT_EQ(blk != 2, !!(r->fmr_flags & FMR_OF_SHARED));
	}
}

/* In steps of any size the same comes out, and the count agrees. */
TEST_F(fsmap, continues)
{
	static struct fsmap all[MAX];
	struct fsmap_head *h = new_head(0);
	int n, step;

	ASSERT_EQ(0, dr_create("f", 200, 1));
	ASSERT_EQ(0, dr_clone("f", "g"));
	ASSERT_EQ(0, dr_clone("f", "h"));
	for (int i = 0; i < 200; i += 3)
		ASSERT_EQ(0, dr_write_blocks("g", i, 1, 2));
	n = list_all(MAX);
	ASSERT_LT(130, n);
	memcpy(all, recs, sizeof(all));
	for (step = 1; step < n + 2; step += step < 4 ? 1 : 13) {
		EXPECT_EQ(n, list_all(step));
		EXPECT_EQ(0, memcmp(all, recs, n * sizeof(*all)));
	}
	/* just as many as there are */
	EXPECT_EQ(n, list_all(n));
	EXPECT_EQ(0, ask("f", h));
	if (!dr_xfs())
		EXPECT_EQ(n, h->fmh_entries);
	free(h);
}

TEST_F(fsmap, keys)
{
	struct fsmap_head *h = new_head(MAX);
	unsigned long long at;

	SKIP_ON_XFS();
	ASSERT_EQ(0, dr_create("f", 8, 1));
	ASSERT_EQ(0, dr_create("g", 8, 1));
	at = dr_block("g", 2, NULL) * BLK;
	h->fmh_keys[0].fmr_physical = at;
	h->fmh_keys[0].fmr_device = h->fmh_keys[1].fmr_device = 0;
	/* no device has number 0: all of it is after the high key */
	EXPECT_EQ(0, ask("f", h));
	EXPECT_EQ(0, h->fmh_entries);
	h->fmh_keys[1].fmr_device = -1;
	ASSERT_LT(0, list_all(1));
	h->fmh_keys[0].fmr_device = recs[0].fmr_device;
	h->fmh_keys[1].fmr_device = recs[0].fmr_device;
	h->fmh_keys[1].fmr_physical = at + BLK;
	EXPECT_EQ(0, ask("f", h));
	ASSERT_EQ(1, h->fmh_entries);
	EXPECT_EQ(dr_ino("g"), h->fmh_recs[0].fmr_owner);
	EXPECT_EQ(FMH_OF_DEV_T, h->fmh_oflags);

	h->fmh_iflags = 1;
	EXPECT_EQ(-EINVAL, ask("f", h));
	h->fmh_iflags = 0;
	h->fmh_reserved[5] = 1;
	EXPECT_EQ(-EINVAL, ask("f", h));
	h->fmh_reserved[5] = 0;
	h->fmh_keys[1].fmr_reserved[2] = 1;
	EXPECT_EQ(-EINVAL, ask("f", h));
	h->fmh_keys[1].fmr_reserved[2] = 0;
	h->fmh_keys[1].fmr_physical = at - 1;
	EXPECT_EQ(-EINVAL, ask("f", h));
	h->fmh_keys[1].fmr_device = 12345;
	EXPECT_EQ(-EINVAL, ask("f", h));
	EXPECT_EQ(-EFAULT, ask("f", (void *)8));
	free(h);
}

/* As somebody else: no inode numbers. */
static int as_nobody(void *arg)
{
	unsigned long long total = *(long *)arg * BLK;
	int fd = dr_open(".", O_RDONLY);
	int n;

	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		return 1;
	n = list(fd, 2);
	if (n <= 0 || covered(n) != (long long)total)
		return 3;
	for (int i = 0; i < n; i++)
		if (!(recs[i].fmr_flags & FMR_OF_SPECIAL_OWNER) ||
		    recs[i].fmr_offset)
			return 4;
	/* f, h and g; and in between what is free or bad */
	if (blocks_of(n, FMR_OWN_UNKNOWN) != 49)
		return 5;
	return blocks_of(n, DR_OWN_BAD) == 1 ? 0 : 6;
}

TEST_F(fsmap, unprivileged)
{
	long total = dr_counter("blocks_total");

	SKIP_ON_XFS();
	ASSERT_EQ(0, make_some());
	EXPECT_EQ(0, dr_wait(dr_spawn(as_nobody, &total)));
}

/* What is there already can read it. */
TEST_F(fsmap, xfs_io)
{
	char cmd[256], line[256];
	int owners = 0, frees = 0;
	FILE *p;

	SKIP_ON_XFS();
	if (system("xfs_io -V >/dev/null 2>&1"))
		SKIP(return, "no xfs_io");
	ASSERT_EQ(0, make_some());
	snprintf(cmd, sizeof(cmd), "xfs_io -r -c 'fsmap -n 3' %s 2>&1", dr_mnt());
	p = popen(cmd, "r");
	ASSERT_NE(NULL, p);
	while (fgets(line, sizeof(line), p)) {
		TH_LOG("%s", line);
		owners += strstr(line, "inode") != NULL;
		frees += strstr(line, "free space") != NULL;
	}
	EXPECT_EQ(0, pclose(p));
	EXPECT_LE(4, owners);
	EXPECT_LE(1, frees);
}

TEST_HARNESS_MAIN
