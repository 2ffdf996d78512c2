#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# rustfmt.sh [--check]: formats (or checks) every Rust file of ours, with the
# root tree's rustfmt, so that every machine agrees.
. "$(dirname "$0")/../lib.sh"
cd "$TOP"
mapfile -t files < <(find src tests tools -name '*.rs' -not -path '*/target/*' 2>/dev/null | LC_ALL=C sort)
[ ${#files[@]} -gt 0 ] || die "found no Rust files"
in_root rustfmt --config-path "$TOP/.rustfmt.toml" --edition 2021 "$@" "${files[@]}"
