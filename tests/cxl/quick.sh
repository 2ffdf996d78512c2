# SPDX-License-Identifier: GPL-2.0
region 1
namespace
fs=daxrmap
mkfs.daxrmap -q $dev 2>/dev/null || mkfs.daxrmap $dev >/dev/null || die mkfs
mount -t daxrmap $dev /mnt || die mount
dd if=/dev/urandom of=/mnt/a bs=4096 count=16 2>/dev/null
cp --reflink=always /mnt/a /mnt/b
cp --reflink=always /mnt/a /mnt/c
# The stock kernel tells nobody, whatever the device says.
row fatal 0 0 /mnt/a /mnt/b /mnt/c
daxrmap guard on || die "guard on"
daxrmap guard status
row corrected 1 0 /mnt/a /mnt/b /mnt/c
daxrmap monitor /mnt >/tmp/monitor &
monitor=$!
for i in $(seq 50); do ls -l /proc/$monitor/fd | grep -q daxrmap && break; sleep 0.1; done
row fatal 2 3 /mnt/a /mnt/b /mnt/c
kill $monitor
grep "memory failed" /tmp/monitor
expect "the monitor says which device it was" \
	grep -q "memory failed.*cause device, address 0x.* of memory device 0xabcd0001" /tmp/monitor
row dram 3 3 /mnt/a /mnt/b /mnt/c
# A CPU that was away is listened to again: the list is read on it.
cpu=/sys/devices/system/cpu/cpu1/online
echo 0 >$cpu && echo 1 >$cpu || die "CPU 1 off, and on"
sleep 1
reader="taskset 2"
row poison 4 3 /mnt/a /mnt/b /mnt/c
# A scrub asks the device first. Without the guard it has the kernel told.
daxrmap guard off
scrub=yes
row poison 5 3 /mnt/a /mnt/b /mnt/c
daxrmap status /mnt | grep "told of by"
daxrmap guard on || die "guard on again"
scrub=
daxrmap lost /mnt
daxrmap guard status
umount /mnt
# While nothing is mounted.
before=$(listed)
request poison 0 $((200 << 20))
sleep 2
daxrmap cxl || die "daxrmap cxl"
sleep 2
expect "poison that comes while nothing is mounted is on the driver's list" [ $(listed) -gt $before ]
cat /sys/block/${dev#/dev/}/badblocks
daxrmap guard off
exit $bad
