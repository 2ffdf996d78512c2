#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# guest.sh STEP: what daxrmap-test.service runs in the guest of `make test-packages`, once a boot. /test
# has the packages and the name of the step (scripts/tests/packages.sh writes it). Says "ok NAME" and
# "not ok NAME" on the console, and how it ended, as run-qemu.sh wants it.
exec >/dev/console 2>&1
step=$1
bad=0
check() { # NAME COMMAND...
	name=$1
	shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; bad=1; fi
}
end() {
	sync
	echo "DAXRMAP-GUEST-EXIT $bad"
	systemctl poweroff --force
	exit
}

# All that a package could leave, but for what any boot and any apt write.
list_files() {
	find / -xdev \( -path /test -o -path /var/log -o -path /var/cache -o -path /var/lib/dpkg \
		-o -path /var/lib/apt -o -path /var/lib/systemd -o -path /tmp -o -path /var/tmp -o -path /root \) \
		-prune -o -print | sort
}
mounted() {
	[ "$(findmnt -no FSTYPE /db)" = daxrmap ] && systemctl is-active -q db.mount
}
by_uuid() { [ "$(readlink -f "/dev/disk/by-uuid/$(cat /test/uuid)")" = /dev/pmem0 ]; }
install() { apt-get -q install -y --no-install-recommends /test/debs/*.deb; }
read_back() { [ "$(cat /db/file)" = "written before the reboot" ] && cmp /db/file /db/clone; }
units_off() { [ "$(systemctl is-enabled daxrmap-guard.service)" = disabled ]; }
nothing_left() {
	list_files >/test/after
	diff /test/before /test/after
}
depmod_knows() { modprobe -n daxrmap; }

echo "--- step $step on $(uname -r), systemd $(systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p')"
case $step in
install)
	list_files >/test/before
	check "apt install" install
	check "the guard's unit is off" units_off
	check "modprobe knows the module" depmod_knows
	check "the module is not loaded yet" test ! -d /sys/module/daxrmap
	check "mkfs" mkfs.daxrmap -q -L db /dev/pmem0
	udevadm settle
	daxrmap dump --udev /dev/pmem0 | sed -n 's/^ID_FS_UUID=//p' >/test/uuid
	check "udev links the uuid after mkfs" by_uuid
	mkdir /db
	echo "UUID=$(cat /test/uuid) /db daxrmap x-systemd.device-timeout=60s 0 0" >>/etc/fstab
	systemctl daemon-reload
	check "mount by fstab" mount /db
	check "mount has loaded the module" test -d /sys/module/daxrmap
	echo "written before the reboot" >/db/file
	check "reflink" cp --reflink=always /db/file /db/clone
	check "umount" umount /db
	;;
reboot)
	check "udev links the uuid at boot" by_uuid
	check "mounted at boot" mounted
	check "the file and its clone are there" read_back
	;;
purge)
	check "mounted at boot" mounted
	umount /db
	rmmod daxrmap
	sed -i '/daxrmap/d' /etc/fstab
	rmdir /db
	systemctl daemon-reload
	check "apt purge" sh -c "apt-get -q purge -y \$(dpkg-query -W -f '\${Package} ' 'daxrmap*')"
	check "purge leaves nothing" nothing_left
	check "modprobe does not know the module" sh -c '! modprobe -n daxrmap 2>/dev/null'
	;;
*) check "a step is named" false ;;
esac
end
