#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cxl.sh [PART...]: persistent memory behind CXL, in guests (`make cxl`) of the stock kernel
# (or $CXL_KERNEL: scripts/tests/cxl-upstream.sh, which has a part of its own).
# What the device says is injected through QEMU's monitor, as the guest asks for it on
# its console. Parts: quick (daxrmap: each kind of event; `make test` has this one), ext4, xfs,
# interleave (a region over two devices), removal, kill (the machine dies, and boots again).
# Without PART: all. The last line is "RESULT passed failed skipped". CXL_MODULE is another daxrmap.ko than build/stock's.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/guest/lib-guest.sh"
. "$TOP/scripts/guest/lib-qmp.sh"

[ $# != 0 ] || set -- quick ext4 xfs interleave removal kill
kernel=${CXL_KERNEL:-stock}
initrd=$TOP/build/cxl/initramfs.img
cd "$TOP"
mkdir -p "$LOGS" build/cxl
[ -n "${CXL_MODULE:-}" ] || scripts/build/module.sh stock modules
scripts/build/tools.sh
in_root gcc -static -O2 -Wall -Wextra -Werror -o "$TOP/build/cxl/owners" "$TOP/tests/cxl/owners.c"
scripts/guest/initramfs.sh --module "${CXL_MODULE:-build/stock/daxrmap.ko}" --test build/cxl/owners \
	"$kernel" "$initrd"

# inject KIND DEVICE DPA [LENGTH]. A descriptor of 1 is uncorrectable; type 0 is an
# error of the media's ECC; transaction 5 is the device's own scrub. `die`: the machine ends, and so do requests.
inject() {
	[ "$1" != die ] || { qmp quit >/dev/null; return 1; }
	local r at='"path": "/machine/peripheral/cxl'$2'"'
	local event="$at, \"flags\": 1, \"dpa\": $(($3)), \"type\": 0, \"transaction-type\": 5"
	case $1 in
	corrected) r=$(qmp cxl-inject-general-media-event "$event, \"log\": \"informational\", \"descriptor\": 0") ;;
	warning) r=$(qmp cxl-inject-general-media-event "$event, \"log\": \"warning\", \"descriptor\": 0") ;;
	fatal) r=$(qmp cxl-inject-general-media-event "$event, \"log\": \"fatal\", \"descriptor\": 1") ;;
	dram) r=$(qmp cxl-inject-dram-event "$event, \"log\": \"failure\", \"descriptor\": 1") ;;
	poison) r=$(qmp cxl-inject-poison "$at, \"start\": $(($3)), \"length\": ${4:-64}") ;;
	*) r="no such kind" ;;
	esac
	[[ $r = '{"return"'* ]] || echo "# cxl $*: $r"
}

server() { serve "$1" 'CXL-REQUEST \(.*\) end' inject; }

# A guest with so many devices that runs a script, and what it says. $again: the devices have what
# the guest before has left on them. $dies: it asks for its end before it comes to it.
machine() { # NAME DEVICES SCRIPT
	local log=$LOGS/console-cxl-$1.log said=$LOGS/qemu-cxl-$1.log i
	local qemu=(-M cxl=on -device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.0
		-M cxl-fmw.0.targets.0=cxl.0,cxl-fmw.0.size=4G)
	[ -n "${again:-}" ] || rm -f "$work"/*
	for ((i = 0; i < $2; i++)); do
		qemu+=(-object "memory-backend-file,id=cm$i,share=on,mem-path=$work/memory$i,size=512M"
			-object "memory-backend-file,id=cl$i,share=on,mem-path=$work/labels$i,size=1M"
			-device "cxl-rp,port=$i,bus=cxl.0,id=rp$i,chassis=0,slot=$((i + 2))"
			-device "cxl-type3,bus=rp$i,persistent-memdev=cm$i,lsa=cl$i,id=cxl$i,sn=0xabcd000$((i + 1))")
	done
	# Without the CPU's sign of a virtual machine: or the kernel cannot drop the caches of a region.
	monitored "$log" "$said" server --kernel "$kernel" --initrd "$initrd" --pmem 1 --cpu -hypervisor \
		--timeout "${TIMEOUT:-400}" --append daxrmap.timeout=350 --script "$3" -- "${qemu[@]}"
	if [ -n "${dies:-}" ] && grep -aq 'tap: # CXL-REQUEST die end' "$log"; then
		echo "it has died, as it was asked to" >"$said"
	else
		collect "$log" $rc
	fi
	# A script is one test to the guest: its own are counted here.
	passed=$((passed + $(tr -d '\r' <"$log" | grep -ac 'tap: ok cxl: ' || true)))
	failed=$((failed + $(tr -d '\r' <"$log" | grep -ac 'tap: not ok cxl: ' || true)))
	cat "$said"
}

for part; do
	common=$(cat tests/cxl/common.sh)
	case $part in
	quick) machine quick 1 "$common
$(cat tests/cxl/quick.sh)" ;;
	ext4 | xfs) machine "$part" 1 "$common
fs=$part
$(cat tests/cxl/stacks.sh)" ;;
	interleave) machine interleave 2 "$common
$(cat tests/cxl/interleave.sh)" ;;
	upstream) machine upstream 1 "$common
$(cat tests/cxl/upstream.sh)" ;;
	removal) machine removal 1 "$common
$(cat tests/cxl/removal.sh)" ;;
	kill)
		dies=yes machine kill 1 "$common
$(cat tests/cxl/kill.sh)"
		again=yes machine kill-again 1 "$common
$(cat tests/cxl/kill-again.sh)"
		;;
	*) die "cxl.sh: no such part: $part (quick ext4 xfs interleave removal kill)" ;;
	esac
done
results
