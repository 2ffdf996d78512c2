#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# c.sh w1|sparse: compiles the C helpers anew with more warnings, or has
# sparse look at them. Any warning is a failure.
. "$(dirname "$0")/../lib.sh"

case ${1:-} in
w1) args=(W=1) ;;
# This sparse is older than the kernel's use of __typeof_unqual__, for which
# alone kbuild would refuse it.
sparse) args=(C=2 "CHECK=sparse -D__typeof_unqual__=__typeof__") ;;
*) die "usage: c.sh w1|sparse" ;;
esac
cd "$TOP"
mkdir -p build
objects=()
for f in src/helpers/*.c; do objects+=("${f%.c}.o"); done
# From nothing: what is compiled already is not warned of again.
rm -rf "build/check-$1"
out=$(mktemp "$TOP/build/check.XXXXXX")
trap 'rm -f "$out"' EXIT
scripts/build/module.sh stock --to "$TOP/build/check-$1" "${args[@]}" "${objects[@]}" 2>&1 | tee "$out"
# kbuild goes on without a checker that it finds wanting.
! grep -qE '(warning|error):|is not available or not up to date' "$out"
