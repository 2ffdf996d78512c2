# SPDX-License-Identifier: GPL-2.0
# What kill.sh has left: the region is made anew, the namespace comes back by its label.
region 1
for i in $(seq 50); do (find_device) >/dev/null && break; sleep 0.1; done
find_device
fs=daxrmap
mount -t daxrmap $dev /mnt || die "mount after the kill"
expect "what was synced is there" [ "$(tr -d c </mnt/c | wc -c) $(wc -c </mnt/c)" = "0 65536" ]
daxrmap lost /mnt
expect "both owners of the lost page are known" [ $(daxrmap lost /mnt | grep -cE '^/?.*/mnt/(a|b)\b|^/mnt/(a|b)') = 2 ]
expect "the lost page cannot be read" sh -c '! dd if=/mnt/a of=/dev/null bs=4096 skip=2 count=1 2>/dev/null'
expect "the page beside it can" [ "$(dd if=/mnt/a bs=4096 skip=3 count=1 2>/dev/null | tr -d a | wc -c)" = 0 ]
umount /mnt
expect "fsck finds nothing" fsck.daxrmap -n $dev
exit $bad
