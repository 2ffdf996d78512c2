/* SPDX-License-Identifier: GPL-2.0 */
/* Sets of small numbers are bits of a byte. */
#define BIT(n)		(1 << (n))
#define HAS(set, n)	(((set) >> (n)) & 1)
#define ADD(set, n)	set = set | BIT(n)
#define DEL(set, n)	set = set & ~BIT(n)

/* In atomic or d_step. */
#define NEVER(what, cond) \
	if \
	:: cond -> assert(what) \
	:: else \
	fi
