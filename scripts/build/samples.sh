#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# samples.sh stock|debug: builds the modules of samples/ and tests/modules/ into
# build/KERNEL/samples and build/KERNEL/test-modules, as somebody else does who links with daxrmap.ko's
# symbols. That has been built before.
. "$(dirname "$0")/../lib.sh"

symbols=$TOP/build/$1/Module.symvers
grep -q daxrmap_register "$symbols" 2>/dev/null ||
	die "there is no daxrmap.ko to link with: run 'make' (or 'make module-debug')"
build() { # FROM TO
	"$TOP/scripts/build/module.sh" "$kernel" --of "$1" --to "$TOP/build/$kernel/$2" \
		"KBUILD_EXTRA_SYMBOLS=$symbols" modules
}
kernel=$1
build samples samples
build tests/modules test-modules
