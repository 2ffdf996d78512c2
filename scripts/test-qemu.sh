#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test-qemu.sh stock|debug: builds the module and the self tests, and runs them
# in a guest with that kernel. TESTS="a b" runs only these. Prints the guest's
# results; the last line is "RESULT passed failed skipped".
. "$(dirname "$0")/lib.sh"

kernel=$1
log=$TOP/build/logs/console-$kernel.log
initrd=$TOP/build/initramfs-$kernel.img
args=()
[ -z "${TESTS:-}" ] || args+=(--append "daxrmap.run=\"$TESTS\"")
case $kernel in
stock) args+=(--timeout "${TIMEOUT:-600}") ;;
# Emulated, with every checker on: each test may take ten times as long.
debug) args+=(--timeout "${TIMEOUT:-1200}" --append daxrmap.timeout=400) ;;
esac

cd "$TOP"
scripts/build-module.sh "$kernel" modules
scripts/build-selftests.sh
scripts/initramfs.sh "$kernel" "$initrd"
rc=0
scripts/run-qemu.sh --kernel "$kernel" --initrd "$initrd" --log "$log" "${args[@]}" || rc=$?

lines() { tr -d '\r' <"$log" | grep -a "$@" || true; }
lines -o 'tap: .*' | sed 's/^tap: //'
totals=$(lines -o 'DAXRMAP-GUEST-TOTALS .*' | tail -n 1)
if [ -n "$totals" ]; then
	read -r passed failed skipped < <(sed 's/[^0-9 ]//g' <<<"$totals")
else
	# It never came to its end: count what it said before.
	passed=$(lines -cE 'tap: ok ')
	failed=$(lines -cE 'tap: not ok ')
	skipped=0
	echo "not ok the guest did not reach its end"
	failed=$((failed + 1))
fi
# What the kernel said is a test of its own.
if complaints=$(scripts/check-log.sh "$log"); then
	echo "ok nothing wrong in the kernel's log"
	passed=$((passed + 1))
else
	printf '%s\n' "$complaints"
	echo "not ok nothing wrong in the kernel's log"
	failed=$((failed + 1))
fi
echo "RESULT $passed $failed $skipped"
[ $failed = 0 ] && [ $rc = 0 ]
