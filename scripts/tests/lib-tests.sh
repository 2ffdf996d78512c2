# SPDX-License-Identifier: GPL-2.0
# Groups of tests: run one, count its results, tell of it. Sourced after
# lib.sh.

LOGS=$TOP/build/logs
total_passed=0 total_failed=0 total_skipped=0
failed_groups=

# result PASSED FAILED SKIPPED: a group's function says what it counted.
# May be called several times.
result() { echo "$1 $2 $3" >>"$counts"; }

# group NAME WHAT FUNCTION [ARGUMENT...]: runs FUNCTION, its output to a log.
# Exit status alone is one test; a group that fails without saying why, or
# that ran nothing, has failed once.
group() {
	local name=$1 what=$2 start=$SECONDS rc p f s line
	local log=$LOGS/$name.log
	shift 2
	counts=$LOGS/.counts.$name
	rm -f "$counts"
	say "$name: $what"
	# In a process group of its own (which is what -m does), and waited for with
	# `wait`: so that a signal is acted on at once, see stop_group.
	set -m
	(set -e; "$@") >"$log" 2>&1 </dev/null &
	group_pid=$!
	set +m
	rc=0
	wait "$group_pid" || rc=$?
	group_pid=
	p=0 f=0 s=0
	if [ -e "$counts" ]; then
		while read -r line; do
			# shellcheck disable=SC2086
			set -- $line
			p=$((p + $1)) f=$((f + $2)) s=$((s + $3))
		done <"$counts"
		[ $((p + f + s)) != 0 ] || { f=1; echo "$name: no test ran" >>"$log"; }
	else
		[ $rc != 0 ] || p=1
	fi
	[ $rc = 0 ] || [ $f != 0 ] || f=1
	rm -f "$counts"
	total_passed=$((total_passed + p)) total_failed=$((total_failed + f)) total_skipped=$((total_skipped + s))
	line="$p passed, $f failed"
	[ $s = 0 ] || line+=", $s skipped"
	if [ $f = 0 ]; then
		say "$name: ok ($line) in $((SECONDS - start)) s"
		return 0
	fi
	failed_groups+=" $name"
	say "$name: FAILED ($line) after $((SECONDS - start)) s; from $log:"
	failure_lines "$log" >&2
}

# Ends the group that runs now, with all its processes.
group_pid=
stop_group() { [ -z "$group_pid" ] || kill -TERM -- "-$group_pid" 2>/dev/null || true; }

# The tests of a group that failed, by their log.
failed_tests() { tr -d '\r' <"$1" | grep -aE '^not ok|^test .* FAILED|^error' || true; }

# What one wants to see of a failed group: the failed tests, then the end.
failure_lines() {
	failed_tests "$1" | head -n 40
	echo "    ..."
	tail -n 60 "$1"
}

# summary: what failed, once more, since a CI shows the end of a long log only; then
# the last line of all. Fails if anything did.
summary() {
	local name
	for name in $failed_groups; do
		say "failed in $name:"
		failed_tests "$LOGS/$name.log" | head -n 10
		tail -n 15 "$LOGS/$name.log"
	done
	local line="$total_passed passed, $total_failed failed"
	[ $total_skipped = 0 ] || line+=", $total_skipped skipped"
	if [ $((total_passed + total_failed)) = 0 ]; then
		say "no test ran"
		line="0 passed, 1 failed"
		total_failed=1
	fi
	printf '%s\n' "$line"
	[ $total_failed = 0 ]
}
