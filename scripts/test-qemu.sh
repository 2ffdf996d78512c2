#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test-qemu.sh stock|debug: builds the module, the tools and the self tests, and
# runs these in guests with that kernel. TESTS="a b" runs only these; SHARDS=N shares them
# out to N guests at a time. Prints the guests' results; the last line is
# "RESULT passed failed skipped".
. "$(dirname "$0")/lib.sh"

kernel=$1
initrd=$TOP/build/initramfs-$kernel.img
logs=$TOP/build/logs
args=()
not_here=
case $kernel in
stock)
	shards=${SHARDS:-1}
	args=(--timeout "${TIMEOUT:-600}")
	not_here=kunit # which the distribution's kernel is built without
	;;
debug)
	# Emulated, with every checker on: each test may take ten times as long.
	# One guest leaves half of two CPUs idle.
	shards=${SHARDS:-2}
	args=(--timeout "${TIMEOUT:-1200}" --append daxrmap.timeout=400)
	# KUnit is on, but runs nothing until tests/selftests/kunit.c names it.
	args+=(--append "kunit.enable=1 kunit.autorun=1 kunit.filter_glob=none")
	;;
esac
[ "$(nproc)" -gt 1 ] || shards=1

cd "$TOP"
mkdir -p "$logs"
scripts/build-module.sh "$kernel" modules
scripts/build-selftests.sh
scripts/build-tools.sh
scripts/initramfs.sh "$kernel" "$initrd"

# Deals the tests out in turn: ${share[i]} is the i-th guest's.
share=()
i=0
for t in ${TESTS:-$(find build/selftests -maxdepth 1 -type f -executable ! -name "$not_here" -printf '%f\n' |
	LC_ALL=C sort)}; do
	share[i % shards]+=" $t"
	i=$((i + 1))
done
[ $i != 0 ] || die "there are no self tests"

pids=()
for i in "${!share[@]}"; do
	scripts/run-qemu.sh --kernel "$kernel" --initrd "$initrd" --log "$logs/console-$kernel-$i.log" \
		"${args[@]}" --append "daxrmap.run=\"${share[i]# }\"" >"$logs/qemu-$kernel-$i.log" 2>&1 &
	pids+=($!)
done

passed=0 failed=0 skipped=0

# One guest's results, from the log of its console.
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
	if complaints=$(scripts/check-log.sh "$log"); then
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

for i in "${!share[@]}"; do
	rc=0
	wait "${pids[i]}" || rc=$?
	collect "$logs/console-$kernel-$i.log" $rc
	cat "$logs/qemu-$kernel-$i.log"
done
echo "RESULT $passed $failed $skipped"
[ $failed = 0 ]
