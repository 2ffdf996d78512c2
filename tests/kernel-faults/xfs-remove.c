// SPDX-License-Identifier: GPL-2.0
/*
 * The device of an XFS with a file goes: unbind does not return, on a CPU. Nobody has to
 * map the file; it must not be in the last allocation group. With an argument: the
 * filesystem is frozen.
 */
#include "fault.h"

int main(int argc, char **argv)
{
	int fd;

	(void)argv;
	make_fs("xfs", PMEM);
	close(make_file("/mnt/f", 4 * PAGE));
	fd = open("/mnt", O_RDONLY);
	MUST(fd >= 0 && (argc == 1 || !ioctl(fd, FIFREEZE, 0)));
	if (ends(unbind, 30)) {
		say("the device is gone");
	} else {
		say("unbind does not end; where it is:");
		put("/proc/sysrq-trigger", "l");
	}
	return 0;
}
