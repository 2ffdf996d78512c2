// SPDX-License-Identifier: GPL-2.0
/* POSIX ACLs as text. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include "acls.h"
#include "files.h"
#include "common/device/mount.h"

static const char letters[] = "rwx";

static struct dr_acl_entry entry(const char *s)
{
	struct dr_acl_entry e = { .id = ~0u };
	const char *end = strchr(s + 2, ':');
	bool one = end > s + 2;

	switch (*s) {
	case 'u':
		e.tag = one ? U_ONE : U_OBJ;
		break;
	case 'g':
		e.tag = one ? G_ONE : G_OBJ;
		break;
	case 'm':
		e.tag = A_MASK;
		break;
	default:
		e.tag = A_OTHER;
	}
	if (one)
		e.id = strtoul(s + 2, NULL, 10);
	for (int i = 0; i < 3; i++)
		if (end[1 + i] == letters[i])
			e.perm |= 4 >> i;
	return e;
}

size_t dr_acl_parse(struct dr_acl *acl, const char *text)
{
	size_t n = 0;

	acl->version = 2;
	for (const char *s = text; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL)
		acl->e[n++] = entry(s);
	return sizeof(acl->version) + n * sizeof(acl->e[0]);
}

int dr_set_acl(const char *path, const char *name, const char *text)
{
	struct dr_acl acl;
	size_t len = dr_acl_parse(&acl, text);

	return lsetxattr(path, name, &acl, len, 0);
}

static const char *tag_name(unsigned int tag)
{
	switch (tag) {
	case U_OBJ:
	case U_ONE:
		return "u";
	case G_OBJ:
	case G_ONE:
		return "g";
	case A_MASK:
		return "m";
	case A_OTHER:
		return "o";
	default:
		return "?";
	}
}

const char *dr_acl(const char *path, const char *name)
{
	static char text[2048];
	struct dr_acl acl;
	ssize_t len = lgetxattr(path, name, &acl, sizeof(acl));
	int n, at = 0;

	if (len < 0 && errno == ENODATA)
		return "none";
	n = (len - (ssize_t)sizeof(acl.version)) / (ssize_t)sizeof(acl.e[0]);
	if (len < 0 || acl.version != 2 || n * sizeof(acl.e[0]) + sizeof(acl.version) != (size_t)len) {
		snprintf(text, sizeof(text), "errno %d, %zd bytes", len < 0 ? errno : 0, len);
		return text;
	}
	for (int i = 0; i < n; i++) {
		const struct dr_acl_entry *e = &acl.e[i];

		at += snprintf(text + at, sizeof(text) - at, "%s%s:", i ? "," : "",
			       tag_name(e->tag));
		if (e->tag == U_ONE || e->tag == G_ONE)
			at += snprintf(text + at, sizeof(text) - at, "%u", e->id);
		at += snprintf(text + at, sizeof(text) - at, ":");
		for (int b = 0; b < 3; b++)
			text[at++] = e->perm & (4 >> b) ? letters[b] : '-';
		text[at] = 0;
	}
	return text;
}

bool dr_has_acls(void)
{
	return lgetxattr(dr_mnt(), ACL_ACCESS, NULL, 0) >= 0 || errno != EOPNOTSUPP;
}

int dr_mode(const char *name)
{
	struct stat st;

	return lstat(dr_path(name), &st) ? -errno : (int)(st.st_mode & 07777);
}

int dr_lists(const char *name, const char *xattr)
{
	char list[1024];
	ssize_t len = llistxattr(dr_path(name), list, sizeof(list));

	for (char *n = list; n < list + len; n += strlen(n) + 1)
		if (!strcmp(n, xattr))
			return 1;
	return len < 0 ? -errno : 0;
}
