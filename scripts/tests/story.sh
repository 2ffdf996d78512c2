#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# story.sh: a user's story, in QEMU (`make story`): make a filesystem on an
# NVDIMM, copy a tree to it, clone that, lose a page, see who lost what, heal by
# restoring one file, have the power cut, mount again. It prints what the user
# sees. The last line is "RESULT passed failed skipped".
. "$(dirname "$0")/../lib.sh"

dir=$TOP/build/story
nvdimm=$dir/nvdimm.img
initrd=$dir/initramfs.img
cut="the power fails now"
mkdir -p "$dir"
cd "$TOP"
build() {
	scripts/build/module.sh stock modules
	scripts/build/selftests.sh
	scripts/build/tools.sh
	# Without tests: the script is all that runs.
	scripts/guest/initramfs.sh --test build/selftests/basic stock "$initrd"
}
step "building the guest" "$dir/build.log" build

# What both days begin with: the NVDIMM is the first device.
common='dev=/dev/pmem0 tree=/lib/modules
do_() { echo "\$ $*"; "$@"; }
expect() { # WHAT COMMAND...
	local what=$1; shift
	if "$@"; then echo "ok story: $what"; else echo "not ok story: $what"; exit 1; fi
}
same() { diff -r $tree $1 >/tmp/diff 2>&1; }
names() { daxrmap lost /mnt | grep -c ^/mnt/; }
'
first='ndctl create-namespace -f -e namespace0.0 -m fsdax -M mem >/dev/null || exit 1
do_ mkfs.daxrmap -L story $dev || exit 1
do_ mount -t daxrmap $dev /mnt || exit 1
do_ cp -r $tree /mnt/modules || exit 1
do_ cp -r --reflink=always /mnt/modules /mnt/clone || exit 1
expect "the copy is the same" same /mnt/modules
expect "the clone is the same" same /mnt/clone
# Some file that is large enough, by its name below the tree.
cd $tree
file=$(find . -type f -size +100k | sort | head -n 1)
cd /
do_ daxrmap owners /mnt --file /mnt/modules/$file:40960
pfn=$(daxrmap owners /mnt --file /mnt/modules/$file:40960 | sed -n "s/.*(pfn \(0x[0-9a-f]*\)).*/\1/p")
echo "# a failure of page frame $pfn"
echo $pfn >/sys/kernel/debug/hwpoison/corrupt-pfn || exit 1
do_ daxrmap lost /mnt
expect "two files have lost data" [ $(names) = 2 ]
expect "reading it is an error" eval "! cat /mnt/modules/$file >/dev/null"
expect "reading its clone is an error" eval "! cat /mnt/clone/$file >/dev/null"
do_ cp $tree/$file /mnt/modules/$file || exit 1
expect "the restored copy is the same" same /mnt/modules
do_ daxrmap lost /mnt
expect "one file has lost data" [ $(names) = 1 ]
daxrmap lost /mnt >/mnt/lost || exit 1
echo "# CUT"
sleep 1000'
second='if [ -x /usr/sbin/fsck.daxrmap ]; then
	do_ fsck.daxrmap -n $dev
	expect "nothing is to be repaired" [ $? = 0 ]
fi
do_ mount -t daxrmap $dev /mnt || exit 1
do_ daxrmap lost /mnt
expect "the same file has lost data" [ $(names) = 1 ]
daxrmap lost /mnt >/tmp/lost
expect "in the same place" cmp /mnt/lost /tmp/lost
expect "the restored copy is the same" same /mnt/modules
expect "of the clone one file differs" eval "! same /mnt/clone && [ \$(wc -l </tmp/diff) = 1 ]"
do_ cat /tmp/diff
do_ daxrmap status /mnt
expect "there are bad blocks" [ "$(daxrmap status /mnt | sed -n "s/^bad blocks: *//p")" = 1 ]
do_ umount /mnt'

guest=
clean() {
	[ -z "$guest" ] || kill -TERM "$guest" 2>/dev/null || true
	rm -f "$nvdimm"
}
trap clean EXIT

lines() { tr -d '\r' <"$1" 2>/dev/null | grep -a 'tap: ' | sed 's/^.*tap: //'; }

# day NAME SCRIPT: in the background, $guest is its runner.
day() {
	rm -f "$dir/$1.log"
	scripts/guest/run-qemu.sh --kernel stock --initrd "$initrd" --log "$dir/$1.log" --timeout 200 \
		--nfit "$nvdimm" --append daxrmap.timeout=150 --script "$common$2" >"$dir/$1.run" 2>&1 &
	guest=$!
}

rm -f "$nvdimm"
day first "$first"
while kill -0 "$guest" 2>/dev/null && ! lines "$dir/first.log" | grep -q '^# CUT'; do sleep 0.2; done
lines "$dir/first.log" | grep -v '^# CUT'
rc=0
if kill -0 "$guest" 2>/dev/null; then
	say "story: $cut"
	kill -TERM "$guest"
	wait "$guest" || true
	day second "$second"
	wait "$guest" || rc=$?
	lines "$dir/second.log"
else
	rc=1
fi
guest=
[ $rc = 0 ] || tail -n 5 "$dir"/*.run
passed=$(cat "$dir"/*.log | tr -d '\r' | grep -ac 'tap: ok ' || true)
failed=$(cat "$dir"/*.log | tr -d '\r' | grep -ac 'tap: not ok ' || true)
[ $rc = 0 ] || [ "$failed" != 0 ] || failed=1
echo "RESULT $passed $failed 0"
[ $rc = 0 ] && [ "$failed" = 0 ]
