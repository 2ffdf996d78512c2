#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# selftests.sh stock|debug: builds the module, the tools and the self tests, and
# runs these in guests with that kernel. TESTS="a b" runs only these; SHARDS=N shares them
# out to N guests at a time. Prints the guests' results; the last line is
# "RESULT passed failed skipped".
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/guest/lib-guest.sh"

kernel=$1
initrd=$TOP/build/initramfs-$kernel.img
args=()
not_here=
# One guest leaves half of two CPUs idle.
case $kernel in
stock)
	shards=${SHARDS:-2}
	# A million names (large_dirs) take minutes on a busy machine.
	args=(--timeout "${TIMEOUT:-1200}" --append daxrmap.timeout=400)
	not_here=kunit # which the distribution's kernel is built without
	;;
debug)
	# LVM's programs take minutes there; what they make of dm is in guard_stacks.
	not_here=guard_lvm
	# Emulated, with every checker on: each test may take ten times as long.
	shards=${SHARDS:-2}
	args=(--timeout "${TIMEOUT:-2000}" --append daxrmap.timeout=400)
	# KUnit is on, but runs nothing until tests/selftests/mount/kunit.c names it.
	args+=(--append "kunit.enable=1 kunit.autorun=1 kunit.filter_glob=none")
	;;
esac
[ "$(nproc)" -gt 1 ] || shards=1

cd "$TOP"
scripts/build/module.sh "$kernel" modules
scripts/build/samples.sh "$kernel"
scripts/build/selftests.sh
scripts/build/tools.sh
scripts/guest/initramfs.sh "$kernel" "$initrd"

# How many seconds a test takes there; what is not listed is short.
seconds() { awk -v test="$1" -v kernel="$kernel" '
	$1 == test { found = kernel == "stock" ? $2 : $3 }
	END { print found ? found : 4 }' scripts/tests/seconds.txt; }

# Deals the tests out, the longest first, each to who has least to do: ${share[i]} is the i-th guest's.
share=() load=()
for ((i = 0; i < shards; i++)); do load[i]=0; done
i=0
while read -r s t; do
	least=0
	for n in "${!load[@]}"; do [ "${load[n]}" -ge "${load[least]}" ] || least=$n; done
	share[least]+=" $t"
	load[least]=$((load[least] + s))
	i=$((i + 1))
done < <(for t in ${TESTS:-$(find build/selftests -maxdepth 1 -type f -executable ! -name "$not_here" -printf '%f\n')}; do
	echo "$(seconds "$t") $t"
done | LC_ALL=C sort -k1,1nr -k2)
[ $i != 0 ] || die "there are no self tests"

for i in "${!share[@]}"; do
	start_guest "$kernel-$i" "${share[i]# }" --kernel "$kernel" --initrd "$initrd" "${args[@]}"
done
collect_guests
