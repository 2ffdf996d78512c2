// SPDX-License-Identifier: GPL-2.0
/* Images that nobody would make by accident. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mutate.h"
#include "common/basics/random.h"

static struct record_list list;

/* A number that is near a limit, or near what was there. */
static uint64_t near(uint64_t was, const struct image *im)
{
	uint64_t blocks = im->size / IMAGE_BLOCK;

	switch (dr_pick(8)) {
	case 0:
		return was + dr_pick(5) - 2;
	case 1:
		return dr_pick(4);
	case 2:
		return blocks + dr_pick(3) - 1;
	case 3:
		return dr_pick(blocks);
	case 4:
		return (1ULL << dr_pick(64)) + dr_pick(3) - 1;
	case 5:
		return ~dr_pick(3);
	case 6:
		return was ^ 1ULL << dr_pick(64);
	default:
		return was * 2 + dr_pick(2);
	}
}

static uint64_t number(uint64_t was, const struct image *im)
{
	uint64_t is = near(was, im);

	return is == was ? was + 1 : is;
}

static void change_super(struct image *im, char *what, size_t room)
{
	static const unsigned char fields[] = {
		SB_VERSION, SB_COMPAT, SB_RO_COMPAT, SB_INCOMPAT, SB_UUID, SB_LABEL,
		SB_BLOCK_SIZE, SB_BLOCKS, SB_GENERATION, SB_REGIONS, SB_REGIONS + 8,
		SB_REGIONS + 16, SB_REGIONS + 24, SB_ACTIVE, SB_FIRST_SEQ,
		SB_PREVIOUS_SEQ, SB_MADE,
	};
	unsigned char field = fields[dr_pick(sizeof(fields))], *sb = image_super(im);
	unsigned char copy[IMAGE_SUPER];
	bool all = dr_pick(4);
	uint64_t was, is;

	if (!sb)
		return;
	was = image_get(sb + field);
	is = number(was, im);
	if (field == SB_VERSION)
		is = (uint32_t)is;
	if (all)
		memcpy(copy, sb, sizeof(copy));
	else
		sb = image_slot(im, dr_pick(4));
	image_put((all ? copy : sb) + field, is);
	if (all)
		image_put_super(im, copy);
	else
		image_seal_super(sb);
	snprintf(what, room, "superblock%s byte %u: %llx to %llx", all ? "s" : "", field,
		 (unsigned long long)was, (unsigned long long)is);
}

/* Where a random operation of a record begins, and how long it is. */
static size_t an_op(const struct record *rec, size_t *size)
{
	size_t at = 0, found = 0;
	unsigned int n = 0;

	*size = 0;
	for (size_t s; (s = image_op_size(rec->payload + at, rec->len - at)); at += s) {
		if (!dr_pick(++n)) {
			found = at;
			*size = s;
		}
	}
	return found;
}

/* Puts `len` bytes in the place of `old` bytes. */
static void splice(struct record *rec, size_t at, size_t old, const unsigned char *bytes,
		   size_t len)
{
	unsigned char *p = malloc(rec->len - old + len + 1);

	memcpy(p, rec->payload, at);
	memcpy(p + at, bytes, len);
	memcpy(p + at + len, rec->payload + at + old, rec->len - at - old);
	free(rec->payload);
	rec->payload = p;
	rec->len += len - old;
}

static const char *change_op(struct image *im, struct record *rec)
{
	size_t size, at = an_op(rec, &size), field;
	unsigned char op[512], random[33];

	if (!size) {
		if (rec->len)
			rec->payload[dr_pick(rec->len)] ^= 1 << dr_pick(8);
		return "a bit of what is no operation";
	}
	memcpy(op, rec->payload + at, size);
	switch (dr_pick(8)) {
	case 0:
		splice(rec, at, size, NULL, 0);
		return "an operation less";
	case 1:
		splice(rec, at, 0, op, size);
		return "an operation twice";
	case 2:
		rec->payload[at] = dr_pick(18);
		return "another operation";
	case 3:
		for (size_t i = 0; i < sizeof(random); i++)
			random[i] = dr_pick(256);
		random[0] = 6 + dr_pick(6);
		for (size_t i = 1; i < sizeof(random); i += 8)
			image_put(random + i, number(dr_pick(20), im));
		splice(rec, at, 0, random, image_op_size(random, sizeof(random)));
		return "an operation more";
	case 4:
		rec->payload[at + dr_pick(size)] ^= 1 << dr_pick(8);
		return "a bit of an operation";
	default:
		if (size < 9)
			return "nothing";
		field = at + 1 + dr_pick((size - 1) / 8) * 8;
		image_put(rec->payload + field, number(image_get(rec->payload + field), im));
		return "a number of an operation";
	}
}

static void change_log(struct image *im, char *what, size_t room)
{
	struct record *rec, other;
	const char *how;
	unsigned int i;

	image_records(im, &list);
	if (!list.count)
		return;
	i = dr_pick(list.count);
	rec = &list.rec[i];
	switch (dr_pick(12)) {
	case 0:
		rec->kind = dr_pick(5);
		how = "kind";
		break;
	case 1:
		rec->len = dr_pick(rec->len + 1);
		how = "shorter";
		break;
	case 2:
		other = *rec;
		*rec = list.rec[(i + 1) % list.count];
		list.rec[(i + 1) % list.count] = other;
		how = "changes places with the next";
		break;
	default:
		how = change_op(im, rec);
	}
	snprintf(what, room, "record %u of %u: %s", i, list.count, how);
	image_put_records(im, &list);
	image_free_records(&list);
}

/* Without a checksum that is right. */
static void flip(struct image *im, char *what, size_t room)
{
	unsigned int bits = 1 + dr_pick(64);
	unsigned char *sb = image_super(im);
	size_t at = dr_pick(im->size), len = 1 + dr_pick(4096);

	/* Where it matters: superblocks, log, or anywhere. */
	switch (dr_pick(4)) {
	case 0:
		at = dr_pick(2) ? 0 : im->size - IMAGE_BLOCK;
		len = 1024;
		break;
	case 1:
	case 2:
		if (sb)
			at = image_get(sb + SB_REGIONS + 16 * dr_pick(2)) * IMAGE_BLOCK;
		len = 8192;
		break;
	}
	if (at >= im->size)
		at = 0;
	if (len > im->size - at)
		len = im->size - at;
	for (unsigned int i = 0; i < bits; i++)
		im->bytes[at + dr_pick(len)] ^= 1 << dr_pick(8);
	snprintf(what, room, "%u bits from byte %zu on", bits, at);
}

bool image_mutate(struct image *im, char *what, size_t room)
{
	unsigned int times = 1 + (dr_pick(3) == 0);
	bool whole = true;

	*what = 0;
	for (unsigned int i = 0; i < times; i++) {
		size_t used = strlen(what);

		if (i && used + 2 < room) {
			strcpy(what + used, "; ");
			used += 2;
		}
		switch (dr_pick(10)) {
		case 0:
		case 1:
			change_super(im, what + used, room - used);
			whole = false;
			break;
		case 2:
			flip(im, what + used, room - used);
			whole = false;
			break;
		default:
			change_log(im, what + used, room - used);
		}
	}
	return whole;
}
