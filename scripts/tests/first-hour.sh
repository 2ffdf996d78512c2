#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# first-hour.sh: `make first-hour`. A machine with systemd in QEMU installs the packages, and runs what an
# administrator types in a first hour (packaging/tests/first-hour.sh): the page that it has
# written is Documentation/first-hour.rst, if all went as told there. The last line is "RESULT passed failed skipped".
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-deb.sh"

dir=$TOP/build/first-hour
. "$TOP/scripts/tests/lib-machine.sh"

# Names of this machine have no place in it.
take_page() {
	local page=$root/test/first-hour.rst
	mount_image
	! grep -F -e "$TOP" -e "$CACHE" -e "$(hostname)" "$page" || return 1
	# No spaces at the ends of lines, and one empty line at most.
	sed 's/[[:space:]]*$//' "$page" | cat -s >Documentation/first-hour.rst
	umount "$root"
}

get_ready
release=$(release "$UPGRADE_FROM")
step "making the image of a machine" "$dir/image.log" make_image "$release" db1
boot first-hour "$UPGRADE_FROM" "$release" --pmem 2 --pmem-size 128
[ $failed != 0 ] || check "the page is taken" take_page
echo "RESULT $passed $failed 0"
[ $failed = 0 ]
