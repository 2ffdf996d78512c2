#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes the tree that builds Debian packages, and looks at them, in the cache: packages-deb.txt.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/apt.sh"
. "$TOP/scripts/setup/lib-deb.sh"

mkdir -p "$CACHE/log"
lock deb-root
if [ ! -e "$DEB_ROOT/.done" ]; then
	need_root "making the tree for Debian packages"
	command -v mmdebstrap >/dev/null || install_here mmdebstrap
	step "making the $PIN_SUITE tree for Debian packages, $DEB_ROOT" "$CACHE/log/deb-root.log" \
		apt_tree "$PIN_SUITE" "$DEB_ROOT" $DEB_PACKAGES
fi
