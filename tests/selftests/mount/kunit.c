// SPDX-License-Identifier: GPL-2.0
/*
 * The tests that are in the module itself (KUnit, in a kernel that has it):
 * what they say in the kernel's log are the results of this test.
 *
 * KUnit runs them whenever the module is inserted, if the command line has
 * kunit.enable=1 kunit.autorun=1, and the filter lets them. It does here only;
 * scripts/tests/selftests.sh sees to it that it does not before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include "kselftest.h"
#include "common/basics/text.h"

#define FILTER	"/sys/module/kunit/parameters/filter_glob"

static int insert(void)
{
	const char *ko = getenv("DAXRMAP_KO") ?: "/daxrmap/daxrmap.ko";
	int r, fd = open(ko, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	r = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return r;
}

/* One line of the log. Returns how many tests it announces. */
static unsigned int line(const char *s)
{
	static const char indent[] = "    ";
	unsigned int plan;
	int name = 0;

	if (!strncmp(s, "daxrmap: ", 9))
		ksft_print_msg("%s\n", s);
	/* Of KUnit's, only what is about the tests of a suite. */
	if (strncmp(s, indent, 4))
		return 0;
	s += 4;
	if (sscanf(s, "1..%u", &plan) == 1)
		return plan;
	if (sscanf(s, "ok %*u %n", &name) == 0 && name) {
		if (strstr(s, " # SKIP"))
			ksft_test_result_skip("%s\n", s + name);
		else
			ksft_test_result_pass("%s\n", s + name);
	} else if (sscanf(s, "not ok %*u %n", &name) == 0 && name) {
		ksft_test_result_fail("%s\n", s + name);
	} else if (!strstr(s, "speed: normal")) {
		ksft_print_msg("%s\n", strncmp(s, "# ", 2) ? s : s + 2);
	}
	return 0;
}

int main(void)
{
	unsigned int planned = 0;
	char buf[8192], *msg;
	ssize_t n;
	int r, log;

	ksft_print_header();
	if (access(FILTER, W_OK))
		ksft_exit_skip("this kernel has no KUnit\n");
	log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log < 0 || lseek(log, 0, SEEK_END) < 0)
		ksft_exit_fail_perror("/dev/kmsg");
	if (syscall(SYS_delete_module, "daxrmap", O_NONBLOCK) && errno != ENOENT)
		ksft_exit_fail_perror("removing the module");
	r = dr_put(FILTER, "daxrmap_*");
	if (!r)
		r = insert();
	dr_put(FILTER, "none");
	if (r)
		ksft_exit_fail_msg("inserting the module: %s\n", strerror(-r));

	while ((n = read(log, buf, sizeof(buf) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;	/* overwritten meanwhile */
		buf[n] = 0;
		msg = strchr(buf, ';');
		if (msg)
			planned += line(strtok(msg + 1, "\n") ?: "");
	}
	if (!planned)
		ksft_exit_fail_msg("KUnit ran nothing; does the command line say so?\n");
	ksft_set_plan(planned);
	ksft_finished();
}
