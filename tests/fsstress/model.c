// SPDX-License-Identifier: GPL-2.0
/* The model: what there is below a process's directory. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/fs.h>
#include "fsstress.h"

struct world *w;
struct tree *t;
int me = -1;

void model_start(struct tree *tree)
{
	memset(tree, 0, sizeof(*tree));
	for (int i = 0; i < NODES; i++)
		tree->node[i].fd = -1;
}

int nr_of(const struct node *n)
{
	return n - t->node;
}

struct node *any_node(bool (*fits)(const struct node *))
{
	int from = dr_pick(NODES);

	for (int i = 0; i < NODES; i++) {
		struct node *n = &t->node[(from + i) % NODES];

		if (n->type && fits(n))
			return n;
	}
	return NULL;
}

static bool is_dir(const struct node *n)
{
	return n->type == S_IFDIR;
}

int any_dir(void)
{
	return nr_of(any_node(is_dir));
}

int any_entry(void)
{
	int from = dr_pick(ENTRIES);

	for (int i = 0; i < ENTRIES; i++)
		if (t->entry[(from + i) % ENTRIES].used)
			return (from + i) % ENTRIES;
	return -1;
}

int find(int dir, const char *name)
{
	for (int i = 0; i < ENTRIES; i++)
		if (t->entry[i].used && t->entry[i].dir == dir && !strcmp(t->entry[i].name, name))
			return i;
	return -1;
}

/* One that is there as often as not. */
void any_name(int dir, char *name)
{
	int nr = dr_pick(20), e = any_entry();

	if (dr_pick(2) && e >= 0) {
		for (int i = 0; i < ENTRIES; i++) {
			struct entry *x = &t->entry[(e + i) % ENTRIES];

			if (x->used && x->dir == dir) {
				strcpy(name, x->name);
				return;
			}
		}
	}
	switch (dr_pick(10)) {
	case 0:			/* as long as can be */
		snprintf(name, NAME, "%d", nr);
		memset(name + strlen(name), 'l', NAME - 1 - strlen(name));
		name[NAME - 1] = 0;
		break;
	case 1:
		snprintf(name, NAME, " \xc3\xa4\n\\%d\x7f*", nr);
		break;
	default:
		snprintf(name, NAME, "n%d", nr);
	}
}

bool only_grows(const struct node *n)
{
	return n->flags & FS_APPEND_FL;
}

bool is_empty(int dir)
{
	for (int i = 0; i < ENTRIES; i++)
		if (t->entry[i].used && t->entry[i].dir == dir)
			return false;
	return true;
}

int subdirs(int dir)
{
	int n = 0;

	for (int i = 0; i < ENTRIES; i++)
		n += t->entry[i].used && t->entry[i].dir == dir &&
			t->node[t->entry[i].node].type == S_IFDIR;
	return n;
}

static int entry_of(int node)
{
	for (int i = 0; i < ENTRIES; i++)
		if (t->entry[i].used && t->entry[i].node == node)
			return i;
	return -1;
}

bool is_above(int node, int dir)
{
	while (dir != node && dir != TOP)
		dir = t->entry[entry_of(dir)].dir;
	return dir == node;
}

int free_node(void)
{
	for (int i = 0; i < NODES; i++)
		if (!t->node[i].type)
			return i;
	return -1;
}

bool many_dirs(void)
{
	int dirs = 0;

	for (int i = 0; i < NODES; i++)
		dirs += t->node[i].type == S_IFDIR;
	return dirs >= DIRS;
}

bool has_room(void)
{
	int n = 0;

	for (int i = 0; i < ENTRIES; i++)
		n += !t->entry[i].used;
	return n && free_node() >= 0;
}

void changed(int dir)
{
	t->node[dir].mtime_known = false;
}

void add_entry(int dir, const char *name, int node)
{
	for (int i = 0; i < ENTRIES; i++) {
		struct entry *e = &t->entry[i];

		if (e->used)
			continue;
		e->used = true;
		e->dir = dir;
		e->node = node;
		strcpy(e->name, name);
		t->node[node].names++;
		changed(dir);
		return;
	}
}

static void drop_node(struct node *n)
{
	t->dead[t->deads++ % DEAD] = n->handle;
	*n = (struct node){ .fd = -1 };
}

void drop_entry(int entry)
{
	struct entry *e = &t->entry[entry];
	struct node *n = &t->node[e->node];

	e->used = false;
	changed(e->dir);
	if (!--n->names && n->fd < 0)
		drop_node(n);
}

void drop_hold(struct node *n)
{
	close(n->fd);
	n->fd = -1;
	if (!n->names)
		drop_node(n);
}

/* Adds to the front of `at` the way to a directory. */
static char *prepend(char *at, int dir)
{
	const char *name;

	if (dir == TOP) {
		char top[NAME];

		snprintf(top, sizeof(top), "%s/p%d", dr_mnt(), (int)(t - w->tree));
		at -= strlen(top);
		memcpy(at, top, strlen(top));
		return at;
	}
	name = t->entry[entry_of(dir)].name;
	at -= strlen(name);
	memcpy(at, name, strlen(name));
	*--at = '/';
	return prepend(at, t->entry[entry_of(dir)].dir);
}

const char *path_of(int dir, const char *name)
{
	static char room[2][PATH + NAME];
	static int next;
	char *at = room[next = !next] + sizeof(*room) - 1;

	if (name) {
		at -= strlen(name);
		strcpy(at, name);
		*--at = '/';
	}
	return prepend(at, dir);
}

const char *entry_path(int entry)
{
	return path_of(t->entry[entry].dir, t->entry[entry].name);
}

const char *node_path(const struct node *n)
{
	return n == t->node ? path_of(TOP, NULL) : entry_path(entry_of(nr_of(n)));
}
