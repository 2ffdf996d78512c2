// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the images that later versions must mount (scripts/build/images.sh), each
 * with a listing of what is in it. They go to a device, ROOM bytes for
 * each: image, then a line with its name, how it can be mounted, the listing, a NUL.
 *
 *	make-images DEVICE
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include "common.h"
#include "common/device/image.h"
#include "common/files/listing.h"

#define SIZE	(2UL << 20)
#define ROOM	(2 * SIZE)
#define UUID	"64617872-6d61-7021-8000-666f726d6174"

static struct image im;		/* SIZE bytes, and as many for the text */

static int fail(const char *what)
{
	printf("not ok make-images: %s\n", what);
	return 1;
}

/* Names that stand for something else, and what else an inode may have. */
static int fill_inodes(void)
{
	int flags = FS_NODUMP_FL | FS_IMMUTABLE_FL, fd;
	int r = symlink("dir/deep/../a name", dr_path("link")) ||
		mkfifo(dr_path("fifo"), 0620) ||
		mknod(dr_path("device"), S_IFCHR | 0600, makedev(4095, 1048575)) ||
		link(dr_path("big"), dr_path("dir/second")) ||
		setxattr(dr_path("big"), "user.one", "1", 1, 0) ||
		setxattr(dr_path("big"), "user.empty", "", 0, 0) ||
		setxattr(dr_path("dir"), "trusted.of a directory", "value", 5, 0) ||
		setxattr(dr_path("big"), "user.gone", "2", 1, 0) ||
		removexattr(dr_path("big"), "user.gone") ||
		renameat2(AT_FDCWD, dr_path("part"), AT_FDCWD, dr_path("clone"), RENAME_EXCHANGE);

	r = r ?: dr_create("shifted", 8, 7) ?: dr_create("locked", 1, 8);
	fd = dr_open("shifted", O_RDWR);
	r = r ?: fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 2 * BLK, BLK);
	r = r ?: fallocate(fd, FALLOC_FL_INSERT_RANGE, 4 * BLK, 3 * BLK);
	close(fd);
	fd = dr_open("locked", O_RDONLY);
	r = r ?: ioctl(fd, FS_IOC_SETFLAGS, &flags);
	close(fd);
	return r;
}

/* Files, clones, holes, bad blocks, names. */
static int fill(void)
{
	int r = dr_mkfs_with(dr_dev(), "-s 2M -L kept -U " UUID) ?: dr_mount_again();
	int fd;

	r = r ?: dr_create("big", 60, 1) ?: dr_clone("big", "clone");
	r = r ?: dr_clone_range("big", 8 * BLK, 16 * BLK, "part", 4 * BLK);
	r = r ?: dr_write_blocks("clone", 30, 3, 2);
	mkdir(dr_path("dir"), 0750);
	mkdir(dr_path("dir/deep"), 01777);
	r = r ?: dr_create("dir/deep/file", 5, 3) ?: dr_create("dir/moved", 2, 4);
	r = r ?: rename(dr_path("dir/moved"), dr_path("dir/a name \xc3\xa4 with much in it"));
	r = r ?: dr_create("empty", 0, 0) ?: chown(dr_path("empty"), 1000, 65534);
	fd = dr_open("sparse", O_RDWR | O_CREAT);
	r = r ?: pwrite(fd, "end", 3, 1L << 40) != 3;
	r = r ?: ftruncate(fd, (1L << 20) + 77);
	r = r ?: fallocate(fd, 0, 0, 2 * BLK);
	close(fd);
	r = r ?: truncate(dr_path("dir/deep/file"), 3 * BLK + 1234);
	/* Two that are shared by three, one of one file, one that is free. */
	r = r ?: dr_notify(dr_block("big", 10, NULL) * BLK, 2 * BLK);
	r = r ?: dr_notify(dr_block("clone", 31, NULL) * BLK, BLK);
	r = r ?: dr_notify(450 * BLK, BLK);
	return r ?: fill_inodes();
}

static int fill_much(void)
{
	int r = fill();
	long used;

	/* Until the log has gone on in its other region, and a little more. */
	do {
		used = dr_counter("log_used");
		for (int i = 0; i < 20; i++)
			r = r ?: chmod(dr_path("empty"), i & 1 ? 0600 : 0644);
	} while (!r && dr_counter("log_used") > used);
	return r ?: dr_create("last", 3, 5);
}

static void damage_first(void)
{
	memset(im.bytes + 100, 0xa5, 900);
}

static void damage_last(void)
{
	memset(im.bytes + SIZE - IMAGE_BLOCK + 100, 0xa5, 900);
}

static void add_feature(int field)
{
	unsigned char *sb = image_super(&im);

	sb[field + 7] |= 0x80;
	image_put_super(&im, sb);
}

static void add_compat(void)
{
	add_feature(SB_COMPAT);
}

static void add_ro_compat(void)
{
	add_feature(SB_RO_COMPAT);
}

static void add_incompat(void)
{
	add_feature(SB_INCOMPAT);
}

static const struct {
	const char *name, *mount;
	int (*fill)(void);
	bool crash;
	void (*change)(void);
} images[] = {
	{ "clean", "rw", fill_much, false, NULL },
	{ "unclean", "rw", fill_much, true, NULL },
	{ "first-super-damaged", "rw", fill, false, damage_first },
	{ "last-super-damaged", "rw", fill, true, damage_last },
	{ "compat", "rw", fill, false, add_compat },
	{ "ro-compat", "ro", fill, true, add_ro_compat },
	{ "incompat", "no", fill, false, add_incompat },
};

/* What is in the image, as it is after a crash, or after an unmount. */
static char *take(bool crash)
{
	int fd = -1, r;
	char *text;

	if (crash) {
		r = dr_create("gone", 4, 6);
		fd = dr_open("gone", O_RDWR);
		unlink(dr_path("gone"));
	} else {
		r = dr_umount();
	}
	free(im.bytes);
	r = r ?: image_read(&im, dr_dev(), SIZE);
	close(fd);
	r = r ?: crash ? dr_umount() : 0;
	/* Its listing is of what a mount finds that changes nothing. */
	r = r ?: image_write(&im, dr_dev());
	r = r ?: mount(dr_dev(), dr_mnt(), "daxrmap", MS_RDONLY, "");
	text = r ? NULL : dr_listing();
	return dr_umount() ? NULL : text;
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDWR | O_SYNC) : -1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (fd < 0)
		return fail("DEVICE");
	for (size_t i = 0; i < sizeof(images) / sizeof(*images); i++) {
		char *text, *end;
		int len;

		if (images[i].fill())
			return fail("fill");
		text = take(images[i].crash);
		if (!text)
			return fail("listing");
		if (images[i].change)
			images[i].change();
		if (asprintf(&end, "%s\nmount %s\n%s", images[i].name, images[i].mount, text) < 0)
			return fail("memory");
		len = strlen(end) + 1;
		if (pwrite(fd, im.bytes, SIZE, i * ROOM) != SIZE ||
		    pwrite(fd, end, len, i * ROOM + SIZE) != len)
			return fail("write");
		printf("ok make-images: %s\n", images[i].name);
	}
	return close(fd) ? fail("close") : 0;
}
