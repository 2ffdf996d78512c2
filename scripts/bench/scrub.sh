#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# scrub.sh: `make bench-scrub`. How fast DAXRMAP_IOC_SCRUB is beside reads of the same, and what a
# reader beside `daxrmap scrub` feels (tests/bench/scrub), in a guest of the stock kernel with two
# CPUs. Emulated, on a machine that does other things: what is measured in turn is compared, and only
# the ratios say something. The tables go to tests/bench/out/scrub.txt (BENCH_OUT) as well.
. "$(dirname "$0")/../lib.sh"

results=${BENCH_OUT:-$TOP/tests/bench/out}
dir=$TOP/build/bench-scrub
log=$dir/log
mkdir -p "$dir" "$results"
cd "$TOP"
build() {
	scripts/build/module.sh stock modules
	scripts/build/selftests.sh scrub-cost
	scripts/build/tools.sh
	scripts/guest/initramfs.sh --test build/bench-scrub/scrub-cost stock "$dir/initramfs.img"
}
step "building the guest" "$dir/build.log" build

say "measuring, some minutes, log: $log"
rc=0
scripts/guest/run-qemu.sh --kernel stock --initrd "$dir/initramfs.img" --log "$log" --timeout 900 \
	--pmem 1 --append daxrmap.timeout=800 --script /tests/scrub-cost \
	>"$dir/qemu.log" 2>&1 || rc=$?
# What is half measured does not take the place of what was measured before.
[ $rc = 0 ] || { tail -n 20 "$dir/qemu.log" >&2; die "bench-scrub: failed, log: $log"; }
tr -d '\r' <"$log" | sed -n 's/.*tap: scrub-cost: //p' | tee "$results/scrub.txt"
