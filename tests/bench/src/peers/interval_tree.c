// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's interval tree as a peer: owner records in nodes of it.
 *
 * Compiled twice. As it is, on lib/interval_tree.c, which orders nodes by
 * their first block alone: to find one record is to walk over all that begin
 * at the same block. With BENCH_WIDE, on the same template with keys of 128
 * bits, which have room for a hash of the owner: a record is found by a descent.
 *
 * Nodes come from slabs with a free list, as kmem_cache would lay them out.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <linux/interval_tree.h>
#include <linux/interval_tree_generic.h>

typedef uint64_t u64;

#ifdef BENCH_WIDE
#define API(name) bench_wide_##name
typedef unsigned __int128 key;

struct owner {
	struct rb_node rb;
	u64 block, len;
	u64 ino, pgoff;
	key subtree_last;
};

static u64 tie(u64 ino, u64 pgoff)
{
	return (ino * 0x9e3779b97f4a7c15 ^ pgoff) * 0xbf58476d1ce4e5b9;
}

static key first_key(const struct owner *o)
{
	return (key)o->block << 64 | tie(o->ino, o->pgoff);
}

static key last_key(const struct owner *o)
{
	return (key)(o->block + o->len - 1) << 64 | ~(u64)0;
}

INTERVAL_TREE_DEFINE(struct owner, rb, key, subtree_last, first_key, last_key,
		     static, wide)

#define tree_insert wide_insert
#define tree_remove wide_remove
#define tree_first(root, a, z) \
	wide_iter_first(root, (key)(a) << 64, (key)(z) << 64 | ~(u64)0)
#define tree_next(o, a, z) \
	wide_iter_next(o, (key)(a) << 64, (key)(z) << 64 | ~(u64)0)
static u64 first_of(const struct owner *o) { return o->block; }
static u64 last_of(const struct owner *o) { return o->block + o->len - 1; }
static struct owner *of_rb(struct rb_node *rb)
{
	return rb_entry(rb, struct owner, rb);
}
#else
#define API(name) bench_itree_##name
typedef u64 key;

struct owner {
	struct interval_tree_node it;
	u64 ino, pgoff;
};

static u64 first_of(const struct owner *o) { return o->it.start; }
static u64 last_of(const struct owner *o) { return o->it.last; }
static key first_key(const struct owner *o) { return o->it.start; }
static struct owner *of_rb(struct rb_node *rb)
{
	return rb_entry(rb, struct owner, it.rb);
}

static struct owner *of_it(struct interval_tree_node *it)
{
	return it ? container_of(it, struct owner, it) : NULL;
}

#define tree_insert(o, root) interval_tree_insert(&(o)->it, root)
#define tree_remove(o, root) interval_tree_remove(&(o)->it, root)
#define tree_first(root, a, z) of_it(interval_tree_iter_first(root, a, z))
#define tree_next(o, a, z) of_it(interval_tree_iter_next(&(o)->it, a, z))
#endif

/* What malloc is asked for at once: nodes to carve out, on cache lines. */
#define SLAB 65536

struct API(tree) {
	struct rb_root_cached root;
	struct owner *free;
	struct owner *fresh, *fresh_end;
	u64 bytes;
};

static struct owner *owner_alloc(struct API(tree) *t)
{
	struct owner *o = t->free;

	if (o) {
		t->free = *(struct owner **)o;
		return o;
	}
	if (t->fresh == t->fresh_end) {
		t->fresh = aligned_alloc(64, SLAB);
		if (!t->fresh)
			return NULL;
		t->fresh_end = t->fresh + SLAB / sizeof(*o);
		t->bytes += SLAB;
	}
	return t->fresh++;
}

static void owner_free(struct API(tree) *t, struct owner *o)
{
	*(struct owner **)o = t->free;
	t->free = o;
}

struct API(tree) *API(new)(void)
{
	return calloc(1, sizeof(struct API(tree)));
}

/* Bytes of all slabs, less what no node was made of yet. */
u64 API(bytes)(const struct API(tree) *t)
{
	return t->bytes - (t->fresh_end - t->fresh) * sizeof(struct owner);
}

bool API(insert)(struct API(tree) *t, u64 block, u64 len, u64 ino, u64 pgoff)
{
	struct owner *o = owner_alloc(t);

	if (!o)
		return false;
#ifdef BENCH_WIDE
	o->block = block;
	o->len = len;
#else
	o->it.start = block;
	o->it.last = block + len - 1;
#endif
	o->ino = ino;
	o->pgoff = pgoff;
	tree_insert(o, &t->root);
	return true;
}

bool API(remove)(struct API(tree) *t, u64 block, u64 len, u64 ino, u64 pgoff)
{
	struct rb_node *rb = t->root.rb_root.rb_node, *found = NULL;
#ifdef BENCH_WIDE
	key want = (key)block << 64 | tie(ino, pgoff);
#else
	key want = block;
#endif

	/* The leftmost of those with this key, then one after the other. */
	while (rb) {
		if (first_key(of_rb(rb)) < want) {
			rb = rb->rb_right;
		} else {
			found = rb;
			rb = rb->rb_left;
		}
	}
	for (; found; found = rb_next(found)) {
		struct owner *o = of_rb(found);

		if (first_key(o) != want)
			break;
		if (o->ino == ino && o->pgoff == pgoff &&
		    last_of(o) == block + len - 1) {
			tree_remove(o, &t->root);
			owner_free(t, o);
			return true;
		}
	}
	return false;
}

/* The same sum as `Fold` of fold.rs makes. */
u64 API(owners)(struct API(tree) *t, u64 start, u64 end)
{
	u64 sum = 0;
	struct owner *o;

	for (o = tree_first(&t->root, start, end - 1); o;
	     o = tree_next(o, start, end - 1)) {
		u64 block = first_of(o), to = last_of(o) + 1;
		u64 hash = o->ino * 0x9e3779b97f4a7c15 ^
			   (o->pgoff - block) * 0xbf58476d1ce4e5b9;
		u64 from = block > start ? block : start;
		u64 len = (to < end ? to : end) - from;

		sum += hash * (len * from + len * (len - 1) / 2 + len);
	}
	return sum;
}

static void absorb(u64 end, u64 *last, u64 *second)
{
	if (end > *last) {
		*second = *last;
		*last = end;
	} else if (end > *second) {
		*second = end;
	}
}

/* `Sweep` of fold.rs, in C: 0, 1 or 2 for many, and how far that stays so. */
u64 API(sharing)(struct API(tree) *t, u64 block, u64 max_len, u64 *run)
{
	u64 limit = block + max_len, last = block, second = block, end;
	struct owner *o = tree_first(&t->root, block, limit - 1);
	u64 count;

	for (; o && second < limit && first_of(o) <= block;
	     o = tree_next(o, block, limit - 1))
		absorb(last_of(o) + 1, &last, &second);

	if (second > block) {
		for (; o && second < limit && first_of(o) <= second;
		     o = tree_next(o, block, limit - 1))
			absorb(last_of(o) + 1, &last, &second);
		count = 2;
		end = second;
	} else if (last > block) {
		for (; o && first_of(o) == last;
		     o = tree_next(o, block, limit - 1))
			last = last_of(o) + 1;
		count = 1;
		end = o && first_of(o) < last ? first_of(o) : last;
	} else {
		count = 0;
		end = o ? first_of(o) : limit;
	}
	*run = (end < limit ? end : limit) - block;
	return count;
}
