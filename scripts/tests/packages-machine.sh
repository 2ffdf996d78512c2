#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# packages-machine.sh: `make test-packages`. A machine with systemd, in QEMU on virtio-pmem, installs
# the packages, makes a filesystem, mounts it by uuid at boot, and purges them (packaging/tests/guest.sh).
# Then its root image is entered on this machine, where compilers take minutes and not hours: DKMS builds
# for the kernel that it has and, when that is upgraded, for the new one, with which the guest then boots and
# mounts what the old one has written. The last line is "RESULT passed failed skipped".
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-deb.sh"

dir=$TOP/build/packages
image=$dir/root.img
root=$dir/mnt
passed=0 failed=0

unmount() { ! mountpoint -q "$root" || umount "$root"; }
trap unmount EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

count() { # LOG: prints and counts what it has
	local lines
	lines=$(tr -d '\r' <"$1" | grep -aoE '\b(not )?ok [a-zA-Z].*$' || true)
	[ -z "$lines" ] || printf '%s\n' "$lines"
	passed=$((passed + $(grep -c '^ok' <<<"$lines" || true)))
	failed=$((failed + $(grep -c '^not ok' <<<"$lines" || true)))
}
check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@"; then echo "ok $name"; passed=$((passed + 1)); else echo "not ok $name"; failed=$((failed + 1)); fi
}
enter() { (exec_in "$root" env DEBIAN_FRONTEND=noninteractive "$@"); }
mount_image() { mkdir -p "$root" && mount -o loop "$image" "$root"; }
release() { DAXRMAP_KERNEL=$1 bash -c '. scripts/lib.sh; . scripts/setup/lib-kernel.sh; kernel_paths; echo "$KERNEL_RELEASE"'; }

# The tree as an image, with /test in it.
make_image() {
	local layer=$dir/layer
	umount "$dir/tree" 2>/dev/null || true
	rm -rf "$layer" "$dir/work"
	mkdir -p "$layer/test/debs" "$layer/etc/systemd/system/multi-user.target.wants" "$dir/tree" "$dir/work"
	cp build/deb/daxrmap-tools_*.deb build/deb/daxrmap-modules-"$from"_*.deb "$layer/test/debs/"
	cp packaging/tests/guest.sh "$layer/test/"
	cp packaging/tests/daxrmap-test.service "$layer/etc/systemd/system/"
	ln -s ../daxrmap-test.service "$layer/etc/systemd/system/multi-user.target.wants/"
	echo "/dev/vda / ext4 defaults 0 1" >"$layer/etc/fstab"
	# An initramfs with all drivers takes the guest minutes to make.
	mkdir -p "$layer/etc/initramfs-tools/conf.d"
	echo MODULES=list >"$layer/etc/initramfs-tools/conf.d/few"
	printf '%s\n' virtio_pci virtio_blk ext4 >"$layer/etc/initramfs-tools/modules"
	echo daxrmap-guest >"$layer/etc/hostname"
	mount -t overlay overlay -o "lowerdir=$SYSTEMD_TREE,upperdir=$layer,workdir=$dir/work" "$dir/tree"
	rm -f "$image"
	DAXRMAP_BIND=$dir/tree in_root mke2fs -q -t ext4 -m 0 -d "$dir/tree" "$image" 8G || { umount "$dir/tree"; return 1; }
	umount "$dir/tree"
	cp "$SYSTEMD_TREE/boot/initrd.img-$from" "$dir/initrd-$from"
	rm -f "$dir/pmem"
	truncate -s 512M "$dir/pmem"
}

boot() { # STEP VERSION RELEASE
	local log=$TOP/build/logs/console-packages-$1.log rc=0
	mount_image || return 1
	echo "$1" >"$root/test/step"
	umount "$root"
	say "booting: $1 on $3"
	DAXRMAP_KERNEL=$2 scripts/guest/run-qemu.sh --kernel stock --initrd "$dir/initrd-$3" --log "$log" --pmem 0 \
		--virtio-pmem "$dir/pmem" --timeout 900 --append "root=/dev/vda rw systemd.show_status=1" -- \
		-drive "file=$image,format=raw,if=none,id=root,cache=unsafe" -device virtio-blk-pci,drive=root || rc=$?
	count "$log"
	check "the machine's end: $1" [ $rc = 0 ]
}

# In the image: as an administrator would, but at this machine's speed.
has_module() { enter modinfo -k "$1" -F filename daxrmap | grep -q /updates/dkms/; }
installs() { enter sh -c 'apt-get -q install -y --no-install-recommends "$@"' sh "$@" >>"$dir/chroot.log" 2>&1 || { tail -n 30 "$dir/chroot.log"; return 1; }; }
files() { (cd "$root" && find . -xdev -path ./test -prune -o -path ./var/log -prune -o -path ./var/lib/dpkg -prune -o -path ./var/lib/apt -prune -o -path ./var/cache -prune -o -print | sort); }
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
	check "apt install of daxrmap-dkms, $from" installs /test/dkms/daxrmap-tools_*.deb /test/dkms/daxrmap-dkms_*.deb
	check "DKMS has built it for $from" has_module "$from"
	check "the kernel is upgraded to $to" installs /srv/kernel/*.deb
	check "DKMS has built it anew for $to" has_module "$to"
	check "DKMS has left no kernel tree behind" sh -c '! find "$1/var/lib/dkms" -name Kconfig | grep -q .' sh "$root"
	cp "$root/boot/initrd.img-$to" "$dir/initrd-$to"
	umount "$root"
}
left() {
	files >"$dir/after"
	! diff "$dir/before" "$dir/after" | grep -vF "$to" | grep -vF "${to%-amd64}" | grep -E '^[<>]' |
		grep -vE 'linux-source-|/boot|/var/lib/dkms/mok\.|^. \./(vmlinuz|initrd)' || return 1
	! grep -l daxrmap "$root"/usr/lib/modules/*/modules.{dep,alias} || return 1
	! grep -i daxrmap "$dir/after" | grep -v daxrmap-test
}
purge_dkms() {
	mount_image
	check "apt purge with daxrmap-dkms" sh -c 'exec >>"$1" 2>&1; shift; "$@"' sh "$dir/chroot.log" \
		chroot "$root" apt-get -q purge -y daxrmap-dkms daxrmap-tools
	check "purge leaves nothing of it, on $from and $to" left
	umount "$root"
}

need_root "a loop mount"
cd "$TOP"
mkdir -p "$dir" build/logs
unmount
scripts/build/deb.sh
scripts/setup/systemd-guest.sh
from=$(release "$UPGRADE_FROM")
to=$(release "$UPGRADE_TO")
step "making the image of a machine" "$dir/image.log" make_image
boot install "$UPGRADE_FROM" "$from"
boot reboot "$UPGRADE_FROM" "$from"
boot purge "$UPGRADE_FROM" "$from"
if [ $failed = 0 ]; then
	say "DKMS, on this machine: some minutes for each kernel"
	by_dkms
	boot reboot "$UPGRADE_TO" "$to"
	purge_dkms
fi
echo "RESULT $passed $failed 0"
[ $failed = 0 ]
