/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's log. */
#ifndef DAXRMAP_TEST_LOG_H
#define DAXRMAP_TEST_LOG_H

/* Messages of the log with `word` in them since `seq`; prints them. */
int dr_log_count(unsigned long long seq, const char *word);
unsigned long long dr_log_seq(void);

#endif
