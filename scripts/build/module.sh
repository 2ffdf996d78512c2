#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# module.sh stock|debug [--of DIR] [--to DIR] [MAKE-ARGUMENT...]: builds daxrmap.ko (or
# the modules of another directory here) for one of our kernels into build/KERNEL (or DIR), with the
# compiler that the kernel tree was prepared with.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-kernel.sh"

[ $# -gt 0 ] || die "usage: scripts/build/module.sh stock|debug [--of DIR] [--to DIR] [MAKE-ARGUMENT...]"
kernel=$1 of=$TOP to=$TOP/build/$1
shift
if [ "${1:-}" = --of ]; then
	of=$TOP/$2
	shift 2
fi
if [ "${1:-}" = --to ]; then
	to=$2
	shift 2
fi
kernel_paths
case $kernel in
stock) args=(-C "$KERNEL_STOCK" "CC=$(kernel_cc)") done=$KERNEL_STOCK/.done root=$KERNEL_ROOT ;;
debug) args=(-C "$KERNEL_DEBUG" LLVM=-19) done=$KERNEL_DEBUG/.done root=$ROOT ;;
*) die "no such kernel: $kernel (stock or debug)" ;;
esac
[ -e "$done" ] || die "the $kernel kernel has not been set up: run 'make setup' or 'make debug-kernel'"

# Two builds in one directory would spoil each other.
lock "build-$(hash_of "$to")"
cd "$TOP"
mkdir -p "$to"
(exec_in "$root" make "${args[@]}" -j"$(nproc)" "M=$of" "MO=$to" "$@") 2>&1 | tee "$to/build.log" || {
	kernel_is_tested || scripts/build/kernel-difference.sh "$KERNEL_RELEASE" "$to/build.log"
	exit 1
}
