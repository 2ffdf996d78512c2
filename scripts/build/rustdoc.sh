#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# rustdoc.sh [--check]: documentation of the module's items, private ones too, in
# build/doc. The kernel's own rustdoc target knows no M=, so this is the
# command that compiled the module for the stock kernel, as kbuild kept it,
# with rustdoc in rustc's place. --check: a link that leads nowhere is an error.
. "$(dirname "$0")/../lib.sh"

build=$TOP/build/stock
saved=$build/src/.daxrmap.o.cmd
[ -e "$saved" ] || die "no $saved: run 'make' first"

command=$(sed -n '1s/^[^:]*:= //p' "$saved")
# Where output goes is rustdoc's own business.
command=$(sed -E 's/(^| )rustc /\1rustdoc /; s/ --emit=[^ ]*//g; s/ --out-dir [^ ]*//; s/ -C(embed-bitcode|debuginfo|lto)=[^ ]*//g; s/ --remap-path-[^ ]*//g; s/;.*//' <<<"$command")
[ "${1:-}" != --check ] || command+=" -D warnings"
rm -rf "$TOP/build/doc"
cd "$build"
# kbuild exports both.
in_root env RUSTC_BOOTSTRAP=1 DAXRMAP_BINDINGS="$build/src/bindings/bindings_generated.rs" sh -c \
	"$command --crate-name daxrmap --document-private-items --output $TOP/build/doc"
say "build/doc/daxrmap/index.html"
