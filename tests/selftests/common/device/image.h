/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A filesystem as bytes: taken apart, changed, put together with checksums that
 * are right. Documentation/format.rst has every field.
 */
#ifndef DAXRMAP_TEST_IMAGE_H
#define DAXRMAP_TEST_IMAGE_H

#include <stdint.h>
#include <stddef.h>

#define IMAGE_BLOCK	4096UL
#define IMAGE_SUPER	512		/* bytes of a superblock */
#define IMAGE_HEAD	32		/* bytes of a record's head */
#define IMAGE_RECORDS	4096

/* Fields of a superblock, by where they are. */
enum {
	SB_VERSION = 8, SB_CRC = 12, SB_COMPAT = 16, SB_RO_COMPAT = 24,
	SB_INCOMPAT = 32, SB_UUID = 40, SB_LABEL = 56, SB_BLOCK_SIZE = 120,
	SB_BLOCKS = 128, SB_GENERATION = 136, SB_REGIONS = 144, SB_ACTIVE = 176,
	SB_FIRST_SEQ = 184, SB_PREVIOUS_SEQ = 192, SB_MADE = 200, SB_SECRET = 208,
};

/* Kinds of records. */
enum { REC_TRANSACTION = 1, REC_CHECKPOINT, REC_CHECKPOINT_END };

struct image {
	unsigned char *bytes;
	size_t size;
};

/* A record that was taken out of a log. */
struct record {
	uint32_t kind, len;
	unsigned char *payload;		/* to be freed */
};

struct record_list {
	unsigned int count;
	struct record rec[IMAGE_RECORDS];
};

uint64_t image_get(const unsigned char *at);
void image_put(unsigned char *at, uint64_t value);
/* 0 or -errno: the first `size` bytes of a device. */
int image_read(struct image *im, const char *dev, size_t size);
int image_write(const struct image *im, const char *dev);
int image_copy(struct image *to, const struct image *from);

/* Superblock slot 0..3: two in the first block, two in the last. */
unsigned char *image_slot(const struct image *im, int slot);
/* The newest one that is there; NULL if there is none. */
unsigned char *image_super(const struct image *im);
void image_seal_super(unsigned char *sb);	/* its checksum */
/* Makes it the only one, in both blocks. */
void image_put_super(const struct image *im, const unsigned char *sb);

/* Records of the superblock's log. */
void image_records(const struct image *im, struct record_list *list);
/* Instead of that log, as far as they have room; numbered anew. */
void image_put_records(const struct image *im, const struct record_list *list);
void image_free_records(struct record_list *list);
/* Bytes of the operation at `at`, of which there are `len`; 0 if it is none. */
size_t image_op_size(const unsigned char *at, size_t len);

#endif
