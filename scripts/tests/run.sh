#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh [GROUP...]: `make test`. Every group runs, whatever the others
# did; the last line is "N passed, N failed" (", N skipped"), and the exit
# status says whether anything failed.
# Groups: fmt clippy c host model fuzz guest stock guard-stress story programs packages nfit virtio cxl power-cut mce debug.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-kernel.sh"
. "$TOP/scripts/tests/lib-tests.sh"

groups=" ${*:-fmt clippy c host model fuzz guest stock guard-stress story programs packages nfit virtio cxl power-cut mce debug} "
wanted() { case $groups in *" $1 "*) ;; *) return 1 ;; esac; }
mkdir -p "$LOGS"
start=$SECONDS

# The debug kernel takes minutes of compiling on a new machine. They pass
# while the other groups run, at a lower priority than these.
debug_pid=
start_debug_kernel() {
	kernel_paths
	[ ! -e "$KERNEL_DEBUG/.done" ] || return 0
	say "building the debug kernel in the background"
	# A process group of its own, to be ended as one; not a session, which would get
	# its half of the machine however nice it is (sched_autogroup).
	set -m
	nice -n 19 "$TOP/scripts/setup/debug-kernel.sh" >"$LOGS/debug-kernel.log" 2>&1 </dev/null &
	debug_pid=$!
	set +m
}
stop_debug_kernel() { [ -z "$debug_pid" ] || kill -- "-$debug_pid" 2>/dev/null || true; }
trap 'stop_group; stop_debug_kernel' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Waits for the build in the background, if there is one.
debug_kernel() {
	local rc=0
	if [ -n "$debug_pid" ]; then
		! kill -0 "$debug_pid" 2>/dev/null || say "waiting for the debug kernel"
		wait "$debug_pid" || rc=$?
		debug_pid=
	fi
	[ $rc = 0 ] && [ -e "$KERNEL_DEBUG/.done" ]
}

# Runs a script whose last line is RESULT PASSED FAILED SKIPPED.
counted() {
	local rc=0 r
	"$@" 2>&1 | tee "$counts.out" || rc=$?
	r=$(sed -n 's/^RESULT //p' "$counts.out" | tail -n 1)
	rm -f "$counts.out"
	# shellcheck disable=SC2086
	[ -z "$r" ] || result $r
	return $rc
}

clippy() {
	"$TOP/scripts/build/module.sh" stock --to "$TOP/build/clippy" CLIPPY=1 KRUSTFLAGS=-Dwarnings modules
}

doc() { "$TOP/scripts/build/module.sh" stock modules && "$TOP/scripts/build/rustdoc.sh" --check; }

debug_kernel_failed() { cat "$LOGS/debug-kernel.log"; return 1; }

setup() { "$TOP/scripts/setup/root.sh" && "$TOP/scripts/setup/kernel.sh"; }

# Not a group: without it nothing can run. Progress goes to the terminal.
if ! setup; then
	say "setup: FAILED"
	total_failed=1
	summary
	exit 1
fi
! wanted debug || start_debug_kernel

! wanted fmt || group fmt "rustfmt agrees with the source" "$TOP/scripts/checks/rustfmt.sh" --check
! wanted fmt || group safety "unsafe code says what it stands on" "$TOP/scripts/checks/safety.sh"
! wanted fmt || group house "the source has one direction" "$TOP/scripts/checks/house.sh"
! wanted fmt || group mutants-fit "what make mutants takes out is there" "$TOP/scripts/checks/mutants.sh"
! wanted clippy || group clippy "clippy has nothing to say" clippy
! wanted clippy || group doc "links of the documentation lead somewhere" doc
! wanted clippy || group refused "what must not compile does not" "$TOP/scripts/checks/refused.sh"
if wanted c; then
	group c-w1 "the C helpers compile without warnings at W=1" "$TOP/scripts/checks/c.sh" w1
	group c-sparse "sparse finds nothing in the C helpers" "$TOP/scripts/checks/c.sh" sparse
fi
if wanted host; then
	group host "tests of the pure parts on this machine" counted "$TOP/scripts/tests/cargo.sh" tests/host
	[ ! -e "$TOP/tools/Cargo.toml" ] ||
		group tools "tests of the tools on this machine" counted "$TOP/scripts/tests/cargo.sh" tools
	group house-tests "tests of the check of the source's direction" \
		counted "$TOP/scripts/tests/cargo.sh" tests/house
	group bench-report "tests of what says that something got slower" \
		counted "$TOP/scripts/tests/cargo.sh" tests/bench/report
fi
! wanted model || group model "the model of the failure protocol holds" counted "$TOP/scripts/checks/model.sh"
! wanted fuzz || group fuzz "the fuzzer finds nothing" "$TOP/scripts/tests/fuzz.sh" "${FUZZ_SECONDS:-75}"
! wanted guest || group guest "a test that dies costs one test" counted "$TOP/scripts/tests/guest.sh"
! wanted stock || group stock "self tests on the stock kernel in QEMU" counted "$TOP/scripts/tests/selftests.sh" stock
! wanted guard-stress || group guard-stress "the stress test on ext4 and XFS, with the guard" \
	counted "$TOP/scripts/tests/guard-stress.sh"
! wanted mce || group mce "machine checks on the stock kernel in QEMU" counted "$TOP/scripts/tests/mce.sh" stock
! wanted story || group story "a user's story, over a power failure" counted "$TOP/scripts/tests/story.sh"
! wanted programs || group programs "public programs on the stock kernel in QEMU" counted "$TOP/scripts/tests/programs.sh"
! wanted packages || group packages "Debian packages, and what lintian says" counted "$TOP/scripts/tests/packages.sh"
! wanted nfit || group nfit "self tests on an NVDIMM" counted "$TOP/scripts/tests/nfit.sh"
! wanted virtio || group virtio "self tests on virtio-pmem" counted "$TOP/scripts/tests/virtio.sh"
! wanted cxl || group cxl "what a CXL device says is heard" counted "$TOP/scripts/tests/cxl.sh" ${CXL:-quick}
if wanted power-cut; then
	group power-cut "files after the power was cut" \
		counted env CYCLES="${CYCLES:-2}" "$TOP/scripts/tests/power-cut.sh"
	group power-cut-virtio "the same where the host loses what was not flushed" \
		counted env CYCLES="${CYCLES:-2}" POWER_CUT_DEVICE=virtio "$TOP/scripts/tests/power-cut.sh"
fi
if wanted debug; then
	if debug_kernel; then
		group debug "self tests on the debug kernel in QEMU" counted "$TOP/scripts/tests/selftests.sh" debug
		! wanted mce || group mce-debug "machine checks on the debug kernel in QEMU" \
			counted "$TOP/scripts/tests/mce.sh" debug
	else
		group debug "building the debug kernel failed" debug_kernel_failed
	fi
fi

say "all done in $((SECONDS - start)) s"
trap - EXIT
summary
