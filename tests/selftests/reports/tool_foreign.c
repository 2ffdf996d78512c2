// SPDX-License-Identifier: GPL-2.0
/*
 * `daxrmap lost` and `daxrmap owners` on ext4 and XFS, on pmem itself, on a
 * partition of it, and on device-mapper: what is bad below is put on the
 * drivers' lists by sysfs, at places that this test reckons for itself, and
 * that read(2) must then fail at. The output is held against all of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/device/dm.h"
#include "common/device/places.h"
#include "common/device/stack.h"
#include "common/module/tool.h"

#define SECTORS		(BLK / 512)
#define BLOCKS(mib)	(((mib) << 20) / BLK)
#define OWN_INODES	FMR_OWNER('X', 5)
#define EXT4(on)	{ "ext4", on, "-E nodiscard,lazy_itable_init=0" }
#define XFS(on)		{ "xfs", on, "-m reflink=1,rmapbt=0" }
#define RMAPBT(on)	{ "xfs", on, "-m reflink=1,rmapbt=1" }

FIXTURE(foreign) { struct dr_stacked state; };
FIXTURE_VARIANT(foreign) {
	struct dr_stack stack;
	bool clones, names_owners;
};
#define VARIANT(name, ...) FIXTURE_VARIANT_ADD(foreign, name) { __VA_ARGS__ }
VARIANT(ext4, EXT4(ON_PMEM), false, false);
VARIANT(ext4_partition, EXT4(ON_PARTITION), false, false);
VARIANT(ext4_linear, EXT4(ON_LINEAR), false, false);
VARIANT(ext4_pieces, EXT4(ON_PIECES), false, false);
VARIANT(xfs, XFS(ON_PMEM), true, false);
VARIANT(xfs_striped, XFS(ON_STRIPED), true, false);
VARIANT(xfs_rmapbt, RMAPBT(ON_PMEM), true, true);
VARIANT(xfs_rmapbt_pieces, RMAPBT(ON_PIECES), true, true);
VARIANT(xfs_rmapbt_striped, RMAPBT(ON_WIDE_STRIPES), true, true);

/* As DR_STACK_FIXTURE has it. */
FIXTURE_SETUP(foreign)
{
	if (dr_xfs() || getenv("DAXRMAP_TEST_DEV"))
		SKIP(return, "makes its own filesystems, on two e820 devices");
	ASSERT_EQ(0, dr_stack_up(&variant->stack, &self->state));
}
FIXTURE_TEARDOWN_PARENT(foreign)
{
	if (dr_xfs() || getenv("DAXRMAP_TEST_DEV"))
		return;
	EXPECT_EQ(0, dr_stack_down(&variant->stack, &self->state));
}

/* Where a block of the filesystem is: the disk, and the block there, as stack.c lays it out. */
static const char *disk_of(const struct dr_stack *s, unsigned long *block)
{
	unsigned long half = BLOCKS(192UL), chunk = s->on == ON_STRIPED ? 16 : BLOCKS(2UL);
	unsigned long turn = *block / chunk;

	switch (s->on) {
	case ON_PMEM:
		break;
	case ON_PARTITION:
		*block += BLOCKS(64UL);
		break;
	case ON_LINEAR:
		*block += BLOCKS(32UL);
		break;
	case ON_PIECES:
		*block = *block < half ? *block + half : *block - half;
		break;
	default:
		*block = turn / 2 * chunk + *block % chunk;
		return turn % 2 ? PMEM1 : PMEM0;
	}
	return PMEM0;
}

static int list_bad(const struct dr_stack *s, unsigned long block)
{
	const char *disk = disk_of(s, &block);
	char file[128], line[64];

	snprintf(file, sizeof(file), "/sys/block/%s/badblocks", strrchr(disk, '/') + 1);
	snprintf(line, sizeof(line), "%lu %lu", block * SECTORS, SECTORS);
	return dr_put(file, line);
}

static unsigned long pfn_of(const struct dr_stack *s, unsigned long block)
{
	const char *disk = disk_of(s, &block);
	char file[128], text[64];

	snprintf(file, sizeof(file), "/sys/block/%s/device/resource", strrchr(disk, '/') + 1);
	if (dr_slurp(file, text, sizeof(text)) < 0)
		return 0;
	return strtoul(text, NULL, 16) / BLK + block;
}

/* Makes a block of a file bad, and says which that is. Negative: -errno, or it can be read. */
static long spoil(const struct dr_stack *s, const char *name, unsigned long blk)
{
	long block = dr_block(name, blk, NULL);
	unsigned char byte;
	int r;

	if (block < 0)
		return block;
	r = list_bad(s, block);
	if (r)
		return r;
	r = dr_read1(name, blk, &byte);
	return r == -EIO ? block : -EILSEQ;
}

/* The block that a file's attributes are in, or -errno. */
static long attribute_block(const char *name)
{
	struct {
		struct fiemap fm;
		struct fiemap_extent e;
	} q = { .fm = { .fm_length = ~0UL, .fm_extent_count = 1,
		.fm_flags = FIEMAP_FLAG_SYNC | FIEMAP_FLAG_XATTR } };
	int r, fd = dr_open(name, O_RDONLY);

	if (fd < 0)
		return fd;
	r = ioctl(fd, FS_IOC_FIEMAP, &q) ? dr_errno() : 0;
	close(fd);
	if (r || !q.fm.fm_mapped_extents || q.e.fe_flags & FIEMAP_EXTENT_DATA_INLINE)
		return r ?: -ENOENT;
	return q.e.fe_physical / BLK;
}

/* The last block of the last record with an owner of that kind; -1 if there is none. */
struct wanted { unsigned long long owner; long block; };

static void look(const struct fsmap *rec, void *arg)
{
	struct wanted *w = arg;

	if (rec->fmr_flags & FMR_OF_SPECIAL_OWNER && rec->fmr_owner == w->owner)
		w->block = (rec->fmr_physical + rec->fmr_length) / BLK - 1;
}

static long last_block_of(unsigned long long owner)
{
	struct wanted w = { owner, -1 };
	int r, fd = dr_open("", O_RDONLY);

	r = fd < 0 ? fd : dr_places(fd, look, &w);
	close(fd);
	return r ?: w.block;
}

static unsigned int generation(const char *name)
{
	int gen = 0, fd = dr_open(name, O_RDONLY);

	if (ioctl(fd, FS_IOC_GETVERSION, &gen))
		gen = 0;
	close(fd);
	return gen;
}

/* f and its other owners: blocks 2, 3 and 6 are to be bad. */
static int make_files(bool clones)
{
	char value[3000];
	int r;

	memset(value, 'v', sizeof(value));
	r = mkdir(dr_path("d"), 0755) ? dr_errno() : 0;
	r = r ?: dr_create("f", 8, 1) ?: dr_create("good", 8, 2) ?: dr_create("gone", 4, 3);
	r = r ?: dr_create("x", 1, 4) ?: dr_create("sparse", 1, 5);
	r = r ?: dr_fallocate("empty", 0, 0, 4 * BLK);
	r = r ?: dr_write_blocks("sparse", 100, 1, 6);
	if (!r && (link(dr_path("f"), dr_path("d/odd\n\xff name")) ||
		   setxattr(dr_path("x"), "user.v", value, sizeof(value), 0)))
		r = dr_errno();
	if (!r && clones)
		r = dr_clone_range("f", 0, 8 * BLK, "d/g", 2 * BLK);
	/* Nothing is written any more to what is bad then. */
	sync();
	return r;
}

TEST_F_TIMEOUT(foreign, lost, 100)
{
	bool xfs = dr_stack_xfs(&variant->stack);
	const char *metadata = xfs ? "log" : "inodes";
	int owners = variant->clones ? 2 : 1, lines = 9 + variant->clones * 2;
	long b2, b3, b6, far, gone, attr, meta, empty, ino;
	char *mnt = (char *)dr_mnt();
	int fd;

	ASSERT_EQ(0, make_files(variant->clones));
	ASSERT_EQ(0, tool_run("lost", mnt));
	EXPECT_STREQ("", tool_out);
	b2 = spoil(&variant->stack, "f", 2);
	b3 = spoil(&variant->stack, "f", 3);
	b6 = spoil(&variant->stack, "f", 6);
	far = spoil(&variant->stack, "sparse", 100);
	gone = spoil(&variant->stack, "gone", 1);
	ASSERT_LT(0, b2);
	ASSERT_EQ(b2 + 1, b3);
	ASSERT_LT(0, b6);
	ASSERT_LT(0, far);
	ASSERT_LT(0, gone);
	attr = attribute_block("x");
	ASSERT_LT(0, attr);
	ASSERT_EQ(0, list_bad(&variant->stack, attr));
	/* Without rmapbt XFS says what is free, and nothing else. */
	meta = last_block_of(xfs ? DR_OWN_LOG : OWN_INODES);
	if (xfs && !variant->names_owners) {
		meta = last_block_of(FMR_OWN_UNKNOWN);
		metadata = "in use, no owner found";
	}
	ASSERT_LT(0, meta);
	ASSERT_EQ(0, list_bad(&variant->stack, meta));
	/* What nobody has lost: what was never written, and what is free. */
	empty = dr_block("empty", 1, NULL);
	ASSERT_LT(0, empty);
	ASSERT_EQ(0, list_bad(&variant->stack, empty));
	ASSERT_EQ(0, list_bad(&variant->stack, last_block_of(FMR_OWN_FREE)));
	fd = dr_open("gone", O_RDONLY);
	ASSERT_LE(0, fd);
	ino = dr_ino("gone");
	ASSERT_EQ(0, unlink(dr_path("gone")));

	ASSERT_EQ(0, tool_run("lost", mnt));
	EXPECT_LINE("%s/f: offset 8192, length 8192, block %ld, owners %d", mnt, b2, owners);
	EXPECT_LINE("%s/f: offset 24576, length 4096, block %ld, owners %d", mnt, b6, owners);
	EXPECT_LINE("%s/d/odd\\n\\377\\ name: offset 8192, length 8192, block %ld, owners %d",
		    mnt, b2, owners);
	EXPECT_LINE("%s/d/odd\\n\\377\\ name: offset 24576, length 4096, block %ld, owners %d",
		    mnt, b6, owners);
	if (variant->clones) {
		EXPECT_LINE("%s/d/g: offset 16384, length 8192, block %ld, owners 2", mnt, b2);
		EXPECT_LINE("%s/d/g: offset 32768, length 4096, block %ld, owners 2", mnt, b6);
	}
	EXPECT_LINE("%s/sparse: offset 409600, length 4096, block %ld, owners 1", mnt, far);
	EXPECT_LINE("%s/x: attributes, offset 0, length 4096, block %ld, owners 1", mnt, attr);
	EXPECT_LINE("(unlinked) inode %ld: offset 4096, length 4096, block %ld, owners 1", ino,
		    gone);
	EXPECT_LINE("(%s): length 4096, block %ld", metadata, meta);
	EXPECT_EQ(lines - 1, tool_count_lines());

	ASSERT_EQ(0, tool_run("lost", "--json", mnt));
	EXPECT_LINE("      \"generation\": %u,", generation("sparse"));
	EXPECT_LINE("          \"path\": \"%s/d/odd\\n\xef\xbf\xbd name\",", mnt);
	EXPECT_LINE("          \"part\": \"attributes\"");
	/* Other mounts have nothing to do with it. What they cover has no name that leads there. */
	ino = variant->clones ? dr_ino("d/g") : 0;
	ASSERT_EQ(0, mount("tmpfs", dr_path("d"), "tmpfs", 0, ""));
	ASSERT_EQ(0, dr_create("d/g", 8, 1));
	ASSERT_EQ(0, tool_run("lost", mnt));
	EXPECT_LINE("%s/f: offset 8192, length 8192, block %ld, owners %d", mnt, b2, owners);
	if (variant->clones)
		EXPECT_LINE("(no name found) inode %ld: offset 16384, length 8192, block %ld, owners 2",
			    ino, b2);
	EXPECT_EQ(lines - 3, tool_count_lines());
	EXPECT_EQ(0, umount(dr_path("d")));
	/* A part of it is not all of it. */
	ASSERT_EQ(0, mount(dr_path("d"), dr_path("d"), NULL, MS_BIND, NULL));
	EXPECT_EQ(variant->names_owners ? 0 : 1, tool_run("lost", (char *)dr_path("d")));
	EXPECT_LINE("%s/odd\\n\\377\\ name: offset 8192, length 8192, block %ld, owners %d",
		    dr_path("d"), b2, owners);
	if (!variant->names_owners)
		EXPECT_LINE("daxrmap: %s/d: a part of a filesystem: what is outside of it is not looked at",
			    mnt);
	EXPECT_EQ(0, umount(dr_path("d")));
	close(fd);
}

TEST_F_TIMEOUT(foreign, owners, 100)
{
	char *mnt = (char *)dr_mnt(), pfn[32], dec[32], at[512], *ways[3][2] = {
		{ dec, NULL }, { "--pfn", pfn }, { "--file", at },
	};
	int owners = variant->clones ? 2 : 1;
	volatile char *p;
	long block, other;

	ASSERT_EQ(0, make_files(variant->clones));
	block = dr_block("f", 5, NULL);
	ASSERT_LT(0, block);
	snprintf(dec, sizeof(dec), "%ld", block);
	snprintf(pfn, sizeof(pfn), "%#lx", pfn_of(&variant->stack, block));
	snprintf(at, sizeof(at), "%s:%lu", dr_path("f"), 5 * BLK + 7);
	for (int bad = 0; bad < 2; bad++) {
		for (int i = 0; i < 3; i++) {
			ASSERT_EQ(0, tool_run("owners", mnt, ways[i][0], ways[i][1]));
			EXPECT_LINE("block %ld (pfn %s): %s%d owner%s", block, pfn, bad ? "bad, " : "",
				    owners, variant->clones ? "s" : "");
			EXPECT_LINE("%s/f: offset 20480", mnt);
			EXPECT_LINE("%s/d/odd\\n\\377\\ name: offset 20480", mnt);
			if (variant->clones)
				EXPECT_LINE("%s/d/g: offset 28672", mnt);
			EXPECT_EQ(3 + variant->clones, tool_count_lines());
		}
		ASSERT_EQ(block, spoil(&variant->stack, "f", 5));
	}
	/* The page frame is that of the file's data. */
	p = dr_map("good", 0, BLK, PROT_READ, MAP_SHARED);
	ASSERT_NE(NULL, p);
	(void)*p;
	snprintf(pfn, sizeof(pfn), "%#lx", dr_pfn_of((void *)p));
	munmap((void *)p, BLK);
	ASSERT_EQ(0, tool_run("owners", mnt, "--pfn", pfn));
	EXPECT_LINE("block %ld (pfn %s): 1 owner", dr_block("good", 0, NULL), pfn);
	other = dr_block("empty", 0, NULL);
	snprintf(dec, sizeof(dec), "%ld", other);
	ASSERT_EQ(0, tool_run("owners", mnt, dec));
	EXPECT_LINE("%s/empty: unwritten, offset 0", mnt);
	other = last_block_of(FMR_OWN_FREE);
	snprintf(dec, sizeof(dec), "%ld", other);
	ASSERT_EQ(0, tool_run("owners", mnt, dec));
	EXPECT_LINE("block %ld (pfn %#lx): free", other, pfn_of(&variant->stack, other));
	ASSERT_EQ(0, tool_run("owners", mnt, "0"));
	EXPECT_LINE("block 0 (pfn %#lx): %s", pfn_of(&variant->stack, 0),
		    variant->clones && !variant->names_owners ? "in use, no owner found" :
		    "superblock");
	if (!variant->clones) {
		other = dr_block("d", 0, NULL);
		snprintf(dec, sizeof(dec), "%ld", other);
		ASSERT_EQ(0, tool_run("owners", mnt, dec));
		EXPECT_LINE("%s/d: directory, offset 0", mnt);
	}
	other = dr_sectors(dr_stack_dev(&variant->stack)) / SECTORS;
	snprintf(at, sizeof(at), "%s: block %ld is not here: it has 0 to %ld", mnt, other,
		 other - 1);
	snprintf(dec, sizeof(dec), "%ld", other);
	EXPECT_ERROR(at, "owners", mnt, dec);
	snprintf(at, sizeof(at), "%s: pfn 0x1 is not here", mnt);
	EXPECT_ERROR(at, "owners", mnt, "--pfn", "1");
}

TEST_HARNESS_MAIN
