#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# enter-root.sh ROOT TOP CACHE DIR COMMAND...: for in_root of lib.sh, inside
# a mount namespace of its own.
set -euo pipefail

root=$1 top=$2 cache=$3 dir=$4
shift 4

mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/tmp"
for d in "$top" "$cache" ${DAXRMAP_BIND:-}; do
	mkdir -p "$root$d"
	mount --bind "$d" "$root$d"
done
# How this machine reaches the network: cargo may fetch crates.
if [ -d /etc/ssl ]; then
	mkdir -p "$root/etc/ssl"
	mount --bind /etc/ssl "$root/etc/ssl"
fi
if [ -e /etc/resolv.conf ] && [ -e "$root/etc/resolv.conf" ]; then
	mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
fi
keep=()
for v in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY \
	SSL_CERT_FILE CARGO_HOME CARGO_HTTP_CAINFO \
	DAXRMAP_CASES DAXRMAP_SEED DAXRMAP_CRASH_STATES; do
	[ -z "${!v:-}" ] || keep+=("$v=${!v}")
done
exec chroot "$root" /usr/bin/env -i \
	HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	${keep[@]+"${keep[@]}"} \
	/bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$dir" "$@"
