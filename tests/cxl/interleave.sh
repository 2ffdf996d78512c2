# SPDX-License-Identifier: GPL-2.0
# A region over two devices: 256 bytes of the one, then 256 of the other.
region 2
namespace
daxrmap guard on || die "guard on"
block=/sys/block/${dev#/dev/}
start=$(($(cat $block/device/resource)))
granularity=$(cat $sysfs/$r/interleave_granularity)
expect "the region is over two devices" [ "$(cat $sysfs/$r/interleave_ways)" = 2 ]
# What the device says of its own byte 64 MiB is at twice that of the region, in the first or second part.
poisoned() { # DEVICE DPA LENGTH PAGES: the pages that are on the list then, in sectors
	request poison $1 $2 $3
	sleep 2
	daxrmap cxl || die "daxrmap cxl"
	sleep 2
}
at=$((64 << 20))
sector=$(((base + 2 * at - start) / 512))
poisoned 1 $at 64
cat $block/badblocks
expect "a line of the second device is in the right page" grep -qx "$sector 8" $block/badblocks
# 4 KiB of one device are on two pages of the region.
at=$((96 << 20))
sector=$(((base + 2 * at - start) / 512))
poisoned 0 $at 4096
cat $block/badblocks
expect "a page of one device is two of the region" grep -qx "$sector 16" $block/badblocks
daxrmap guard status
exit $bad
