#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# power-cut.sh: whole machines that crash (`make power-cut`, part of `make crash`).
# A guest of the stock kernel, with the filesystem on an NVDIMM that is a file
# here, is under load (tests/power-cut) when QEMU is killed at a random moment,
# or when it mounts; the next one mounts what is left, checks it (fsck.daxrmap -n,
# and an oracle that knows of each operation whether it was complete), and
# goes on. The last line is "RESULT passed failed skipped".
#
# QEMU's death leaves all stores in the file, in the order in which they were made:
# it finds what is written too late, or in the wrong order. What lacks a flush or a
# fence is found by tests/host/src/crash.rs.
#
# With POWER_CUT_DEVICE=virtio the filesystem is on virtio-pmem, and what the guest has not asked
# the host to make durable is lost, but for some pages at random (tests/power-cut/host).
#
# From the environment:
#   CYCLES          crashes (20)
#   POWER_CUT_SEED  a number; without it a random one. It is printed
#   POWER_CUT_DEVICE  nfit, or virtio
#   POWER_CUT_MODULE  another daxrmap.ko than build/stock's
. "$(dirname "$0")/../lib.sh"

cycles=${CYCLES:-20}
seed=${POWER_CUT_SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
for n in "$cycles" "$seed"; do
	[[ $n =~ ^[0-9]+$ ]] || die "CYCLES and POWER_CUT_SEED are numbers, not $n"
done
device=${POWER_CUT_DEVICE:-nfit}
case $device in
nfit | virtio) ;;
*) die "POWER_CUT_DEVICE is nfit or virtio, not $device" ;;
esac
dir=$TOP/build/power-cut-$device
initrd=$dir/initramfs.img
module=${POWER_CUT_MODULE:-$TOP/build/stock/daxrmap.ko}
# Small enough for the log's regions (256 KiB each) to be full every other second or so.
size=16M

cd "$TOP"
mkdir -p "$dir" build/logs
build() {
	[ -n "${POWER_CUT_MODULE:-}" ] || scripts/build/module.sh stock modules
	scripts/build/selftests.sh power-cut
	scripts/build/tools.sh
	scripts/guest/initramfs.sh --module "$module" --test build/power-cut/power-cut stock "$initrd"
	[ $device = nfit ] || lossy
}
# The host's part, once as a library for QEMU and once as a program.
lossy() {
	local cc=(in_root gcc -O2 -Wall -Wextra -Werror) source=$TOP/tests/power-cut/host/lossy.c
	"${cc[@]}" -shared -fPIC -o "$dir/lossy.so" "$source"
	"${cc[@]}" -o "$dir/lossy" "$source"
}
step "building the guest" "$dir/build.log" build

# In the guest, with the cycle's number and seed. The journal is the small device.
script='for d in pmem0 pmem1; do
	[ -e /sys/block/$d ] || continue
	if [ "$(cat /sys/block/$d/size)" -lt 100000 ]; then journal=/dev/$d; fi
done
[ -n "$journal" ] || { echo "not ok power-cut: no journal"; exit 1; }
if [ $CUT_CYCLE = 0 ] && [ $CUT_DEVICE = nfit ]; then
	for r in /sys/bus/nd/devices/region*; do
		[ "$(cat $r/size)" -lt 100000000 ] || n=${r##*region}
	done
	ndctl create-namespace -f -e namespace$n.0 -m fsdax -M mem >/dev/null || exit 1
fi
for d in pmem0 pmem1; do
	if [ -e /sys/block/$d ] && [ /dev/$d != $journal ]; then dev=/dev/$d; fi
done
[ -n "$dev" ] || { echo "not ok power-cut: no device"; exit 1; }
export DAXRMAP_TEST_DEV=$dev
if [ $CUT_CYCLE = 0 ]; then
	mkfs.daxrmap -fq -s SIZE $dev || exit 1
elif [ -x /usr/sbin/fsck.daxrmap ]; then
	fsck.daxrmap -n $dev >/tmp/fsck 2>&1 || { cat /tmp/fsck; echo "not ok power-cut: fsck -n"; exit 1; }
	echo "ok power-cut: fsck -n is clean"
else
	echo "# no fsck.daxrmap: checked by mounting only"
fi
exec /tests/power-cut $journal $CUT_SEED $CUT_LAST'

lines() { tr -d '\r' <"$log" | grep -a 'tap: ' | sed 's/^.*tap: //'; }
said() { lines | grep -q "$1"; }

guest=
clean() {
	if [ -n "$guest" ]; then
		kill -TERM "$guest" 2>/dev/null || true
		wait "$guest" 2>/dev/null || true
	fi
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

start_guest() { # CYCLE SEED LAST
	local on=(--nfit "$dir/nvdimm") devices=$(($1 ? 2 : 1))
	log=$TOP/build/logs/console-power-cut-$device-$1.log
	rm -f "$dir/pid"
	: >"$log"
	if [ $device = virtio ]; then
		# What the last cut has left is all that there is.
		cp --sparse=always "$dir/durable" "$dir/pmem"
		on=(--virtio-pmem "$dir/pmem" --env "LD_PRELOAD=$dir/lossy.so"
			--env "LOSSY_FILE=$dir/pmem" --env "LOSSY_DURABLE=$dir/durable")
		devices=2
	fi
	scripts/guest/run-qemu.sh --kernel stock --initrd "$initrd" --log "$log" --timeout 120 --pmem 0 \
		"${on[@]}" --pid "$dir/pid" --append daxrmap.timeout=100 \
		--append "daxrmap.pmem=$devices daxrmap.env=\"CUT_DEVICE=$device CUT_CYCLE=$1 CUT_SEED=$2 CUT_LAST=$3\"" \
		--script "${script/SIZE/$size}" -- \
		-object "memory-backend-file,id=m2,share=on,mem-path=$dir/journal,size=16M" \
		-device nvdimm,id=nv2,memdev=m2 >"$dir/qemu.log" 2>&1 &
	guest=$!
}

# Kills the guest so many milliseconds after it has said something; not if it ends before.
cut_after() { # WORD MS
	until said "^# $1\$"; do
		kill -0 "$guest" 2>/dev/null || return 0
		sleep 0.02
	done
	sleep "$(printf '%d.%03d' $(($2 / 1000)) $(($2 % 1000)))"
	if ! said '^not ok'; then
		kill -KILL "$(cat "$dir/pid")" 2>/dev/null || true
	fi
}

passed=0 failed=0
ok() { passed=$((passed + 1)); echo "ok $passed $*"; }
fail() {
	echo "not ok $((passed + 1)) $* (seed $seed; the device is in $dir, the log: $log)"
	lines | tail -n 60
	tail -n 5 "$dir/qemu.log"
	echo "RESULT $passed 1 0"
	exit 1
}

RANDOM=$seed
echo "# $cycles crashes, seed $seed"
rm -f "$dir"/{nvdimm,pmem,durable,journal}
truncate -s 16M "$dir/journal"
[ $device = nfit ] || truncate -s 64M "$dir/durable"
for ((cycle = 0; cycle <= cycles; cycle++)); do
	last='' word=load ms=$((RANDOM % 2000))
	[ $cycle != "$cycles" ] || last=last
	# One in five while it mounts and checks.
	if [ $((RANDOM % 5)) = 0 ] && [ $cycle != 0 ]; then word=mounting ms=$((ms / 4)); fi
	start_guest $cycle $((seed + cycle + 1)) "$last"
	[ -n "$last" ] || cut_after $word $ms
	rc=0
	wait "$guest" || rc=$?
	guest=
	[ $device = nfit ] || in_root "$dir/lossy" $((seed + cycle)) "$dir/pmem" "$dir/durable"
	! said '^not ok' || fail "cycle $cycle"
	complaints=$(scripts/guest/check-log.sh "$log") || fail "cycle $cycle: the kernel complained: $complaints"
	if [ -n "$last" ]; then
		[ $rc = 0 ] || fail "the last cycle: exit $rc"
	elif grep -aq DAXRMAP-GUEST-EXIT "$log"; then
		fail "cycle $cycle: the guest came to an end"
	elif ! said "^# $word\$"; then
		fail "cycle $cycle: the guest never came to the load"
	fi
	lines | sed -n 's/^# worker/#     worker/p; s/^# no fsck/#     no fsck/p'
	done=$(lines | sed -n 's/^# \([0-9]*\) operations so far$/\1/p' | tail -n 1)
	what="checked ${done:-no} operations"
	[ -n "$done" ] || what="came up"
	if [ -n "$last" ]; then
		ok "cycle $cycle: $what, unmounted, checked again"
	else
		ok "cycle $cycle: $what, cut $ms ms after '$word'"
	fi
done
rm -f "$dir"/{nvdimm,pmem,durable,journal}
echo "RESULT $passed $failed 0"
