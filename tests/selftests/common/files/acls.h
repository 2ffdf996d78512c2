/* SPDX-License-Identifier: GPL-2.0 */
/*
 * POSIX ACLs as text, as getfacl(1) shows them, but short. There is no libacl in
 * the guest.
 */
#ifndef DAXRMAP_TEST_ACLS_H
#define DAXRMAP_TEST_ACLS_H

#include <stdbool.h>
#include <stddef.h>

#define ACL_ACCESS	"system.posix_acl_access"
#define ACL_DEFAULT	"system.posix_acl_default"

/* As linux/posix_acl_xattr.h has it; little endian, as the machine is. */
struct dr_acl {
	unsigned int version;		/* 2 */
	struct dr_acl_entry {
		unsigned short tag;
		unsigned short perm;
		unsigned int id;	/* ~0u: nobody */
	} e[64];
};

enum { U_OBJ = 1, U_ONE = 2, G_OBJ = 4, G_ONE = 8, A_MASK = 16, A_OTHER = 32 };

/* "u::rwx,u:5:r--,g::r-x,g:7:---,m::rwx,o::---": bytes in use. */
size_t dr_acl_parse(struct dr_acl *acl, const char *text);
/* Sets one: 0, or -1 and errno. */
int dr_set_acl(const char *path, const char *name, const char *text);
/* The one that it has, "none", or "errno N". Valid until the next call. */
const char *dr_acl(const char *path, const char *name);
bool dr_has_acls(void);			/* whether this kernel has any */
/* The same for names relative to the mount. */
#define SET_ACCESS(name, text)	ASSERT_EQ(0, dr_set_acl(dr_path(name), ACL_ACCESS, text))
#define SET_DEFAULT(name, text)	ASSERT_EQ(0, dr_set_acl(dr_path(name), ACL_DEFAULT, text))
#define EXPECT_ACCESS(text, name)	EXPECT_STREQ(text, dr_acl(dr_path(name), ACL_ACCESS))
#define EXPECT_DEFAULT(text, name)	EXPECT_STREQ(text, dr_acl(dr_path(name), ACL_DEFAULT))
#define EXPECT_MODE(mode, name)	EXPECT_EQ(mode, dr_mode(name))
int dr_mode(const char *name);	/* permissions, or -errno */
/* Whether listxattr() gives that: 0, 1 or -errno. */
int dr_lists(const char *name, const char *xattr);

#define ACL_FIXTURE(name)						\
	FIXTURE(name) { struct dr_fs fs; };				\
	FIXTURE_SETUP(name)						\
	{								\
		ASSERT_EQ(0, dr_setup(&self->fs));			\
		umask(022);						\
		if (!dr_has_acls()) {					\
			/* Nobody calls the other one then. */		\
			EXPECT_EQ(0, dr_teardown(&self->fs));		\
			SKIP(return, "a kernel without CONFIG_FS_POSIX_ACL"); \
		}							\
	}								\
	FIXTURE_TEARDOWN_PARENT(name) { EXPECT_EQ(0, dr_teardown(&self->fs)); }

#endif
