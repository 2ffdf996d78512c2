/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's log. */
#ifndef DAXRMAP_TEST_LOG_H
#define DAXRMAP_TEST_LOG_H

/* Messages of the log with `word` in them since `seq`; prints the first ones. */
int dr_log_count(unsigned long long seq, const char *word);
/* The sum of the numbers N in messages with "`before`N`after`". */
long dr_log_sum(unsigned long long seq, const char *before, const char *after);
unsigned long long dr_log_seq(void);

#endif
