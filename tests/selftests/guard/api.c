// SPDX-License-Identifier: GPL-2.0
/*
 * A filesystem in another module that registers (include/daxrmap.h): samples/daxrmap_sample.c.
 * All owners of a failed page are told, it can be taken away under mappings, modules go
 * in the right order only, and who calls wrongly is refused.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/device/driver.h"
#include "common/module/guard.h"
#include "common/module/listen.h"
#include "common/module/module.h"
#include "common/processes/party.h"

#define MODULES	"/samples/"
#define SAMPLE	"daxrmap_sample"
#define PMEM0	"/dev/pmem0"
#define BLOCKS	64		/* of every file */
#define PATIENCE 20000		/* ms: the debug kernel is slow */

static int insert(const char *name, const char *options)
{
	char path[128];
	int fd, r;

	snprintf(path, sizeof(path), MODULES "%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return dr_errno();
	r = syscall(SYS_finit_module, fd, options, 0) ? dr_errno() : 0;
	close(fd);
	return r;
}

static int take_out(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? dr_errno() : 0;
}

static int mount_sample(void)
{
	mkdir(dr_mnt(), 0755);
	return mount(PMEM0, dr_mnt(), SAMPLE, 0, NULL) ? dr_errno() : 0;
}

/* An inode goes by a worker, which a module's last reference may wait for. */
static int take_out_soon(const char *name)
{
	int r = -EAGAIN;

	for (int i = 0; i < dr_patience(200) && (r == -EAGAIN || r == -EBUSY); i++) {
		r = take_out(name);
		if (r)
			usleep(10000);
	}
	return r;
}

FIXTURE(api) {
	unsigned long long log_seq;
	char device[64];		/* what the driver calls it */
};
FIXTURE_SETUP(api)
{
	if (access(MODULES SAMPLE ".ko", R_OK))
		SKIP(return, "there is no " MODULES SAMPLE ".ko");
	/* Of a test that ended half way. */
	umount(dr_mnt());
	take_out(SAMPLE);
	take_out("api_misuse");
	dr_guard_off();
	dr_catch_sigbus();
	ASSERT_EQ(0, dr_find_device(self->device, sizeof(self->device)));
	ASSERT_EQ(0, dr_early_kill(0));
	self->log_seq = dr_log_seq();
	ASSERT_EQ(0, insert(SAMPLE, ""));
	ASSERT_EQ(0, mount_sample());
}
FIXTURE_TEARDOWN_PARENT(api)
{
	if (access(MODULES SAMPLE ".ko", R_OK))
		return;
	umount(dr_mnt());
	EXPECT_EQ(0, take_out_soon(SAMPLE));
	dr_guard_off();
	if (!access(PMEM0, F_OK))
		EXPECT_EQ(0, dr_unbind(self->device));
	EXPECT_EQ(0, dr_bind(self->device));
	EXPECT_EQ(0, dr_log_count(self->log_seq, "WARNING:"));
	EXPECT_EQ(0, dr_log_count(self->log_seq, "BUG:"));
}

/* Who has the page in another file is told too, and who comes later. */
TEST_F(api, shared_page)
{
	struct peer early, late, neighbour;
	unsigned char byte;
	long pfn;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, dr_create("other", BLOCKS, 2));
	ASSERT_EQ(0, dr_clone("f0", "f1"));
	ASSERT_EQ(0, dr_clone("f0", "unmapped"));
	/* Before the others map it: who maps a shared page takes it from who maps the same file. */
	pfn = dr_pfn_in_file("f1", 3);
	ASSERT_EQ(dr_pfn_in_file("f0", 3), pfn);
	ASSERT_EQ(0, peer_open(&early, true, "f0", BLOCKS * BLK, 3));
	ASSERT_EQ(0, peer_open(&late, false, "f1", BLOCKS * BLK, 3));
	ASSERT_EQ(0, peer_open(&neighbour, true, "other", BLOCKS * BLK, 3));
	EXPECT_BYTE(peer_load(&late, 3 * BLK), dr_byte(1, 3));
	ASSERT_EQ(0, dr_poison_pfn(pfn));

	EXPECT_EARLY(&early, early.base + 3 * BLK);
	EXPECT_EQ(1, party_quiet(&late, 1));
	EXPECT_POISON(peer_load(&late, 3 * BLK + 5), late.base + 3 * BLK + 5);
	EXPECT_POISON(peer_load(&early, 3 * BLK + 6), early.base + 3 * BLK + 6);
	EXPECT_EQ(1, party_quiet(&neighbour, 1));
	EXPECT_BYTE(peer_load(&neighbour, 3 * BLK), dr_byte(2, 3));
	EXPECT_EQ(-EIO, dr_read1("f0", 3, &byte));
	EXPECT_EQ(-EIO, dr_read1("f1", 3, &byte));
	EXPECT_EQ(-EIO, dr_read1("unmapped", 3, &byte));
	EXPECT_EQ(0, dr_read1("f1", 4, &byte));
	EXPECT_EQ(dr_byte(1, 4), byte);
	EXPECT_EQ(1, dr_log_count(self->log_seq, "3 owners, 2 mapped and told"));
	peer_stop(&early);
	peer_stop(&late);
	peer_stop(&neighbour);
}

/* Who listens hears of it from the guard, with the owners that the filesystem says. */
TEST_F(api, events)
{
	int fd = ev_device(PMEM0, 0), seen = 0;
	struct daxrmap_guard_device d;
	struct daxrmap_event e;
	struct peer early;
	struct stat st;
	long pfn;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_guard_device(PMEM0, &d));
	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, dr_clone("f0", "f1"));
	ASSERT_EQ(0, stat(dr_path("f0"), &st));
	pfn = dr_pfn_in_file("f0", 3);
	ASSERT_EQ(0, peer_open(&early, true, "f1", BLOCKS * BLK, 3));
	ASSERT_EQ(0, dr_poison_pfn(pfn));
	EXPECT_EVENT(fd, &e, FAILURE);
	EXPECT_EQ(DAXRMAP_EVENT_F_GUARD, e.flags);
	EXPECT_EQ(DAXRMAP_CAUSE_MEMORY_FAILURE, e.cause);
	EXPECT_EQ((pfn - d.first_pfn) * BLK, e.physical);
	EXPECT_EQ(BLK, e.length);
	for (int i = 0; i < 2; i++) {
		bool mapped;

		EXPECT_EVENT(fd, &e, OWNER);
		mapped = (long)e.ino == dr_ino("f1");
		EXPECT_TRUE(mapped || e.ino == st.st_ino);
		seen |= 1 << mapped;
		EXPECT_EQ(DAXRMAP_EVENT_F_GUARD | DAXRMAP_EVENT_F_TOLD |
			  (mapped ? DAXRMAP_EVENT_F_MAPPED : 0), e.flags);
		EXPECT_EQ(mapped, e.told);
		EXPECT_EQ(major(st.st_dev), e.fs_major);
		EXPECT_EQ(minor(st.st_dev), e.fs_minor);
		EXPECT_EQ(3 * BLK, e.offset);
		EXPECT_EQ(BLK, e.length);
	}
	EXPECT_EQ(3, seen);
	EXPECT_EVENT(fd, &e, DONE);
	EXPECT_EQ(2, e.count);
	EXPECT_EQ(1, e.told);
	EXPECT_EARLY(&early, early.base + 3 * BLK);
	peer_stop(&early);
	/* A mount of it is none of ours; the device is the guard's. */
	ASSERT_EQ(0, umount(dr_mnt()));
	ASSERT_EQ(0, mount_sample());
	EXPECT_QUIET(fd);
	ASSERT_EQ(0, dr_unbind(self->device));
	EXPECT_EVENT(fd, &e, GONE);
	EXPECT_EQ(DAXRMAP_EVENT_F_GUARD, e.flags);
	EXPECT_QUIET(fd);
	close(fd);
	EXPECT_EQ(0, dr_umount_in(PATIENCE));
}

/* A page of one file only, with the guard watching: it is told of once. */
TEST_F(api, own_page)
{
	struct peer early;

	ASSERT_EQ(0, dr_guard_watch(1));
	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, peer_open(&early, true, "f0", BLOCKS * BLK, 7));
	ASSERT_EQ(0, dr_poison_pfn(dr_pfn_in_file("f0", 7)));
	EXPECT_EQ(1, party_told_early(&early, 1, 7, 12));
	EXPECT_EQ(1, party_told_at_touch(&early, 1, 7));
	EXPECT_BYTE(peer_load(&early, 8 * BLK), dr_byte(1, 8));
	EXPECT_EQ(1, dr_log_count(self->log_seq, "1 owners, 1 mapped and told"));
	peer_stop(&early);
}

/* More files with the page than are asked for at a time. */
TEST_F(api, many_owners)
{
	enum { FILES = 50 };
	unsigned char byte;
	char name[16];

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	for (int i = 1; i < FILES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		ASSERT_EQ(0, dr_clone("f0", name));
	}
	ASSERT_EQ(0, dr_poison_pfn(dr_pfn_in_file("f0", 0)));
	EXPECT_EQ(1, dr_log_count(self->log_seq, ": 50 owners, "));
	EXPECT_EQ(-EIO, dr_read1("f49", 0, &byte));
}

/* The last reference to a nameless file may be the one that the failure has. */
TEST_F(api, nameless)
{
	for (int i = 0; i < 20; i++) {
		int fd;
		char *p;
		long pfn;

		ASSERT_EQ(0, dr_create("gone", BLOCKS, 1));
		fd = dr_open("gone", O_RDWR);
		ASSERT_LE(0, fd);
		p = mmap(NULL, BLK, PROT_READ, MAP_SHARED, fd, 0);
		ASSERT_NE(MAP_FAILED, p);
		EXPECT_BYTE(dr_load(p), dr_byte(1, 0));
		pfn = dr_pfn_of(p);
		ASSERT_LT(0, pfn);
		ASSERT_EQ(0, unlink(dr_path("gone")));
		if (i % 2) {
			munmap(p, BLK);
			close(fd);
			ASSERT_EQ(0, dr_poison_pfn(pfn));
		} else {
			ASSERT_EQ(0, dr_poison_pfn(pfn));
			EXPECT_POISON(dr_load(p + 1), p + 1);
			munmap(p, BLK);
			close(fd);
		}
	}
}

static int poison_all(void *pfns)
{
	for (long *pfn = pfns; *pfn > 0; pfn++)
		dr_poison_pfn(*pfn);
	return 0;
}

/* The mount goes while its pages fail, and the device is another one's at once. */
TEST_F(api, umount_meanwhile)
{
	long *pfns = dr_shared_mem((BLOCKS + 1) * sizeof(*pfns));
	pid_t pid;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	for (int i = 0; i < BLOCKS / 2; i++)
		pfns[i] = dr_pfn_in_file("f0", i);
	pid = dr_spawn(poison_all, pfns);
	for (int i = 0; i < 5; i++) {
		usleep(1000);
		ASSERT_EQ(0, umount(dr_mnt()));
		ASSERT_EQ(0, mount_sample());
	}
	EXPECT_EQ(0, dr_wait_for(pid, PATIENCE));
}

/* The device goes under mappings. */
TEST_F(api, removal)
{
	struct peer early, late;
	struct dr_sig s[4];
	struct dr_touch t;
	unsigned char byte;

	ASSERT_EQ(0, dr_create("f0", BLOCKS, 1));
	ASSERT_EQ(0, dr_clone("f0", "f1"));
	ASSERT_EQ(0, peer_open(&early, true, "f0", BLOCKS * BLK, 3));
	ASSERT_EQ(0, peer_open(&late, false, "f1", BLOCKS * BLK, 3));
	ASSERT_EQ(0, dr_unbind(self->device));
	EXPECT_NE(0, access(PMEM0, F_OK));
	ASSERT_EQ(1, peer_signals(&early, s, 4));
	EXPECT_SIG(s[0], BUS_MCEERR_AO, early.base + 3 * BLK, 12);
	ASSERT_EQ(1, peer_signals(&late, s, 4));
	EXPECT_SIG(s[0], BUS_MCEERR_AO, late.base + 3 * BLK, 12);
	t = peer_load(&early, 3 * BLK);
	EXPECT_EQ(SIGBUS, t.sig.signo);
	t = peer_load(&late, 3 * BLK);
	EXPECT_EQ(SIGBUS, t.sig.signo);
	EXPECT_NE(0, dr_read1("f0", 3, &byte));
	peer_stop(&early);
	peer_stop(&late);
	EXPECT_EQ(0, dr_umount_in(PATIENCE));
}

/* Each keeps the ones that it needs. */
TEST_F(api, modules)
{
	if (!dr_module_file())
		SKIP(return, "there is no module to load again");
	EXPECT_EQ(-EAGAIN, take_out(SAMPLE));
	EXPECT_EQ(-EAGAIN, dr_rmmod());
	ASSERT_EQ(0, umount(dr_mnt()));
	EXPECT_EQ(-EAGAIN, dr_rmmod());
	ASSERT_EQ(0, take_out_soon(SAMPLE));
	ASSERT_EQ(0, take_out_soon("daxrmap"));
	ASSERT_EQ(0, dr_insmod());
	ASSERT_EQ(0, insert(SAMPLE, ""));
	ASSERT_EQ(0, mount_sample());
}

/* One holder at a time. */
TEST_F(api, holders)
{
	EXPECT_EQ(-EBUSY, dr_guard_hold(PMEM0, DAXRMAP_GUARD_FORCE));
	ASSERT_EQ(0, umount(dr_mnt()));
	ASSERT_EQ(0, dr_guard_hold(PMEM0, DAXRMAP_GUARD_FORCE));
	EXPECT_EQ(-EBUSY, mount_sample());
	EXPECT_EQ(1, dr_log_count(self->log_seq, "the device has a holder already"));
	EXPECT_EQ(0, insert("api_misuse", "taken=1"));
	EXPECT_EQ(0, take_out("api_misuse"));
	ASSERT_EQ(0, dr_guard_release(PMEM0));
	ASSERT_EQ(0, mount_sample());
}

TEST_F(api, misuse)
{
	ASSERT_EQ(0, umount(dr_mnt()));
	EXPECT_EQ(0, insert("api_misuse", ""));
	EXPECT_EQ(0, take_out("api_misuse"));
	EXPECT_LE(10, dr_log_count(self->log_seq, "a registration is refused: "));
	EXPECT_LE(6, dr_log_count(self->log_seq, "is not registered"));
}

TEST_HARNESS_MAIN
