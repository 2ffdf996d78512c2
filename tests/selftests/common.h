/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the self tests share: all of common/, and what the harness needs.
 * Calls return 0 or -errno unless their header says otherwise.
 *
 * DAXRMAP_TEST_FS=xfs runs the tests on XFS (mkfs.xfs, -o dax=always) and
 * leaves out what only daxrmap's debugfs can tell: it shows whether a test is
 * right, and what XFS does. DAXRMAP_TEST_DEV and DAXRMAP_TEST_MNT name
 * another device or mount point.
 */
#ifndef DAXRMAP_TEST_COMMON_H
#define DAXRMAP_TEST_COMMON_H

#include "common/basics/clock.h"
#include "common/device/mount.h"
#include "common/files/data.h"
#include "common/files/files.h"
#include "common/files/handles.h"
#include "common/module/debugfs.h"
#include "common/module/log.h"
#include "common/module/poison.h"
#include "common/processes/children.h"
#include "common/processes/peers.h"
#include "common/processes/signals.h"
#include "common/processes/users.h"

/* The harness's EXPECT_EQ() compares an int literal with whatever there is. */
#pragma GCC diagnostic ignored "-Wsign-compare"

/* The call fails, and just so. */
#define EXPECT_ERR(err, call) do {		\
	errno = 0;				\
	EXPECT_EQ(-1, call);			\
	EXPECT_EQ(err, errno);			\
} while (0)

#ifdef TEST_TIMEOUT_DEFAULT
/* Seconds for one test: kernels with KASAN and lockdep are slow. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 100

/*
 * And machines that do other things, too: those that have begun before, and
 * as many as may begin meanwhile. Runs when all tests are registered.
 */
static void __attribute__((constructor(KSELFTEST_PRIO_XFAIL + 1)))
wait_longer_when_busy(void)
{
	for (struct __fixture_metadata *f = __fixture_list; f; f = f->next)
		for (struct __test_metadata *t = f->tests; t; t = t->next)
			t->timeout *= 2 * dr_slowness();
}
#endif

#endif
