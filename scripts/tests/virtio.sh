#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# virtio.sh [TEST...]: runs self tests (requests, persist, writeback) in a guest of the
# stock kernel, on virtio-pmem: memory that is durable only when the host is asked. The
# last line is "RESULT passed failed skipped".
. "$(dirname "$0")/../lib.sh"

[ $# != 0 ] || set -- requests persist writeback
dir=$TOP/build/virtio
initrd=$TOP/build/initramfs-virtio.img
log=$TOP/build/logs/console-virtio.log
mkdir -p "$TOP/build/logs" "$dir"
cd "$TOP"
scripts/build/module.sh stock modules
scripts/build/selftests.sh
scripts/build/tools.sh
scripts/guest/initramfs.sh stock "$initrd"

script='grep -q virtio-pmem /sys/bus/nd/devices/ndbus0/provider || exit 2
rc=0
for t in TESTS; do "/tests/$t" || rc=$?; done
exit $rc'
rc=0
truncate -s 512M "$dir/pmem"
scripts/guest/run-qemu.sh --kernel stock --initrd "$initrd" --log "$log" --timeout 600 --pmem 0 \
	--virtio-pmem "$dir/pmem" --append "daxrmap.pmem=1 daxrmap.timeout=400" --script "${script//TESTS/$*}" || rc=$?
rm -rf "$dir"
count() { tr -d '\r' <"$log" | grep -a 'tap: ' | grep -acE "$1" || true; }
skipped=$(count 'tap: ok .*# SKIP')
echo "RESULT $(($(count 'tap: ok ') - skipped)) $(count 'tap: not ok ') $skipped"
[ $rc = 0 ]
