#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# mce.sh stock|debug: real machine checks, in guests with that kernel. The
# programs in there (tests/mce) ask for each on the console, and QEMU's
# monitor raises it. Prints the guests' results; the last line is
# "RESULT passed failed skipped". MCE_MODULE is another daxrmap.ko than build/stock's,
# MCE="stacks" runs only that program.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/guest/lib-guest.sh"
. "$TOP/scripts/guest/lib-qmp.sh"

kernel=$1
initrd=$TOP/build/initramfs-mce-$kernel.img
args=(--kernel "$kernel" --initrd "$initrd")
# An Intel CPU of before the time when a machine check came to all CPUs: for the
# kernel to wait for each of them a second is not enough where they are emulated.
args+=(--cpu vendor=GenuineIntel,family=6,model=6)
case $kernel in
stock) args+=(--timeout "${TIMEOUT:-300}") ;;
debug) args+=(--timeout "${TIMEOUT:-900}" --append daxrmap.timeout=600) ;;
esac

cd "$TOP"
mkdir -p "$LOGS"
[ -n "${MCE_MODULE:-}" ] || scripts/build/module.sh "$kernel" modules
scripts/build/selftests.sh mce
scripts/build/tools.sh
scripts/guest/initramfs.sh --module "${MCE_MODULE:-build/$kernel/daxrmap.ko}" \
	--test build/mce/mce --test build/mce/stacks "$kernel" "$initrd"

# hmp CPU COMMAND: the same of a command for people.
hmp() {
	qmp human-monitor-command '"cpu-index": '"$1"', "command-line": "'"$2"'"'
}

# Whether CPU is in user mode, with VALUE in a register. The machine stands.
consumes() { # CPU VALUE
	local r
	r=$(hmp "$1" "info registers")
	[[ $r = *CPL=3* && $r = *=$2* ]]
}

# raise KIND CPU ADDRESS VALUE. What the numbers are: MCi_STATUS, MCG_STATUS, address,
# MCi_MISC (a physical address; known to a page, to a cache line).
raise() {
	local tries=0 r
	case $1 in
	srao) r=$(hmp "$2" "mce $2 9 0xbd000000000000c0 0x5 $3 0x8c") ;;
	srar)
		# The kernel panics if it consumes poison itself. So the machine is
		# stopped until it stands where the process consumes it.
		while :; do
			qmp stop >/dev/null
			! consumes "$2" "$4" || break
			qmp cont >/dev/null
			tries=$((tries + 1))
			[ $tries -lt 1000 ] || { echo "# CPU $2 never was in user mode at $4"; return 0; }
			sleep 0.02
		done
		r=$(hmp "$2" "mce $2 9 0xbd80000000000134 0x7 $3 0x86")
		qmp cont >/dev/null
		;;
	*) r="no such kind" ;;
	esac
	# It says something only if it will not.
	[[ $r = '{"return": ""}'* ]] || echo "# mce $*: $r"
}

server() { # LOG
	if [[ $(hmp 0 "help mce") != *"mce [-b]"* ]]; then
		echo "ok mce # SKIP the monitor of this QEMU cannot raise machine checks"
		echo "RESULT 0 0 1"
		exit 0
	fi
	serve "$1" 'MCE-REQUEST \(.*\)' raise
}

# A guest that runs one of the programs, and what it says.
machine() { # PROGRAM RUN-QEMU-OPTION...
	local program=$1 log=$LOGS/console-mce-$1-$kernel.log said=$LOGS/qemu-mce-$1-$kernel.log
	shift
	monitored "$log" "$said" server "${args[@]}" --append "daxrmap.run=$program" "$@" --
	collect "$log" $rc
	cat "$said"
}

# daxrmap on memmap= and on an NVDIMM; ext4 and XFS on two of memmap=, which stay as they are.
for program in ${MCE:-mce stacks}; do
	case $program in
	mce) machine mce --pmem 1 --nfit "$work/nvdimm" ;;
	stacks) machine stacks --pmem 2 ;;
	*) die "mce.sh: no such program: $program (mce or stacks)" ;;
	esac
done
results
