#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# images.sh: makes tests/images anew, with this version's mkfs and module, in
# a guest: images of the on-media format, which every later version must be able
# to mount, each with a listing of what is in it. For a new version of the format:
# IMAGE_VERSION=v2 beside the old ones, which stay.
. "$(dirname "$0")/../lib.sh"

version=${IMAGE_VERSION:-v1}
dir=$TOP/build/images
initrd=$dir/initramfs.img
size=2097152
mkdir -p "$dir"
cd "$TOP"
scripts/build/module.sh stock modules >"$dir/build.log" 2>&1
scripts/build/selftests.sh make-images >>"$dir/build.log" 2>&1
scripts/build/tools.sh >>"$dir/build.log" 2>&1
scripts/guest/initramfs.sh --test build/images/make-images stock "$initrd"

# The guest leaves them on an NVDIMM of its own, which is no namespace for DAX.
rm -f "$dir/out"
truncate -s 64M "$dir/out"
scripts/guest/run-qemu.sh --kernel stock --initrd "$initrd" --log "$dir/log" --timeout 200 \
	--nfit "$dir/unused" --script 'for d in pmem0 pmem1 pmem2; do
	[ ! -e /sys/block/$d ] || [ "$(cat /sys/block/$d/size)" -gt 200000 ] || out=/dev/$d
	[ ! -e /sys/block/$d ] || [ "$(cat /sys/block/$d/size)" -lt 200000 ] || dev=/dev/$d
done
DAXRMAP_TEST_DEV=$dev exec /tests/make-images $out' \
	-- -object "memory-backend-file,id=m2,share=on,mem-path=$dir/out,size=64M" \
	-device nvdimm,id=nv2,memdev=m2
rm -f "$dir/unused"

# An image, then as much room for its text.
part() { dd if="$dir/out" bs=$size skip="$1" count=1 status=none; }
for ((i = 0; i < 16; i++)); do
	part $((2 * i + 1)) | tr -d '\000' >"$dir/text"
	name=$(head -n 1 "$dir/text")
	[ -n "$name" ] || break
	name=tests/images/$version-$name
	sed 1d "$dir/text" >"$name.list"
	part $((2 * i)) | in_root xz -9e -c >"$name.img.xz"
	echo "$name.img.xz: $(stat -c %s "$name.img.xz") bytes"
done
rm -f "$dir/out" "$dir/text"
