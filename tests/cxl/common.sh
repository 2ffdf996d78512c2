# SPDX-License-Identifier: GPL-2.0
# What the guests' scripts of scripts/tests/cxl.sh begin with: a region, a namespace, and words for the
# tests. Sets $dev (the pmem device), $base (the host's address of the device's first byte).
ways=1 bad=0
expect() { # WHAT COMMAND...
	local what=$1
	shift
	if "$@"; then echo "ok cxl: $what"; else echo "not ok cxl: $what"; bad=1; fi
}
die() { echo "not ok cxl: $*"; exit 1; }
sysfs=/sys/bus/cxl/devices

# region WAYS: sets $base.
region() {
	ways=$1
	# Our own kernel has them built in.
	for m in cxl_mem cxl_pmem cxl_acpi cxl_pci; do
		[ -e /sys/bus/pci/drivers/cxl_pci ] || modprobe $m || die "modprobe $m"
	done
	sleep 1
	memdevs=$(ls $sysfs | grep '^mem')
	# The order of the ports, which is not that of the names.
	[ $ways = 1 ] || memdevs=$(for m in $memdevs; do echo "$(cat $sysfs/$m/serial) $m"; done | sort | sed 's/.* //')
	cxl create-region -m -t pmem -d decoder0.0 -w $ways $memdevs >/dev/null || die "create-region"
	r=$(ls $sysfs | grep '^region' | head -n 1)
	base=$(($(cat $sysfs/$r/resource)))
}
# Makes a namespace where there is none.
namespace() {
	local nd
	nd=$(for d in /sys/bus/nd/devices/region*; do
		grep -qi cxl $d/../provider 2>/dev/null && basename $d; done | tail -n 1)
	ndctl create-namespace -m fsdax -M mem -r $nd >/dev/null || die "create-namespace"
	find_device
}
find_device() {
	dev=
	for d in /sys/block/pmem*; do
		case $(cat "$(readlink -f $d/device)/../../provider" 2>/dev/null) in
		*[cC][xX][lL]*) dev=/dev/${d##*/} ;;
		esac
	done
	[ -n "$dev" ] || die "there is no pmem device behind CXL"
}
request() { echo "# CXL-REQUEST $* end"; }
# dpa ADDRESS: the device's own address of it, with one device.
dpa() { echo $(($1 - base)); }
listed() { wc -l </sys/block/${dev#/dev/}/badblocks; }
guard() { daxrmap guard status --json | sed -n "s/^  \"$1\": \([^,]*\),*/\1/p"; }
# row KIND PAGE EXPECTED FILE...: a process for each file has its page; then the device says
# something of it, in its own address. EXPECTED is how many of them are told.
# $reader: a command that runs the one that reads the poison list; $scrub: that is a scrub of /mnt.
row() {
	local kind=$1 page=$2 want=$3 seconds=5 n at
	shift 3
	n=$#
	[ $kind != poison ] || seconds=8
	/tests/owners $seconds $page "$@" >/tmp/owners &
	owners=$!
	for i in $(seq 100); do grep -q at /tmp/owners && break; sleep 0.1; done
	at=$(sed -n 's/^at //p' /tmp/owners)
	[ -n "$at" ] || { expect "$fs: $kind: the owners have the page" false; return; }
	request $kind 0 $(dpa $at)
	[ $kind != poison ] || {
		sleep 2
		if [ -z "${scrub:-}" ]; then
			${reader:-} daxrmap cxl || die "daxrmap cxl"
		else
			daxrmap scrub /mnt
			[ $? = 1 ] || die "scrub has found nothing"
		fi
	}
	wait $owners
	echo "# $fs: $kind: $(tail -n 1 /tmp/owners)"
	expect "$fs: $kind: $want of $n are told, and get EIO" \
		[ "$(tail -n 1 /tmp/owners)" = "told $want silent $((n - want)) eio $want" ]
}
