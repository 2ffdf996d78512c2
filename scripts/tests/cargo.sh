#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cargo.sh DIR [ARGUMENT...]: runs the cargo tests of DIR (tests/host, tests/bench/report,
# tests/house, tools) with the root tree's cargo; ARGUMENTs go to `cargo test`. Its
# last line is "RESULT passed failed skipped".
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/build/lib-cargo.sh"

dir=$1
shift
[ -e "$TOP/$dir/Cargo.toml" ] || die "$dir has no Cargo.toml"
mkdir -p "$TOP/build"
out=$(mktemp "$TOP/build/cargo.XXXXXX")
trap 'rm -f "$out"' EXIT
cd "$TOP/$dir"
cargo_fetch
rc=0
# Into build/, where .gitignore covers it and `make clean` finds it.
in_root "${CARGO[@]}" test --workspace --no-fail-fast --offline --locked \
	--target-dir "$TOP/build/cargo" "$@" 2>&1 | tee "$out" || rc=$?
sed -n 's/^test result: .* \([0-9]*\) passed; \([0-9]*\) failed; \([0-9]*\) ignored;.*/\1 \2 \3/p' "$out" |
	awk '{ p += $1; f += $2; s += $3 } END { print "RESULT", p + 0, f + 0, s + 0 }'
exit $rc
