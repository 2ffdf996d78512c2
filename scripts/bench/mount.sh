#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# mount.sh [EXTENTS...]: how long a mount takes (a part of `make bench`), in a
# guest of the stock kernel: daxrmap, which reads all metadata then, XFS and ext4, which read
# it when it is used. Emulated, with instructions counted for time: whatever else
# this machine does, only the ratios say something. A table, and mount.csv in
# tests/bench/out (BENCH_OUT); with EXTENTS given, in build/bench/out.
. "$(dirname "$0")/../lib.sh"

results=$TOP/tests/bench/out
[ $# = 0 ] || results=$TOP/build/bench/out
results=${BENCH_OUT:-$results}
sizes=${*:-1000 100000 1000000}
dir=$TOP/build/bench-mount
log=$dir/log
mkdir -p "$dir" "$results"
cd "$TOP"
build() {
	scripts/build/module.sh stock modules
	scripts/build/selftests.sh mount-time
	scripts/build/tools.sh
	scripts/guest/initramfs.sh --test build/bench-mount/mount-time stock "$dir/initramfs.img"
}
step "building the guest" "$dir/build.log" build

# 4 GiB: a region of the log must have room for a million extents. ext4, which
# does not clone, would have to write 4 GiB for these, and XFS takes its time.
say "mounting filesystems of $sizes extents, log: $log"
rc=0
scripts/guest/run-qemu.sh --kernel stock --initrd "$dir/initramfs.img" --log "$log" --timeout 1500 \
	--pmem 1 --pmem-size 4096 --icount --append daxrmap.timeout=1400 --script "for n in $sizes; do
	for fs in daxrmap xfs ext4; do
		[ \$fs = daxrmap ] || [ \$n -le 100000 ] || continue
		/tests/mount-time \$fs \$n || exit 1
	done
done" >"$dir/qemu.log" 2>&1 || rc=$?
{
	echo filesystem,extents,median_us,shortest_us,longest_us
	tr -d '\r' <"$log" | sed -n 's/.*tap: mount-time: //p'
} >"$results/mount.csv"
column -t -s, "$results/mount.csv"
[ $rc = 0 ] || { tail -n 20 "$dir/qemu.log" >&2; die "bench-mount: failed, log: $log"; }
