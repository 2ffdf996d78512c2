# SPDX-License-Identifier: GPL-2.0
# Guests that run tests, and what they have to say. Sourced after lib.sh.

LOGS=$TOP/build/logs
passed=0 failed=0 skipped=0

# Starts a guest that runs these tests; its console is LOGS/console-NAME.log.
guests=() guest_pids=()
start_guest() { # NAME TESTS RUN-QEMU-OPTION...
	local name=$1 tests=$2
	shift 2
	mkdir -p "$LOGS"
	"$TOP/scripts/guest/run-qemu.sh" --log "$LOGS/console-$name.log" --append "daxrmap.run=\"$tests\"" "$@" \
		>"$LOGS/qemu-$name.log" 2>&1 &
	guests+=("$name")
	guest_pids+=($!)
}

# Waits for all of them, collects what they say, and adds the RESULT.
collect_guests() {
	local i rc
	for i in "${!guests[@]}"; do
		rc=0
		wait "${guest_pids[i]}" || rc=$?
		collect "$LOGS/console-${guests[i]}.log" $rc
		cat "$LOGS/qemu-${guests[i]}.log"
	done
	results
}

# The last line; fails if anything has.
results() {
	echo "RESULT $passed $failed $skipped"
	[ $failed = 0 ]
}

# One guest's results, from the log of its console, and the exit status of
# run-qemu.sh: printed, and added to the three.
collect() { # LOG RC
	local log=$1 totals p f s complaints
	lines() { tr -d '\r' <"$log" | grep -a "$@" || true; }
	lines -o 'tap: .*' | sed 's/^tap: //'
	totals=$(lines -o 'DAXRMAP-GUEST-TOTALS .*' | tail -n 1)
	if [ -n "$totals" ]; then
		read -r p f s < <(sed 's/[^0-9 ]//g' <<<"$totals")
	else
		# It never came to its end: count what it said before.
		p=$(lines -cE 'tap: ok ')
		f=$(lines -cE 'tap: not ok ')
		s=0
		echo "not ok the guest did not reach its end"
		f=$((f + 1))
	fi
	# What the kernel said is a test of its own.
	if complaints=$("$TOP/scripts/guest/check-log.sh" "$log"); then
		echo "ok nothing wrong in the kernel's log"
		p=$((p + 1))
	else
		printf '%s\n' "$complaints"
		echo "not ok nothing wrong in the kernel's log"
		f=$((f + 1))
	fi
	if [ "$2" != 0 ] && [ $f = 0 ]; then
		echo "not ok the guest failed"
		f=1
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}
