// SPDX-License-Identifier: GPL-2.0
/* What is inline in linux/siphash.h, as functions. */
#include <linux/siphash.h>
#include <daxrmap_helpers.h>

u64 daxrmap_siphash(const void *data, size_t len, u64 first, u64 second)
{
	const siphash_key_t key = { { first, second } };

	return siphash(data, len, &key);
}
