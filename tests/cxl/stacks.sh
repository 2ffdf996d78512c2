# SPDX-License-Identifier: GPL-2.0
# $fs is ext4 or xfs: it has no part in this, and the guard does it all.
region 1
namespace
case $fs in
ext4) mkfs.ext4 -q -b 4096 $dev && mount -t ext4 -o dax=always $dev /mnt || die mount ;;
xfs) mkfs.xfs -qf -m rmapbt=1,reflink=1 $dev && mount -t xfs -o dax=always $dev /mnt || die mount ;;
esac
dd if=/dev/urandom of=/mnt/a bs=4096 count=16 2>/dev/null
sync
if [ $fs = xfs ]; then
	cp --reflink=always /mnt/a /mnt/b && cp --reflink=always /mnt/a /mnt/c || die clone
	set -- /mnt/a /mnt/b /mnt/c
else
	set -- /mnt/a /mnt/a /mnt/a
fi
row fatal 0 0 "$@"
daxrmap guard on || die "guard on"
row corrected 1 0 "$@"
row fatal 2 3 "$@"
row dram 3 3 "$@"
row poison 4 3 "$@"
daxrmap guard status
umount /mnt
exit $bad
