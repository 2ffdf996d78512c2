#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# stress.sh: the stress test's long form (`make stress`), one guest. The module
# is built already. From the environment:
#
#   STRESS_EVENTS   poison events (10000)
#   STRESS_SEED     a number; without it a random one. It is printed
#   STRESS_KERNEL   stock or debug (stock)
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/lib-kernel.sh"

events=${STRESS_EVENTS:-10000}
seed=${STRESS_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
kernel=${STRESS_KERNEL:-stock}
for n in "$events" "$seed"; do
	[[ $n =~ ^[0-9]+$ ]] || die "STRESS_EVENTS and STRESS_SEED are numbers, not $n"
done
# Some 0.05 s each on an idle machine, ten times that on the debug kernel.
timeout=$((600 + events / 2))
log=$TOP/build/stress-$kernel.log
initrd=$TOP/build/stress-$kernel.img

step "building the self tests" "$TOP/build/stress-build.log" "$TOP/scripts/build-selftests.sh"
step "building the tools" "$TOP/build/stress-tools.log" "$TOP/scripts/build-tools.sh"
"$TOP/scripts/initramfs.sh" --test "$TOP/build/selftests/stress" "$kernel" "$initrd"
say "stress: $events poison events on the $kernel kernel, seed $seed, log: $log"
rc=0
"$TOP/scripts/run-qemu.sh" --kernel "$kernel" --initrd "$initrd" --log "$log" --timeout "$timeout" \
	--append "daxrmap.timeout=$((timeout - 60))" \
	--script "exec /tests/stress --events $events --seed $seed" >"$log.run" 2>&1 || rc=$?
# What the guest printed, without the console's time stamps.
tr -d '\r' <"$log" | sed -n 's/^\[[^]]*\] tap: //p'
if [ $rc != 0 ]; then
	cat "$log.run" >&2
	die "the stress test failed (exit $rc), seed $seed, log: $log"
fi
