#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# long.sh fsx|fsstress|stress: the long form of these tests (`make fsx` ...), one guest.
# The module is built already. From the environment:
#
#   OPS      operations (50000; of each process: 20000), or poison events (10000)
#   SEED     a number; without it a random one. It is printed
#   KERNEL   stock or debug (stock)
#   FS       daxrmap or xfs (daxrmap): on XFS fsx and fsstress show what their models are worth;
#            stress: ext4 or xfs, with the guard
#   STACK    of stress on these: pmem, linear or stripe (of dm; linear)
#   GUARD    off, watch or hold (hold). Without it silent reads are to be
#            found: it shows that the oracle sees them, and the exit status is that they were
#   DISTURB  "mounts tables freezes switches modules", or less: what else goes on
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
daxrmap/* | xfs/* | ext4/stress) ;;
*) die "$test does not run on $fs" ;;
esac
stack=${STACK:-linear}
case $stack in
pmem | linear | stripe) ;;
*) die "STACK is pmem, linear or stripe, not $stack" ;;
esac
# Most runs end in some seconds: a failure under load makes it shut down ("corruption of on-disk metadata"), or hang.
[ "$test/$fs/$stack" != stress/xfs/pmem ] || die "XFS on pmem itself shuts down when pages fail under load: STACK=linear"
guard=${GUARD:-}
case $guard in
off | watch | hold) ;;
'') guard=hold ;;
*) die "GUARD is off, watch or hold, not $guard" ;;
esac
exports="export DAXRMAP_TEST_FS=$fs"
pmem=2 where=$fs
if [ "$test" = stress ] && [ "$fs" != daxrmap ]; then
	exports+=" STRESS_STACK=$stack STRESS_GUARD=$guard"
	[ -z "${DISTURB+set}" ] || exports+=" STRESS_DISTURB='$DISTURB'"
	pmem=3 where="$fs over $stack, guard $guard"
fi
for n in "$ops" "$seed"; do
	[[ $n =~ ^[0-9]+$ ]] || die "$knobs are numbers, not $n"
done
timeout=$((600 + ops / per_second))
name=$test-$kernel
[ $pmem = 2 ] || name+=-$fs-$stack-$guard
log=$TOP/build/$name.log
initrd=$TOP/build/$name.img

step "building the self tests" "$TOP/build/$test-build.log" "$TOP/scripts/build/selftests.sh"
step "building the tools" "$TOP/build/$test-tools.log" "$TOP/scripts/build/tools.sh"
"$TOP/scripts/guest/initramfs.sh" --test "$TOP/build/selftests/$test" "$kernel" "$initrd"
say "$test: $ops $what on $where, the $kernel kernel, seed $seed, log: $log"
rc=0
"$TOP/scripts/guest/run-qemu.sh" --kernel "$kernel" --initrd "$initrd" --log "$log" --timeout "$timeout" \
	--pmem $pmem \
	--append "daxrmap.timeout=$((timeout - 60))" \
	--script "$exports; exec /tests/$test $count $ops --seed $seed" >"$log.run" 2>&1 || rc=$?
# What the guest printed, without the console's time stamps.
tr -d '\r' <"$log" | sed -n 's/^\[[^]]*\] tap: //p'
# Without the guard the oracle is to find what is read silently.
if [ $pmem = 3 ] && [ "$guard" = off ]; then
	tr -d '\r' <"$log" | grep -qE '# events .* silent [1-9]' || die "the oracle has seen nothing, log: $log"
	say "silent reads were found, as they should be"
	exit 0
fi
# XFS with DAX makes the kernel warn, and so does a list of bad blocks that is looked at while it changes
# (block/badblocks.c, which then looks again): the test's own word counts, and what else the log has.
if [ "$fs" != daxrmap ]; then
	rc=0
	tr -d '\r' <"$log" | grep -q '# Totals: .* fail:0 ' || rc=1
	others=$("$TOP/scripts/guest/check-log.sh" "$log" |
		grep -vE 'WARNING: (fs/dax|block/badblocks)\.c' || true)
	if [ "$test" = stress ] && [ -n "$others" ]; then
		printf '%s\n' "$others"
		rc=1
	fi
fi
if [ $rc != 0 ]; then
	cat "$log.run" >&2
	die "$test failed (exit $rc), seed $seed, log: $log"
fi
