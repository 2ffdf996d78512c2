#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# programs.sh: public programs from Debian's packages on daxrmap (`make programs`), in QEMU on the
# stock kernel. The guest has them on a disk, which scripts/setup/programs.sh makes; tests/programs
# says what they do. TESTS="a b" runs only these. The last line is "RESULT passed failed skipped".
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/guest/lib-guest.sh"
. "$TOP/scripts/setup/lib-programs.sh"

dir=$TOP/build/programs
initrd=$dir/initramfs.img
cd "$TOP"
mkdir -p "$dir"
scripts/setup/programs.sh
files=()
for f in tests/programs/*; do files+=(--test "$f"); done
build() {
	scripts/build/module.sh stock modules
	scripts/build/tools.sh
	scripts/guest/initramfs.sh "${files[@]}" stock "$initrd"
}
step "building the guest" "$dir/build.log" build

# Two guests, since programs wait for each other; the tests as they take the same time. And one with
# SELinux, which is short.
shares=("postgres fio sqlite" "stress-ng files git xfs_io" selinux)
[ "$(nproc)" -gt 1 ] || shares=("${shares[0]} ${shares[1]}" selinux)
[ -z "${TESTS:-}" ] || shares=("$TESTS")

# Below 4 GiB a guest has 2 GiB for itself; the filesystem has one more.
for i in "${!shares[@]}"; do
	append=daxrmap.timeout=400
	[[ " ${shares[i]} " != *" selinux "* ]] || append+=" security=selinux"
	start_guest "programs-$i" "${shares[i]}" --kernel stock --initrd "$initrd" --timeout 900 \
		--pmem 1 --pmem-size 1024 --append "$append" -- \
		-drive "file=$PROGRAMS,format=raw,if=none,id=programs,readonly=on" \
		-device virtio-blk-pci,drive=programs
done
collect_guests
