# SPDX-License-Identifier: GPL-2.0
# A machine with systemd in QEMU, which packages are installed in: its image, its boots, and what it says. Sourced
# after lib.sh and lib-deb.sh by packages-machine.sh and first-hour.sh, which name the directory $dir.
# packaging/tests has what runs in there; /test of the image has it, the packages, and the name of the step.

image=$dir/root.img
root=$dir/mnt
passed=0 failed=0

unmount() { ! mountpoint -q "$root" || umount "$root"; }
trap unmount EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# What a machine is made of.
get_ready() {
	need_root "a loop mount"
	cd "$TOP"
	mkdir -p "$dir" build/logs
	unmount
	scripts/build/deb.sh
	scripts/setup/systemd-guest.sh
}

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
mount_image() { mkdir -p "$root" && mount -o loop "$image" "$root"; }
release() { DAXRMAP_KERNEL=$1 bash -c '. scripts/lib.sh; . scripts/setup/lib-kernel.sh; kernel_paths; echo "$KERNEL_RELEASE"'; }

# The tree of systemd-guest.sh as an image, with a name, and with the tools and the modules of a kernel as packages.
make_image() { # RELEASE HOSTNAME
	local layer=$dir/layer
	umount "$dir/tree" 2>/dev/null || true
	rm -rf "$layer" "$dir/work"
	mkdir -p "$layer/test/debs" "$layer/etc/systemd/system/multi-user.target.wants" "$dir/tree" "$dir/work"
	cp build/deb/daxrmap-tools_*.deb build/deb/daxrmap-modules-"$1"_*.deb "$layer/test/debs/"
	cp packaging/tests/*.sh "$layer/test/"
	in_root gcc -O2 -Wall -Wextra -Werror -static -o "$layer/test/mapper" packaging/tests/mapper.c
	cp packaging/tests/step.service "$layer/etc/systemd/system/"
	ln -s ../step.service "$layer/etc/systemd/system/multi-user.target.wants/"
	# A login there would write into our lines.
	ln -s /dev/null "$layer/etc/systemd/system/serial-getty@ttyS0.service"
	echo "/dev/vda / ext4 defaults 0 1" >"$layer/etc/fstab"
	# An initramfs with all drivers takes the guest minutes to make.
	mkdir -p "$layer/etc/initramfs-tools/conf.d"
	echo MODULES=list >"$layer/etc/initramfs-tools/conf.d/few"
	printf '%s\n' virtio_pci virtio_blk ext4 >"$layer/etc/initramfs-tools/modules"
	echo "$2" >"$layer/etc/hostname"
	mount -t overlay overlay -o "lowerdir=$SYSTEMD_TREE,upperdir=$layer,workdir=$dir/work" "$dir/tree"
	rm -f "$image"
	DAXRMAP_BIND=$dir/tree in_root mke2fs -q -t ext4 -m 0 -d "$dir/tree" "$image" 8G || { umount "$dir/tree"; return 1; }
	umount "$dir/tree"
	cp "$SYSTEMD_TREE/boot/initrd.img-$1" "$dir/initrd-$1"
}

# One step of guest.sh, and what it has said.
boot() { # STEP VERSION RELEASE OPTION-OF-RUN-QEMU...
	local step=$1 version=$2 release=$3 log rc=0
	shift 3
	log=$TOP/build/logs/console-$(basename "$dir")-$step-$release.log
	mount_image || return 1
	echo "$step" >"$root/test/step"
	umount "$root"
	say "booting: $step on $release"
	DAXRMAP_KERNEL=$version scripts/guest/run-qemu.sh --kernel stock --initrd "$dir/initrd-$release" --log "$log" \
		--timeout 900 --append "root=/dev/vda rw systemd.show_status=1" "$@" -- \
		-drive "file=$image,format=raw,if=none,id=root,cache=unsafe" -device virtio-blk-pci,drive=root || rc=$?
	count "$log"
	check "the machine's end: $step" [ $rc = 0 ]
}
