// SPDX-License-Identifier: GPL-2.0
/*
 * A page fails that very many files have. For the first 16 of them the kernel's mf_dax_kill_procs() is
 * asked who is told; for the others the module walks all processes once. So what is looked at
 * here are the others: who is told, of which address, and who is not, must be as for one file.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "kselftest_harness.h"
#include "common.h"

#define RW	(PROT_READ | PROT_WRITE)
#define LEN	(16 * BLK)
#define FEW	16
#define BAD	9
/* How long the module waits before each owner, where a test has to come in between. */
#define DELAY	100

FIXTURE(poison_many) { struct dr_fs fs; };

/* Maps the first ones, and asked for nothing. Not a part of the fixture, which processes share. */
static struct peer few;

FIXTURE_SETUP(poison_many)
{
	char name[16];

	ASSERT_EQ(0, dr_setup(&self->fs));
	ASSERT_EQ(0, dr_create("0", 16, 1));
	ASSERT_EQ(0, peer_start(&few, false));
	for (int i = 0; i < FEW; i++) {
		snprintf(name, sizeof(name), "%d", i);
		if (i)
			ASSERT_EQ(0, dr_clone("0", name));
		ASSERT_EQ(0, peer_map(&few, name, 0, LEN, RW, MAP_SHARED));
		ASSERT_EQ(0, peer_load(&few, BAD * BLK).sig.signo);
	}
	/* These come after them: owners come in the order of inode numbers. */
	ASSERT_EQ(0, dr_clone("0", "a"));
	ASSERT_EQ(0, dr_clone("0", "b"));
	ASSERT_EQ(0, dr_clone("0", "c"));
}

FIXTURE_TEARDOWN_PARENT(poison_many) { EXPECT_EQ(0, dr_teardown(&self->fs)); }

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

/* Who asked is told at once, who did not when he touches it; who copied the page has his copy. */
TEST_F(poison_many, who_asked)
{
	struct peer asked, same, did_not, untouched, copied, privately;
	struct dr_sig s[4];

	ASSERT_EQ(0, peer_open(&asked, true, "a", LEN, BAD));
	ASSERT_EQ(0, peer_open(&same, true, "a", LEN, BAD));
	ASSERT_EQ(0, peer_open(&did_not, false, "a", LEN, BAD));
	ASSERT_EQ(0, peer_open(&untouched, true, "b", LEN, BAD - 1));
	ASSERT_EQ(0, peer_start(&copied, true));
	ASSERT_EQ(0, peer_map(&copied, "a", 0, LEN, RW, MAP_PRIVATE));
	EXPECT_BYTE(peer_store(&copied, BAD * BLK, 77), 77);
	ASSERT_EQ(0, peer_start(&privately, true));
	ASSERT_EQ(0, peer_map(&privately, "b", BLK, LEN - BLK, RW, MAP_PRIVATE));
	EXPECT_BYTE(peer_store(&privately, 0, 78), 78);
	EXPECT_BYTE(peer_load(&privately, (BAD - 1) * BLK), dr_byte(1, BAD));

	ASSERT_EQ(0, dr_poison("c", BAD));
	EXPECT_EARLY(&asked, asked.base + BAD * BLK);
	EXPECT_EARLY(&same, same.base + BAD * BLK);
	EXPECT_EARLY(&privately, privately.base + (BAD - 1) * BLK);
	EXPECT_EQ(0, peer_signals(&did_not, s, 4));
	EXPECT_EQ(0, peer_signals(&untouched, s, 4));
	EXPECT_EQ(0, peer_signals(&few, s, 4));
	if (!dr_xfs())
		EXPECT_EQ(0, peer_signals(&copied, s, 4));
	EXPECT_POISON(peer_load(&asked, BAD * BLK), asked.base + BAD * BLK);
	EXPECT_POISON(peer_load(&did_not, BAD * BLK), did_not.base + BAD * BLK);
	EXPECT_POISON(peer_load(&untouched, BAD * BLK), untouched.base + BAD * BLK);
	EXPECT_POISON(peer_load(&privately, (BAD - 1) * BLK), privately.base + (BAD - 1) * BLK);
	EXPECT_BYTE(peer_load(&copied, BAD * BLK), 77);
	EXPECT_BYTE(peer_load(&asked, (BAD + 1) * BLK), dr_byte(1, BAD + 1));
	EXPECT_BYTE(peer_load(&did_not, (BAD - 1) * BLK), dr_byte(1, BAD - 1));
	if (!dr_xfs())
		EXPECT_EQ(FEW + 2, dr_counter("owners_mapped"));
	peer_stop(&asked);
	peer_stop(&same);
	peer_stop(&did_not);
	peer_stop(&untouched);
	peer_stop(&copied);
	peer_stop(&privately);
	peer_stop(&few);
}

/* What a process of threads has, in memory that is shared with its parent. */
struct threads {
	int ready, go, seen, tid, told;
	char *want, *addr;
	int code, lsb;
};

static struct threads *threads;

static void on_told(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	(void)uc;
	threads->told = syscall(SYS_gettid);
	threads->addr = si->si_addr;
	threads->code = si->si_code;
	threads->lsb = si->si_addr_lsb;
	__atomic_add_fetch(&threads->seen, 1, __ATOMIC_SEQ_CST);
}

/* The one that asks, of two. */
static void *asks(void *arg)
{
	(void)arg;
	if (prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0))
		return NULL;
	threads->tid = syscall(SYS_gettid);
	__atomic_store_n(&threads->ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&threads->go, __ATOMIC_SEQ_CST))
		nap();
	return NULL;
}

/* Maps it at three addresses: the first one has no page, the others do. */
static int with_threads(void *arg)
{
	struct sigaction sa = { .sa_sigaction = on_told, .sa_flags = SA_SIGINFO | SA_RESTART };
	pthread_t thread;
	char *p[3];

	(void)arg;
	sigaction(SIGBUS, &sa, NULL);
	for (int i = 0; i < 3; i++) {
		p[i] = dr_map("b", 0, LEN, RW, MAP_SHARED);
		if (!p[i] || (i && dr_load(p[i] + BAD * BLK).sig.signo))
			return 1;
	}
	threads->want = p[1] + BAD * BLK;
	if (pthread_create(&thread, NULL, asks, NULL))
		return 1;
	pthread_join(thread, NULL);
	return 0;
}

/* The thread that asked is told, and of an address where the page was. */
TEST_F(poison_many, thread_and_addresses)
{
	pid_t pid;

	threads = dr_shared_mem(sizeof(*threads));
	ASSERT_NE(NULL, threads);
	pid = dr_spawn(with_threads, NULL);
	ASSERT_GT(pid, 0);
	while (!__atomic_load_n(&threads->ready, __ATOMIC_SEQ_CST))
		nap();
	ASSERT_EQ(0, dr_poison("c", BAD));
	for (int i = 0; i < 1000 && !__atomic_load_n(&threads->seen, __ATOMIC_SEQ_CST); i++)
		nap();
	__atomic_store_n(&threads->go, 1, __ATOMIC_SEQ_CST);
	EXPECT_EQ(0, dr_wait(pid));
	EXPECT_GE(threads->seen, 1);
	EXPECT_LE(threads->seen, 2);
	EXPECT_EQ(threads->tid, threads->told);
	EXPECT_EQ(BUS_MCEERR_AO, threads->code);
	EXPECT_EQ(12, threads->lsb);
	/* The areas come as they lie in the address space, one after the other; either is right. */
	EXPECT_TRUE(threads->addr == threads->want || threads->addr == threads->want - LEN ||
		    threads->addr == threads->want + LEN);
	peer_stop(&few);
}

/* Who consumed it maps several: he is told at once, of the first; and is not asked. */
TEST_F(poison_many, consumer)
{
	struct dr_sig s[8];
	struct peer p, q;
	char *first;
	int n;

	ASSERT_EQ(0, peer_open(&p, false, "a", LEN, BAD));
	first = p.base;
	ASSERT_EQ(0, peer_map(&p, "c", 0, LEN, RW, MAP_SHARED));
	ASSERT_EQ(0, peer_load(&p, BAD * BLK).sig.signo);
	ASSERT_EQ(0, peer_open(&q, true, "b", LEN, BAD));
	ASSERT_EQ(0, peer_poison(&p, BAD * BLK));
	n = peer_signals(&p, s, 8);
	ASSERT_EQ(1, n);
	EXPECT_SIG(s[0], BUS_MCEERR_AR, first + BAD * BLK, 12);
	EXPECT_EARLY(&q, q.base + BAD * BLK);
	EXPECT_POISON(peer_load(&p, BAD * BLK), p.base + BAD * BLK);
	peer_stop(&p);
	peer_stop(&q);
	peer_stop(&few);
}

static int consumes_blocked(void *arg)
{
	sigset_t bus;
	char *p = dr_map("a", 0, LEN, RW, MAP_SHARED);

	(void)arg;
	sigemptyset(&bus);
	sigaddset(&bus, SIGBUS);
	sigprocmask(SIG_BLOCK, &bus, NULL);
	if (!p || dr_load(p + BAD * BLK).sig.signo)
		return 1;
	dr_poison_addr(p + BAD * BLK);
	return 2;
}

/* He cannot put it off. */
TEST_F(poison_many, consumer_that_blocks)
{
	pid_t pid = dr_spawn(consumes_blocked, NULL);
	int status;

	ASSERT_GT(pid, 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGBUS, WTERMSIG(status));
	peer_stop(&few);
}

static int inject(void *pfn)
{
	return dr_poison_pfn((long)pfn) ? 1 : 0;
}

/* The process that is walked forks, while it is asleep before "b". */
static int forks(void *arg)
{
	char *p = dr_map("b", 0, LEN, RW, MAP_PRIVATE);
	struct dr_sig s[4] = { 0 };
	pid_t child;

	(void)arg;
	if (!p || prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0))
		return 1;
	/* With a page of its own the area is copied with all that is in it. dr_map() keeps it from children. */
	if (madvise(p, LEN, MADV_DOFORK) || dr_store(p, 1).sig.signo || dr_load(p + BAD * BLK).sig.signo)
		return 1;
	__atomic_store_n(&threads->ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&threads->go, __ATOMIC_SEQ_CST))
		nap();
	child = fork();
	if (child < 0)
		return 1;
	__atomic_add_fetch(&threads->seen, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 1000 && dr_signals(s, 4) == 0; i++)
		nap();
	if (s[0].signo != SIGBUS || !dr_sig_is(s[0], BUS_MCEERR_AO, p + BAD * BLK, 12))
		_exit(2);
	if (!child)
		_exit(0);
	return dr_wait(child);
}

/*
 * Who comes after the processes were walked is told as well, who goes does not keep
 * others from it, and who maps it only then does not get it.
 */
TEST_F(poison_many, in_between)
{
	struct peer asked, goes, comes;
	struct dr_sig s[4];
	pid_t pid, forking;
	long pfn;

	SKIP_ON_XFS();
	threads = dr_shared_mem(sizeof(*threads));
	ASSERT_NE(NULL, threads);
	ASSERT_EQ(0, peer_open(&goes, true, "b", LEN, BAD));
	ASSERT_EQ(0, peer_open(&asked, true, "c", LEN, BAD));
	ASSERT_EQ(0, peer_open(&comes, true, "a", LEN, BAD));
	forking = dr_spawn(forks, NULL);
	ASSERT_GT(forking, 0);
	while (!__atomic_load_n(&threads->ready, __ATOMIC_SEQ_CST))
		nap();
	pfn = dr_pfn_of_block(dr_block("a", BAD, NULL));
	ASSERT_EQ(0, dr_notify_delay(DELAY));
	pid = dr_spawn(inject, (void *)pfn);
	ASSERT_GT(pid, 0);
	/* "a" is the 17th. */
	for (int i = 0; i < 5000 && dr_counter("owners") <= FEW; i++)
		nap();
	__atomic_store_n(&threads->go, 1, __ATOMIC_SEQ_CST);
	kill(goes.pid, SIGKILL);
	EXPECT_EARLY(&comes, comes.base + BAD * BLK);
	ASSERT_EQ(0, peer_map(&comes, "c", 0, LEN, RW, MAP_SHARED));
	EXPECT_POISON(peer_load(&comes, BAD * BLK), comes.base + BAD * BLK);
	while (__atomic_load_n(&threads->seen, __ATOMIC_SEQ_CST) < 2)
		nap();
	EXPECT_EQ(FEW + 1, dr_counter("owners"));
	EXPECT_EQ(0, dr_wait(pid));
	EXPECT_EQ(0, dr_wait(forking));
	EXPECT_EARLY(&asked, asked.base + BAD * BLK);
	EXPECT_EQ(0, peer_signals(&comes, s, 4));
	EXPECT_EQ(FEW + 3, dr_counter("owners"));
	peer_stop(&asked);
	peer_stop(&comes);
	peer_stop(&goes);
	peer_stop(&few);
}

TEST_HARNESS_MAIN
