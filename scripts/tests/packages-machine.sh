#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# packages-machine.sh: `make test-packages`. A machine with systemd, in QEMU on virtio-pmem, installs
# the packages, makes a filesystem, mounts it by uuid at boot, has pages fail below it, ext4 and XFS while the
# monitor and the guard watch, and purges them (packaging/tests/guest.sh). Then its root image is entered on this
# machine, where compilers take minutes and not hours: DKMS builds for the kernel that it has and, when that is
# upgraded, for the new one, with which the guest then boots and mounts what the old one has written. The last line
# is "RESULT passed failed skipped".
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-deb.sh"

dir=$TOP/build/packages
. "$TOP/scripts/tests/lib-machine.sh"

enter() { (exec_in "$root" env DEBIAN_FRONTEND=noninteractive "$@"); }

# In the image: as an administrator would, but at this machine's speed.
has_module() { enter modinfo -k "$1" -F filename daxrmap | grep -q /updates/dkms/; }
# installs FILE...: patterns are looked for in the image.
installs() { enter sh -c "apt-get -q install -y --no-install-recommends $*" >>"$dir/chroot.log" 2>&1 || { tail -n 30 "$dir/chroot.log"; return 1; }; }
# Whether the key of this machine has signed it, which DKMS has made.
signed() {
	local key
	key=$(enter openssl x509 -inform DER -in /var/lib/dkms/mok.pub -noout -serial | sed 's/^serial=//')
	[ -n "$key" ] && [ "$(enter modinfo -k "$1" -F sig_key daxrmap | tr -d :)" = "$key" ] &&
		[ -n "$(enter modinfo -k "$1" -F signer daxrmap)" ]
}
has_nothing() { # INITRAMFS
	local has
	has=$(enter lsinitramfs "$1") && [ -n "$has" ] && ! grep daxrmap <<<"$has"
}
has_it() { # RELEASE: with a line for /usr in fstab
	local has f
	echo "LABEL=usr /usr daxrmap defaults 0 0" >>"$root/etc/fstab"
	enter mkinitramfs -o /test/initrd "$1" >>"$dir/chroot.log" 2>&1 || return 1
	sed -i '/^LABEL=usr/d' "$root/etc/fstab"
	has=$(enter lsinitramfs /test/initrd)
	for f in updates/dkms/daxrmap.ko sbin/daxrmap 61-daxrmap.rules; do
		grep -qF "/$f" <<<"$has" || { echo "without $f: $has"; return 1; }
	done
}
files() { (cd "$root" && find . -xdev -path ./test -prune -o -path ./run -prune -o -path ./var/tmp -prune -o -path ./var/log -prune -o -path ./var/lib/dpkg -prune -o -path ./var/lib/apt -prune -o -path ./var/cache -prune -o -print | sort); }
by_dkms() {
	mount_image
	: >"$dir/chroot.log"
	mkdir -p "$root/test/dkms"
	rm -f "$root"/test/debs/*
	cp build/deb/daxrmap-{tools,dkms}_*.deb "$root/test/dkms/"
	printf '%s\n' "UUID=$(cat "$root/test/uuid") /db daxrmap x-systemd.device-timeout=60s 0 0" >>"$root/etc/fstab"
	mkdir -p "$root/db"
	enter true # makes the places that are bound in there
	files >"$dir/before"
	check "apt install of daxrmap-dkms, $from" installs "/test/dkms/*.deb"
	check "DKMS has built it for $from" has_module "$from"
	check "its signature is by DKMS's key, $from" signed "$from"
	check "the kernel is upgraded to $to" installs "/srv/kernel/*.deb"
	check "DKMS has built it anew for $to" has_module "$to"
	check "its signature is by DKMS's key, $to" signed "$to"
	check "its initramfs has nothing of it" has_nothing "/boot/initrd.img-$to"
	check "an initramfs has what a /usr on it needs" has_it "$to"
	check "DKMS has left no kernel tree behind" sh -c '! find "$1/var/lib/dkms" -name Kconfig | grep -q .' sh "$root"
	cp "$root/boot/initrd.img-$to" "$dir/initrd-$to"
	umount "$root"
}
left() {
	files >"$dir/after"
	! diff "$dir/before" "$dir/after" | grep -vF "$to" | grep -vF "${to%-amd64}" | grep -E '^[<>]' |
		grep -vE 'linux-source-|/boot|/var/lib/dkms/mok\.|^. \./(vmlinuz|initrd)' || return 1
	! grep -l daxrmap "$root"/usr/lib/modules/*/modules.{dep,alias} || return 1
	# Where this machine's own are bound while it is entered, is not the packages'.
	! grep -i daxrmap "$dir/after" | grep -vF -e ".$CACHE" -e ".$TOP"
}
purge_dkms() {
	mount_image
	check "apt purge with daxrmap-dkms" sh -c 'exec >>"$1" 2>&1; shift; "$@"' sh "$dir/chroot.log" \
		chroot "$root" apt-get -q purge -y daxrmap-dkms daxrmap-tools
	check "purge leaves nothing of it, on $from and $to" left
	umount "$root"
}

get_ready
from=$(release "$UPGRADE_FROM")
to=$(release "$UPGRADE_TO")
rm -f "$dir/pmem"
truncate -s 512M "$dir/pmem"
step "making the image of a machine" "$dir/image.log" make_image "$from" daxrmap-guest
virtio=(--pmem 0 --virtio-pmem "$dir/pmem")
boot install "$UPGRADE_FROM" "$from" "${virtio[@]}"
boot reboot "$UPGRADE_FROM" "$from" "${virtio[@]}"
boot watched "$UPGRADE_FROM" "$from" "${virtio[@]}" --pmem 2
boot purge "$UPGRADE_FROM" "$from" "${virtio[@]}"
if [ $failed = 0 ]; then
	say "DKMS, on this machine: some minutes for each kernel"
	by_dkms
	boot reboot "$UPGRADE_TO" "$to" "${virtio[@]}"
	purge_dkms
fi
echo "RESULT $passed $failed 0"
[ $failed = 0 ]
