// SPDX-License-Identifier: GPL-2.0
/*
 * The device goes while a process maps a page of ext4 (or of XFS on dm), read-only so
 * far. Nobody takes the page from it, and its struct page is gone: the store oopses.
 * With an argument: XFS on dm.
 */
#include "fault.h"
#include "dm.h"

int main(int argc, char **argv)
{
	volatile char *p;
	int fd;

	(void)argv;
	if (argc > 1)
		make_fs("xfs", make_dm());
	else
		make_fs("ext4", PMEM);
	fd = make_file("/mnt/f", 4 * PAGE);
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)p[0];
	if (ends(unbind, 30))
		say("the device is gone; store");
	else
		say("the device does not go");
	p[0] = 1;
	say("works");
	return 0;
}
