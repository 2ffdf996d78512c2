#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# guest.sh STEP: what step.service runs in the guest of `make test-packages`, once a boot. /test
# has the packages and the name of the step (scripts/tests/lib-machine.sh writes it). Says "ok NAME" and
# "not ok NAME" on the console, and how it ended, as run-qemu.sh wants it.
exec >/dev/console 2>&1
step=$1
bad=0
check() { # NAME COMMAND...
	name=$1
	shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; bad=1; fi
}
wait_for() { # COMMAND...: for two minutes
	for _ in $(seq 240); do
		! "$@" || return 0
		sleep 0.5
	done
	return 1
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
# The device whose contents outlive a boot: others may be there, and have come first.
virtio() {
	for disk in /sys/block/pmem*; do
		case $(readlink -f "$disk") in */virtio*) echo "/dev/${disk##*/}" ;; esac
	done
}
by_uuid() { [ "$(readlink -f "/dev/disk/by-uuid/$(cat /test/uuid)")" = "$(virtio)" ]; }
install() { apt-get -q install -y --no-install-recommends /test/debs/*.deb; }
read_back() { [ "$(cat /db/file)" = "written before the reboot" ] && cmp /db/file /db/clone; }
units_off() { [ "$(systemctl is-enabled daxrmap-guard.service)" = disabled ]; }
nothing_left() {
	list_files >/test/after
	diff /test/before /test/after
}
other_monitor() { # PID
	systemctl is-active -q daxrmap-monitor.service &&
		[ "$(systemctl show -P MainPID daxrmap-monitor.service)" != "$1" ]
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
watched)
	. /test/watched.sh
	check "mounted at boot" mounted
	watched
	;;
purge)
	check "mounted at boot" mounted
	check "the monitor and the guard run since boot" systemctl is-active daxrmap-monitor.service daxrmap-guard.service
	umount /db
	sed -i '/daxrmap/d' /etc/fstab
	rmdir /db
	systemctl daemon-reload
	systemctl enable -q --now daxrmap-scrub@db.timer
	pid=$(systemctl show -P MainPID daxrmap-monitor.service)
	check "apt reinstall" apt-get -q install -y --reinstall /test/debs/daxrmap-tools_*.deb
	check "the monitor has become the new program" other_monitor "$pid"
	check "apt purge" sh -c "apt-get -q purge -y \$(dpkg-query -W -f '\${Package} ' 'daxrmap*')"
	check "purge takes the metrics along" test ! -e /var/lib/prometheus/node-exporter/daxrmap.prom
	rm -rf /var/lib/prometheus
	check "purge leaves nothing" nothing_left
	check "the module can be unloaded" rmmod daxrmap
	check "modprobe does not know the module" sh -c '! modprobe -n daxrmap 2>/dev/null'
	;;
first-hour) . /test/first-hour.sh ;;
*) check "a step is named" false ;;
esac
end
