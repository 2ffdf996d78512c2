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

#include "common/children.h"
#include "common/data.h"
#include "common/debugfs.h"
#include "common/files.h"
#include "common/handles.h"
#include "common/log.h"
#include "common/mount.h"
#include "common/peers.h"
#include "common/poison.h"
#include "common/signals.h"
#include "common/users.h"

/* The harness's EXPECT_EQ() compares an int literal with whatever there is. */
#pragma GCC diagnostic ignored "-Wsign-compare"

/* The call fails, and just so. */
#define EXPECT_ERR(err, call) do {		\
	errno = 0;				\
	EXPECT_EQ(-1, call);			\
	EXPECT_EQ(err, errno);			\
} while (0)

/* Seconds for one test: kernels with KASAN and lockdep are slow. */
#ifdef TEST_TIMEOUT_DEFAULT
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 100
#endif

#endif
