/* SPDX-License-Identifier: GPL-2.0 */
/* Files: names, clones, blocks, mappings. Names are relative to the mount. */
#ifndef DAXRMAP_TEST_FILES_H
#define DAXRMAP_TEST_FILES_H

#include <stdbool.h>

#define BLK		4096UL
#define HUGE_SIZE	(2UL << 20)
#define FIEMAP_SHARED	0x2000		/* FIEMAP_EXTENT_SHARED */

const char *dr_path(const char *name);	/* a few rotating buffers */
int dr_open(const char *name, int flags);	/* fd or -errno */
int dr_clone(const char *src, const char *dst);
int dr_clone_range(const char *src, unsigned long soff, unsigned long len,
		   const char *dst, unsigned long doff);
/* fallocate(2); makes the file if it is not there, as dr_clone() does. */
int dr_fallocate(const char *name, int mode, long off, long len);
long dr_ino(const char *name);
long dr_size(const char *name);
/* Device block of a file's block, -ENOENT for a hole; FIEMAP's flags too. */
long dr_block(const char *name, unsigned long blk, unsigned int *flags);
bool dr_shared(const char *name, unsigned long blk);
long dr_free_blocks(void);
/* As dr_free_blocks(), after waiting for @want: see dr_settle() in debugfs.h. */
long dr_free_settled(long want);
void dr_drop_caches(void);
/* Maps shared: address or NULL. */
char *dr_map(const char *name, unsigned long off, unsigned long len, int prot,
	     int flags);

#endif
