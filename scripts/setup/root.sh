#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes the trixie root tree (toolchain, QEMU, guest tools) in the cache; on
# a host that is itself trixie, installs what is missing there instead.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/apt.sh"

# What the scripts themselves call on the host.
host_tools() {
	local missing=()
	command -v mmdebstrap >/dev/null || [ "$ROOT" = / ] || missing+=(mmdebstrap)
	[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
	for t in flock unshare; do
		command -v $t >/dev/null || missing+=(util-linux)
	done
	install_here ${missing[@]+"${missing[@]}"}
}

on_trixie() {
	local p missing=()
	for p in $ROOT_PACKAGES; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q ' installed$' || missing+=("$p")
	done
	install_here ${missing[@]+"${missing[@]}"}
}

mkdir -p "$CACHE/log"
lock root
host_tools
if [ "$ROOT" = / ]; then
	on_trixie
elif [ ! -e "$ROOT/.done" ]; then
	need_root "making the root tree"
	step "making the $PIN_SUITE root tree in $ROOT" "$CACHE/log/root.log" \
		apt_tree "$PIN_SUITE" "$ROOT" $ROOT_PACKAGES
fi
if [ ! -e "$KERNEL_ROOT/.done" ] && [ "$KERNEL_ROOT" != "$ROOT" ]; then
	need_root "making the root tree"
	step "making the $PIN_KERNEL_TOOLS root tree in $KERNEL_ROOT" "$CACHE/log/root-$PIN_KERNEL_TOOLS.log" \
		apt_tree "$PIN_KERNEL_TOOLS" "$KERNEL_ROOT" $KERNEL_ROOT_PACKAGES
fi
