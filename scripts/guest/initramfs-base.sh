#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# initramfs-base.sh MODULES-DIR OUT: the part of the guest's initramfs that
# does not change from build to build: busybox, the file system tools, and the
# distribution's kernel modules (MODULES-DIR may be empty: a kernel with
# everything built in). Runs inside the root tree, which all of it comes from.
set -euo pipefail

modules_dir=$1 out=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# This file is part of the cache key in initramfs.sh: change it and all is new.
TOOLS="mkfs.xfs xfs_io xfs_db mkfs.ext4 ndctl cxl cp blkid wipefs findmnt lvm dmsetup"
# What the guest loads at once, and what waits for its first use: the big
# ones cost seconds in emulation. The kernel asks modprobe for a file system.
MODULES="nfit nd_e820 nd_pmem virtio_pmem hwpoison_inject mce_inject"
MORE_MODULES="cxl_acpi cxl_pci cxl_mem cxl_pmem device_dax dax_pmem xfs ext4 loop dm_mod dm_mirror virtio_blk"

# copy FILE: to the same place below $dir, through the usrmerge links.
copy() {
	local to
	to=$dir$(realpath "$(dirname "$1")")
	mkdir -p "$to"
	cp -Lp "$1" "$to/"
}

layout() {
	local d
	mkdir -p "$dir"/usr/{bin,sbin,lib,lib64} "$dir"/{proc,sys,dev,tmp,run,mnt,etc,root,tests}
	for d in bin sbin lib lib64; do ln -s "usr/$d" "$dir/$d"; done
	ln -s /proc/mounts "$dir/etc/mtab"
	echo root:x:0:0:root:/root:/bin/sh >"$dir/etc/passwd"
	echo root:x:0: >"$dir/etc/group"
	[ ! -e /etc/mke2fs.conf ] || cp /etc/mke2fs.conf "$dir/etc/"
}

busybox_applets() {
	local a
	copy "$(command -v busybox)"
	# Where the kernel looks for it.
	ln -s ../bin/busybox "$dir/usr/sbin/modprobe"
	for a in $(busybox --list); do
		[ "$a" = busybox ] || ln -s busybox "$dir/usr/bin/$a"
	done
}

tools() {
	local t path lib
	for t in $TOOLS; do
		path=$(command -v "$t") || { echo "the root tree has no $t" >&2; return 1; }
		rm -f "$dir/usr/bin/$t"
		copy "$path"
		# A script (xfs_* are some) has no libraries.
		for lib in $(ldd "$path" 2>/dev/null | grep -o '/[^ ]*'); do copy "$lib"; done
	done
}

# A package's modules have no modules.dep before depmod ran, so what each one
# needs is what it says. Sets $needed to file names.
needed=()
declare -A file_of seen
need_module() {
	local name=${1//-/_} dep
	[ -z "${seen[$name]:-}" ] || return 0
	seen[$name]=1
	[ -n "${file_of[$name]:-}" ] || { echo "this kernel has no module $name" >&2; return 1; }
	for dep in $(modinfo -F depends "${file_of[$name]}" | tr , ' '); do need_module "$dep"; done
	needed+=("${file_of[$name]}")
}

modules() {
	local f name release to
	: >"$dir/modules.list"
	[ -n "$modules_dir" ] || return 0
	release=$(basename "$modules_dir")
	to=$dir/lib/modules/$release
	mkdir -p "$to"
	while read -r f; do
		name=$(basename "$f")
		name=${name%%.ko*}
		file_of[${name//-/_}]=$f
	done < <(find "$modules_dir/kernel" -name '*.ko*')
	for name in $MODULES $MORE_MODULES; do need_module "$name"; done
	for f in "${needed[@]}"; do
		name=$(basename "$f")
		name=$to/${name%%.ko*}.ko
		case $f in
		*.xz) xz -dc "$f" ;;
		*.zst) zstd -qdc "$f" ;;
		*.gz) gzip -dc "$f" ;;
		*) cat "$f" ;;
		esac >"$name"
	done
	# It warns of lists that only whole kernels have.
	depmod -b "$dir" "$release" 2>/dev/null
	tr ' ' '\n' <<<"$MODULES" >"$dir/modules.list"
}

layout
busybox_applets
tools
modules
# Not compressed: the guest would unpack it in emulation.
(cd "$dir" && find . -print0 | LC_ALL=C sort -z | cpio --quiet -0 -o -H newc -R 0:0) >"$out.tmp"
mv "$out.tmp" "$out"
