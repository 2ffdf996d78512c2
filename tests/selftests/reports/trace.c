// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints: what happens to a failed block and its owners is told once,
 * with the right numbers, as text and as records for perf.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/module/tracing.h"

FIXTURE(trace) { struct dr_fs fs; };
FIXTURE_SETUP(trace)
{
	ASSERT_EQ(0, dr_setup(&self->fs));
	if (dr_xfs() || !tr_kernel_can())
		return;
	ASSERT_EQ(0, tr_start());
}
FIXTURE_TEARDOWN_PARENT(trace)
{
	EXPECT_EQ(0, tr_stop());
	EXPECT_EQ(0, dr_teardown(&self->fs));
}

#define SKIP_WITHOUT_EVENTS() do {					\
	SKIP_ON_XFS();							\
	if (!tr_kernel_can())						\
		SKIP(return, "the kernel has no CONFIG_EVENT_TRACING");	\
} while (0)

#define MAX	32
#define DELAY	500
#define FLAGS	0x22		/* as a consumed poison, of a test */

/* Lines that are still to be found; each may be found once. */
struct expected {
	const char *have[MAX];
	int n, left;
};

static int look(struct expected *e)
{
	e->n = tr_lines(e->have, MAX);
	e->left = e->n;
	return e->n;
}

/* Where the line was (0: first), or -1. "DEV" is put before the fields. */
__attribute__((format(printf, 3, 4)))
static int find(struct expected *e, const char *event, const char *fmt, ...)
{
	char want[512];
	struct stat st;
	va_list args;
	int n;

	if (stat(dr_mnt(), &st))
		return -1;
	n = snprintf(want, sizeof(want), "%s: dev %u:%u ", event,
		     major(st.st_dev), minor(st.st_dev));
	va_start(args, fmt);
	vsnprintf(want + n, sizeof(want) - n, fmt, args);
	va_end(args);
	for (int i = 0; i < e->n; i++) {
		if (!e->have[i] || strcmp(e->have[i], want))
			continue;
		e->have[i] = NULL;
		e->left--;
		return i;
	}
	fprintf(stderr, "# not there: %s\n", want);
	return -1;
}

#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#define ZERO	FALLOC_FL_ZERO_RANGE

static int fail_two_blocks(void *block)
{
	return dr_notify_flags((long)block * BLK, 2 * BLK, FLAGS) ? 1 : 0;
}

/* Two blocks fail that have an owner of each kind; three are healed. */
TEST_F(trace, every_field)
{
	struct expected e;
	struct peer p;
	long block, bad, ino[4];
	int open_fd, moved_fd;
	pid_t pid;

	SKIP_WITHOUT_EVENTS();
	ASSERT_EQ(0, dr_create("mapped", 16, 1));
	ASSERT_EQ(0, dr_clone("mapped", "open"));
	ASSERT_EQ(0, dr_clone_range("mapped", 0, 16 * BLK, "absent", 100 * BLK));
	ASSERT_EQ(0, dr_clone("mapped", "moved"));
	ino[0] = dr_ino("mapped");
	ino[1] = dr_ino("open");
	ino[2] = dr_ino("absent");
	ino[3] = dr_ino("moved");
	block = dr_block("mapped", 5, NULL);
	ASSERT_GT(block, 0);
	dr_drop_caches();
	open_fd = dr_open("open", O_RDWR);
	moved_fd = dr_open("moved", O_RDWR);
	ASSERT_LE(0, open_fd);
	ASSERT_LE(0, moved_fd);
	ASSERT_EQ(0, peer_open(&p, false, "mapped", 16 * BLK, 5));

	/* It sleeps before each owner in core: "moved" is the last of three. */
	bad = dr_counter("blocks_bad");
	ASSERT_EQ(0, dr_notify_delay(DELAY));
	pid = dr_spawn(fail_two_blocks, (void *)block);
	ASSERT_LT(0, pid);
	for (int i = 0; i < 2500 && dr_counter("blocks_bad") == bad; i++)
		usleep(2000);
	usleep(DELAY * 1000 / 10);
	ASSERT_EQ(0, ftruncate(moved_fd, 0));
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	EXPECT_EQ(0, dr_wait(pid));
	ASSERT_EQ(0, dr_notify_delay(0));

	ASSERT_LT(0, look(&e));
	EXPECT_EQ(0, find(&e, "publish", "block %ld count 2 mf_flags 0x%x newly_bad 2 errno 0",
			  block, FLAGS));
	EXPECT_LT(0, find(&e, "owner", "ino %ld pgoff 5 count 2 block %ld outcome killed errno 0",
			  ino[0], block));
	EXPECT_LT(0, find(&e, "owner", "ino %ld pgoff 5 count 2 block %ld outcome unmapped errno 0",
			  ino[1], block));
	EXPECT_LT(0, find(&e, "owner", "ino %ld pgoff 105 count 2 block %ld outcome absent errno 0",
			  ino[2], block));
	EXPECT_LT(0, find(&e, "owner", "ino %ld pgoff 5 count 2 block %ld outcome moved errno 0",
			  ino[3], block));
	/* The last of all. Who has lost the blocks is no owner. */
	EXPECT_EQ(e.n - 1, find(&e, "notify",
				"block %ld count 2 mf_flags 0x%x owners 3 told 1 absent 1 errno 0",
				block, FLAGS));
	EXPECT_EQ(0, e.left);

	/* The same once more: nothing is newly bad. */
	ASSERT_EQ(0, tr_start());
	ASSERT_EQ(0, dr_notify_flags(block * BLK, BLK, 0));
	ASSERT_LT(0, look(&e));
	EXPECT_EQ(0, find(&e, "publish", "block %ld count 1 mf_flags 0x0 newly_bad 0 errno 0",
			  block));
	EXPECT_EQ(e.n - 1, find(&e, "notify",
				"block %ld count 1 mf_flags 0x0 owners 3 told 1 absent 1 errno 0",
				block));
	EXPECT_EQ(3, e.left);

	ASSERT_EQ(0, tr_start());
	EXPECT_EQ(0, dr_write_blocks("mapped", 5, 2, 2));
	EXPECT_EQ(0, dr_fallocate("open", ZERO, 5 * BLK, BLK));
	EXPECT_EQ(0, dr_fallocate("absent", PUNCH, 90 * BLK, 30 * BLK));
	ASSERT_LT(0, look(&e));
	EXPECT_EQ(0, find(&e, "heal", "ino %ld pgoff 5 count 2 old_block %ld new_block %ld by write",
			  ino[0], block, dr_block("mapped", 5, NULL)));
	EXPECT_EQ(1, find(&e, "heal", "ino %ld pgoff 5 count 1 old_block %ld new_block %ld by zero_range",
			  ino[1], block, dr_block("open", 5, NULL)));
	EXPECT_EQ(2, find(&e, "heal", "ino %ld pgoff 105 count 2 old_block %ld new_block -1 by punch_hole",
			  ino[2], block));
	EXPECT_EQ(0, e.left);
	peer_stop(&p);
	close(open_fd);
	close(moved_fd);
}

/* One event for each run of bad blocks, none for good ones and for failures. */
TEST_F(trace, heal_in_runs)
{
	struct expected e;
	long block, ino;

	SKIP_WITHOUT_EVENTS();
	ASSERT_EQ(0, dr_create("f", 16, 1));
	ino = dr_ino("f");
	block = dr_block("f", 0, NULL);
	ASSERT_EQ(0, dr_notify(block * BLK + 4 * BLK, BLK));
	ASSERT_EQ(0, dr_notify(block * BLK + 6 * BLK, 2 * BLK));
	ASSERT_EQ(0, dr_notify(block * BLK + 12 * BLK, BLK));
	ASSERT_EQ(0, tr_start());
	EXPECT_EQ(-EIO, dr_write_part("f", 4));
	EXPECT_EQ(0, dr_fallocate("f", PUNCH, 0, 9 * BLK));
	EXPECT_EQ(0, dr_fallocate("f", PUNCH, 0, 9 * BLK));
	EXPECT_EQ(0, dr_fallocate("f", ZERO, 10 * BLK, 6 * BLK));
	EXPECT_EQ(0, dr_fallocate("f", ZERO, 10 * BLK, 6 * BLK));
	EXPECT_EQ(4, dr_counter("healed"));
	ASSERT_LT(0, look(&e));
	EXPECT_EQ(0, find(&e, "heal", "ino %ld pgoff 4 count 1 old_block %ld new_block -1 by punch_hole",
			  ino, block + 4));
	EXPECT_EQ(1, find(&e, "heal", "ino %ld pgoff 6 count 2 old_block %ld new_block -1 by punch_hole",
			  ino, block + 6));
	EXPECT_EQ(2, find(&e, "heal", "ino %ld pgoff 12 count 1 old_block %ld new_block %ld by zero_range",
			  ino, block + 12, dr_block("f", 12, NULL)));
	EXPECT_EQ(0, e.left);
}

/* A block without owners, one beyond the mount, and the whole device. */
TEST_F(trace, events_without_owners)
{
	struct expected e;
	long blocks;

	SKIP_WITHOUT_EVENTS();
	blocks = dr_counter("blocks_total");
	ASSERT_EQ(0, dr_notify(77 * BLK, BLK));
	EXPECT_EQ(-ENXIO, dr_notify(blocks * BLK, BLK));
	EXPECT_EQ(0, dr_notify_flags(0, -1UL, 0x80));	/* about to be removed */
	ASSERT_LT(0, look(&e));
	EXPECT_EQ(0, find(&e, "publish", "block 77 count 1 mf_flags 0x0 newly_bad 1 errno 0"));
	EXPECT_EQ(1, find(&e, "notify",
			  "block 77 count 1 mf_flags 0x0 owners 0 told 0 absent 0 errno 0"));
	EXPECT_EQ(2, find(&e, "notify",
			  "block 0 count %ld mf_flags 0x80 owners 0 told 0 absent 0 errno 0",
			  blocks));
	EXPECT_EQ(0, e.left);
}

static const struct {
	const char *event;
	struct { const char *name, *type; unsigned int size; int is_signed; } f[9];
} formats[] = {
	{ "publish", { { "dev", "dev_t", 4, 0 }, { "mf_flags", "int", 4, 1 },
		{ "block", "u64", 8, 0 }, { "count", "u64", 8, 0 },
		{ "newly_bad", "u64", 8, 0 }, { "errno", "int", 4, 1 } } },
	{ "notify", { { "dev", "dev_t", 4, 0 }, { "mf_flags", "int", 4, 1 },
		{ "block", "u64", 8, 0 }, { "count", "u64", 8, 0 },
		{ "owners", "u64", 8, 0 }, { "told", "u64", 8, 0 },
		{ "absent", "u64", 8, 0 }, { "errno", "int", 4, 1 } } },
	{ "owner", { { "dev", "dev_t", 4, 0 }, { "outcome", "unsigned int", 4, 0 },
		{ "ino", "u64", 8, 0 }, { "pgoff", "u64", 8, 0 },
		{ "count", "u64", 8, 0 }, { "block", "u64", 8, 0 },
		{ "errno", "int", 4, 1 } } },
	{ "heal", { { "dev", "dev_t", 4, 0 }, { "by", "unsigned int", 4, 0 },
		{ "ino", "u64", 8, 0 }, { "pgoff", "u64", 8, 0 },
		{ "count", "u64", 8, 0 }, { "old_block", "u64", 8, 0 },
		{ "new_block", "s64", 8, 1 } } },
};

/* What trace-cmd and perf decode records by. */
TEST_F(trace, format_files)
{
	struct tr_format f;

	SKIP_WITHOUT_EVENTS();
	for (int i = 0; i < 4; i++) {
		unsigned int end = 8;	/* the common fields */
		int n = 0;

		TH_LOG("%s", formats[i].event);
		ASSERT_EQ(0, tr_format(formats[i].event, &f));
		EXPECT_STREQ(formats[i].event, f.name);
		/* Numbers, not names of constants, which only the kernel knows. */
		EXPECT_EQ(NULL, strstr(f.print, "DAXRMAP_"));
		for (int k = 0; k < f.n; k++) {
			if (!strncmp(f.f[k].name, "common_", 7))
				continue;
			ASSERT_NE(NULL, formats[i].f[n].name);
			EXPECT_STREQ(formats[i].f[n].name, f.f[k].name);
			EXPECT_STREQ(formats[i].f[n].type, f.f[k].type);
			EXPECT_EQ(formats[i].f[n].size, f.f[k].size);
			EXPECT_EQ(formats[i].f[n].is_signed, f.f[k].is_signed);
			EXPECT_LE(end, f.f[k].offset);
			end = f.f[k].offset + f.f[k].size;
			n++;
		}
		EXPECT_EQ(NULL, formats[i].f[n].name);
	}
}

/* The same events as perf gets them: records, decoded by `format`. */
TEST_F(trace, perf_records)
{
	struct tr_format f[4];
	struct tr_perf p[4];
	char rec[4][256];
	struct stat st;
	long block, dev;

	SKIP_WITHOUT_EVENTS();
	ASSERT_EQ(0, dr_create("f", 8, 1));
	block = dr_block("f", 3, NULL);
	ASSERT_EQ(0, stat(dr_path("f"), &st));
	dev = (long)major(st.st_dev) << 20 | minor(st.st_dev);
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, tr_format(formats[i].event, &f[i]));
		ASSERT_EQ(0, tr_perf_open(&p[i], f[i].id));
	}
	ASSERT_EQ(0, dr_notify_flags(block * BLK, BLK, FLAGS));
	ASSERT_EQ(0, dr_fallocate("f", PUNCH, 3 * BLK, BLK));
	for (int i = 0; i < 4; i++) {
		TH_LOG("%s", formats[i].event);
		ASSERT_LT(0, tr_perf_next(&p[i], rec[i], sizeof(*rec)));
		EXPECT_EQ(dev, tr_value(&f[i], rec[i], "dev"));
		EXPECT_EQ(1, tr_value(&f[i], rec[i], "count"));
		/* exactly one */
		EXPECT_EQ(0, tr_perf_next(&p[i], rec[i], sizeof(*rec)));
		tr_perf_close(&p[i]);
	}
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(block, tr_value(&f[i], rec[i], "block"));
		EXPECT_EQ(0, tr_value(&f[i], rec[i], "errno"));
	}
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(FLAGS, tr_value(&f[i], rec[i], "mf_flags"));
	for (int i = 2; i < 4; i++) {
		EXPECT_EQ(dr_ino("f"), tr_value(&f[i], rec[i], "ino"));
		EXPECT_EQ(3, tr_value(&f[i], rec[i], "pgoff"));
	}
	EXPECT_EQ(1, tr_value(&f[0], rec[0], "newly_bad"));
	EXPECT_EQ(1, tr_value(&f[1], rec[1], "owners"));
	EXPECT_EQ(0, tr_value(&f[1], rec[1], "told"));
	EXPECT_EQ(0, tr_value(&f[1], rec[1], "absent"));
	EXPECT_EQ(1, tr_value(&f[2], rec[2], "outcome"));	/* unmapped */
	EXPECT_EQ(block, tr_value(&f[3], rec[3], "old_block"));
	EXPECT_EQ(-1, tr_value(&f[3], rec[3], "new_block"));
	EXPECT_EQ(2, tr_value(&f[3], rec[3], "by"));		/* punch_hole */
}

TEST_HARNESS_MAIN
