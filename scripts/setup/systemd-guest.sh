#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes the tree of `make test-packages`, in the cache: a machine with systemd as PID 1 and the
# older of the pinned kernels; the packages of the newer one are in its /srv/kernel.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/apt.sh"
. "$TOP/scripts/setup/lib-deb.sh"

release() { # VERSION
	local p
	for p in $(apt-cache "${APT_OPTS[@]}" pkgnames "linux-headers-${1%%-*}" | grep -E -- '-amd64$' |
		grep -vE -- '-(cloud|rt)-amd64$'); do
		! apt_has "$p" "$1" || { echo "${p#linux-headers-}"; return 0; }
	done
	return 1
}

# All binary packages of a kernel that its image, headers and source need.
kernel_packages() { # VERSION
	local r p
	r=$(release "$1") || die "the mirror has no kernel $1 any more: name another one in scripts/setup/pin.sh"
	echo "linux-image-$r linux-headers-$r linux-source-$(sed -E 's/^([0-9]+\.[0-9]+).*/\1/' <<<"$1")"
	for p in linux-base-$r linux-binary-$r linux-modules-$r linux-kbuild-${r%-amd64} linux-headers-${r%-amd64}-common; do
		! apt_has "$p" "$1" || echo "$p"
	done
}

make_tree() {
	local p new=()
	apt_update
	# shellcheck disable=SC2046
	APT_TREE_ALSO=$PIN_KERNEL_SUITE apt_tree "$PIN_SUITE" "$SYSTEMD_TREE" $SYSTEMD_PACKAGES \
		"linux-base/$PIN_KERNEL_SUITE" $(kernel_packages "$UPGRADE_FROM")
	rm "$SYSTEMD_TREE/.done"
	for p in $(kernel_packages "$UPGRADE_TO"); do new+=("$p=$UPGRADE_TO"); done
	mkdir -p "$SYSTEMD_TREE/srv/kernel"
	(cd "$SYSTEMD_TREE/srv/kernel" && apt-get "${APT_OPTS[@]}" -q download "${new[@]}")
	# Man pages count among what a purge leaves; and nothing is asked of a network.
	rm -f "$SYSTEMD_TREE"/etc/dpkg/dpkg.cfg.d/*mmdebstrap*
	: >"$SYSTEMD_TREE/etc/apt/sources.list"
	rm -rf "$SYSTEMD_TREE"/etc/apt/sources.list.d/* "$SYSTEMD_TREE"/var/lib/apt/lists/*
	touch "$SYSTEMD_TREE/.done"
}

mkdir -p "$CACHE/log"
lock systemd-guest
if [ ! -e "$SYSTEMD_TREE/.done" ]; then
	[ -n "$UPGRADE_FROM" ] || die "pin.sh names one kernel only: nothing to upgrade from"
	need_root "making the tree of a guest"
	command -v mmdebstrap >/dev/null || install_here mmdebstrap
	step "making the $PIN_SUITE tree with systemd, $SYSTEMD_TREE" "$CACHE/log/systemd-guest.log" make_tree
fi
