#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# check-kdir.sh KDIR: says in plain words why a kernel tree will not do, before
# kbuild and rustc say it in theirs.
kdir=$1

die() { printf 'daxrmap: %s\n' "$@" >&2; exit 1; }

[ -d "$kdir" ] || die "KDIR=$kdir: no such directory"
[ -e "$kdir/include/config/auto.conf" ] ||
	die "KDIR=$kdir is not a prepared kernel tree: run 'make modules_prepare' in it"
grep -qx CONFIG_RUST=y "$kdir/include/config/auto.conf" ||
	die "KDIR=$kdir was configured without CONFIG_RUST: daxrmap is written in Rust"
[ -e "$kdir/rust/libkernel.rmeta" ] ||
	die "KDIR=$kdir has CONFIG_RUST but no Rust metadata (rust/libkernel.rmeta)." \
		"A distribution's headers package often lacks it. Unpack the source of the same" \
		"version, give it that package's .config and Module.symvers, and run 'make" \
		"modules_prepare' with the rustc that the kernel was compiled with." \
		"(Plain 'make' does just that for the kernel this project is tested on.)"
for o in FS_DAX ZONE_DEVICE MEMORY_FAILURE; do
	grep -qx "CONFIG_$o=y" "$kdir/include/config/auto.conf" ||
		die "KDIR=$kdir was configured without CONFIG_$o, which daxrmap needs"
done
