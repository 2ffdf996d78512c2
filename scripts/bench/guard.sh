#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guard.sh: `make bench-guard`. What the guard costs (tests/bench/guard), in a guest of the stock
# kernel: faults, read(2) and write(2) on ext4 and XFS, with it and without; XFS on
# dm-linear beside it; memory_failure(). Emulated, with instructions counted for time: whatever else
# this machine does, only the ratios say something. The tables go to tests/bench/out/guard.txt
# (BENCH_OUT) as well.
. "$(dirname "$0")/../lib.sh"

results=${BENCH_OUT:-$TOP/tests/bench/out}
dir=$TOP/build/bench-guard
log=$dir/log
mkdir -p "$dir" "$results"
cd "$TOP"
build() {
	scripts/build/module.sh stock modules
	scripts/build/selftests.sh guard-cost
	scripts/guest/initramfs.sh --test build/bench-guard/guard-cost stock "$dir/initramfs.img"
}
step "building the guest" "$dir/build.log" build

say "measuring, some minutes, log: $log"
rc=0
scripts/guest/run-qemu.sh --kernel stock --initrd "$dir/initramfs.img" --log "$log" --timeout 1500 \
	--pmem 3 --icount --append daxrmap.timeout=1400 --script /tests/guard-cost \
	>"$dir/qemu.log" 2>&1 || rc=$?
# What is half measured does not take the place of what was measured before.
[ $rc = 0 ] || { tail -n 20 "$dir/qemu.log" >&2; die "bench-guard: failed, log: $log"; }
tr -d '\r' <"$log" | sed -n 's/.*tap: guard-cost: //p' | tee "$results/guard.txt"
