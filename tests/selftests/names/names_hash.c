// SPDX-License-Identifier: GPL-2.0
/*
 * Names that somebody has made so that a hash without a key would be the same
 * for all of them: they cost no more than others. The key is a secret of the
 * filesystem; those that earlier versions have made get one.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/clock.h"
#include "common/basics/text.h"
#include "common/device/image.h"

DR_FIXTURE(names_hash)

/* src/state/parts/directory.rs: a cookie is FIRST and the upper bits of the hash, then a number. */
#define FIRST		2
#define NUMBERS		256
#define HASH_SHIFT	24

/* A filesystem that is read as a whole. */
#define SMALL		(16UL << 20)
#define SMALL_MKFS	"-s 16M -l 1M"

/* Names of two parts: so many are made, and as many are not. */
#define ALIKE		1000
#define FIRST_HALF	5
#define SECOND		6
#define NAME		(FIRST_HALF + SECOND + 1)
#define SLOTS		(1U << 22)

static char alike[2 * ALIKE][NAME], ordinary[2 * ALIKE][NAME];

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void sip_rounds(uint64_t v[4], int rounds)
{
	while (rounds--) {
		v[0] += v[1], v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0], v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1], v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2], v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

/* SipHash-2-4, after the paper: not the kernel's. */
static uint64_t siphash(const unsigned char *key, const unsigned char *bytes, size_t len)
{
	uint64_t k[2] = { image_get(key), image_get(key + 8) }, last = (uint64_t)len << 56;
	uint64_t v[4] = {
		k[0] ^ 0x736f6d6570736575, k[1] ^ 0x646f72616e646f6d,
		k[0] ^ 0x6c7967656e657261, k[1] ^ 0x7465646279746573,
	};

	for (; len >= 8; len -= 8, bytes += 8) {
		v[3] ^= image_get(bytes);
		sip_rounds(v, 2);
		v[0] ^= image_get(bytes);
	}
	while (len--)
		last |= (uint64_t)bytes[len] << 8 * len;
	v[3] ^= last;
	sip_rounds(v, 2);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* What is on the medium: 0 or -errno, and whether there is one. Not mounted. */
static int read_secret(unsigned char secret[16], bool *has)
{
	static const unsigned char none[16];
	struct image im;
	const unsigned char *sb;
	int r = image_read(&im, dr_dev(), SMALL);

	if (r)
		return r;
	sb = image_super(&im);
	if (sb) {
		memcpy(secret, sb + SB_SECRET, 16);
		*has = (image_get(sb + SB_COMPAT) & 1) && memcmp(secret, none, 16);
	}
	free(im.bytes);
	return sb ? 0 : -ENOENT;
}

/* Calls see() with each name of a directory and its cookie, in that order; how many. */
static int list(const char *dir, void (*see)(const char *name, uint64_t cookie, void *to), void *to)
{
	uint64_t cookie = 0;
	DIR *d = opendir(dr_path(dir));
	struct dirent *e;
	int n = 0;

	if (!d)
		return dr_errno();
	/* An entry says where the next one is. */
	for (; (e = readdir(d)); cookie = e->d_off) {
		if (e->d_name[0] == '.')
			continue;
		see(e->d_name, cookie, to);
		n++;
	}
	closedir(d);
	return n;
}

struct keyed {
	unsigned char secret[16];
	int wrong;
};

static void compare(const char *name, uint64_t cookie, void *to)
{
	struct keyed *keyed = to;
	uint64_t hash = siphash(keyed->secret, (const void *)name, strlen(name));

	if (cookie - FIRST != (hash >> HASH_SHIFT) * NUMBERS)
		keyed->wrong++;
}

static uint64_t order;

static void add_to_order(const char *name, uint64_t cookie, void *to)
{
	(void)to;
	order = order * 31 + cookie;
	order = order * 31 + siphash((const void *)"0123456789abcdef", (const void *)name, strlen(name));
}

/* A number for names and cookies, in their order. */
static uint64_t order_of(const char *dir)
{
	order = 0;
	return list(dir, add_to_order, NULL) > 0 ? order : 0;
}

static int make_small(void)
{
	return dr_umount() ?: dr_mkfs_with(dr_dev(), SMALL_MKFS) ?: dr_mount_again();
}

static int make_names(const char *dir, int n)
{
	char name[256] = "";
	int r = mkdir(dr_path(dir), 0755) ? dr_errno() : 0;
	int fd = r ? -1 : open(dr_path(dir), O_RDONLY | O_DIRECTORY);

	/* Each is one byte longer than the one before. */
	for (int i = 0; fd >= 0 && i < n && !r; i++) {
		name[i] = 'a' + i * 7 % 26;
		r = mknodat(fd, name, S_IFREG | 0644, 0) ? dr_errno() : 0;
	}
	close(fd);
	return r;
}

/* The kernel's hash is what the host's tests and the tools take for it, and its key is the secret. */
TEST_F(names_hash, by_the_secret)
{
	static const unsigned char vector[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct keyed keyed = { 0 }, other;
	uint64_t before;
	bool has = false;

	SKIP_ON_XFS();
	ASSERT_EQ(0, make_small());
	ASSERT_EQ(0xa129ca6149be45e5, siphash(vector, vector, 15));
	ASSERT_EQ(0, make_names("d", 255));
	before = order_of("d");
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, read_secret(keyed.secret, &has));
	EXPECT_TRUE(has);
	ASSERT_EQ(0, dr_mount_again());
	EXPECT_EQ(255, list("d", compare, &keyed));
	EXPECT_EQ(0, keyed.wrong);
	EXPECT_EQ(before, order_of("d"));

	/* Another filesystem has another one. */
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, dr_mkfs_with(dr_dev(), SMALL_MKFS));
	ASSERT_EQ(0, read_secret(other.secret, &has));
	EXPECT_TRUE(has);
	EXPECT_NE(0, memcmp(other.secret, keyed.secret, 16));
	ASSERT_EQ(0, dr_mount_again());
}

/* As a version makes it, or leaves it, that knows of no secret. */
static int take_secret(void)
{
	struct image im;
	unsigned char *sb;
	int r = image_read(&im, dr_dev(), SMALL);

	if (r)
		return r;
	sb = image_super(&im);
	memset(sb + SB_SECRET, 0, 16);
	image_put_super(&im, sb);
	r = image_write(&im, dr_dev());
	free(im.bytes);
	return r;
}

/* A filesystem without a secret gets one with the first mount that may write, and keeps it. */
TEST_F(names_hash, old_filesystem)
{
	unsigned char secret[16], later[16];
	uint64_t order[3];
	bool has = true;

	SKIP_ON_XFS();
	ASSERT_EQ(0, make_small());
	ASSERT_EQ(0, make_names("d", 100));
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, take_secret());
	/* Read-only: it is made up each time. */
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, mount(dr_dev(), dr_mnt(), "daxrmap", MS_RDONLY, ""));
		order[i] = order_of("d");
		EXPECT_NE(0, order[i]);
		EXPECT_EQ(0, dr_check());
		ASSERT_EQ(0, dr_umount());
	}
	EXPECT_NE(order[0], order[1]);
	ASSERT_EQ(0, read_secret(secret, &has));
	EXPECT_FALSE(has);

	/* It stays what it is when the mount may write. */
	ASSERT_EQ(0, mount(dr_dev(), dr_mnt(), "daxrmap", MS_RDONLY, ""));
	order[0] = order_of("d");
	ASSERT_EQ(0, mount(dr_dev(), dr_mnt(), "daxrmap", MS_REMOUNT, ""));
	EXPECT_EQ(order[0], order_of("d"));
	ASSERT_EQ(0, dr_umount());
	ASSERT_EQ(0, read_secret(secret, &has));
	EXPECT_TRUE(has);
	for (int i = 1; i < 3; i++) {
		ASSERT_EQ(0, dr_mount_again());
		EXPECT_EQ(order[0], order_of("d"));
		EXPECT_EQ(0, dr_check());
		ASSERT_EQ(0, dr_umount());
	}
	ASSERT_EQ(0, read_secret(later, &has));
	EXPECT_TRUE(has);
	EXPECT_EQ(0, memcmp(secret, later, 16));
	ASSERT_EQ(0, dr_mount_again());
}

#define FNV_START	0x811c9dc5u
#define FNV_PRIME	0x01000193u

struct half {
	uint32_t hash, n;	/* n: 0, or its number plus 1 */
};

static void letters(char *to, int count, uint32_t n, char first)
{
	for (int i = 0; i < count; i++)
		to[i] = first + (n >> 4 * i & 15);
}

static struct half *slot(struct half *table, uint32_t hash)
{
	uint32_t at = hash * 2654435761u >> 10;

	while (table[at].n && table[at].hash != hash)
		at = (at + 1) % SLOTS;
	return table + at;
}

/*
 * Names with the same FNV-1a of 32 bits, which directories had once: what a first half makes of
 * the start is looked for among what second halves want for one end.
 */
static int make_alike(void)
{
	struct half *table = calloc(SLOTS, sizeof(*table)), *found;
	uint32_t inverse = 1, hash;
	char part[SECOND];
	int n = 0;

	if (!table)
		return -ENOMEM;
	for (int i = 0; i < 5; i++)
		inverse *= 2 - FNV_PRIME * inverse;
	for (uint32_t i = 0; i < 1U << 4 * FIRST_HALF; i++) {
		letters(part, FIRST_HALF, i, 'a');
		hash = FNV_START;
		for (int k = 0; k < FIRST_HALF; k++)
			hash = (hash ^ part[k]) * FNV_PRIME;
		*slot(table, hash) = (struct half){ hash, i + 1 };
	}
	for (uint32_t i = 0; i < 1U << 4 * SECOND && n < 2 * ALIKE; i++) {
		letters(part, SECOND, i, 'A');
		hash = 0x12345678;
		for (int k = SECOND; k--;)
			hash = hash * inverse ^ part[k];
		found = slot(table, hash);
		if (!found->n)
			continue;
		letters(alike[n], FIRST_HALF, found->n - 1, 'a');
		memcpy(alike[n++] + FIRST_HALF, part, SECOND);
	}
	free(table);
	return n == 2 * ALIKE ? 0 : -ENOENT;
}

static void make_ordinary(void)
{
	for (int i = 0; i < 2 * ALIKE; i++)
		snprintf(ordinary[i], sizeof(ordinary[i]), "ordinary%03x", i);
}

struct crowd {
	uint64_t hash;
	int count, most;
};

static void count_alike(const char *name, uint64_t cookie, void *to)
{
	struct crowd *crowd = to;
	uint64_t hash = (cookie - FIRST) / NUMBERS;

	(void)name;
	crowd->count = hash == crowd->hash ? crowd->count + 1 : 1;
	crowd->hash = hash;
	if (crowd->count > crowd->most)
		crowd->most = crowd->count;
}

/* Seconds to make the first half of these names, and to look for the others, which are not there. */
static double use(const char *dir, char (*names)[NAME], int *wrong)
{
	int file = dr_open("f", O_RDONLY), fd;
	double begin = dr_now();
	struct stat st;

	*wrong = mkdir(dr_path(dir), 0755) != 0;
	fd = open(dr_path(dir), O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < ALIKE; i++)
		*wrong += linkat(file, "", fd, names[i], AT_EMPTY_PATH) != 0;
	for (int i = ALIKE; i < 2 * ALIKE; i++)
		*wrong += fstatat(fd, names[i], &st, 0) != -1 || errno != ENOENT;
	close(fd);
	close(file);
	return dr_now() - begin;
}

TEST_F(names_hash, as_fast_as_others)
{
	struct crowd crowd = { 0 };
	double usual, made;
	int wrong;

	ASSERT_EQ(0, make_alike());
	make_ordinary();
	ASSERT_EQ(0, dr_create("f", 1, 1));
	use("warm", ordinary, &wrong);
	EXPECT_EQ(0, wrong);
	usual = use("usual", ordinary, &wrong);
	EXPECT_EQ(0, wrong);
	made = use("made", alike, &wrong);
	EXPECT_EQ(0, wrong);
	fprintf(stderr, "# %d names: %.3f s, with one FNV-1a: %.3f s\n", ALIKE, usual, made);
	EXPECT_LT(made, 8 * usual);
	if (dr_xfs())
		return;
	EXPECT_EQ(ALIKE, list("made", count_alike, &crowd));
	EXPECT_LE(crowd.most, 2);
	EXPECT_EQ(0, dr_check());
}

TEST_HARNESS_MAIN
