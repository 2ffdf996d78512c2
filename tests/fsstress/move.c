// SPDX-License-Identifier: GPL-2.0
/* Names that move and go. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/fs.h>
#include "fsstress.h"

static struct node *node_of(int entry)
{
	return &t->node[t->entry[entry].node];
}

void unlink_op(void)
{
	int dir = any_dir(), e, err;
	char name[NAME];

	any_name(dir, name);
	e = find(dir, name);
	err = e < 0 ? ENOENT : only_grows(node_of(e)) ? EPERM :
		node_of(e)->type == S_IFDIR ? EISDIR : 0;
	note("unlink %s", path_of(dir, name));
	if (must("unlink", unlink(path_of(dir, name)), err) && !err) {
		drop_entry(e);
		DONE(UNLINK);
	}
}

static bool is_empty_dir(const struct node *n)
{
	return n->type == S_IFDIR && n->names && is_empty(nr_of(n));
}

void rmdir_op(void)
{
	struct node *empty = dr_pick(2) ? any_node(is_empty_dir) : NULL;
	int dir = any_dir(), e, err;
	char name[NAME];

	any_name(dir, name);
	e = find(dir, name);
	for (int i = 0; empty && i < ENTRIES; i++)
		if (t->entry[i].used && t->entry[i].node == nr_of(empty)) {
			e = i;
			dir = t->entry[i].dir;
			strcpy(name, t->entry[i].name);
		}
	err = e < 0 ? ENOENT : only_grows(node_of(e)) ? EPERM :
		node_of(e)->type != S_IFDIR ? ENOTDIR :
		is_empty(t->entry[e].node) ? 0 : ENOTEMPTY;
	note("rmdir %s", path_of(dir, name));
	if (must("rmdir", rmdir(path_of(dir, name)), err) && !err) {
		drop_entry(e);
		DONE(RMDIR);
	}
}

/* What renameat2(2) says, in the order in which the VFS looks. */
static int rename_error(int from, int old_dir, int to, int new_dir, unsigned int flags)
{
	struct node *f, *g;

	if (from < 0)
		return ENOENT;
	if (to >= 0 && flags & RENAME_NOREPLACE)
		return EEXIST;
	if (to < 0 && flags & RENAME_EXCHANGE)
		return ENOENT;
	f = node_of(from);
	if (f->type == S_IFDIR && is_above(nr_of(f), new_dir))
		return EINVAL;
	if (to < 0)
		return only_grows(f) ? EPERM : 0;
	g = node_of(to);
	if (g->type == S_IFDIR && is_above(nr_of(g), old_dir))
		return flags & RENAME_EXCHANGE ? EINVAL : ENOTEMPTY;
	if (f == g)
		return 0;
	if (only_grows(f) || only_grows(g))
		return EPERM;
	if (flags & RENAME_EXCHANGE)
		return 0;
	if (f->type == S_IFDIR && g->type != S_IFDIR)
		return ENOTDIR;
	if (f->type != S_IFDIR && g->type == S_IFDIR)
		return EISDIR;
	if (g->type == S_IFDIR && !is_empty(nr_of(g)))
		return dr_xfs() ? EEXIST : ENOTEMPTY;
	return 0;
}

/* A directory that gets another parent: its names have not changed, but XFS writes .. to it. */
static void moved(int node)
{
	if (dr_xfs())
		changed(node);
}

static void exchange(int from, int to)
{
	int node = t->entry[from].node;

	t->entry[from].node = t->entry[to].node;
	t->entry[to].node = node;
	moved(node);
	moved(t->entry[from].node);
	changed(t->entry[from].dir);
	changed(t->entry[to].dir);
}

static void move(int from, int to, int new_dir, const char *name)
{
	if (to >= 0)
		drop_entry(to);
	changed(t->entry[from].dir);
	changed(new_dir);
	moved(t->entry[from].node);
	t->entry[from].dir = new_dir;
	strcpy(t->entry[from].name, name);
}

/* The character device 0:0 that RENAME_WHITEOUT leaves behind, with what it inherits of `from`. */
static void add_whiteout(int dir, const char *name, int from)
{
	int node = free_node();
	struct node *n = &t->node[node];

	*n = (struct node){ .fd = -1, .type = S_IFCHR,
		.gid = t->node[from].mode & S_ISGID ? t->node[from].gid : 0 };
	for (int i = 0; i < XATTRS; i++)
		n->xattr[i].size = -1;
	if (learn(node, path_of(dir, name)))
		add_entry(dir, name, node);
}

void rename_op(void)
{
	static const struct {
		unsigned int flags;
		enum kind kind;
	} how[] = {
		{ 0, RENAME }, { 0, RENAME }, { RENAME_NOREPLACE, NOREPLACE },
		{ RENAME_EXCHANGE, EXCHANGE }, { RENAME_WHITEOUT, WHITEOUT },
	};
	int old_dir = any_dir(), new_dir = dr_pick(3) ? any_dir() : old_dir;
	int x = dr_pick(sizeof(how) / sizeof(*how)), from, to, err;
	char old[NAME], new[NAME];

	if (how[x].kind == WHITEOUT && !has_room())
		return;
	any_name(old_dir, old);
	any_name(new_dir, new);
	from = find(old_dir, old);
	to = find(new_dir, new);
	err = rename_error(from, old_dir, to, new_dir, how[x].flags);
	note("rename, flags %u, %s to %s", how[x].flags, path_of(old_dir, old),
	     path_of(new_dir, new));
	if (!must("rename", renameat2(AT_FDCWD, path_of(old_dir, old), AT_FDCWD,
				      path_of(new_dir, new), how[x].flags), err) || err)
		return;
	DONE(how[x].kind);
	/* Two names of one file: nothing happens. */
	if (to >= 0 && t->entry[from].node == t->entry[to].node)
		return;
	if (how[x].flags & RENAME_EXCHANGE)
		exchange(from, to);
	else
		move(from, to, new_dir, new);
	if (how[x].flags & RENAME_WHITEOUT)
		add_whiteout(old_dir, old, dr_xfs() ? new_dir : old_dir);
}
