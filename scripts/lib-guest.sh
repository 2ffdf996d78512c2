# SPDX-License-Identifier: GPL-2.0
# What a guest that ran tests has to say. Sourced after lib.sh.

passed=0 failed=0 skipped=0

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
	if complaints=$("$TOP/scripts/check-log.sh" "$log"); then
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
