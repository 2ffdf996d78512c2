#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# programs.sh: public programs from Debian's packages on daxrmap (`make programs`), in QEMU on the
# stock kernel. The guest has them on a disk, which setup-programs.sh makes; tests/programs
# says what they do. TESTS="a b" runs only these. The last line is "RESULT passed failed skipped".
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/lib-guest.sh"
. "$TOP/scripts/lib-programs.sh"

dir=$TOP/build/programs
initrd=$dir/initramfs.img
logs=$TOP/build/logs
cd "$TOP"
mkdir -p "$dir" "$logs"
scripts/setup-programs.sh
files=()
for f in tests/programs/*; do files+=(--test "$f"); done
{
	scripts/build-module.sh stock modules
	scripts/build-tools.sh
	scripts/initramfs.sh "${files[@]}" stock "$initrd"
} >"$dir/build.log" 2>&1 || { tail -n 40 "$dir/build.log"; die "programs: it does not build"; }

# Two guests, since programs wait for each other; the tests as they take the same time.
shares=("postgres fio sqlite" "stress-ng files git xfs_io")
[ "$(nproc)" -gt 1 ] || shares=("${shares[*]}")
[ -z "${TESTS:-}" ] || shares=("$TESTS")

# Below 4 GiB a guest has 2 GiB for itself; the filesystem has one more.
pids=()
for i in "${!shares[@]}"; do
	scripts/run-qemu.sh --kernel stock --initrd "$initrd" --log "$logs/console-programs-$i.log" --timeout 900 \
		--pmem 1 --pmem-size 1024 --append "daxrmap.timeout=400 daxrmap.run=\"${shares[i]}\"" -- \
		-drive "file=$PROGRAMS,format=raw,if=none,id=programs,readonly=on" \
		-device virtio-blk-pci,drive=programs >"$dir/qemu-$i.log" 2>&1 &
	pids+=($!)
done
for i in "${!shares[@]}"; do
	rc=0
	wait "${pids[i]}" || rc=$?
	collect "$logs/console-programs-$i.log" $rc
	cat "$dir/qemu-$i.log"
done
echo "RESULT $passed $failed $skipped"
[ $failed = 0 ]
