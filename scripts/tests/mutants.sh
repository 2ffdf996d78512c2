#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# mutants.sh [NAME...]: `make mutants`. Takes one cure out of the module at
# a time (tests/mutants/NAME.patch), builds it, runs the self tests that the
# patch's "Tests:" line names on the stock kernel, or on the one that its
# "Kernel:" line names, and wants them to fail: a mutant that survives means a
# test that cannot fail. First of all the same tests must pass on the module as it is: else
# they would fail whatever was taken out. "Tests: power-cut" is scripts/tests/power-cut.sh,
# "power-cut-virtio" the same on virtio-pmem, "mce" is scripts/tests/mce.sh. Some minutes
# in all.
# TESTS="a b" runs these instead.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-kernel.sh"
kernel_paths

work=$TOP/build/mutants
killed=0 survived=0
"$TOP/scripts/build/selftests.sh" >"$TOP/build/mutants-selftests.log" 2>&1 ||
	die "the self tests do not build, log: $TOP/build/mutants-selftests.log"
"$TOP/scripts/build/tools.sh" >"$TOP/build/mutants-tools.log" 2>&1 ||
	die "the tools do not build, log: $TOP/build/mutants-tools.log"

build() { # NAME KERNEL
	local dir=$work/$1 args
	case $2 in
	stock) args=(-C "$KERNEL_STOCK" "CC=$(kernel_cc)") ;;
	debug) args=(-C "$KERNEL_DEBUG" LLVM=-19) ;;
	*) die "mutant $1: no such kernel: $2 (stock or debug)" ;;
	esac
	copy_source "$dir/tree"
	# No errexit here: the caller looks at the result.
	patch -s -p1 -F 0 -d "$dir/tree" <"$TOP/tests/mutants/$1.patch" || return 1
	in_root make "${args[@]}" -j"$(nproc)" M="$dir/tree" modules
}

power_cut() { # NAME DEVICE
	local log=$work/$1/log
	if CYCLES=4 POWER_CUT_DEVICE=$2 POWER_CUT_MODULE=$work/$1/tree/daxrmap.ko "$TOP/scripts/tests/power-cut.sh" >"$log" 2>&1; then
		survived=$((survived + 1))
		say "mutant $1: SURVIVED power-cut"
		return
	fi
	killed=$((killed + 1))
	say "mutant $1: caught: $(grep '^not ok power-cut' "$log" || tail -n 1 "$log")"
}

mce() { # NAME
	local log=$work/$1/log
	if MCE_MODULE=$work/$1/tree/daxrmap.ko "$TOP/scripts/tests/mce.sh" stock >"$log" 2>&1; then
		survived=$((survived + 1))
		say "mutant $1: SURVIVED mce"
		return
	fi
	killed=$((killed + 1))
	say "mutant $1: caught: $(grep -m 1 '^not ok' "$log" || tail -n 1 "$log")"
}

# What a mutant's lines say.
tests_of() {
	local tests
	tests=${TESTS:-$(sed -n 's/^Tests: //p' "$TOP/tests/mutants/$1.patch")}
	[ -n "$tests" ] || die "tests/mutants/$1.patch has no line 'Tests: ...'"
	echo "$tests"
}
kernel_of() {
	local kernel
	kernel=$(sed -n 's/^Kernel: //p' "$TOP/tests/mutants/$1.patch")
	echo "${kernel:-stock}"
}

# control KERNEL MUTANT...: the tests of those of them that are for this kernel, without any.
control() {
	local kernel=$1 m tests=
	shift
	for m; do
		[ "$(kernel_of "$m")" != "$kernel" ] || tests+=" $(tests_of "$m")"
	done
	tests=$(printf '%s\n' $tests | grep -vxE 'power-cut|power-cut-virtio|mce|' | LC_ALL=C sort -u | tr '\n' ' ' || true)
	[ -n "${tests% }" ] || return 0
	say "without a mutant, $kernel kernel: $tests"
	TESTS=$tests "$TOP/scripts/tests/selftests.sh" "$kernel" >"$work/control-$kernel.log" 2>&1 ||
		die "these tests fail without a mutant, log: $work/control-$kernel.log"
}

try() { # NAME
	local dir=$work/$1 tests kernel caught timeout=300
	tests=$(tests_of "$1")
	kernel=$(kernel_of "$1")
	[ "$kernel" = stock ] || timeout=900
	mkdir -p "$dir"
	(build "$1" "$kernel") >"$dir/build.log" 2>&1 || die "mutant $1 does not build, log: $dir/build.log"
	case $tests in
	power-cut) power_cut "$1" nfit; return ;;
	power-cut-virtio) power_cut "$1" virtio; return ;;
	mce) mce "$1"; return ;;
	esac
	"$TOP/scripts/guest/initramfs.sh" --module "$dir/tree/daxrmap.ko" \
		$(for t in $tests; do echo "--test $TOP/build/selftests/$t"; done) \
		"$kernel" "$dir/initrd" >/dev/null
	if "$TOP/scripts/guest/run-qemu.sh" --kernel "$kernel" --initrd "$dir/initrd" --log "$dir/log" \
		--timeout $timeout --append daxrmap.timeout=$((timeout * 4 / 10)) >"$dir/run.log" 2>&1; then
		survived=$((survived + 1))
		say "mutant $1: SURVIVED $tests"
		return
	fi
	killed=$((killed + 1))
	caught=$(sed -n 's/.*tap: not ok [0-9]* *\([a-z_]*\.[^ ]*\).*/\1/p' "$dir/log" | tr '\n' ' ')
	say "mutant $1: caught by ${caught:-$(tail -n 1 "$dir/run.log")}"
}

if [ $# = 0 ]; then
	set -- $(cd "$TOP/tests/mutants" && ls *.patch | sed 's/\.patch$//')
fi
mkdir -p "$work"
control stock "$@"
control debug "$@"
for name; do try "$name"; done
echo "$killed caught, $survived survived"
[ $survived = 0 ]
