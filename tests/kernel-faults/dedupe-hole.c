// SPDX-License-Identifier: GPL-2.0
/* FIDEDUPERANGE of a hole and a page of zeroes, both on DAX: are they the same? */
#include "fault.h"

int main(void)
{
	struct { struct file_dedupe_range r; struct file_dedupe_range_info i; } q = {
		.r = { .src_length = PAGE, .dest_count = 1 } };
	char zeroes[PAGE] = "";
	int a, b;

	make_fs("xfs", PMEM);
	a = open("/mnt/a", O_RDWR | O_CREAT, 0644);
	b = open("/mnt/b", O_RDWR | O_CREAT, 0644);
	MUST(a >= 0 && b >= 0 && !ftruncate(a, PAGE));
	MUST(write(b, zeroes, PAGE) == (ssize_t)PAGE);
	q.i.dest_fd = b;
	MUST(!ioctl(a, FIDEDUPERANGE, &q));
	say(q.i.status == FILE_DEDUPE_RANGE_DIFFERS ? "differ" : "are the same");
	return 0;
}
