/* SPDX-License-Identifier: GPL-2.0 */
/* Runs /usr/sbin/daxrmap, and looks at what it says. */
#ifndef DAXRMAP_TEST_TOOL_H
#define DAXRMAP_TEST_TOOL_H

#define TOOL		"/usr/sbin/daxrmap"
#define TOOL_ROOM	(1 << 18)

/* What the last run printed, to both outputs. */
extern char tool_out[TOOL_ROOM];
/* Where the next run's standard output goes; to tool_out if NULL. */
extern const char *tool_stdout;

/* Runs it without a capability (-1: with all): its exit status, or -errno. */
int tool_exec(int cap, char *const argv[]);
#define tool_run_without(cap, ...) \
	tool_exec(cap, (char *[]) { TOOL, __VA_ARGS__, NULL })
#define tool_run(...) tool_run_without(-1, __VA_ARGS__)

/* How often a line is in the output; prints that if it is not once. */
int tool_lines(const char *format, ...) __attribute__((format(printf, 1, 2)));
int tool_count_lines(void);

#define EXPECT_LINE(...)	EXPECT_EQ(1, tool_lines(__VA_ARGS__))
/* It fails, and says just that. */
#define EXPECT_ERROR(message, ...) do {					\
	EXPECT_EQ(1, tool_run(__VA_ARGS__));				\
	EXPECT_LINE("daxrmap: %s", message);				\
	EXPECT_EQ(1, tool_count_lines());				\
} while (0)

#endif
