/* SPDX-License-Identifier: GPL-2.0 */
/* Filesystems with DAX as people have them: ext4 or XFS, on pmem or on something above it. */
#ifndef DAXRMAP_TEST_STACK_H
#define DAXRMAP_TEST_STACK_H

#include <stdbool.h>

#define PMEM0	"/dev/pmem0"
#define PMEM1	"/dev/pmem1"

enum dr_lower {
	ON_PMEM,
	ON_PARTITION,
	ON_LINEAR,		/* a part of it, by dm */
	ON_PIECES,		/* its pieces in another order */
	ON_STRIPED,		/* over both devices, 64 KiB at a time */
	ON_WIDE_STRIPES,	/* the same, 2 MiB at a time: huge pages fit */
};

struct dr_stack {
	const char *fs;		/* "ext4" or "xfs" */
	enum dr_lower on;
	const char *options;	/* more for mkfs, or NULL */
};

/* Of a test and its teardown: in memory that they share. */
struct dr_stacked {
	unsigned long long log_seq;
	char names[2][64];	/* what the driver calls the devices */
};

bool dr_stack_xfs(const struct dr_stack *s);
bool dr_stack_reflink(const struct dr_stack *s);	/* XFS, unless it is told not to have it */
/* Whether the guard can be the holder of the devices below: XFS wants them itself. */
bool dr_stack_holdable(const struct dr_stack *s);
bool dr_stack_dm(const struct dr_stack *s);
/* Holds, or releases, all devices below. */
int dr_stack_hold(const struct dr_stack *s);
int dr_stack_release(const struct dr_stack *s);

/* Makes and mounts it, on clean devices, with early kill and the guard off. 0 or -errno. */
int dr_stack_up(const struct dr_stack *s, struct dr_stacked *state);
/*
 * Takes it down, and has the driver bind its devices anew, so that their lists are empty.
 * 0 if all that worked, and the log has nothing to complain of since dr_stack_up().
 */
int dr_stack_down(const struct dr_stack *s, struct dr_stacked *state);
/* Where the filesystem is: "/dev/dm-0". */
const char *dr_stack_dev(const struct dr_stack *s);
/* Only the mount, which goes and comes back. */
int dr_stack_mount(const struct dr_stack *s);
/* The same dm device with a table that says the same in other words. */
int dr_stack_reload(const struct dr_stack *s);
/* The driver takes a device away, and gives it back. */
int dr_pmem_unbind(const char *dev);
int dr_pmem_bind(const char *dev);

#define DR_STACK_FIXTURE(name)						\
	FIXTURE(name) { struct dr_stacked state; };				\
	FIXTURE_VARIANT(name) { struct dr_stack stack; };		\
	FIXTURE_SETUP(name)						\
	{								\
		ASSERT_EQ(0, dr_stack_up(&variant->stack, &self->state)); \
	}								\
	FIXTURE_TEARDOWN_PARENT(name)					\
	{								\
		EXPECT_EQ(0, dr_stack_down(&variant->stack, &self->state)); \
	}

#define DR_STACK(fixture, variant, ...)					\
	FIXTURE_VARIANT_ADD(fixture, variant) { .stack = { __VA_ARGS__ } }

#endif
