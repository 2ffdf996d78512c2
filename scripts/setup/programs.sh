#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes a disk for the guest, in the cache: a root tree with the public programs of
# packages-programs.txt, as an ext4 image. scripts/tests/programs.sh gives it to QEMU, read-only.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/apt.sh"
. "$TOP/scripts/setup/lib-programs.sh"

# Only the image is kept. It is larger than its contents, and sparse.
make_image() {
	apt_tree "$PIN_SUITE" "$PROGRAMS.tree" $PROGRAMS_PACKAGES
	rm -f "$PROGRAMS.tmp"
	in_root mke2fs -q -t ext4 -m 0 -O ^has_journal -d "$PROGRAMS.tree" "$PROGRAMS.tmp" 4G
	rm -rf "$PROGRAMS.tree"
	mv "$PROGRAMS.tmp" "$PROGRAMS"
}

lock programs
if [ ! -e "$PROGRAMS" ]; then
	need_root "making the programs' tree"
	command -v mmdebstrap >/dev/null || install_here mmdebstrap
	step "making the $PIN_SUITE tree of programs, $PROGRAMS" "$CACHE/log/programs.log" make_image
fi
