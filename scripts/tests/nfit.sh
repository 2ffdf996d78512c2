#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# nfit.sh [TEST...]: runs self tests (clear, free_bad, guard_stacks) in a guest of the stock kernel,
# on an NVDIMM: pmem whose firmware is asked. QEMU's cannot clear poison. The
# last line is "RESULT passed failed skipped".
. "$(dirname "$0")/../lib.sh"

[ $# != 0 ] || set -- clear free_bad guard_stacks
image=$TOP/build/nfit.img
initrd=$TOP/build/initramfs-nfit.img
log=$TOP/build/logs/console-nfit.log
mkdir -p "$TOP/build/logs"
cd "$TOP"
scripts/build/module.sh stock modules
scripts/build/selftests.sh
scripts/build/tools.sh
scripts/guest/initramfs.sh stock "$initrd"

# The namespace has page structs only once it was told to; then the NVDIMM is
# the first device of all.
script='ndctl create-namespace -f -e namespace0.0 -m fsdax -M mem || exit 1
grep -q NFIT /sys/bus/nd/devices/ndbus0/provider || exit 2
rc=0
for t in TESTS; do "/tests/$t" || rc=$?; done
exit $rc'
rc=0
rm -f "$image"
scripts/guest/run-qemu.sh --kernel stock --initrd "$initrd" --log "$log" --timeout 300 \
	--nfit "$image" --append daxrmap.timeout=200 --script "${script//TESTS/$*}" || rc=$?
rm -f "$image"
count() { tr -d '\r' <"$log" | grep -a 'tap: ' | grep -acE "$1" || true; }
skipped=$(count 'tap: ok .*# SKIP')
echo "RESULT $(($(count 'tap: ok ') - skipped)) $(count 'tap: not ok ') $skipped"
[ $rc = 0 ]
