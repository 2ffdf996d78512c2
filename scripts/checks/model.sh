#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# model.sh [NAME...]: `make model`. Has spin go through every state of
# the models of the failure protocols (tests/model), in several configurations;
# then breaks one rule at a time, which spin must notice. A line for each, or
# for those named; the last one is "RESULT passed failed skipped".
. "$(dirname "$0")/../lib.sh"

model=daxrmap
out=$TOP/build/model
only=" $* "
passed=0 failed=0 all_states=0

# search KIND NAME FLAG...: leaves what the search said in NAME/log. Searches end
# early by one of the limits only if the model has grown. What is broken is found
# soon: the compiler would take longer to make that fast.
search() {
	local dir=$out/$2 build="${many[*]}"
	[ "$1" = holds ] || build=-O0
	shift 2
	rm -rf "$dir"
	mkdir -p "$dir"
	cd "$dir"
	{ "${in_spin[@]}" "$spin" "$@" -a "$TOP/tests/model/$model.pml" &&
		in_root sh -c 'gcc -w $1 -DSAFETY -DMEMLIM=1900 -o pan pan.c &&
			exec timeout 1500 ./pan -m1000000 -w23' - "$build"; } >log 2>&1 || true
}

# Who cannot go on at the end of the trail, which is in this directory.
stuck() {
	in_root ./pan -r "$model.pml.trail" 2>/dev/null | awk '
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
	search "$kind" "$name" "$@"
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
	[ ! -e "$model.pml.trail" ] ||
		"${in_spin[@]}" "$spin" "$@" -k "$model.pml.trail" -t -p -g "$TOP/tests/model/$model.pml" |
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
# A file that nobody maps is not locked, if nobody else has the lock.
holds untouched "${life[@]}" -DCALLERS=1 -DDO_READ
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
# Who walks the processes himself does not take the invalidate_lock.
breaks missed_owner tell-unlocked -DMAPPERS=1 -DNO_WRITE_FAULTS -DBREAK_NO_INVALIDATE -DBREAK_TELL_UNLOCKED
# Who was not there when the processes were walked is left out.
breaks missed_owner unknown -DMAPPERS=1 -DNO_WRITE_FAULTS -DBREAK_UNKNOWN
# A file that nobody maps is not locked, whoever has the lock.
breaks silent_read unlocked "${life[@]}" -DCALLERS=1 -DDO_READ -DBREAK_UNTOUCHED
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

one_file=(-DFILES=1 -DPROCS=1)
two_maps=(-DFILES=1 -DPROCS=2)
end=(-DUNMOUNT -DDO_UNLINK)

say "the guard: other filesystems' files, which it learns of when a page has failed"
model=guard
# These have fewer states: what is saved by that takes longer than they do.
many=(-Og)
# Readers that take the page from each other; clones.
holds guard-clones -DSHARED -DSHARED_FAULTS
holds guard-truncate "${two_maps[@]}" -DDO_TRUNCATE
holds guard-move -DPROCS=1 -DDO_TRUNCATE
# Inodes and super blocks that come and go; the device that goes after them.
holds guard-unmount "${two_maps[@]}" "${end[@]}"
holds guard-mount -DPROCS=1 -DSUPERS=2 -DDO_MOUNT -DUNMOUNT
holds guard-unbind "${one_file[@]}" "${end[@]}" -DUNBIND
holds guard-freeze "${one_file[@]}" "${end[@]}" -DFREEZE
# dm leads elsewhere meanwhile.
holds guard-reload "${two_maps[@]}" -DRELOAD
# A notifier waits for the pass, under mf_mutex, while pages are held.
holds guard-hold "${one_file[@]}" "${end[@]}" -DHOLD -DPINS
holds guard-hold-two "${two_maps[@]}" -DUNMOUNT -DHOLD -DPINS

say "broken on purpose: each must be found"
breaks '@(missed_owner|silent_read)' guard-late "${one_file[@]}" -DBREAK_PUBLISH_LATE
breaks '@(missed_owner|silent_read)' guard-no-lock "${one_file[@]}" -DBREAK_NO_INVALIDATE
# A file that has no entry of the page is not waited for.
breaks '@(missed_owner|silent_read)' guard-no-barrier "${one_file[@]}" -DBREAK_NO_BARRIER
# The folio is not asked again, after one file was searched, and the others waited for.
breaks '@(missed_owner|silent_read)' guard-one-once -DSHARED -DBREAK_ONE_ONCE
# The current table says which filesystems the page may be of.
breaks silent_read guard-filter "${two_maps[@]}" -DRELOAD -DBREAK_FILTER_TABLE -DBREAK_NO_STRAYS
# What the XArray says is believed: an entry may be older than the table.
breaks silent_read guard-strays "${two_maps[@]}" -DRELOAD -DBREAK_NO_STRAYS
# folio->mapping is believed: with clones; with a fault in flight.
breaks silent_read guard-shortcut -DSHARED -DBREAK_SHORTCUT -DBREAK_NO_STRAYS
breaks '@(missed_owner|silent_read)' guard-in-flight "${one_file[@]}" -DBREAK_SHORTCUT
breaks wrong_signal guard-no-relook "${two_maps[@]}" -DDO_TRUNCATE -DBREAK_NO_RELOOK
breaks missed_owner guard-only-pte "${two_maps[@]}" -DSHARED_FAULTS -DBREAK_ONLY_PTE
# s_umount is given up: by the pass, by the shortcut; a late inode has no active reference.
breaks use_after_free guard-no-umount "${one_file[@]}" -DUNMOUNT -DBREAK_NO_UMOUNT
breaks use_after_free guard-quick "${one_file[@]}" -DUNMOUNT -DBREAK_SHORTCUT_NO_UMOUNT
breaks use_after_free guard-late-put "${one_file[@]}" "${end[@]}" -DBREAK_LATE_NO_ACTIVE
# The memory map: a late inode's super block outlives umount(2); the pass looks at a page.
breaks use_after_free guard-late-unbind "${one_file[@]}" "${end[@]}" -DUNBIND -DBREAK_LATE_NO_PAGEMAP
breaks use_after_free guard-pass-unbind "${one_file[@]}" -DUNMOUNT -DUNBIND -DBREAK_PASS_NO_PAGEMAP
# The last iput() is done under s_umount; under mf_mutex too.
breaks 'deadlock of @(failure|pass) pinner*' guard-put-umount "${one_file[@]}" "${end[@]}" -DPINS -DBREAK_PUT
breaks 'deadlock of @(failure freeze|freeze pass)*' guard-put-freeze "${one_file[@]}" "${end[@]}" -DFREEZE -DBREAK_PUT
breaks 'deadlock of *failure*pinner*' guard-put-mutex "${one_file[@]}" "${end[@]}" -DHOLD -DPINS -DBREAK_PUT
# Who has mf_mutex waits for s_umount: himself; without end, for a pass that does.
breaks 'deadlock of failure pinner unmount' guard-try "${one_file[@]}" -DUNMOUNT -DHOLD -DPINS \
	-DBREAK_SHORTCUT_WAITS
breaks 'deadlock of failure pass pinner unmount' guard-wait "${one_file[@]}" -DUNMOUNT -DHOLD -DPINS \
	-DBREAK_WAIT

say "the guard: a device that it holds is removed"
model=guard_removal
holds removal-two "${two_maps[@]}" "${end[@]}" -DPINS
holds removal-files -DPROCS=1 "${end[@]}" -DPINS
# dm leads to the device since a short time ago, or away from it.
holds removal-reload "${two_maps[@]}" -DRELOAD -DELSEWHERE
holds removal-reload-pin "${one_file[@]}" -DRELOAD -DELSEWHERE -DPINS
# An inode that is being evicted is in no list.
breaks use_after_free removal-no-scan "${one_file[@]}" -DDO_UNLINK -DBREAK_NO_SCAN
breaks use_after_free removal-no-ref "${one_file[@]}" -DBREAK_NO_PAGEMAP
# Files whose entries are of another device may have page table entries of this one.
breaks use_after_free removal-strays "${one_file[@]}" -DRELOAD -DELSEWHERE -DBREAK_NO_STRAYS
# Nor does a page that is held have an entry then.
breaks use_after_free removal-counts "${one_file[@]}" -DRELOAD -DELSEWHERE -DPINS -DBREAK_NO_COUNTS
# The pass comes before the device is dead: there are faults behind its back.
breaks '@(use_after_free|deadlock of removal unbind)' removal-early "${one_file[@]}" -DBREAK_BEFORE_DEAD
# It waits for a page that is held, under a lock that the holder waits for.
breaks 'deadlock of *pinner removal unbind' removal-pin "${one_file[@]}" -DPINS -DBREAK_PIN_UNDER_LOCK
breaks 'deadlock of pinner removal unbind' removal-umount "${one_file[@]}" -DPINS -DBREAK_PIN_UNDER_UMOUNT

say "the guard: the module is unloaded"
model=guard_unload
holds unload
breaks use_after_free unload-no-owner -DBREAK_NO_OWNER
breaks use_after_free unload-no-grace -DBREAK_NO_GRACE
breaks use_after_free unload-no-sync -DBREAK_NO_SYNC
# A worker's reference is the last one, so that the queue is to wait for its own work.
breaks '@(use_after_free|deadlock of *@(watcher|walker)*)' unload-no-drain -DBREAK_NO_DRAIN
breaks '@(use_after_free|deadlock of *@(watcher|walker)*)' unload-drain-first -DBREAK_DRAIN_FIRST
# Work that work has started is not waited for.
breaks '@(use_after_free|deadlock of *walker*)' unload-flush -DBREAK_FLUSH_ONLY
breaks use_after_free unload-late -DBREAK_LATE

[ $((passed + failed)) != 0 ] || die "no configuration has that name: $*"
say "$all_states states in all, $((SECONDS - start)) s"
echo "RESULT $passed $failed 0"
[ $failed = 0 ]
