// SPDX-License-Identifier: GPL-2.0
/*
 * A process changes the size of its only mapping of a file, over and over, while pages of it fail. mm takes
 * the area out of the file's tree for an instant then, and the page is in the page tables all the while: who looks
 * whether anybody maps the file must not take it for one that nobody maps.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "common.h"

#define PAGES	64
#define LEN	(PAGES * BLK)

FIXTURE(resized) { struct dr_fs fs; };
FIXTURE_SETUP(resized) { ASSERT_EQ(0, dr_setup(&self->fs)); }
FIXTURE_TEARDOWN_PARENT(resized) { EXPECT_EQ(0, dr_teardown(&self->fs)); }

static struct shared { int rounds, failed; } *shared;

static void *resizes(void *p)
{
	while (!__atomic_load_n(&shared->failed, __ATOMIC_SEQ_CST)) {
		if (mremap(p, LEN, LEN + BLK, 0) == p && !munmap((char *)p + LEN, BLK))
			__atomic_add_fetch(&shared->rounds, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

/* Returns how many pages it can still read when all have failed. */
static int maps(void *arg)
{
	/* So that there is room behind it. */
	char *p = mmap(NULL, LEN + BLK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open(dr_path("b"), O_RDONLY), silent = 0;
	pthread_t thread;

	(void)arg;
	if (p == MAP_FAILED || fd < 0 || munmap(p + LEN, BLK) ||
	    mmap(p, LEN, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) != p)
		return 100;
	dr_catch_sigbus();
	for (int i = 0; i < PAGES; i++)
		if (dr_load(p + i * BLK).sig.signo)
			return 101;
	if (pthread_create(&thread, NULL, resizes, p))
		return 102;
	pthread_join(thread, NULL);
	for (int i = 0; i < PAGES; i++)
		silent += dr_load(p + i * BLK).sig.signo != SIGBUS;
	return silent;
}

TEST_F(resized, no_page_is_read_in_silence)
{
	pid_t pid;

	shared = dr_shared_mem(sizeof(*shared));
	ASSERT_NE(NULL, shared);
	ASSERT_EQ(0, dr_create("a", PAGES, 1));
	ASSERT_EQ(0, dr_clone("a", "b"));
	pid = dr_spawn(maps, NULL);
	ASSERT_GT(pid, 0);
	while (__atomic_load_n(&shared->rounds, __ATOMIC_SEQ_CST) < 10)
		ASSERT_EQ(0, nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL));
	for (int i = 0; i < PAGES; i++)
		EXPECT_EQ(0, dr_poison_pfn(dr_pfn_of_block(dr_block("a", i, NULL))));
	__atomic_store_n(&shared->failed, 1, __ATOMIC_SEQ_CST);
	EXPECT_EQ(0, dr_wait(pid));
}

TEST_HARNESS_MAIN
