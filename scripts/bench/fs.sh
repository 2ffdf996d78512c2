#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# fs.sh [--quick] [--wall] [--profile] [FAMILY-OR-LOAD...]: `make bench-fs`, a part of `make bench`. The same loads
# on daxrmap, XFS and ext4 in turn (tests/bench/fs), in one guest of the stock kernel with three equal pmem
# devices. Instructions are counted for time, with one CPU: whatever else this machine does, it comes to
# the same. With --wall by the clock, with two CPUs: that shows who waits for whom, and is noisy.
#
# A table, bench.csv and plots go to tests/bench/out, and the table to Documentation/performance.rst;
# of --wall, to wall/ there. With --quick, or only some loads, to build/bench/out (BENCH_OUT: there).
# ROUNDS=5: so many turns of each. With --profile (`make profile`) it prints where the kernel was instead,
# measurement by measurement: percent of its time in each function, and in what that calls.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-programs.sh"

clock=icount profile= loads=() machine=(--icount) results=$TOP/tests/bench/out keep=1
for arg; do
	case $arg in
	--wall) clock=wall machine=() ;;
	--profile) profile=1 loads+=("$arg") ;;
	*) loads+=("$arg") ;;
	esac
done
[ -z "${ROUNDS:-}" ] || loads+=(--rounds "$ROUNDS")
[ ${#loads[@]} = 0 ] || { results=$TOP/build/bench/out; keep=; }
[ -z "${BENCH_OUT:-}" ] || { results=$BENCH_OUT; keep=; }
command="/tests/fs-bench ${loads[*]-}"
if [ $clock = wall ]; then
	results+=/wall keep=
	# What waiting adds is no other for large sizes; but it is noisy.
	[ ${#loads[@]} != 0 ] || command="/tests/fs-bench --quick --rounds 2 && /tests/fs-bench --rounds 1 matrix"
fi
dir=$TOP/build/bench-fs
log=$dir/log-$clock
mkdir -p "$dir" "$results"
results=$(cd "$results" && pwd -P)
export DAXRMAP_BIND="${DAXRMAP_BIND:-} $results"
cd "$TOP"
scripts/setup/programs.sh
build() {
	scripts/build/module.sh stock modules
	scripts/build/selftests.sh fs-bench
	scripts/build/tools.sh
	scripts/guest/initramfs.sh --test build/bench-fs/fs-bench stock "$dir/initramfs.img"
	scripts/bench/report.sh
}
step "building the guest, and what draws" "$dir/build.log" build

say "measuring by $clock, log: $log"
rc=0
scripts/guest/run-qemu.sh --kernel stock --initrd "$dir/initramfs.img" --log "$log" --timeout 3400 \
	--pmem 3 --pmem-size 1024 ${machine[@]+"${machine[@]}"} --append daxrmap.timeout=100000 \
	--script "$command" -- -drive "file=$PROGRAMS,format=raw,if=none,id=programs,readonly=on" \
	-device virtio-blk-pci,drive=programs >"$dir/qemu.log" 2>&1 || rc=$?
tr -d '\r' <"$log" | sed -n 's/.*tap: not ok fs-bench/fs-bench/p' >&2
tr -d '\r' <"$log" | sed -n 's/.*tap: fs-bench: //p' >"$dir/measured-$clock.csv"
# What is half measured does not take the place of what was measured before.
[ $rc = 0 ] || { tail -n 20 "$dir/qemu.log" >&2; die "bench-fs: failed, log: $log"; }
if [ -n "$profile" ]; then
	tr -d '\r' <"$log" | sed -n 's/.*tap: fs-profile: //p' | in_root c++filt -s rust
	exit
fi
scripts/bench/report.sh table "$dir/measured-$clock.csv" tests/bench/fs/goals.csv "$results"
[ -z "$keep" ] ||
	scripts/bench/report.sh doc "$results/bench.csv" tests/bench/fs/goals.csv Documentation/performance.rst
say "$results has bench.txt, bench.csv and bench.svg"
