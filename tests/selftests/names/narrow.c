// SPDX-License-Identifier: GPL-2.0
/* Directories as programs of 32 bits read them: bits32/list.c, on directories small and large. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "common.h"

#define PROGRAM	"/tmp/list32"

/* The program, as the Makefile has made it. */
asm(".section .rodata\n"
    ".globl list32, list32_end\n"
    "list32: .incbin \"" LIST32 "\"\n"
    "list32_end:\n"
    ".previous\n");
extern const char list32[], list32_end[];

FIXTURE(narrow) { struct dr_fs fs; };
FIXTURE_VARIANT(narrow) { int entries; };
FIXTURE_VARIANT_ADD(narrow, few) { 3 };
FIXTURE_VARIANT_ADD(narrow, hundreds) { 300 };
FIXTURE_VARIANT_ADD(narrow, many) { 20000 };
FIXTURE_SETUP(narrow) { ASSERT_EQ(0, dr_setup(&self->fs)); }
FIXTURE_TEARDOWN_PARENT(narrow) { EXPECT_EQ(0, dr_teardown(&self->fs)); }

static int write_program(void)
{
	ssize_t size = list32_end - list32;
	int fd = open(PROGRAM, O_CREAT | O_TRUNC | O_WRONLY, 0755);

	if (fd < 0 || write(fd, list32, size) != size)
		return -errno;
	return close(fd) ? -errno : 0;
}

/* Its exit status; -ENOEXEC if the kernel does not know such programs. */
static int run(const char *dir, int n)
{
	char number[16];
	int status;
	pid_t pid;

	snprintf(number, sizeof(number), "%d", n);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		execl(PROGRAM, PROGRAM, dir, number, NULL);
		_exit(errno == ENOEXEC ? 126 : 127);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (!WIFEXITED(status))
		return -EINTR;
	return WEXITSTATUS(status) == 126 ? -ENOEXEC : WEXITSTATUS(status);
}

/* Names and the state's check of them take long where everything is checked. */
TEST_F_TIMEOUT(narrow, are_listed, 300)
{
	char name[16];
	int dir;

	ASSERT_EQ(0, write_program());
	if (run("", 0) == -ENOEXEC)
		SKIP(return, "no programs of 32 bits");
	ASSERT_EQ(0, mkdir(dr_path("d"), 0755));
	ASSERT_EQ(0, dr_create("f", 0, 1));
	dir = dr_open("d", O_RDONLY);
	ASSERT_LE(0, dir);
	for (int i = 0; i < variant->entries; i++) {
		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, linkat(AT_FDCWD, dr_path("f"), dir, name, 0));
	}
	close(dir);
	EXPECT_EQ(0, run(dr_path("d"), variant->entries));
	unlink(PROGRAM);
}

TEST_HARNESS_MAIN
