#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh: is the guest itself right? A test that dies, or never ends, must cost one
# test: the next one finds the machine as it was. The last line is
# "RESULT passed failed skipped".
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/guest/lib-guest.sh"

initrd=$TOP/build/initramfs-guest.img
log=$LOGS/console-guest.log
after=basic # any self test that passes

cd "$TOP"
mkdir -p "$LOGS"
scripts/build/module.sh stock modules
scripts/build/selftests.sh
scripts/build/tools.sh
scripts/guest/initramfs.sh --test tests/guest/dies --test tests/guest/hangs \
	--test "build/selftests/$after" stock "$initrd"
# It fails, as it should.
scripts/guest/run-qemu.sh --kernel stock --initrd "$initrd" --log "$log" --append daxrmap.timeout=20 \
	--append "daxrmap.run=\"dies $after hangs $after\"" >"$LOGS/qemu-guest.log" 2>&1 || true

check() { # WHAT CONDITION...
	if "${@:2}"; then
		echo "ok $1"
		passed=$((passed + 1))
	else
		echo "not ok $1"
		failed=$((failed + 1))
	fi
}
says() { tr -d '\r' <"$log" | grep -qE "$1"; }
count() { tr -d '\r' <"$log" | grep -cE "$1" || true; }

check "one that dies fails, once" says 'tap: not ok dies ended with 137$'
check "one that never ends fails, once" says 'tap: not ok hangs ended with timeout$'
check "nothing else does" [ "$(count 'tap: not ok ')" = 2 ]
check "what comes after them runs" [ "$(count "tap: # end $after rc=0 ")" = 2 ]
check "the machine comes to its end" says 'DAXRMAP-GUEST-TOTALS .*failed=2 '
[ $failed = 0 ] || tail -n 60 "$log"
results
