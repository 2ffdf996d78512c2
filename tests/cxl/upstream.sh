# SPDX-License-Identifier: GPL-2.0
# The kernel has Documentation/upstream's patch: it tells the owners itself. Nobody watches here.
region 1
namespace
fs=daxrmap
mkfs.daxrmap $dev >/dev/null && mount -t daxrmap $dev /mnt || die mount
dd if=/dev/urandom of=/mnt/a bs=4096 count=16 2>/dev/null
cp --reflink=always /mnt/a /mnt/b
cp --reflink=always /mnt/a /mnt/c
row corrected 0 0 /mnt/a /mnt/b /mnt/c
row warning 0 0 /mnt/a /mnt/b /mnt/c
row fatal 1 3 /mnt/a /mnt/b /mnt/c
row dram 2 3 /mnt/a /mnt/b /mnt/c
row poison 3 3 /mnt/a /mnt/b /mnt/c
daxrmap lost /mnt
umount /mnt
exit $bad
