# SPDX-License-Identifier: GPL-2.0
# The device is taken away while its pages are mapped.
region 1
namespace
mkfs.daxrmap $dev >/dev/null && mount -t daxrmap $dev /mnt || die mount
daxrmap guard on || die "guard on"
dd if=/dev/urandom of=/mnt/a bs=4096 count=16 2>/dev/null
cp --reflink=always /mnt/a /mnt/b
/tests/owners 15 0 /mnt/a /mnt/b >/tmp/owners &
owners=$!
for i in $(seq 100); do grep -q at /tmp/owners && break; sleep 0.1; done
pci=$(basename $(readlink -f $sysfs/$memdevs/../))
expect "the memory device is one of PCI" [ -e /sys/bus/pci/devices/$pci/remove ]
echo 1 >/sys/bus/pci/devices/$pci/remove
wait $owners
tail -n 1 /tmp/owners
expect "both owners are told" grep -q "^told 2 silent 0" /tmp/owners
expect "the filesystem is unmounted" umount /mnt
# What drivers/cxl leaves of the region is not ours.
expect "the guard hears no more" daxrmap guard off
exit $bad
