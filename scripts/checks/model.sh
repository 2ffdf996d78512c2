#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# model.sh [NAME...]: `make model`. Has spin go through every state of
# the model of the failure protocol (tests/model), in several configurations;
# then breaks one rule at a time, which spin must notice. A line for each, or
# for those named; the last one is "RESULT passed failed skipped".
. "$(dirname "$0")/../lib.sh"

model=$TOP/tests/model/daxrmap.pml
out=$TOP/build/model
only=" $* "
passed=0 failed=0 all_states=0

# search NAME FLAG...: leaves what the search said in NAME/log. Searches end
# early by one of the limits only if the model has grown.
search() {
	local dir=$out/$1
	shift
	rm -rf "$dir"
	mkdir -p "$dir"
	cd "$dir"
	{ "${in_spin[@]}" "$spin" "$@" -a "$model" &&
		in_root sh -c 'gcc -w -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=1900 -o pan pan.c &&
			exec timeout 1500 ./pan -m1000000 -w23'; } >log 2>&1 || true
}

# Who cannot go on at the end of the trail, which is in this directory.
stuck() {
	in_root ./pan -r daxrmap.pml.trail 2>/dev/null | awk '
		/invalid end state/ { gsub(/[()]/, "", $4); print $4 }' | sort -u | paste -sd' '
}

# What the search in this directory found.
finding() {
	if grep -q 'assertion violated' log; then
		sed -n 's/.*assertion violated \([a-z_]*\).*/\1/p' log | head -n 1
	elif grep -q 'invalid end state (at' log; then
		echo "deadlock of $(stuck)"
	elif ! grep -q 'errors: 0' log; then
		echo "no answer"
	elif grep -qE 'Search not completed|search depth too small|MEMLIM|out of memory' log; then
		echo "no end"
	else
		echo nothing
	fi
}

# check KIND EXPECTED NAME FLAG...: EXPECTED is a pattern for what is found.
check() {
	local kind=$1 expected=$2 name=$3 found states depth seconds verdict
	shift 3
	[ "$only" = "  " ] || [ "${only/ $name /}" != "$only" ] || return 0
	search "$name" "$@"
	found=$(finding)
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' log)
	depth=$(sed -n 's/.*depth reached \([0-9]*\),.*/\1/p' log)
	seconds=$(sed -n 's/.*elapsed time \([0-9.]*\) seconds/\1/p' log)
	# shellcheck disable=SC2053
	if [[ $found != $expected ]]; then
		verdict="FAILED: found $found, not $expected"
		failed=$((failed + 1))
	else
		verdict="ok: found $found"
		passed=$((passed + 1))
		[ "$kind" != holds ] || all_states=$((all_states + $(printf %.0f "$states")))
	fi
	printf '%-18s %9s states, depth %6s, %6s s  %s\n' \
		"$name" "${states:-?}" "${depth:-?}" "${seconds:-?}" "$verdict"
	[ "${verdict#FAILED}" != "$verdict" ] || return 0
	echo "error: $name: $found; built with $*; log and trail: $out/$name"
	grep -E '[Ee]rror|^pan:' log | head -n 10 || true
	[ ! -e daxrmap.pml.trail ] ||
		"${in_spin[@]}" "$spin" "$@" -k daxrmap.pml.trail -t -p -g "$model" |
		sed "s|$TOP/tests/model/||" >trail.txt || true
	[ ! -e trail.txt ] || tail -n 60 trail.txt
}
holds() { check holds nothing "$@"; }
breaks() { check breaks "$@"; }

spin=$("$TOP/scripts/setup/spin.sh")
in_spin=()
# Ours was built for the root tree.
case $spin in "$CACHE"/*) in_spin=(in_root) ;; esac
mkdir -p "$out"
lock "model-$(hash_of "$TOP")"
start=$SECONDS

one=(-DMAPPERS=1 -DNO_WRITE_FAULTS)
call=(-DMAPPERS=1 -DCALLERS=1)
read_call=("${call[@]}" -DNO_WRITE_FAULTS)
life=(-DMAPPERS=1 -DNO_WRITE_FAULTS -DLIFE)
pin=("${life[@]}" -DPINS -DPINNER_FAILS -DCALLERS=1 -DDO_UNLINK)

say "nothing is ever missed, read, signalled wrongly, used too late, or stuck"
# Two processes fault on two clones, copying on write.
holds faults -DMAPPERS=2 -DSYNC_FAULTS
# One process faults, another calls.
holds calls "${call[@]}" -DDO_READ -DDO_WRITE -DDO_TRUNCATE -DDO_SYNC
holds clone "${call[@]}" -DDO_CLONE -DDO_TRUNCATE -DDO_SYNC
# Two processes that call, and touch mappings on the way.
holds callers "${one[@]}" -DCALLERS=2 -DDO_CLONE -DFAULT_IN
# More owners than a batch has room for, of two blocks that fail at once.
holds batches "${read_call[@]}" -DFILES=3 -DBLOCKS=2 -DRUN=2 -DDO_CLONE -DDO_TRUNCATE
# Failures one after the other, and at the same time.
holds again "${read_call[@]}" -DFILES=3 -DBLOCKS=2 -DBATCH=1 -DFAILURES=2 -DDO_CLONE -DDO_TRUNCATE
holds two "${read_call[@]}" -DNOTIFIERS=2 -DFAILURES=2 -DDO_CLONE
# Pages that somebody holds.
holds pins "${read_call[@]}" -DPINS -DDO_CLONE -DDO_WRITE
# Inodes that come and go.
holds unlink "${life[@]}" -DCALLERS=1 -DDO_UNLINK -DDO_CLONE -DRECLAIM
holds unlink-pins "${life[@]}" -DCALLERS=1 -DDO_UNLINK -DPINS
holds unmount "${life[@]}" -DUNMOUNT -DNOTIFIERS=2 -DFAILURES=2
holds unmount-unlink "${life[@]}" -DUNMOUNT -DCALLERS=1 -DDO_UNLINK
holds late-put "${pin[@]}"
holds late-holder "${life[@]}" -DUNMOUNT -DNEXT_HOLDER

say "broken on purpose: each must be found"
# The order that XFS has: the tree's lock, then the DAX entry.
breaks 'deadlock of mapper notifier' tree-over-entry -DMAPPERS=1 \
	-DBREAK_KILL_UNDER_TREE -DBREAK_NO_INVALIDATE
breaks 'deadlock of mapper notifier' tree-over-lock -DMAPPERS=1 -DBREAK_KILL_UNDER_TREE
# Owners are collected before the blocks are in the bad set.
breaks missed_owner publish-late "${read_call[@]}" -DDO_CLONE -DDO_TRUNCATE -DBREAK_PUBLISH_LATE
# The extent is not looked up again under the lock.
breaks wrong_signal no-revalidation "${call[@]}" -DDO_TRUNCATE -DBREAK_NO_REVALIDATION
# Only who is signalled is unmapped.
breaks silent_read no-unmap -DMAPPERS=2 -DNO_WRITE_FAULTS -DBREAK_NO_UNMAP
# The notifier does not take the invalidate_lock: read(2), a fault in two goes.
breaks silent_read no-lock-read "${read_call[@]}" -DDO_READ -DBREAK_NO_INVALIDATE
breaks '@(silent_read|missed_owner)' no-lock-fault -DMAPPERS=1 -DSYNC_FAULTS -DBREAK_NO_INVALIDATE
# Those who come later do not ask the bad set.
breaks silent_read fault-takes-bad "${one[@]}" -DBREAK_FAULT_IGNORES_BAD
breaks missed_owner clone-takes-bad "${read_call[@]}" -DDO_CLONE -DBREAK_CLONE_TAKES_BAD
breaks silent_read cow-fault-recheck -DMAPPERS=1 -DBREAK_COW_NO_RECHECK
breaks silent_read cow-write-recheck "${read_call[@]}" -DDO_READ -DDO_WRITE -DBREAK_COW_NO_RECHECK
# folio->mapping is believed when the block is shared.
breaks missed_owner shortcut "${one[@]}" -DBREAK_SHORTCUT
# The cursor counts owners.
breaks missed_owner cursor "${read_call[@]}" -DBATCH=1 -DDO_TRUNCATE -DBREAK_CURSOR
# read(2) faults on the user's buffer while it moves bytes.
breaks 'deadlock of *caller*notifier' copy-faults "${read_call[@]}" -DDO_READ -DBREAK_COPY_FAULTS
# Unmount does not close the gate; does not wait for a grace period.
breaks use_after_free no-gate "${life[@]}" -DUNMOUNT -DBREAK_GATE
breaks use_after_free no-drain "${life[@]}" -DUNMOUNT -DBREAK_DRAIN
# A notifier waits for an inode that is evicted.
breaks 'deadlock of *notifier*pinner' ilookup "${pin[@]}" -DBREAK_ILOOKUP
# The last reference to an inode is the notifier's, who evicts it, under the gate.
breaks 'deadlock of *notifier*pinner' last-put "${pin[@]}" -DBREAK_PUT
# Between a notifier's two looks at the device, another filesystem has taken that.
breaks use_after_free next-holder "${life[@]}" -DUNMOUNT -DNEXT_HOLDER -DBREAK_HOLDERS

[ $((passed + failed)) != 0 ] || die "no configuration has that name: $*"
say "$all_states states in all, $((SECONDS - start)) s"
echo "RESULT $passed $failed 0"
[ $failed = 0 ]
