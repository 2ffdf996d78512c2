// SPDX-License-Identifier: GPL-2.0
/*
 * The images of tests/images: what earlier versions have made is mounted, and
 * holds what it held then. A crash, a damaged superblock and features that are not
 * known have their own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/device/image.h"
#include "common/device/partition.h"
#include "common/files/listing.h"

#define SIZE	(2UL << 20)

/* One after the other: a line with a name, one with sizes, the .list, the .img.xz. */
__asm__(".section .rodata\nimages:\n.incbin \"" IMAGES "\"\nimages_end:\n.previous");
extern const char images[], images_end[];

static char list[16384];
static char how[16];		/* "mount rw", "mount ro", "mount no" */
static struct image im;

/* Takes the next one apart; what is behind it, or NULL. */
static const char *unpack(const char *at, char *name)
{
	unsigned long text, packed;
	int head;
	FILE *f;

	if (sscanf(at, "%63s\n%lu %lu%n", name, &text, &packed, &head) != 3 ||
	    text >= sizeof(list))
		return NULL;
	at += head + 1;
	memcpy(list, at, text);
	list[text] = 0;
	f = popen("xzcat >/tmp/image", "w");
	if (!f || fwrite(at + text, packed, 1, f) != 1 || pclose(f) ||
	    sscanf(list, "%15[^\n]", how) != 1)
		return NULL;
	f = fopen("/tmp/image", "r");
	if (!f || fread(im.bytes, SIZE, 1, f) != 1)
		return NULL;
	fclose(f);
	unlink("/tmp/image");
	return at + text + packed;
}

static int mount_it(unsigned long flags)
{
	return mount(dr_dev(), dr_mnt(), "daxrmap", flags, "") ? -errno : 0;
}

/* Prints the first line that differs. */
static bool same(const char *was, const char *is)
{
	while (*was && !strncmp(was, is, strcspn(was, "\n") + 1)) {
		was += strcspn(was, "\n") + 1;
		is += strcspn(is, "\n") + 1;
	}
	if (!*was && !*is)
		return true;
	printf("# it was: %.*s\n# it is:  %.*s\n", (int)strcspn(was, "\n"), was,
	       (int)strcspn(is, "\n"), is);
	return false;
}

FIXTURE(images) {
	unsigned long long log_seq;
};

FIXTURE_SETUP(images)
{
	if (dr_xfs() || strcmp(dr_dev(), "/dev/pmem0"))
		SKIP(return, "images are daxrmap's, and this is about /dev/pmem0");
	while (!umount2(dr_mnt(), 0))
		;
	mkdir(dr_mnt(), 0755);
	im.size = SIZE;
	/*
	 * As large as the images: where the first superblock cannot be read the second one
	 * is looked for at the device's end.
	 */
	ASSERT_EQ(0, dr_add_partition(1, HUGE_SIZE, SIZE));
	dr_use_partition(true);
	ASSERT_EQ(0, posix_memalign((void **)&im.bytes, BLK, SIZE));
}

FIXTURE_TEARDOWN(images)
{
	umount2(dr_mnt(), 0);
	dr_use_partition(false);
	EXPECT_EQ(0, dr_del_partition(1));
}

TEST_F(images, are_mounted)
{
	char name[64], *is;
	int n = 0;

	for (const char *at = images; at < images_end; n++) {
		bool damaged, writable;

		at = unpack(at, name);
		ASSERT_NE(NULL, at);
		printf("# %s: %s\n", name, how);
		ASSERT_EQ(0, image_write(&im, dr_dev()));
		self->log_seq = dr_log_seq();
		if (!strcmp(how, "mount no")) {
			EXPECT_EQ(-EOPNOTSUPP, mount_it(MS_RDONLY));
			EXPECT_EQ(-EOPNOTSUPP, mount_it(0));
			EXPECT_EQ(2, dr_log_count(self->log_seq, "features that are not known here"));
			continue;
		}
		writable = !strcmp(how, "mount rw");
		damaged = strstr(name, "damaged");

		ASSERT_EQ(0, mount_it(MS_RDONLY));
		EXPECT_EQ(damaged, dr_log_count(self->log_seq, "cannot be used, the other one is"));
		is = dr_listing();
		ASSERT_NE(NULL, is);
		EXPECT_TRUE(same(strchr(list, '\n') + 1, is));
		free(is);
		EXPECT_EQ(0, dr_check());

		/* Not writable by a remount, nor by a mount, if it must not be. */
		self->log_seq = dr_log_seq();
		EXPECT_EQ(writable ? 0 : -EROFS, mount_it(MS_REMOUNT));
		ASSERT_EQ(0, dr_umount());
		EXPECT_EQ(writable ? 0 : -EROFS, mount_it(0));
		EXPECT_EQ(writable ? 0 : 2,
			  dr_log_count(self->log_seq, "it can be mounted read-only"));
		if (!writable)
			continue;
		EXPECT_EQ(0, dr_create("new", 3, 1));
		EXPECT_EQ(0, dr_umount());
		self->log_seq = dr_log_seq();
		ASSERT_EQ(0, mount_it(0));
		/* The damaged copy was made anew. */
		EXPECT_EQ(0, dr_log_count(self->log_seq, "cannot be used"));
		EXPECT_EQ(0, dr_verify("new", 0, 3, 1, 0));
		EXPECT_EQ(0, dr_check());
		EXPECT_EQ(0, dr_umount());
	}
	EXPECT_LE(7, n);
}

TEST_HARNESS_MAIN
