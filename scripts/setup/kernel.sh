#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes the stock kernel that pin.sh names usable for out-of-tree Rust modules, in the
# cache: the distribution's image and modules, its source, and a prepared
# build tree with the Rust metadata that the headers package lacks. Same
# source, same config, same rustc: the Rust symbols come out the same, and the
# module loads into the unmodified distribution kernel.
#
# `kernel.sh` makes what is missing; lib-kernel.sh finds it again.
# `kernel.sh --list` prints the newest version of each series that the mirror has.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/apt.sh"
. "$TOP/scripts/setup/lib-kernel.sh"

# 7.3.4-1~bpo13+1 -> 7.3
series_of() { sed -E 's/^([0-9]+\.[0-9]+).*/\1/' <<<"$1"; }

# What `uname -r` says with this version: as the headers' package is called.
# 7.3.4-1~bpo13+1 -> 7.3.4+deb13-amd64, 7.3~rc7-1~exp1 -> 7.3-amd64
release_of() { # VERSION
	local p upstream=${1%%-*}
	upstream=${upstream%%\~*}
	for p in $(apt-cache "${APT_OPTS[@]}" pkgnames "linux-headers-$upstream" |
		grep -E -- '-amd64$' | grep -vE -- '-(cloud|rt)-amd64$'); do
		if apt_has "$p" "$1"; then
			echo "${p#linux-headers-}"
			return 0
		fi
	done
	return 1
}

# The image package is split in newer kernels: it depends on the binary and
# the modules, which older ones contain.
packages_of() { # VERSION RELEASE
	local p
	echo "linux-image-$2=$1 linux-headers-$2=$1 linux-source-$(series_of "$1")=$1"
	for p in binary modules; do
		! apt_has "linux-$p-$2" "$1" || echo "linux-$p-$2=$1"
	done
}

# Prints VERSION RELEASE if the mirror has all of that version.
available() { # VERSION
	local p release
	release=$(release_of "$1") || return 1
	for p in $(packages_of "$1" "$release"); do
		apt_has "${p%%=*}" "${p#*=}" || return 1
	done
	echo "$1 $release"
}

# All versions that the suite has a source package of, the newest first.
versions() {
	apt-cache "${APT_OPTS[@]}" pkgnames linux-source- | grep -E '^linux-source-[0-9]+\.[0-9]+$' |
		xargs -r apt-cache "${APT_OPTS[@]}" madison |
		awk -F' *[|] *' -v suite="$PIN_KERNEL_SUITE/" 'index($3, suite) { print $2 }' | sort -rV
}

# The first that is named and that there is, else the newest.
choose() {
	local v
	step "asking the mirror which kernels $PIN_KERNEL_SUITE has" "$CACHE/log/apt-update.log" apt_update
	for v in ${DAXRMAP_KERNEL:-$PIN_KERNELS $(versions)}; do
		available "$v" >"$KERNEL_CHOICE.tmp" || continue
		mv "$KERNEL_CHOICE.tmp" "$KERNEL_CHOICE"
		return 0
	done
	rm -f "$KERNEL_CHOICE.tmp"
	die "$PIN_KERNEL_SUITE has no kernel ${DAXRMAP_KERNEL:-at all} with image, headers and source"
}

# What was made before carries on: the source by version, the rest by root
# tree too.
fetch() {
	rm -rf "$KERNEL_DIR"
	mkdir -p "$KERNEL_DIR"
	# shellcheck disable=SC2046
	apt_unpack "$KERNEL_DIR/pkg" $(packages_of "$KERNEL_VERSION" "$KERNEL_RELEASE")
	mkdir "$KERNEL_SRC"
	tar -C "$KERNEL_SRC" --strip-components=1 -xJf "$KERNEL_DIR"/pkg/usr/src/linux-source-*.tar.xz
	rm -f "$KERNEL_DIR"/pkg/usr/src/linux-source-*.tar.xz
	kernel_paths # once more: where the image is, is known only now
	[ -e "$KERNEL_IMAGE" ] || { echo "no kernel image in the packages"; return 1; }
	touch "$KERNEL_DIR/.done"
}

prepare() {
	local made
	rm -rf "$KERNEL_STOCK"
	mkdir -p "$KERNEL_STOCK"
	cp "$KERNEL_HEADERS/.config" "$KERNEL_HEADERS/Module.symvers" "$KERNEL_STOCK/"
	in_kernel_root make -C "$KERNEL_SRC" O="$KERNEL_STOCK" -j"$(nproc)" \
		CC="$(kernel_cc)" KERNELRELEASE="$KERNEL_RELEASE" olddefconfig modules_prepare
	cp "$KERNEL_HEADERS/Module.symvers" "$KERNEL_STOCK/"
	made=$(cat "$KERNEL_STOCK/include/config/kernel.release")
	[ "$made" = "$KERNEL_RELEASE" ] ||
		{ echo "prepared $made, wanted $KERNEL_RELEASE"; return 1; }
	[ -e "$KERNEL_STOCK/rust/libkernel.rmeta" ] ||
		{ echo "no Rust metadata came out of modules_prepare"; return 1; }
	touch "$KERNEL_STOCK/.done"
}

lock kernel
if [ "${1:-}" = --list ]; then
	step "asking the mirror which kernels $PIN_KERNEL_SUITE has" "$CACHE/log/apt-update.log" apt_update
	while read -r version; do echo "$(series_of "$version") $version"; done < <(versions) |
		awk '!seen[$1]++ { print $2 }'
	exit 0
fi
[ -e "$KERNEL_CHOICE" ] || choose
kernel_paths
[ -e "$KERNEL_DIR/.done" ] || {
	[ -e "$APT_DIR/sources.list" ] || choose
	step "fetching kernel $KERNEL_VERSION and its source" "$CACHE/log/kernel-fetch.log" fetch
	kernel_paths
}
kernel_is_tested ||
	say "kernel $KERNEL_VERSION is none of those that this was tested with (${PIN_KERNELS:-none of $PIN_KERNEL_SUITE}): trying it"
[ -e "$KERNEL_STOCK/.done" ] ||
	step "preparing kernel $KERNEL_RELEASE with Rust metadata" "$CACHE/log/kernel-prepare.log" prepare
