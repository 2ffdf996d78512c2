#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# spin.sh: prints where the model checker spin is. One that is installed
# on this machine will do; else the pinned suite's is unpacked in the cache, to
# be run in the root tree, which has the libraries that it was built for. It is
# not a package of the root tree, because these are its key.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/apt.sh"

# Other programs have that name, too.
if spin -V 2>/dev/null | grep -q '^Spin Version [6-9]'; then
	command -v spin
	exit 0
fi

newest() {
	apt-cache "${APT_OPTS[@]}" madison spin |
		awk -F' *[|] *' -v suite="$PIN_SUITE/" 'index($3, suite) { print $2; exit }'
}

fetch() {
	local version dir
	apt_update
	version=$(newest)
	[ -n "$version" ] || { echo "$PIN_SUITE has no package spin"; return 1; }
	dir=$CACHE/spin-$version
	rm -rf "$dir"
	apt_unpack "$dir" "spin=$version"
	[ -x "$dir/usr/bin/spin" ] || { echo "no usr/bin/spin in the package"; return 1; }
	touch "$dir/.done"
}

unpacked() {
	local done
	for done in "$CACHE"/spin-*/.done; do
		[ ! -e "$done" ] || { echo "${done%/.done}/usr/bin/spin"; return 0; }
	done
	return 1
}

if ! unpacked; then
	# That lock, because apt's lists are the same.
	lock kernel
	unpacked >/dev/null || step "fetching spin" "$CACHE/log/spin.log" fetch
	unpacked
fi
