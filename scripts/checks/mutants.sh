#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# mutants.sh: each patch of tests/mutants fits the source as it is, and names tests that there are. Whether the tests
# notice it is `make mutants`, which takes hours; a patch that does not fit is no test until then.
. "$(dirname "$0")/../lib.sh"
cd "$TOP"

bad=0
wrong() { echo "$1: $2"; bad=1; }
for mutant in tests/mutants/*.patch; do
	git apply --check "$mutant" 2>/dev/null || wrong "$mutant" "does not fit: make it anew"
	tests=$(sed -n 's/^Tests: //p' "$mutant")
	[ -n "$tests" ] || wrong "$mutant" "has no line 'Tests: ...'"
	for t in $tests; do
		case $t in
		power-cut | power-cut-virtio | mce) continue ;;
		esac
		[ -d "tests/$t" ] || [ -n "$(find tests -name "$t.c")" ] || wrong "$mutant" "names a test that there is not: $t"
	done
done
exit $bad
