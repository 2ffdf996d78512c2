/* SPDX-License-Identifier: GPL-2.0 */
/* The disks below ext4 and XFS: pmem itself, or a device of dm over two of them. */
#ifndef DAXRMAP_STRESS_STACK_H
#define DAXRMAP_STRESS_STACK_H

#include <stdbool.h>
#include <stdint.h>

enum { DISKS = 2 };

struct stack {
	const char *name;
	int disks;		/* pmem0 and the next ones */
	bool mapped;		/* by dm */
};

extern const struct stack *stack;	/* what STRESS_STACK names; NULL if there is none such */

/* From here on dr_dev() is its device. Calls return 0 or -errno. */
int stack_make(void);
int stack_drop(void);
/* The same table in other pieces. */
int stack_reload(void);
unsigned long stack_blocks(void);
/* Where a block of the filesystem is: the disk; *page of it. */
int stack_place(uint32_t block, unsigned long *page);
uint32_t stack_block(int disk, unsigned long page);	/* UINT32_MAX: not in use */
unsigned long stack_pfn(uint32_t block);
uint32_t stack_block_of(unsigned long pfn);
const char *stack_disk(int disk);	/* "pmem0" */
/* The driver takes the disks away and gives them back: their lists of bad blocks are empty. */
int stack_fresh(void);

#endif
