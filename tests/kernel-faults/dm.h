/* SPDX-License-Identifier: GPL-2.0 */
/* All of /dev/pmem0 as /dev/dm-0, by the target "linear". */
#include <linux/dm-ioctl.h>
#include <sys/sysmacros.h>
#include <sys/stat.h>

static inline void dm_ask(int control, unsigned long what, const char *table)
{
	static struct {
		struct dm_ioctl io;
		struct dm_target_spec spec;
		char text[256];
	} q;
	unsigned long bytes = 0;
	int fd = open(PMEM, O_RDONLY);

	memset(&q, 0, sizeof(q));
	q.io.version[0] = 4;
	q.io.data_size = sizeof(q);
	q.io.data_start = sizeof(q.io);
	strcpy(q.io.name, "linear");
	if (table) {
		MUST(fd >= 0 && !ioctl(fd, BLKGETSIZE64, &bytes));
		q.io.target_count = 1;
		q.spec.length = bytes / 512;
		strcpy(q.spec.target_type, "linear");
		strcpy(q.text, table);
	}
	close(fd);
	MUST(!ioctl(control, what, &q));
}

static inline const char *make_dm(void)
{
	int control;

	(void)!system("modprobe dm_mod");
	control = open("/dev/mapper/control", O_RDWR);
	MUST(control >= 0);
	dm_ask(control, DM_DEV_CREATE, NULL);
	dm_ask(control, DM_TABLE_LOAD, PMEM " 0");
	dm_ask(control, DM_DEV_SUSPEND, NULL);	/* without its flag: resume */
	return "/dev/dm-0";
}
