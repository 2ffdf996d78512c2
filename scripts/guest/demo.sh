#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# demo.sh: a page that four files share is poisoned, on daxrmap and on XFS; then one
# below ext4 and XFS on LVM, without the guard and with it. All in one boot of the
# unmodified distribution kernel. The module is built already.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-kernel.sh"

log=$TOP/build/demo.log
initrd=$TOP/build/demo.cpio.gz
step "building the demo programs" "$TOP/build/demo-build.log" "$TOP/scripts/build/selftests.sh" demo
step "building the tools" "$TOP/build/demo-tools.log" "$TOP/scripts/build/tools.sh"
"$TOP/scripts/guest/initramfs.sh" --module "$TOP/build/stock/daxrmap.ko" \
	--test "$TOP/build/demo/demo" --test "$TOP/build/demo/guard" stock "$initrd"
rc=0
"$TOP/scripts/guest/run-qemu.sh" --kernel stock --initrd "$initrd" --log "$log" --timeout 120 \
	--script '/tests/demo daxrmap /dev/pmem0 xfs /dev/pmem1; rc=$?; echo; /tests/guard && exit $rc' >"$log.run" 2>&1 || rc=$?
# What the guest printed, without the console's time stamps.
sed -n 's/^\[[^]]*\] tap: //p' "$log" | grep -v '^ok '
if [ $rc != 0 ]; then
	cat "$log.run" >&2
	die "the demo did not end well (exit $rc), log: $log"
fi
