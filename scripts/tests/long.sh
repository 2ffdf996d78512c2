#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# long.sh fsx|fsstress|stress: the long form of these tests (`make fsx` ...), one guest.
# The module is built already. From the environment:
#
#   OPS      operations (50000; of each process: 20000), or poison events (10000)
#   SEED     a number; without it a random one. It is printed
#   KERNEL   stock or debug (stock)
#   FS       daxrmap or xfs (daxrmap): on XFS fsx and fsstress show what their models are worth
#
# (of `make stress`: STRESS_EVENTS, STRESS_SEED, STRESS_KERNEL)
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-kernel.sh"

test=$1 count=--ops what=operations knobs="OPS and SEED"
# Some 5 ms each on an idle machine, of a poison event 50; ten times that on the debug kernel.
case $test in
fsx) ops=${OPS:-50000} per_second=10 ;;
fsstress) ops=${OPS:-20000} per_second=10 ;;
stress)
	ops=${OPS:-10000} per_second=2
	count=--events what="poison events" knobs="STRESS_EVENTS and STRESS_SEED"
	;;
*) die "no such test: $test (fsx, fsstress or stress)" ;;
esac
seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
kernel=${KERNEL:-stock}
fs=${FS:-daxrmap}
case $fs/$test in
daxrmap/* | xfs/fsx | xfs/fsstress) ;;
*) die "$test does not run on $fs" ;;
esac
for n in "$ops" "$seed"; do
	[[ $n =~ ^[0-9]+$ ]] || die "$knobs are numbers, not $n"
done
timeout=$((600 + ops / per_second))
log=$TOP/build/$test-$kernel.log
initrd=$TOP/build/$test-$kernel.img

step "building the self tests" "$TOP/build/$test-build.log" "$TOP/scripts/build/selftests.sh"
step "building the tools" "$TOP/build/$test-tools.log" "$TOP/scripts/build/tools.sh"
"$TOP/scripts/guest/initramfs.sh" --test "$TOP/build/selftests/$test" "$kernel" "$initrd"
say "$test: $ops $what on $fs, the $kernel kernel, seed $seed, log: $log"
rc=0
"$TOP/scripts/guest/run-qemu.sh" --kernel "$kernel" --initrd "$initrd" --log "$log" --timeout "$timeout" \
	--append "daxrmap.timeout=$((timeout - 60))" \
	--script "export DAXRMAP_TEST_FS=$fs; exec /tests/$test $count $ops --seed $seed" >"$log.run" 2>&1 || rc=$?
# What the guest printed, without the console's time stamps.
tr -d '\r' <"$log" | sed -n 's/^\[[^]]*\] tap: //p'
# XFS with DAX makes the kernel warn: only the test's own word counts.
[ "$fs" = daxrmap ] || ! tr -d '\r' <"$log" | grep -q '# Totals: .* fail:0 ' || rc=0
if [ $rc != 0 ]; then
	cat "$log.run" >&2
	die "$test failed (exit $rc), seed $seed, log: $log"
fi
