#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds the debug kernel (scripts/setup/debug-kernel.config) from the source of the
# pinned kernel, with clang, into the cache. About 10 minutes on two cores.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-kernel.sh"
kernel_paths

# An option that the fragment asks for and kconfig dropped is a checker that
# would silently be missing.
check_config() {
	local line missing=0
	while read -r line; do
		case $line in
		'#'* | '') continue ;;
		*=n) ! grep -q "^${line%=n}=" "$KERNEL_DEBUG/.config" || { echo "set: $line"; missing=1; } ;;
		*) grep -qxF "$line" "$KERNEL_DEBUG/.config" || { echo "dropped: $line"; missing=1; } ;;
		esac
	done <"$KERNEL_DEBUG_CONFIG"
	return $missing
}

# in_root makes the clone visible, whose configuration file this reads. What it says is
# a part of the cache key (lib-kernel.sh): change it and the kernel is built anew.
build() {
	local args=(-C "$KERNEL_SRC" "O=$KERNEL_DEBUG" LLVM=-19 LOCALVERSION=-daxrmap-debug)
	rm -rf "$KERNEL_DEBUG"
	mkdir -p "$KERNEL_DEBUG"
	cp "$KERNEL_DEBUG_CONFIG" "$KERNEL_DEBUG/allconfig"
	in_root make "${args[@]}" KCONFIG_ALLCONFIG="$KERNEL_DEBUG/allconfig" allnoconfig
	check_config
	in_root make "${args[@]}" -j"$(nproc)" bzImage modules
	touch "$KERNEL_DEBUG/.done"
}

lock debug-kernel
[ -e "$KERNEL_DEBUG/.done" ] ||
	step "building the debug kernel (some 10 minutes)" "$CACHE/log/debug-kernel.log" build
