// SPDX-License-Identifier: GPL-2.0
/* Filesystems with DAX as people have them. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "dm.h"
#include "driver.h"
#include "mount.h"
#include "partition.h"
#include "stack.h"
#include "common/basics/text.h"
#include "common/files/files.h"
#include "common/module/debugfs.h"
#include "common/module/guard.h"
#include "common/module/log.h"
#include "common/module/poison.h"
#include "common/processes/signals.h"

#define NAME	"stack"
#define MIB	(1L << 20)
#define SECTORS(mib)	((mib) * MIB / 512)

bool dr_stack_xfs(const struct dr_stack *s)
{
	return !strcmp(s->fs, "xfs");
}

bool dr_stack_dm(const struct dr_stack *s)
{
	return s->on != ON_PMEM && s->on != ON_PARTITION;
}

bool dr_stack_reflink(const struct dr_stack *s)
{
	return dr_stack_xfs(s) && !(s->options && strstr(s->options, "reflink=0"));
}

bool dr_stack_holdable(const struct dr_stack *s)
{
	return !dr_stack_xfs(s) || dr_stack_dm(s);
}

static bool two_devices(const struct dr_stack *s)
{
	return s->on == ON_STRIPED || s->on == ON_WIDE_STRIPES;
}

int dr_stack_hold(const struct dr_stack *s)
{
	return dr_guard_hold(PMEM0, 0) ?: two_devices(s) ? dr_guard_hold(PMEM1, 0) : 0;
}

int dr_stack_release(const struct dr_stack *s)
{
	int r = dr_guard_release(PMEM0);

	return (two_devices(s) ? dr_guard_release(PMEM1) : 0) ?: r;
}

/* The table; another one for the same bytes if `again`. */
static void table(const struct dr_stack *s, bool again, char *text, size_t size)
{
	switch (s->on) {
	case ON_LINEAR:
		dr_dm_linear(text, size, PMEM0, SECTORS(32), SECTORS(384));
		if (again)
			snprintf(text, size, "0 %ld linear " PMEM0 " %ld\n%ld %ld linear " PMEM0 " %ld\n",
				 SECTORS(128), SECTORS(32), SECTORS(128), SECTORS(256), SECTORS(160));
		break;
	case ON_PIECES:
		dr_dm_pieces(text, size, PMEM0, SECTORS(again ? 16 : 32), SECTORS(384));
		break;
	case ON_STRIPED:
		dr_dm_striped(text, size, 128, PMEM0, PMEM1, SECTORS(256));
		break;
	case ON_WIDE_STRIPES:
		dr_dm_striped(text, size, SECTORS(2), PMEM0, PMEM1, SECTORS(256));
		break;
	default:
		*text = 0;
	}
}

int dr_stack_reload(const struct dr_stack *s)
{
	static bool again;
	char text[4096];

	again = !again;
	table(s, again, text, sizeof(text));
	return dr_dm_reload(NAME, text);
}

const char *dr_stack_dev(const struct dr_stack *s)
{
	if (s->on == ON_PARTITION)
		return PMEM0 "p1";
	return dr_stack_dm(s) ? dr_dm_path(NAME) : PMEM0;
}

static int make_lower(const struct dr_stack *s)
{
	char text[4096];

	if (s->on == ON_PARTITION)
		return dr_add_partition(1, 64 * MIB, 384 * MIB);
	if (!dr_stack_dm(s))
		return 0;
	table(s, false, text, sizeof(text));
	return dr_dm_make(NAME, text);
}

static void remove_lower(void)
{
	if (dr_dm_path(NAME))
		dr_dm_remove(NAME);
	dr_del_partition(1);
}

static int make_fs(const struct dr_stack *s)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), dr_stack_xfs(s) ?
		 "mkfs.xfs -fq -l size=64m -d agcount=2,su=2m,sw=1 %s %s >/dev/null 2>&1" :
		 "mkfs.ext4 -Fq -b 4096 -E nodiscard,stride=512,stripe_width=512 %s %s >/dev/null",
		 s->options ?: "", dr_stack_dev(s));
	return system(cmd) ? -EIO : 0;
}

int dr_stack_mount(const struct dr_stack *s)
{
	mkdir(dr_mnt(), 0755);
	return mount(dr_stack_dev(s), dr_mnt(), s->fs, 0, "dax=always") ? dr_errno() : 0;
}

static struct dr_stacked *stacked;

static const char *namespace_of(const char *dev)
{
	char *name = stacked->names[!strcmp(dev, PMEM1)];

	if (!*name && !access(dev, F_OK)) {
		setenv("DAXRMAP_TEST_DEV", dev, 1);
		dr_find_device(name, sizeof(stacked->names[0]));
		unsetenv("DAXRMAP_TEST_DEV");
	}
	return name;
}

static int with_driver(const char *dev, int (*what)(const char *))
{
	const char *name = namespace_of(dev);
	int r;

	setenv("DAXRMAP_TEST_DEV", dev, 1);
	r = *name ? what(name) : -ENODEV;
	unsetenv("DAXRMAP_TEST_DEV");
	return r;
}

int dr_pmem_unbind(const char *dev)
{
	return with_driver(dev, dr_unbind);
}

int dr_pmem_bind(const char *dev)
{
	return with_driver(dev, dr_bind);
}

static int renew(const char *dev)
{
	int r = access(dev, F_OK) ? 0 : dr_pmem_unbind(dev);

	return r ?: dr_pmem_bind(dev);
}

int dr_stack_up(const struct dr_stack *s, struct dr_stacked *state)
{
	int r;

	stacked = state;
	dr_catch_sigbus();
	mount("debugfs", DEBUGFS, "debugfs", 0, "");
	while (!umount2(dr_mnt(), 0))
		;	/* what a test that died left behind */
	dr_guard_off();
	remove_lower();
	namespace_of(PMEM0);
	namespace_of(PMEM1);
	r = dr_early_kill(0) ?: make_lower(s);
	r = r ?: make_fs(s);
	r = r ?: dr_stack_mount(s);
	if (r)
		fprintf(stderr, "# %s on %s: %s\n", s->fs, dr_stack_dev(s) ?: "dm", strerror(-r));
	state->log_seq = dr_log_seq();
	return r;
}

int dr_stack_down(const struct dr_stack *s, struct dr_stacked *state)
{
	static const char *const bad[] = { "WARNING:", "BUG:", "Oops", "INFO: task",
		"INFO: possible", "KASAN", "kernel BUG" };
	int r, ret = 0;

	stacked = state;
	dr_early_kill(0);
	r = dr_umount();
	/* A test may have left without a mount. */
	if (r && r != -EINVAL) {
		fprintf(stderr, "# umount: %s\n", strerror(-r));
		ret |= r;
	}
	dr_guard_off();
	remove_lower();
	ret |= renew(PMEM0);
	if (two_devices(s))
		ret |= renew(PMEM1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ret |= dr_log_count(state->log_seq, bad[i]);
	return ret;
}
