// SPDX-License-Identifier: GPL-2.0
/*
 * The device goes from under the mount, as by the driver's `unbind`, while its
 * files are mapped, read and written: whoever maps is told, I/O is EIO, nothing
 * hangs; the mount can be taken down, and the device that comes back is good.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "common.h"
#include "common/basics/text.h"
#include "common/device/driver.h"

#define RW	(PROT_READ | PROT_WRITE)
#define BLOCKS	16
#define LEN	(BLOCKS * BLK)
#define PATIENCE 20000		/* ms: the debug kernel is slow */

/* XFS was seen in mf_dax_kill_procs(), far past the end of any file. */
DR_REMOVING_FIXTURE(removal, "XFS does not come back from the unbind")

/* ---- what goes on meanwhile ---- */

struct meanwhile {
	volatile long rounds;		/* of each of them */
	volatile int write_errno, read_errno;
	struct dr_sig sig;
};

/* read(2), write(2), and clones that make the writes copy. */
static int do_io(void *arg)
{
	static char buf[LEN];
	struct meanwhile *m = arg;
	int fd = dr_open("io", O_RDWR);

	while (!m->write_errno || !m->read_errno) {
		dr_clone("io", "io2");
		if (pwrite(fd, buf, sizeof(buf), 0) < 0)
			m->write_errno = errno;
		if (pread(fd, buf, sizeof(buf), 0) < 0)
			m->read_errno = errno;
		m->rounds++;
	}
	return 0;
}

/* Stores through a mapping, as fast as it can, until it is stopped. */
static int do_stores(void *arg)
{
	struct meanwhile *m = arg;
	char *p = dr_map("stores", 0, LEN, RW, MAP_SHARED);
	struct dr_touch t;

	if (!p)
		return 1;
	for (;; m->rounds++) {
		char *to = p + m->rounds % BLOCKS * BLK;

		t = dr_store(to, 1);
		if (t.sig.signo) {
			m->sig = t.sig;
			return t.sig.addr == to ? 0 : 2;
		}
	}
}

static void until(volatile long *rounds, long n)
{
	for (int i = 0; i < 1000 && *rounds < n; i++)
		usleep(10000);
}

/* Told when it happened, and nothing is there any more. */
#define EXPECT_REVOKED(peer, off, lsb) do {				\
	struct dr_sig _r[4];						\
	struct dr_touch _t;						\
	ASSERT_EQ(1, peer_signals(peer, _r, 4));			\
	EXPECT_SIG(_r[0], BUS_MCEERR_AO, (peer)->base + (off), lsb);	\
	_t = peer_load(peer, (off) + 9);				\
	EXPECT_SIG(_t.sig, BUS_ADRERR, (peer)->base + (off) + 9, 0);	\
} while (0)

TEST_F(removal, in_use)
{
	struct meanwhile *io = dr_shared_mem(sizeof(*io));
	struct meanwhile *stores = dr_shared_mem(sizeof(*stores));
	struct peer a, b, huge, idle;
	pid_t io_pid, stores_pid;
	struct dr_touch t;
	struct dr_sig s[4];
	unsigned char byte;
	struct stat st;
	char *stored;
	int fd, clean;

	ASSERT_EQ(0, dr_create("a", BLOCKS, 1));
	ASSERT_EQ(0, dr_create("stored", BLOCKS, 6));
	ASSERT_EQ(0, dr_clone("a", "b"));
	ASSERT_EQ(0, dr_create("huge", HUGE_SIZE / BLK, 2));
	ASSERT_EQ(0, dr_create("io", BLOCKS, 3));
	ASSERT_EQ(0, dr_create("stores", BLOCKS, 4));
	fd = dr_open("a", O_RDWR);
	ASSERT_GE(fd, 0);
	clean = dr_open("b", O_RDONLY);
	ASSERT_GE(clean, 0);
	stored = dr_map("stored", 0, LEN, RW, MAP_SHARED);
	ASSERT_NE(NULL, stored);
	ASSERT_EQ(0, dr_store(stored, 1).sig.signo);
	/* One that asked for early kill and one that did not: no matter. */
	ASSERT_EQ(0, peer_open(&a, true, "a", LEN, 3));
	ASSERT_EQ(0, peer_open(&b, false, "b", LEN, 5));
	ASSERT_EQ(0, peer_open(&huge, false, "huge", HUGE_SIZE, 0));
	ASSERT_EQ(0, peer_open(&idle, true, "a", LEN, -1));
	io_pid = dr_spawn(do_io, io);
	stores_pid = dr_spawn(do_stores, stores);
	until(&io->rounds, 3);
	until(&stores->rounds, 3 * BLOCKS);
	ASSERT_GE(io->rounds, 3);
	ASSERT_GE(stores->rounds, 3 * BLOCKS);

	ASSERT_EQ(0, dr_unbind(self->device));
	EXPECT_EQ(-1, access(dr_dev(), F_OK));
	EXPECT_EQ(1, dr_log_count(self->fs.log_seq,
				  "the device is being removed, shutting down"));

	/* Those at work stop. */
	EXPECT_EQ(0, dr_wait_for(io_pid, PATIENCE));
	EXPECT_EQ(EIO, io->write_errno);
	EXPECT_EQ(EIO, io->read_errno);
	EXPECT_EQ(0, dr_wait_for(stores_pid, PATIENCE));
	EXPECT_EQ(SIGBUS, stores->sig.signo);
	EXPECT_EQ(BUS_ADRERR, stores->sig.code);

	/* Those that map are told at once; who has no page, when it wants one. */
	EXPECT_REVOKED(&a, 3 * BLK, 12);
	EXPECT_REVOKED(&b, 5 * BLK, 12);
	EXPECT_REVOKED(&huge, 0, 21);
	EXPECT_EQ(0, peer_signals(&idle, s, 4));
	t = peer_store(&idle, 2 * BLK, 1);
	EXPECT_SIG(t.sig, BUS_ADRERR, idle.base + 2 * BLK, 0);

	/* Those that come later get EIO; so does who has the file open. */
	EXPECT_EQ(-1, pread(fd, &byte, 1, 0));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, pwrite(fd, "x", 1, 0));
	EXPECT_EQ(EIO, errno);
	/* Nobody is told that what was stored is durable. */
	EXPECT_ERR(EIO, fsync(fd));
	EXPECT_ERR(EIO, fdatasync(fd));
	EXPECT_ERR(EIO, fsync(clean));
	EXPECT_ERR(EIO, msync(stored, LEN, MS_SYNC));
	EXPECT_ERR(EIO, syncfs(fd));
	close(clean);
	munmap(stored, LEN);
	EXPECT_EQ(-EIO, dr_read1("b", 5, &byte));
	EXPECT_EQ(-EIO, dr_write_part("b", 5));
	EXPECT_EQ(-EIO, dr_clone("a", "b"));
	EXPECT_EQ(-EIO, dr_create("new", 1, 1));
	EXPECT_EQ(-1, truncate(dr_path("a"), BLK));
	EXPECT_EQ(EIO, errno);
	/* The metadata is in memory, and still there. */
	EXPECT_EQ(0, stat(dr_path("b"), &st));
	EXPECT_EQ(LEN, st.st_size);

	close(fd);
	peer_stop(&a);
	peer_stop(&b);
	peer_stop(&huge);
	peer_stop(&idle);
	EXPECT_EQ(0, dr_umount_in(PATIENCE));

	ASSERT_EQ(0, dr_bind(self->device));
	ASSERT_EQ(0, dr_mount());
	EXPECT_EQ(0, dr_check());
	EXPECT_USED(0);
	ASSERT_EQ(0, dr_create("a", BLOCKS, 5));
	ASSERT_EQ(0, peer_open(&a, false, "a", LEN, 3));
	EXPECT_BYTE(peer_load(&a, 3 * BLK), dr_byte(5, 3));
	peer_stop(&a);
	EXPECT_EQ(0, dr_verify("a", 0, BLOCKS, 5, 0));
}

/* The device is back while the old mount is still there: that stays dead. */
TEST_F(removal, back_under_the_old_mount)
{
	struct peer p;
	unsigned char byte;

	ASSERT_EQ(0, dr_create("a", BLOCKS, 1));
	ASSERT_EQ(0, peer_open(&p, false, "a", LEN, 3));
	ASSERT_EQ(0, dr_unbind(self->device));
	ASSERT_EQ(0, dr_bind(self->device));
	EXPECT_REVOKED(&p, 3 * BLK, 12);
	EXPECT_EQ(-EIO, dr_read1("a", 3, &byte));
	EXPECT_EQ(-EIO, dr_write_part("a", 3));
	peer_stop(&p);
	EXPECT_EQ(0, dr_umount_in(PATIENCE));
	ASSERT_EQ(0, dr_mount());
	EXPECT_USED(0);
	EXPECT_EQ(0, dr_create("a", BLOCKS, 2));
	EXPECT_EQ(0, dr_verify("a", 0, BLOCKS, 2, 0));
}

TEST_HARNESS_MAIN
