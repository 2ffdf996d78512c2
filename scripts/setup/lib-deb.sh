# SPDX-License-Identifier: GPL-2.0
# Where the tree that builds Debian packages is in the cache. Sourced after lib.sh.

DEB_PACKAGES=$(sed 's/#.*//' "$TOP/scripts/setup/packages-deb.txt" | tr -s ' \n' ' ')
DEB_ROOT=$CACHE/deb-$(hash_of "$PIN_SUITE" "$DEB_PACKAGES")
in_deb_root() { (exec_in "$DEB_ROOT" "$@"); }

# The tree of `make test-packages`, with the older of the pinned kernels: the other is what it
# is upgraded to. Both are local files beside it.
SYSTEMD_PACKAGES=$(sed 's/#.*//' "$TOP/scripts/setup/packages-systemd.txt" | tr -s ' \n' ' ')
read -r UPGRADE_TO UPGRADE_FROM _ <<<"$PIN_KERNELS"
SYSTEMD_TREE=$CACHE/systemd-$(hash_of "$PIN_SUITE" "$SYSTEMD_PACKAGES" "$PIN_KERNELS" "$(cat "$TOP/scripts/setup/systemd-guest.sh")")
