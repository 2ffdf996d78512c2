// SPDX-License-Identifier: GPL-2.0
/* Runs /usr/sbin/daxrmap, and looks at what it says. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tool.h"

char tool_out[TOOL_ROOM];

const char *tool_stdout;

int tool_exec(int cap, char *const argv[])
{
	int p[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(p))
		return -errno;
	pid = fork();
	if (!pid) {
		dup2(p[1], 1);
		dup2(p[1], 2);
		close(p[0]);
		close(p[1]);
		if (tool_stdout)
			dup2(open(tool_stdout, O_WRONLY), 1);
		if (cap >= 0 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			_exit(101);
		execv(TOOL, argv);
		_exit(100);
	}
	close(p[1]);
	while ((n = read(p[0], tool_out + len, sizeof(tool_out) - 1 - len)) > 0)
		len += n;
	tool_out[len] = 0;
	close(p[0]);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return WEXITSTATUS(status);
}

int tool_lines(const char *format, ...)
{
	static char line[1024];
	int times = 0;
	va_list args;
	char *at;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (at = tool_out; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		times += !strncmp(at, line, len) && (!at[len] || at[len] == '\n');
		if (!*at)
			break;
	}
	if (times != 1)
		fprintf(stderr, "# %d times: %s\n# in: %.2000s\n", times, line, tool_out);
	return times;
}

int tool_count_lines(void)
{
	int n = 0;

	for (char *at = tool_out; (at = strchr(at, '\n')); at++)
		n++;
	return n;
}
