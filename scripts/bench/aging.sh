#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# aging.sh: `make aging`, a part of `make bench`. Files come and go on a device that is nearly full,
# on daxrmap, XFS and ext4, in one guest of the stock kernel; then how many extents
# files have, and what free space looks like. A table, and aging.csv with each measurement, in
# tests/bench/out; with any setting, in build/bench/out (BENCH_OUT: there). From the environment:
#
#   ROUNDS  how many (40); each replaces a tenth of the device
#   SEED    a number (1): what is made, and removed
#   SIZE    of the device, in MiB (1024)
#   FS      only these filesystems
. "$(dirname "$0")/../lib.sh"

results=$TOP/tests/bench/out
[ -z "${ROUNDS:-}${SEED:-}${SIZE:-}${FS:-}" ] || results=$TOP/build/bench/out
results=${BENCH_OUT:-$results}
rounds=${ROUNDS:-40}
seed=${SEED:-1}
size=${SIZE:-1024}
for n in "$rounds" "$seed" "$size"; do
	[[ $n =~ ^[0-9]+$ ]] || die "ROUNDS, SEED and SIZE are numbers, not $n"
done
dir=$TOP/build/aging
log=$dir/log
mkdir -p "$dir" "$results"
cd "$TOP"
build() {
	scripts/build/module.sh stock modules
	scripts/build/selftests.sh
	scripts/build/tools.sh
	scripts/guest/initramfs.sh --test build/selftests/aging stock "$dir/initramfs.img"
}
step "building the guest" "$dir/build.log" build

say "$rounds rounds on $size MiB, seed $seed, log: $log"
rc=0
scripts/guest/run-qemu.sh --kernel stock --initrd "$dir/initramfs.img" --log "$log" --timeout 1500 \
	--pmem 1 --pmem-size "$size" --append daxrmap.timeout=1400 --script "for fs in ${FS:-daxrmap xfs ext4}; do
	/tests/aging --rounds $rounds --seed $seed \$fs || exit 1
done" >"$dir/qemu.log" 2>&1 || rc=$?
{
	echo filesystem,rounds,what,value
	tr -d '\r' <"$log" | sed -n 's/.*tap: aging: //p'
} >"$results/aging.csv"
# The first and the last measurement of each filesystem, side by side.
awk -F, '
	NR == 1 { next }
	!($1 in seen) { seen[$1]; fs[++filesystems] = $1; first[$1] = $2 }
	!($3 in known) { known[$3]; what[++n] = $3 }
	{ value[$1, $2, $3] = $4; last[$1] = $2 }
	END {
		line = ""
		for (f = 1; f <= filesystems; f++)
			line = line "," fs[f] ":" first[fs[f]] ",:" last[fs[f]]
		print "rounds" line
		for (i = 1; i <= n; i++) {
			line = what[i]
			for (f = 1; f <= filesystems; f++)
				line = line "," value[fs[f], first[fs[f]], what[i]] "," value[fs[f], last[fs[f]], what[i]]
			print line
		}
	}' "$results/aging.csv" | sed 's/\.00//g; :a; s/,,/, ,/g; ta' | column -t -s, | tee "$results/aging.txt"
[ $rc = 0 ] || { tail -n 20 "$dir/qemu.log" >&2; die "aging: failed, log: $log"; }
