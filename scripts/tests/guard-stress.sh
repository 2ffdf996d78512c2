#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guard-stress.sh: the short form of the stress test on ext4 and XFS over dm, with the
# guard, and once without it, which must be found out. `make stress FS=ext4 STACK=linear` is
# the long one. The last line is "RESULT passed failed skipped".
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/guest/lib-guest.sh"

cd "$TOP"
scripts/build/module.sh stock modules

run() { # WHAT EVENTS NAME=VALUE...
	local what=$1 events=$2
	shift 2
	if env "$@" OPS="$events" SEED="${STRESS_SEED:-}" scripts/tests/long.sh stress; then
		echo "ok guard-stress: $what"
		passed=$((passed + 1))
	else
		echo "not ok guard-stress: $what"
		failed=$((failed + 1))
	fi
}

run "ext4 over dm-linear, watched" 250 FS=ext4 STACK=linear GUARD=watch
run "XFS over dm-linear, held" 250 FS=xfs STACK=linear GUARD=hold
run "the oracle sees what nobody guards" 40 FS=ext4 STACK=linear GUARD=off
results
