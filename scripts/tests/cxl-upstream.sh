#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cxl-upstream.sh: Documentation/upstream's patches for drivers/cxl, tried (`make cxl-upstream`). Builds
# the debug kernel once more, from a copy of the source that has them, with CXL, and has a device say
# there what scripts/tests/cxl.sh has it say elsewhere. The first time takes some 15 minutes.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-kernel.sh"
kernel_paths

patches=("$TOP"/Documentation/upstream/*.patch)
config=$TOP/tests/cxl/upstream.config
key=$(hash_of "$KERNEL_DEBUG_CONFIG" "$config" "${patches[@]}")
patched=$CACHE/cxl-upstream-$KERNEL_VERSION-$key

# Files that are not changed are those of the source.
copy() {
	rm -rf "$patched" "$patched.tmp"
	cp -al "$KERNEL_SRC" "$patched.tmp"
	for p in "${patches[@]}"; do patch -d "$patched.tmp" -p1 --no-backup-if-mismatch -F 0 <"$p"; done
	cat "$KERNEL_DEBUG_CONFIG" "$config" >"$patched.tmp/debug-kernel.config"
	mv "$patched.tmp" "$patched"
}

lock cxl-upstream
[ -e "$patched" ] || step "the patches apply to Linux $KERNEL_VERSION" "$CACHE/log/cxl-upstream.log" copy
export DAXRMAP_KERNEL_SRC=$patched DAXRMAP_DEBUG_CONFIG=$patched/debug-kernel.config
cd "$TOP"
scripts/setup/debug-kernel.sh
scripts/build/module.sh debug --to "$TOP/build/cxl/debug" modules
CXL_KERNEL=debug CXL_MODULE=build/cxl/debug/daxrmap.ko scripts/tests/cxl.sh upstream
