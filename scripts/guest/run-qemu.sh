#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Boots a kernel in QEMU with an initramfs of initramfs.sh, and says whether
# all went well in there.
#
#   run-qemu.sh --kernel stock|debug --initrd FILE --log FILE [option]... [-- QEMU-OPTION...]
#
#   --timeout S      end of patience, in seconds (300): so many on an idle machine, and as
#                    many times that as the guest finds itself slower. It also ends when the
#                    guest has said nothing for 300 s
#   --pmem N         regions of emulated persistent memory: /dev/pmem0.. (2)
#   --pmem-size M    of each, in MiB (512)
#   --nfit FILE      an NVDIMM whose contents stay in FILE (made if missing)
#   --virtio-pmem FILE  a virtio-pmem device whose contents are FILE's
#   --env NAME=VALUE  in QEMU's environment
#   --cpu FEATURES   more of the CPU, e.g. vendor=GenuineIntel
#   --append ARGS    more kernel command line, e.g. 'daxrmap.run="a b"'
#   --pid FILE       write QEMU's process id there, for who wants to kill it
#   --script CMD     run this shell command instead of the tests
#   --icount         count instructions for time: one CPU, repeatable
#   --dry-run        print QEMU's command line only
#
# Exit status 0: the guest reached its end, with exit code 0 and a log in
# which check-log.sh finds nothing. Anything else prints the log's tail.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-kernel.sh"

kernel='' initrd='' log='' timeout=300 pmem=2 pmem_size=512 nfit='' virtio='' cpu='' append='' script='' pid_file='' icount='' dry=''
env=()
while [ $# -gt 0 ]; do
	case $1 in
	--kernel) kernel=$2; shift ;;
	--initrd) initrd=$(realpath "$2"); shift ;;
	--log) log=$(realpath -m "$2"); shift ;;
	--timeout) timeout=$2; shift ;;
	--pmem) pmem=$2; shift ;;
	--pmem-size) pmem_size=$2; shift ;;
	--nfit) nfit=$(realpath -m "$2"); shift ;;
	--virtio-pmem) virtio=$(realpath "$2"); shift ;;
	--env) env+=("$2"); shift ;;
	--cpu) cpu+=",$2"; shift ;;
	--append) append+=" $2"; shift ;;
	--script) script=$2; shift ;;
	--pid) pid_file=$2; shift ;;
	--icount) icount=1 ;;
	--dry-run) dry=1 ;;
	--) shift; break ;;
	*) die "run-qemu.sh: unknown option $1" ;;
	esac
	shift
done
[ -n "$kernel" ] && [ -n "$initrd" ] && [ -n "$log" ] ||
	die "usage: run-qemu.sh --kernel stock|debug --initrd FILE --log FILE [option]..."
kernel_paths
case $kernel in
stock) image=$KERNEL_IMAGE ;;
debug) image=$KERNEL_DEBUG/arch/x86/boot/bzImage ;;
*) die "no such kernel: $kernel (stock or debug)" ;;
esac
[ -e "$image" ] || die "no kernel image $image: run 'make setup' (or 'make debug-kernel')"

# Words that the kernel has of its own stay in words; ours are arrays.
cmdline="console=ttyS0 loglevel=7 printk.devkmsg=on panic=-1 oops=panic tsc=reliable"
cmdline+=" sysrq_always_enabled rcupdate.rcu_cpu_stall_timeout=60 softlockup_panic=0"
# Under load the first ticks may come too late for the kernel to believe in its timer.
cmdline+=" no_timer_check"
# SLUB's sheaves keep stale pointers to what was allocated from them, behind
# which kmemleak does not see a leak of a few objects. Checked caches have none.
[ "$kernel" != debug ] || cmdline+=" slab_debug=F,kmalloc-*,daxrmap*"
qemu=(qemu-system-x86_64 -no-user-config -nodefaults -display none -no-reboot -serial stdio)

machine() {
	local accel=tcg,thread=multi smp=2 m=q35 i ram
	# /dev/kvm alone says little: it may exist and not work.
	if grep -qwE 'vmx|svm' /proc/cpuinfo && [ -w /dev/kvm ]; then accel=kvm; fi
	if [ -n "$icount" ]; then
		accel=tcg smp=1
		qemu+=(-icount "shift=0,sleep=off")
	fi
	# q35 with 3 GiB or more: 2 GiB below 4 GiB, the rest above, where the
	# regions are. The lower part is the guest's ordinary memory.
	ram=$((2048 + pmem * pmem_size))
	[ $ram -ge 3072 ] || ram=3072
	for ((i = 0; i < pmem; i++)); do
		cmdline+=$(printf ' memmap=%dM!0x%x' "$pmem_size" $(((4096 + i * pmem_size) << 20)))
	done
	if [ -n "$virtio" ]; then
		qemu+=(-object "memory-backend-file,id=v1,share=on,mem-path=$virtio,size=$(stat -c %s "$virtio")"
			-device virtio-pmem-pci,memdev=v1)
	fi
	if [ -n "$nfit" ]; then
		# 514 MiB: a label area of 2, and a region in units of 16.
		[ -e "$nfit" ] || truncate -s 514M "$nfit"
		qemu+=(-object "memory-backend-file,id=m1,share=on,mem-path=$nfit,size=514M"
			-device nvdimm,id=nv1,memdev=m1,label-size=2M)
	fi
	if [ -n "$nfit$virtio" ]; then
		m+=,nvdimm=on
		qemu+=(-m "${ram}M,slots=4,maxmem=$((ram + 4096))M")
	else
		qemu+=(-m "${ram}M")
	fi
	# Without five-level page tables: identify_cpu() clears the feature bits and
	# detects them again, and an interrupt in between takes them for four-level
	# ones; KASAN then sees wild accesses (about one boot in ten).
	qemu+=(-machine "$m" -accel "$accel" -cpu "max,la57=off$cpu" -smp "$smp")
}

# A script goes in as one more archive at the initramfs's end.
add_script() {
	printf '#!/bin/sh\n%s\n' "$script" >"$work/script"
	chmod +x "$work/script"
	(cd "$work" && echo script | in_root cpio --quiet -o -H newc) | cat "$initrd" - >"$work/initrd"
	initrd=$work/initrd
}

fail() {
	echo "--- the end of $log:" >&2
	tail -n "${DAXRMAP_TAIL:-60}" "$log" | tr -d '\r' >&2
	echo "---" >&2
	say "QEMU ($kernel kernel): FAILED: $*"
	exit 1
}

find "$CACHE" -maxdepth 1 -name 'qemu.*' -mmin +1440 -exec rm -rf {} +
work=$(mktemp -d "$CACHE/qemu.XXXXXX")
pid=
clean() {
	# KILL: QEMU has nothing to put in order that we would want.
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

machine
[ -z "$script" ] || add_script
cmdline+=" daxrmap.pmem=$pmem$append"
qemu+=(-kernel "$image" -initrd "$initrd" -append "$cmdline" "$@")
if [ -n "$dry" ]; then
	printf '%q ' "${qemu[@]}"
	echo
	exit 0
fi

# Seconds that the guest may run.
limit() {
	local slow
	slow=$(tr -d '\r' <"$log" | sed -n 's/.*DAXRMAP-GUEST-SLOW \([0-9]*\)$/\1/p' | tail -n 1)
	echo $((timeout * ${slow:-1}))
}

mkdir -p "$(dirname "$log")"
: >"$log"
cd "$TOP"
start=$SECONDS
# QEMU sees these where they are outside. It gets killed by the kernel when
# this script dies in a way that runs no trap.
DAXRMAP_BIND="$(dirname "$initrd") ${nfit:+$(dirname "$nfit")} ${virtio:+$(dirname "$virtio")}" \
	exec_in "$ROOT" setpriv --pdeathsig KILL env ${env[@]+"${env[@]}"} "${qemu[@]}" </dev/null >>"$log" 2>&1 &
pid=$!
[ -z "$pid_file" ] || echo "$pid" >"$pid_file"
give_up() {
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || true
	pid=
	fail "$*"
}
looked=0
while kill -0 "$pid" 2>/dev/null; do
	sleep 0.2
	run=$((SECONDS - start))
	[ $((run - looked)) -ge 5 ] || continue
	looked=$run
	[ $run -lt "$timeout" ] || [ $run -lt "$(limit)" ] || give_up "no end after $run s"
	[ $(($(date +%s) - $(stat -c %Y "$log"))) -lt 300 ] || give_up "nothing said for 300 s"
done
rc=0
wait "$pid" || rc=$?
pid=

grep -aq 'Kernel panic' "$log" && fail "the kernel panicked after $((SECONDS - start)) s"
code=$(tr -d '\r' <"$log" | sed -n 's/.*DAXRMAP-GUEST-EXIT \([0-9]*\)$/\1/p' | tail -n 1)
[ -n "$code" ] || fail "the guest ended without saying so (QEMU's exit code: $rc)"
found=$("$TOP/scripts/guest/check-log.sh" "$log") || {
	echo "--- the kernel complained:" >&2
	printf '%s\n' "$found" >&2
	fail "the kernel complained"
}
[ "$code" = 0 ] || fail "the guest's exit code is $code"
say "QEMU ($kernel kernel): passed in $((SECONDS - start)) s"
