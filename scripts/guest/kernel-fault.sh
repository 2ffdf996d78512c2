#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernel-fault.sh FAULT [ARGUMENT...]: `make kernel-fault FAULT=cachestat`. Boots the stock
# kernel without the module, runs tests/kernel-faults/FAULT, and prints what it and the
# kernel said: the guest may well die of it. An oops does not end it, as with the
# distribution's settings. FAULT_MODULE=1: with the module loaded.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-kernel.sh"

fault=${1:-}
[ -n "$fault" ] && [ -e "$TOP/tests/kernel-faults/$fault.c" ] ||
	die "FAULT is one of: $(cd "$TOP/tests/kernel-faults" && echo *.c | sed 's/\.c//g')"
shift
dir=$TOP/build/kernel-faults
log=$dir/$fault.log
initrd=$dir/$fault.img
module=--no-module
[ -z "${FAULT_MODULE:-}" ] || module="--module $TOP/build/stock/daxrmap.ko"

step "building the programs" "$dir/build.log" "$TOP/scripts/build/selftests.sh" kernel-faults
# shellcheck disable=SC2086
"$TOP/scripts/guest/initramfs.sh" $module --test "$dir/$fault" stock "$initrd"
"$TOP/scripts/guest/run-qemu.sh" --kernel stock --initrd "$initrd" --log "$log" --timeout "${TIMEOUT:-180}" \
	--append daxrmap.timeout=120 \
	--script "echo 0 >/proc/sys/kernel/panic_on_oops; /tests/$fault $*; rc=\$?; umount -l /mnt; exit \$rc" \
	>"$log.run" 2>&1 || true
# From the program's start on, without what every boot says.
tr -d '\r' <"$log" | sed -n '/ DAXRMAP-GUEST-START /,$p'
tail -n 1 "$log.run" >&2
say "all of it: $log"
