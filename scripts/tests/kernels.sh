#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernels.sh: builds the module for, and runs the self tests on, each series of
# kernel that the mirror has in these suites, built with the suite's own rustc.
# Some 10 minutes each. Ends with a table; testing.rst has the last one.
#
#   SUITES="a b"    only these (trixie-backports sid experimental)
#   TESTS="a b"     only these self tests
. "$(dirname "$0")/../lib.sh"

out=$TOP/build/kernels
mkdir -p "$out"
: >"$out/table"
bad=0

row() { # SUITE VERSION WHAT...
	local suite=$1 version=$2
	shift 2
	printf '%-17s %-18s %s\n' "$suite" "$version" "$*" | tee -a "$out/table"
}

# The compilers that built it, as its configuration says.
compilers() {
	# shellcheck disable=SC2016
	DAXRMAP_SUITE=$1 DAXRMAP_KERNEL=$2 bash -c '
		. "$1/scripts/lib.sh"; . "$1/scripts/setup/lib-kernel.sh"; kernel_paths
		sed -nE "s/^CONFIG_(RUSTC|CC)_VERSION_TEXT=\"([^ ]*)( .*)?[( ]([0-9]+\.[0-9.]+).*/\2 \4/p" \
			"$KERNEL_HEADERS/.config" | tr "\n" " "' sh "$TOP"
}

try() { # SUITE VERSION
	local log=$out/$1-$2.log result
	export DAXRMAP_SUITE=$1 DAXRMAP_KERNEL=$2
	say "$1: kernel $2, log: $log"
	if ! { "$TOP/scripts/setup/root.sh" && "$TOP/scripts/setup/kernel.sh"; } >"$log" 2>&1; then
		row "$1" "$2" "not set up: $(grep '^daxrmap: ' "$log" | tail -n 1)"
		return 1
	fi
	if "$TOP/scripts/tests/selftests.sh" stock >>"$log" 2>&1; then rc=0; else rc=1; fi
	result=$(sed -n 's/^RESULT \(.*\) \(.*\) \(.*\)/\1 passed, \2 failed, \3 skipped/p' "$log" | tail -n 1)
	row "$1" "$2" "${result:-does not build: $(grep '^daxrmap: ' "$log" | tail -n 1)}; $(compilers "$1" "$2")" \
		"$(grep -c '^warning' "$log" || true) warnings"
	return $rc
}

for suite in ${SUITES:-trixie-backports sid experimental}; do
	versions=$(DAXRMAP_SUITE=$suite "$TOP/scripts/setup/kernel.sh" --list)
	[ -n "$versions" ] || row "$suite" - "has no kernel with its source"
	for version in $versions; do (try "$suite" "$version") || bad=1; done
done
say "all of them:"
cat "$out/table"
exit $bad
