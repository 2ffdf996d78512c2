// SPDX-License-Identifier: GPL-2.0
/* A filesystem as bytes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "image.h"
#include "common/basics/text.h"

#define MAGIC	0x524c5844		/* "DXLR" */
#define LINE	64			/* where records begin */
#define ATTR	84

/* crc32c as the kernel's crc32c(crc, ...): no inversion at either end. */
static uint32_t crc32c(uint32_t crc, const unsigned char *p, size_t len)
{
	static uint32_t table[256];

	if (!table[1]) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t c = i;

			for (int k = 0; k < 8; k++)
				c = c & 1 ? c >> 1 ^ 0x82f63b78 : c >> 1;
			table[i] = c;
		}
	}
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return crc;
}

static uint32_t get32(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void put32(unsigned char *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

uint64_t image_get(const unsigned char *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

void image_put(unsigned char *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

static int alloc(struct image *im, size_t size)
{
	im->size = size;
	/* Aligned for direct I/O. */
	return -posix_memalign((void **)&im->bytes, IMAGE_BLOCK, size);
}

int image_read(struct image *im, const char *dev, size_t size)
{
	int fd = open(dev, O_RDONLY | O_DIRECT | O_CLOEXEC), r;

	if (fd < 0)
		return dr_errno();
	r = alloc(im, size);
	if (!r && pread(fd, im->bytes, size, 0) != (ssize_t)size)
		r = errno ? dr_errno() : -EIO;
	close(fd);
	return r;
}

int image_write(const struct image *im, const char *dev)
{
	int fd = open(dev, O_WRONLY | O_DIRECT | O_CLOEXEC), r = 0;

	if (fd < 0)
		return dr_errno();
	if (pwrite(fd, im->bytes, im->size, 0) != (ssize_t)im->size)
		r = errno ? dr_errno() : -EIO;
	close(fd);
	return r;
}

int image_copy(struct image *to, const struct image *from)
{
	int r = 0;

	if (to->size != from->size) {
		free(to->bytes);
		r = alloc(to, from->size);
	}
	if (!r)
		memcpy(to->bytes, from->bytes, from->size);
	return r;
}

unsigned char *image_slot(const struct image *im, int slot)
{
	size_t block = slot < 2 ? 0 : im->size - IMAGE_BLOCK;

	return im->bytes + block + slot % 2 * IMAGE_SUPER;
}

unsigned char *image_super(const struct image *im)
{
	unsigned char *newest = NULL;

	for (int i = 0; i < 4; i++) {
		unsigned char *sb = image_slot(im, i);

		if (memcmp(sb, "daxrmap", 8))
			continue;
		if (!newest || image_get(sb + SB_GENERATION) > image_get(newest + SB_GENERATION))
			newest = sb;
	}
	return newest;
}

void image_seal_super(unsigned char *sb)
{
	put32(sb + SB_CRC, 0);
	put32(sb + SB_CRC, crc32c(~0U, sb, IMAGE_SUPER));
}

void image_put_super(const struct image *im, const unsigned char *sb)
{
	unsigned char copy[IMAGE_SUPER];

	memcpy(copy, sb, sizeof(copy));
	image_seal_super(copy);
	for (int i = 0; i < 4; i++)
		memset(image_slot(im, i), 0, IMAGE_SUPER);
	for (int i = 0; i < 4; i += 2)
		memcpy(image_slot(im, i + !(image_get(copy + SB_GENERATION) % 2)), copy,
		       sizeof(copy));
}

/* The log of the superblock, and how many bytes it may have. */
static unsigned char *region(const struct image *im, size_t *len)
{
	unsigned char *sb = image_super(im), *r;
	uint64_t start;

	if (!sb)
		return NULL;
	r = sb + SB_REGIONS + image_get(sb + SB_ACTIVE) % 2 * 16;
	start = image_get(r);
	*len = image_get(r + 8) * IMAGE_BLOCK;
	if (start > im->size / IMAGE_BLOCK || *len > im->size - start * IMAGE_BLOCK)
		return NULL;
	return im->bytes + start * IMAGE_BLOCK;
}

static size_t room_of(size_t payload)
{
	return (IMAGE_HEAD + payload + LINE - 1) / LINE * LINE;
}

void image_records(const struct image *im, struct record_list *list)
{
	size_t len, at = 0;
	unsigned char *log = region(im, &len);
	uint64_t seq;

	list->count = 0;
	if (!log)
		return;
	seq = image_get(image_super(im) + SB_FIRST_SEQ);
	while (at + IMAGE_HEAD <= len && list->count < IMAGE_RECORDS) {
		unsigned char *head = log + at;
		struct record *rec = &list->rec[list->count];

		if (get32(head) != MAGIC || image_get(head + 8) != seq++)
			break;
		rec->len = get32(head + 16);
		rec->kind = get32(head + 20);
		if (rec->len > len - at - IMAGE_HEAD)
			break;
		rec->payload = malloc(rec->len + 1);
		memcpy(rec->payload, head + IMAGE_HEAD, rec->len);
		list->count++;
		at += room_of(rec->len);
	}
}

void image_put_records(const struct image *im, const struct record_list *list)
{
	size_t len, at = 0;
	unsigned char *log = region(im, &len), *sb = image_super(im);
	uint64_t seq;

	if (!log)
		return;
	seq = image_get(sb + SB_FIRST_SEQ);
	memset(log, 0, len);
	for (unsigned int i = 0; i < list->count; i++) {
		const struct record *rec = &list->rec[i];
		unsigned char *head = log + at;

		if (len - at < room_of(rec->len))
			break;
		memcpy(head + IMAGE_HEAD, rec->payload, rec->len);
		put32(head, MAGIC);
		put32(head + 4, 0);
		image_put(head + 8, seq++);
		put32(head + 16, rec->len);
		put32(head + 20, rec->kind);
		image_put(head + 24, image_get(sb + SB_UUID));
		put32(head + 4, crc32c(crc32c(~0U, rec->payload, rec->len), head, IMAGE_HEAD));
		at += room_of(rec->len);
	}
}

void image_free_records(struct record_list *list)
{
	for (unsigned int i = 0; i < list->count; i++)
		free(list->rec[i].payload);
	list->count = 0;
}

/* Bytes of what begins at `at` with its own length, in `width` bytes; more than `len` if it has none. */
static size_t string(const unsigned char *bytes, size_t at, size_t len, size_t width)
{
	if (at + width > len)
		return len + 1;
	return width + (width == 1 ? bytes[at] : get32(bytes + at));
}

size_t image_op_size(const unsigned char *at, size_t len)
{
	static const unsigned char sizes[] = {
		[1] = 1 + 16 + ATTR, 9, 9 + ATTR, 17, 9, 17, 33, 33, 17, 17, 9, 9, 9, 9,
		[16] = 33,
	};
	size_t size;

	if (!len || *at >= sizeof(sizes) || !sizes[*at])
		return 0;
	size = sizes[*at];
	switch (*at) {
	case 4:		/* Link, Unlink, RemoveXattr: a name */
	case 5:
	case 14:
		size += string(at, size, len, 1);
		break;
	case 12:	/* SetTarget */
		size += string(at, size, len, 4);
		break;
	case 13:	/* SetXattr: a name, a value */
		size += string(at, size, len, 1);
		size += string(at, size, len, 4);
		break;
	}
	return size <= len ? size : 0;
}
