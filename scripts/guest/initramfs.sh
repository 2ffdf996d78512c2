#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds the guest's initramfs.
#
#   initramfs.sh [--module FILE.ko | --no-module] [--test FILE]... KERNEL OUT
#
# KERNEL is stock or debug. Without options it holds build/KERNEL/daxrmap.ko,
# every program of build/selftests, whatever is in build/tools, and the modules
# of build/KERNEL/samples and test-modules. The guest
# inserts every --module and runs every --test.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-kernel.sh"

modules=() tests=() no_module=
while [ $# -gt 0 ]; do
	case $1 in
	--module) modules+=("$(realpath "$2")"); shift ;;
	--no-module) no_module=1 ;;
	--test) tests+=("$(realpath "$2")"); shift ;;
	-*) die "initramfs.sh: unknown option $1" ;;
	*) break ;;
	esac
	shift
done
[ $# = 2 ] || die "usage: initramfs.sh [--module FILE | --no-module] [--test FILE]... stock|debug OUT"
kernel=$1 out=$(realpath -m "$2")
kernel_paths
case $kernel in
stock) modules_dir=$KERNEL_MODULES ;;
debug) modules_dir= ;; # everything is built in
*) die "no such kernel: $kernel (stock or debug)" ;;
esac

if [ -z "$no_module" ] && [ ${#modules[@]} = 0 ]; then
	modules=("$TOP/build/$kernel/daxrmap.ko")
fi
if [ ${#tests[@]} = 0 ]; then
	for t in "$TOP"/build/selftests/*; do
		if [ -f "$t" ] && [ -x "$t" ]; then tests+=("$t"); fi
	done
fi

# The archive that two runs may both want to make: by key, moved into place.
base() {
	local key inputs
	inputs=$(stat -Lc '%n %s %Y' "$ROOT"/usr/sbin/{mkfs.xfs,xfs_io,mkfs.ext4,lvm} "$ROOT"/usr/bin/{busybox,ndctl})
	key=$(hash_of "$TOP/scripts/guest/initramfs-base.sh" "$inputs" "$KERNEL_VERSION" "$modules_dir")
	base=$CACHE/initramfs/base-$kernel-$key.cpio
	[ -e "$base" ] && return 0
	mkdir -p "$CACHE/initramfs"
	find "$CACHE/initramfs" -mindepth 1 -maxdepth 1 -mtime +7 -exec rm -rf {} +
	cd "$TOP"
	in_root "$TOP/scripts/guest/initramfs-base.sh" "$modules_dir" "$base"
}

# An initramfs may be several archives, one after the other: what changes is
# a small one of its own.
top() {
	local f
	mkdir -p "$dir/tests" "$dir/daxrmap" "$dir/usr/sbin"
	install -m 755 "$TOP/scripts/guest/init" "$dir/init"
	for f in ${modules[@]+"${modules[@]}"}; do
		[ -e "$f" ] || die "no module $f: run 'make' (or 'make module-debug') first"
		cp "$f" "$dir/daxrmap/"
	done
	for f in ${tests[@]+"${tests[@]}"}; do install -m 755 "$f" "$dir/tests/"; done
	for f in "$TOP"/build/tools/*; do
		if [ -f "$f" ] && [ -x "$f" ]; then install -m 755 "$f" "$dir/usr/sbin/"; fi
	done
	# A test inserts these itself.
	for f in "$TOP/build/$kernel"/{samples,test-modules}/*.ko; do
		[ ! -e "$f" ] || install -D -m 644 "$f" "$dir/samples/${f##*/}"
	done
	(cd "$dir/tests" && ls) >"$dir/tests.list"
	cd "$dir"
	find . -mindepth 1 -print0 | LC_ALL=C sort -z | in_root cpio --quiet -0 -o -H newc -R 0:0
}

base
dir=$(mktemp -d "$CACHE/initramfs/tmp.XXXXXX")
trap 'rm -rf "$dir"' EXIT
mkdir -p "$(dirname "$out")"
{ cat "$base"; top; } >"$out.tmp"
mv "$out.tmp" "$out"
