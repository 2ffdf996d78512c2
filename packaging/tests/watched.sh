# SPDX-License-Identifier: GPL-2.0
# The step "watched" of guest.sh, sourced: pages fail below daxrmap's own filesystem, and, with the guard, below
# ext4 and XFS; the service says so in the journal and by metrics, and hooks give the files their bytes back.

backup=/var/backups/daxrmap
metrics=/var/lib/prometheus/node-exporter/daxrmap.prom
facts=/run/facts

# Memory that memmap= set aside: unlike virtio-pmem's, its driver clears what is written to.
e820() {
	for disk in /sys/block/pmem*; do
		case $(readlink -f "$disk") in */e820_pmem/*) echo "/dev/${disk##*/}" ;; esac
	done
}
# entry FIELD=VALUE...: whether the journal has one of the monitor, of this run of it, with all of these.
entry() {
	journalctl -q -n 1 -o json -u daxrmap-monitor.service \
		"_SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID daxrmap-monitor.service)" "$@" | grep -q DAXRMAP_JSON
}
# fact NAME=VALUE...: whether a hook was given all of these at once.
fact() {
	awk -v wanted="$*" 'BEGIN { n = split(wanted, want, " "); RS = "" }
		{
			has = 0
			for (i = 1; i <= n; i++)
				has += index("\n" $0 "\n", "\nDAXRMAP_" want[i] "\n") != 0
			if (has == n)
				found = 1
		}
		END { exit !found }' "$facts" 2>/dev/null
}
# has NUMBER VALUE DEVICE MOUNT: whether the metrics have it.
has() { grep -qxF "daxrmap_$1{device=\"$3\",mountpoint=\"$4\"} $2" "$metrics"; }
# restored FILE: whether it is what the backup has.
restored() { cmp -s "$1" "$backup$1" 2>/dev/null; }

make_fs() { # TYPE DEVICE MKFS-OPTION...
	type=$1 dev=$2
	shift 2
	mkdir -p "/srv/$type" && "mkfs.$type" -q "$@" "$dev" && mount -t "$type" -o dax=always "$dev" "/srv/$type"
}
# The third page fails of a file that a process maps.
fails() { # FILE
	/test/mapper hold "$1" 12288 >/run/held &
	held=$!
	wait_for grep -q mapped /run/held || return 1
	/test/mapper poison "$1" 12288 >/run/poisoned || { kill "$held"; return 1; }
	wait_for grep -q told /run/held || { kill "$held"; return 1; }
}
fill() { seq -w 5000 | sed "s|^|$1 |" >"$1" && truncate -s 32768 "$1"; } # FILE

watch() { # TYPE MOUNT DEVICE
	f=$2/page
	check "$1: a file" fill "$f"
	mkdir -p "$backup$2"
	[ "$1" != daxrmap ] || { cp --reflink=always "$f" "$2/page-clone" && cp -p "$2/page-clone" "$backup$2/"; }
	cp -p "$f" "$backup$f"
	check "$1: a page fails" fails "$f"
	check "$1: who maps it is told" grep -qx "told: BUS_MCEERR_AO, byte 12288" /run/held
	check "$1: the journal has it in fields" wait_for entry DAXRMAP_EVENT=owner "DAXRMAP_PATH=$f" \
		DAXRMAP_OFFSET=12288 DAXRMAP_LENGTH=4096 "DAXRMAP_DEVICE=$3" "DAXRMAP_MOUNTPOINT=$2" \
		"DAXRMAP_INODE=$(stat -c %i "$f")" "DAXRMAP_CAUSE=memory failure" PRIORITY=3
	check "$1: a hook was given the facts" wait_for fact EVENT=owner "PATH=$f" OFFSET=12288 LENGTH=4096 \
		"DEVICE=$3" "MOUNTPOINT=$2" "INODE=$(stat -c %i "$f")"
	check "$1: the example has restored the file" wait_for restored "$f"
	check "$1: nothing is lost" wait_for nothing_lost "$2"
	check "$1: the metrics count a failure" wait_for has failures_total 1 "$3" "$2"
}
nothing_lost() { [ -z "$(daxrmap lost "$1")" ]; }

# First of all, in this run, it says what is lost.
first_event() {
	journalctl -q -o json --output-fields=DAXRMAP_EVENT,DAXRMAP_PATH -u daxrmap-monitor.service \
		"_SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID daxrmap-monitor.service)" |
		grep -m 1 DAXRMAP_EVENT | grep '"DAXRMAP_EVENT":"lost"' | grep -q '"DAXRMAP_PATH":"/db/alone"'
}
refused() { journalctl -q -o cat -u daxrmap-on-failure.service | grep -q "^restore: inode $1 is not restored: no backup"; }
said_again() { # SINCE
	daxrmap monitor --since "$1" >/run/since &
	pid=$!
	wait_for grep -q "/db/alone: is lost already" /run/since
	kill "$pid" && wait "$pid" || return 1
	for f in /db/page /db/page-clone /srv/ext4/page /srv/xfs/page; do
		grep -q " $f: lost: offset 12288, length 4096" /run/since || { cat /run/since; return 1; }
	done
}

watched() {
	mkdir -p "${metrics%/*}" "$backup"
	cp /usr/share/doc/daxrmap-tools/examples/restore /etc/daxrmap/on-failure.d/50-restore
	printf '#!/bin/sh\n{ env | grep -a ^DAXRMAP_; echo; } >>%s\n' $facts >/etc/daxrmap/on-failure.d/10-facts
	chmod 755 /etc/daxrmap/on-failure.d/*
	set -- $(e820)
	since=$(date '+%Y-%m-%d %H:%M:%S')
	check "an ext4" make_fs ext4 "$1" -b 4096
	check "an XFS" make_fs xfs "$2"
	check "the guard is enabled" systemctl enable -q --now daxrmap-guard.service
	check "the monitor is enabled" systemctl enable -q --now daxrmap-monitor.service
	check "the guard watches" sh -c 'daxrmap guard status | grep -q "^watch: *on"'
	check "the monitor is active" systemctl is-active daxrmap-monitor.service daxrmap-on-failure.path
	check "its exposure is below 2.0" sh -c 'systemd-analyze security --no-pager --threshold=20 daxrmap-monitor.service | tail -n 1'
	watch daxrmap /db "$(findmnt -no SOURCE /db)"
	check "daxrmap: the metrics count both owners" has owners_total 2 "$(findmnt -no SOURCE /db)" /db
	check "daxrmap: the clone is restored" wait_for restored /db/page-clone
	watch ext4 /srv/ext4 "$1"
	watch xfs /srv/xfs "$2"

	check "another file" fill /db/alone
	check "a page fails that no backup has" fails /db/alone
	check "the example refuses it" wait_for refused "$(stat -c %i /db/alone)"
	check "the monitor is restarted" systemctl restart daxrmap-monitor.service
	check "it first says what is lost" wait_for first_event
	check "a hook is told again" wait_for fact EVENT=lost PATH=/db/alone OFFSET=12288
	check "monitor --since says all of it" said_again "$since"
	check "both are active still" systemctl is-active daxrmap-monitor.service daxrmap-on-failure.path
	umount /srv/ext4 /srv/xfs
	rm -rf /srv/ext4 /srv/xfs "$backup" /db/alone /etc/daxrmap/on-failure.d/*
}
