# SPDX-License-Identifier: GPL-2.0
# The machine dies while somebody writes. What comes after the boot is in kill-again.sh.
region 1
namespace
fs=daxrmap
mkfs.daxrmap $dev >/dev/null && mount -t daxrmap $dev /mnt || die mount
daxrmap guard on || die "guard on"
for f in a c; do dd if=/dev/zero bs=4096 count=16 2>/dev/null | tr '\0' $f >/mnt/$f; done
cp --reflink=always /mnt/a /mnt/b
sync
row fatal 2 2 /mnt/a /mnt/b
while :; do dd if=/dev/zero of=/mnt/busy bs=65536 count=64 conv=fsync 2>/dev/null; done &
sleep 1
request die
sleep 30
die "it lives"
