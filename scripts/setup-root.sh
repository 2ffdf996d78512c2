#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes the trixie root tree (toolchain, QEMU, guest tools) in the cache; on
# a host that is itself trixie, installs what is missing there instead.
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/apt.sh"

# install_here [PACKAGE]...: on the host itself.
install_here() {
	[ $# -gt 0 ] || return 0
	need_root "installing $*"
	step "installing on the host: $*" "$CACHE/log/host-packages.log" \
		env DEBIAN_FRONTEND=noninteractive sh -c \
		'apt-get -q update && apt-get -q install -y --no-install-recommends "$@"' sh "$@"
}

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

make_tree() {
	local conf
	rm -rf "$ROOT"
	mkdir -p "$ROOT"
	# How this host reaches its mirror: proxies, certificates, credentials.
	conf=$(mktemp)
	{
		apt-config dump | grep -E '^Acquire::' |
			grep -vE '^Acquire::(IndexTargets|Languages|CompressionTypes|Changelogs)' || true
		apt-config shell netrc Dir::Etc::netrc/f | sed "s/^netrc='\(.*\)'/Dir::Etc::netrc \"\1\";/"
		apt-config shell parts Dir::Etc::netrcparts/d | sed "s/^parts='\(.*\)'/Dir::Etc::netrcparts \"\1\";/"
		printf 'APT::Sandbox::User "root";\nAcquire::Retries "3";\n'
	} >"$conf"
	apt_line "$PIN_SUITE" | mmdebstrap --mode=root --variant=essential \
		--include="$(echo $ROOT_PACKAGES | tr ' ' ',')" \
		--aptopt="$conf" --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$PIN_SUITE" "$ROOT" -
	rm -f "$conf"
	# mmdebstrap leaves the options behind; they may hold credentials.
	rm -f "$ROOT"/etc/apt/apt.conf.d/99mmdebstrap
	touch "$ROOT/.done"
}

mkdir -p "$CACHE/log"
lock root
host_tools
if [ "$ROOT" = / ]; then
	on_trixie
elif [ ! -e "$ROOT/.done" ]; then
	need_root "making the root tree"
	step "making the $PIN_SUITE root tree in $ROOT" "$CACHE/log/root.log" make_tree
fi
