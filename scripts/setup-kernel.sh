#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes the pinned stock kernel usable for out-of-tree Rust modules, in the
# cache: the distribution's image and modules, its source, and a prepared
# build tree with the Rust metadata that the headers package lacks. Same
# source, same config, same rustc: the Rust symbols come out the same, and the
# module loads into the unmodified distribution kernel.
#
# `setup-kernel.sh` makes what is missing; lib-kernel.sh finds it again.
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/apt.sh"
. "$TOP/scripts/lib-kernel.sh"

# The image package is split in newer kernels: it depends on the binary and
# the modules, which older ones contain.
packages_of() { # VERSION RELEASE SERIES
	local p
	echo "linux-image-$2=$1 linux-headers-$2=$1 linux-source-$3=$1"
	for p in binary modules; do
		! apt_has "linux-$p-$2" "$1" || echo "linux-$p-$2=$1"
	done
}

available() { # VERSION RELEASE SERIES
	local p
	for p in $(packages_of "$@"); do
		apt_has "${p%%=*}" "${p#*=}" || return 1
	done
}

# The newest kernel of the suite that has all three packages: of the pinned
# series if there is one, else of any. Prints VERSION RELEASE SERIES.
newest() {
	local found version release series
	found=$(apt-cache "${APT_OPTS[@]}" pkgnames linux-source- |
		grep -E '^linux-source-[0-9]+\.[0-9]+$' |
		xargs -r apt-cache "${APT_OPTS[@]}" madison |
		awk -F' *[|] *' -v suite="$PIN_KERNEL_SUITE/" \
			'index($3, suite) { sub(/^ *linux-source-/, "", $1); print $2, $1 }' | sort -rV)
	for series in "$PIN_KERNEL_SERIES" '[0-9.]*'; do
		while read -r version s; do
			# shellcheck disable=SC2254
			case $s in $series) ;; *) continue ;; esac
			# 7.2.12-1~bpo13+1 -> 7.2.12+deb13-amd64
			release="${version%%-*}+deb13-amd64"
			if available "$version" "$release" "$s"; then
				echo "$version $release $s"
				return 0
			fi
		done <<<"$found"
	done
	return 1
}

choose() {
	step "asking the mirror which kernels it has" "$CACHE/log/apt-update.log" apt_update
	if available "$PIN_KERNEL_VERSION" "$PIN_KERNEL_RELEASE" "$PIN_KERNEL_SERIES"; then
		echo "$PIN_KERNEL_VERSION $PIN_KERNEL_RELEASE $PIN_KERNEL_SERIES" >"$KERNEL_CHOICE.tmp"
	else
		newest >"$KERNEL_CHOICE.tmp" ||
			die "kernel $PIN_KERNEL_VERSION is gone from the mirror, and $PIN_KERNEL_SUITE has no other"
	fi
	mv "$KERNEL_CHOICE.tmp" "$KERNEL_CHOICE"
}

# What was made before carries on: the source by version, the rest by root
# tree too.
fetch() {
	rm -rf "$KERNEL_DIR"
	mkdir -p "$KERNEL_DIR"
	# shellcheck disable=SC2046
	apt_unpack "$KERNEL_DIR/pkg" $(packages_of "$KERNEL_VERSION" "$KERNEL_RELEASE" "$KERNEL_SERIES")
	mkdir "$KERNEL_SRC"
	tar -C "$KERNEL_SRC" --strip-components=1 -xJf "$KERNEL_DIR"/pkg/usr/src/linux-source-*.tar.xz
	rm -f "$KERNEL_DIR"/pkg/usr/src/linux-source-*.tar.xz
	kernel_paths # once more: where the image is, is known only now
	[ -e "$KERNEL_IMAGE" ] || { echo "no kernel image in the packages"; return 1; }
	touch "$KERNEL_DIR/.done"
}

prepare() {
	local headers=$KERNEL_DIR/pkg/usr/src/linux-headers-$KERNEL_RELEASE
	rm -rf "$KERNEL_STOCK"
	mkdir -p "$KERNEL_STOCK"
	cp "$headers/.config" "$headers/Module.symvers" "$KERNEL_STOCK/"
	in_root make -C "$KERNEL_SRC" O="$KERNEL_STOCK" -j"$(nproc)" \
		CC=x86_64-linux-gnu-gcc-14 LOCALVERSION="${KERNEL_RELEASE#"${KERNEL_VERSION%%-*}"}" \
		olddefconfig modules_prepare
	cp "$headers/Module.symvers" "$KERNEL_STOCK/"
	local made
	made=$(cat "$KERNEL_STOCK/include/config/kernel.release")
	[ "$made" = "$KERNEL_RELEASE" ] ||
		{ echo "prepared $made, wanted $KERNEL_RELEASE"; return 1; }
	[ -e "$KERNEL_STOCK/rust/libkernel.rmeta" ] ||
		{ echo "no Rust metadata came out of modules_prepare"; return 1; }
	touch "$KERNEL_STOCK/.done"
}

lock kernel
[ -e "$KERNEL_CHOICE" ] || choose
kernel_paths
[ -e "$KERNEL_DIR/.done" ] || {
	[ -e "$APT_DIR/sources.list" ] || choose
	step "fetching kernel $KERNEL_VERSION and its source" "$CACHE/log/kernel-fetch.log" fetch
	kernel_paths
}
[ -e "$KERNEL_STOCK/.done" ] ||
	step "preparing kernel $KERNEL_RELEASE with Rust metadata" "$CACHE/log/kernel-prepare.log" prepare
