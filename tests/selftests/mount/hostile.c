// SPDX-License-Identifier: GPL-2.0
/*
 * Images that somebody made to do harm: checksums are right, what they say is not
 * (or a few bits are others). Mounting one gives an error, or a filesystem
 * with which all can be done that one does; the kernel never complains. What
 * was written to it can be mounted again.
 *
 * HOSTILE_SEED, HOSTILE_FIRST: which images (as the log says), to see one again.
 * HOSTILE_SECONDS: for how long; more where the kernel watches itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/clock.h"
#include "common/basics/random.h"
#include "common/basics/text.h"
#include "common/device/image.h"
#include "common/device/mutate.h"
#include "common/files/visit.h"

#define IMAGE_SIZE	(2UL << 20)
#define BASES		2

struct counts {
	unsigned int images, mounted, once, inconsistent, errors[4096];
};

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : otherwise;
}

/* Until the log's region is full, and it goes on in the other one. */
static int turn_the_log(void)
{
	long used;
	int r = 0;

	do {
		used = dr_counter("log_used");
		for (int i = 0; i < 8; i++) {
			(void)!truncate(dr_path("part"), (i + 1) * BLK);
			r = r ?: dr_write_blocks("dir/deep/file", i, 1, i);
		}
	} while (!r && dr_counter("log_used") > used);
	return r;
}

/*
 * A filesystem that has some of everything, as a crash leaves it: also a file
 * without a name. With `turned` its log is in the second region, and the one before in
 * the first.
 */
static int make_base(struct image *im, bool turned)
{
	int fd, r = dr_mkfs_with(dr_dev(), "-s 2M");

	r = r ?: dr_mount_again();
	r = r ?: dr_create("big", 40, 1) ?: dr_clone("big", "clone");
	r = r ?: dr_clone_range("big", 4 * BLK, 8 * BLK, "part", 2 * BLK);
	mkdir(dr_path("dir"), 0755);
	mkdir(dr_path("dir/deep"), 0755);
	r = r ?: dr_create("dir/deep/file", 3, 2) ?: dr_write_blocks("clone", 7, 2, 3);
	r = r ?: dr_create("gone", 5, 4);
	if (r)
		return r;
	(void)!symlink("nowhere", dr_path("link"));
	dr_notify(dr_block("big", 5, NULL) * BLK, BLK);
	dr_notify(dr_block("clone", 20, NULL) * BLK, 2 * BLK);
	if (turned)
		r = r ?: turn_the_log();
	fd = dr_open("gone", O_RDWR);
	unlink(dr_path("gone"));
	r = r ?: image_read(im, dr_dev(), IMAGE_SIZE);
	close(fd);
	return r ?: dr_umount();
}

/*
 * The fuzzer's inputs (tests/fuzz/src/mount.rs), one after the other: for each its
 * size, then records of a byte for the kind, two for the size, the payload.
 */
__asm__(".section .rodata\ncorpus:\n.incbin \"" CORPUS "\"\ncorpus_end:\n.previous");
extern const unsigned char corpus[], corpus_end[];

/* The records of one input, with kinds in the right order. */
static void take_records(const unsigned char *data, size_t size, struct record_list *list)
{
	bool complete = false;
	struct record *rec;

	for (list->count = 0; size >= 3 && list->count < IMAGE_RECORDS; list->count++) {
		rec = &list->rec[list->count];
		rec->kind = complete ? REC_TRANSACTION :
			data[0] % 2 ? REC_CHECKPOINT_END : REC_CHECKPOINT;
		complete |= rec->kind == REC_CHECKPOINT_END;
		rec->len = data[1] | data[2] << 8;
		data += 3;
		size -= 3;
		if (rec->len > size)
			rec->len = size;
		rec->payload = malloc(rec->len + 1);
		memcpy(rec->payload, data, rec->len);
		data += rec->len;
		size -= rec->len;
	}
}

/*
 * Mounts what is on the device, and lives with it. `whole`: what is written to it
 * must be there at the next mount. (A log that has a bit wrong ends there; what
 * is behind it may seem to go on after a record that is written there.)
 */
static int try_image(struct counts *c, unsigned long n, const char *what, bool whole)
{
	bool writable = dr_pick(4);
	int r, consistent;
	char line[256];

	/* For who reads the log after a crash. */
	snprintf(line, sizeof(line), "<6>hostile: image %lu: %s", n, what);
	dr_put("/dev/kmsg", line);
	c->images++;
	if (mount(dr_dev(), dr_mnt(), "daxrmap", writable ? 0 : MS_RDONLY, "")) {
		c->errors[errno]++;
		return 0;
	}
	c->mounted++;
	r = dr_visit(writable);
	consistent = dr_consistent();
	if (!consistent) {
		c->inconsistent++;
		writable = false;
	}
	r = r ?: (consistent < 0 ? consistent : 0);
	r = r ?: dr_umount();
	/* It costs as much again. */
	if (r || !writable || dr_pick(3))
		return r;
	r = dr_mount_again();
	if (r) {
		c->once++;
		/* Its metadata may be on blocks that have failed. */
		return whole && r != -EROFS ? r : 0;
	}
	return dr_umount();
}

static bool report(const struct counts *c)
{
	static const int known[] = { EINVAL, EUCLEAN, EOPNOTSUPP, EIO, EROFS, ENOSPC };
	unsigned int others = c->images - c->mounted;

	printf("# %u images: %u mounted (%u of them inconsistent, %u not again)", c->images,
	       c->mounted, c->inconsistent, c->once);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (c->errors[known[i]])
			printf(", %u %s", c->errors[known[i]], strerrorname_np(known[i]));
		others -= c->errors[known[i]];
	}
	printf(", %u other errors\n", others);
	return !others && c->mounted && c->errors[EUCLEAN];
}

FIXTURE(hostile) {
	unsigned long long log_seq;
};

FIXTURE_SETUP(hostile)
{
	if (dr_xfs())
		SKIP(return, "images are daxrmap's");
	dr_catch_sigbus();
	while (!umount2(dr_mnt(), 0))
		;
	mkdir(dr_mnt(), 0755);
	self->log_seq = dr_log_seq();
}

FIXTURE_TEARDOWN(hostile)
{
	umount2(dr_mnt(), 0);
	EXPECT_EQ(0, dr_mkfs(dr_dev()));
	EXPECT_EQ(0, dr_log_count(self->log_seq, "WARNING:"));
	EXPECT_EQ(0, dr_log_count(self->log_seq, "KASAN"));
}

TEST_F(hostile, mutants)
{
	static struct image base[BASES], im;
	static struct counts counts;
	unsigned long seed = setting("HOSTILE_SEED", 1);
	unsigned long n = setting("HOSTILE_FIRST", 0);
	bool watched = dr_all_checked();
	double end = dr_now() + setting("HOSTILE_SECONDS", watched ? 45 : 15);
	char what[160];
	bool whole;

	ASSERT_EQ(0, make_base(&base[0], false));
	ASSERT_EQ(0, make_base(&base[1], true));
	printf("# seed %lu, from image %lu on\n", seed, n);
	for (; dr_now() < end; n++) {
		dr_seed(seed << 32 ^ n);
		ASSERT_EQ(0, image_copy(&im, &base[dr_pick(BASES)]));
		whole = image_mutate(&im, what, sizeof(what));
		ASSERT_EQ(0, image_write(&im, dr_dev()));
		ASSERT_EQ(0, try_image(&counts, n, what, whole))
			TH_LOG("image %lu: %s", n, what);
	}
	EXPECT_TRUE(report(&counts));
}

TEST_F(hostile, fuzz_corpus)
{
	static struct image base, im;
	static struct counts counts;
	static struct record_list list;
	unsigned long n = 0, first = setting("HOSTILE_FIRST", 0);
	uint32_t size;

	/* As large as the fuzzer's. */
	ASSERT_EQ(0, dr_mkfs_with(dr_dev(), "-s 2560K"));
	ASSERT_EQ(0, image_read(&base, dr_dev(), 2560UL << 10));
	for (const unsigned char *at = corpus; at < corpus_end; at += size, n++) {
		dr_seed(n);
		memcpy(&size, at, sizeof(size));
		at += sizeof(size);
		if (n < first)
			continue;
		take_records(at, size, &list);
		ASSERT_EQ(0, image_copy(&im, &base));
		image_put_records(&im, &list);
		image_free_records(&list);
		ASSERT_EQ(0, image_write(&im, dr_dev()));
		ASSERT_EQ(0, try_image(&counts, n, "of the fuzzer", true))
			TH_LOG("input %lu", n);
	}
	EXPECT_TRUE(report(&counts));
}

TEST_HARNESS_MAIN
