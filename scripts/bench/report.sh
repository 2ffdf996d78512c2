#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# report.sh [COMMAND ARGUMENT...]: what tests/bench/report makes of results (its main.rs says what it
# can do); without a command it is only built. Paths are those of the clone.
#
#	report.sh diff OLD [NEW]	`make bench-diff OLD=file`: NEW is tests/bench/out/bench.csv
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/build/lib-cargo.sh"

mkdir -p "$TOP/build"
cd "$TOP"
program=$TOP/build/cargo/release/daxrmap-bench-report
build() {
	cd "$TOP/tests/bench/report" && cargo_fetch &&
		in_root "${CARGO[@]}" build --release --offline --locked --target-dir "$TOP/build/cargo"
}
(build) >"$TOP/build/report.log" 2>&1 || { cat "$TOP/build/report.log" >&2; die "report: does not build"; }
[ $# != 0 ] || exit 0
if [ "$1" = diff ]; then
	[ -e "${2:-}" ] || die "which older result? make bench-diff OLD=file"
	set -- "$1" "$(realpath "$2")" "$(realpath "${3:-$TOP/tests/bench/out/bench.csv}")" "${@:4}"
	export DAXRMAP_BIND="${DAXRMAP_BIND:-} $(dirname "$2") $(dirname "$3")"
fi
in_root "$program" "$@"
