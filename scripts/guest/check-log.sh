#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# check-log.sh LOG: looks for what a kernel says only when something is wrong.
# Prints the lines found and fails if there are any.
set -euo pipefail

# What tests print is not what the kernel says. \r: the console's line ends. And one warning is the
# kernel's own, of a read that it does again (Documentation/kernel-faults.rst).
kernel_lines() {
	tr -d '\r' <"$1" | grep -av -e '^\[[^]]*\] tap: ' \
		-e 'WARNING: block/badblocks\.c:[0-9]* at badblocks_check+' || true
}

bad='WARNING: |\bBUG\b|Oops|Kernel panic|general protection fault'
bad+='|Unable to handle|unable to handle|stack segment|double fault|divide error'
bad+='|KASAN|KFENCE|UBSAN|KCSAN|kmemleak: [0-9]+ new suspected|unreferenced object'
bad+='|possible circular locking|inconsistent lock state|possible recursive locking'
bad+='|possible irq lock inversion|suspicious RCU|lock held when returning|bad unlock balance'
bad+='|held lock freed|DEBUG_LOCKS_WARN_ON|turning off the locking correctness'
bad+='|sleeping function called|scheduling while atomic|voluntary context switch within RCU'
bad+='|INFO: task .* blocked|INFO: rcu.* stall|detected stalls|self-detected stall|soft lockup|hard LOCKUP'
bad+='|workqueue lockup|refcount_t|Busy inodes|Objects remaining|ODEBUG|list_(add|del) corruption'
bad+='|Bad page|bad page|Bad rss-counter|page dumped because|rust_kernel: panicked|panicked at'
bad+='|Unknown symbol|disagrees about'
bad+='|Attempted to kill init|Out of memory(:| and| \()'

if kernel_lines "$1" | grep -aE "$bad"; then
	exit 1
fi
