#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# fuzz.sh [SECONDS [TARGET [FILE...]]]: `make fuzz`. Fuzzes each target of
# tests/fuzz (or one) for SECONDS (180), starting from tests/fuzz/corpus; what
# it finds on top stays in build/fuzz/corpus. SECONDS 0 runs what is there;
# with FILE, these inputs, and tells what they do: a crash, once more.
# fuzz.sh --merge TARGET: makes tests/fuzz/corpus anew of both, with as few
# inputs as cover the same. What has a name of words stays.
#
# This is cargo-fuzz without cargo-fuzz, which wants a nightly: libFuzzer, and
# the flags by which the compiler instruments the code for it. They are stable.
# Address sanitizer is not, and there is no unsafe code to find with it.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/build/lib-cargo.sh"

merge=
[ "${1:-}" != --merge ] || { merge=1; set -- 0 "${2:?--merge needs a target}"; }
seconds=${1:-180}
targets=${2:-$(cd "$TOP/tests/fuzz/fuzz_targets" && ls ./*.rs | sed 's|./||; s/\.rs$//')}
files=("${@:3}")
case $seconds in *[!0-9]* | '') die "not a number of seconds: $seconds" ;; esac

out=$TOP/build/fuzz
triple=x86_64-unknown-linux-gnu

build() {
	# Without trace-compares: they take three quarters of the time, and help with
	# magic numbers only, of which the targets so far have none.
	local flags=(-Cpasses=sancov-module -Ccodegen-units=1 --cfg fuzzing) f
	for f in level=4 inline-8bit-counters pc-table; do
		flags+=("-Cllvm-args=-sanitizer-coverage-$f")
	done
	cd "$TOP/tests/fuzz"
	cargo_fetch
	# --target: so that what runs while it builds is not instrumented.
	in_root env RUSTFLAGS="${flags[*]}" CXX=clang++-19 "${CARGO[@]}" build --release --offline \
		--locked --target $triple --target-dir "$out/cargo"
}

# fuzz TARGET LIBFUZZER-ARGUMENT...
fuzz() {
	local target=$1
	# The time limit is on the wall clock, and the machine may be busy: what takes
	# half a second is not to fail, what never ends is.
	shift
	in_root env ${files[0]+DAXRMAP_TRACE=1} "$out/cargo/$triple/release/$target" -artifact_prefix="$out/crashes/$target/" \
		-max_len=512 -len_control=0 -timeout=120 -rss_limit_mb=2048 \
		-print_funcs=0 -print_final_stats=1 "$@" >"$out/$target.log" 2>&1
}

# said TARGET NAME: what libFuzzer said last of NAME.
said() { sed -n "s/.*$2:* *\([0-9][0-9]*\).*/\1/p" "$out/$1.log" | tail -n 1; }

merge() {
	local new=$out/merged/$1 old=$TOP/tests/fuzz/corpus/$1
	rm -rf "$new"
	mkdir -p "$new"
	fuzz "$1" -merge=1 -set_cover_merge=1 -use_counters=0 "$new" "$old" "$out/corpus/$1" || return
	find "$old" -name '*-*' -exec cp {} "$new" \;
	rm -rf "$old"
	cp -r "$new" "$old"
	echo "$1: $(ls "$old" | wc -l) inputs, $(said "$1" cov) edges"
}

run() {
	local target=$1 rc=0 start=$SECONDS crash crashes
	local seeds=$TOP/tests/fuzz/corpus/$target found=$out/corpus/$target
	mkdir -p "$found" "$seeds" "$out/crashes/$target"
	if [ -n "$merge" ]; then
		merge "$target" && return
		die "merging failed, log: $out/$target.log"
	fi

	touch "$out/.start-$target"
	if [ ${#files[@]} != 0 ]; then
		say "fuzz $target: ${#files[@]} inputs"
		# To where the root tree has them.
		rm -rf "$out/inputs"
		mkdir "$out/inputs"
		cp -- "${files[@]}" "$out/inputs"
		fuzz "$target" "$out"/inputs/* || rc=$?
	elif [ "$seconds" = 0 ]; then
		say "fuzz $target: what is in the corpus"
		fuzz "$target" -runs=0 "$found" "$seeds" || rc=$?
	else
		say "fuzz $target: for $seconds s"
		fuzz "$target" -max_total_time="$seconds" "$found" "$seeds" || rc=$?
	fi

	mapfile -t crashes < <(find "$out/crashes/$target" -type f -newer "$out/.start-$target" ! -name 'slow-*')
	if [ ${#files[@]} = 0 ]; then
		echo "fuzz $target: $(said "$target" number_of_executed_units) executions" \
			"in $((SECONDS - start)) s, $(said "$target" cov) edges covered," \
			"$(find "$found" "$seeds" -type f | wc -l) inputs, ${#crashes[@]} crashes"
	else
		grep -av '^INFO:' "$out/$target.log"
	fi
	[ $rc != 0 ] || return 0
	[ ${#files[@]} != 0 ] || grep -aA 12 'panicked at\|ERROR: libFuzzer' "$out/$target.log" | head -n 40
	echo "fuzz $target: FAILED (exit $rc), log: $out/$target.log"
	for crash in ${crashes[@]+"${crashes[@]}"}; do
		echo "reproduce: scripts/tests/fuzz.sh 0 $target ${crash#"$TOP/"}"
	done
	return 1
}

mkdir -p "$out"
lock "fuzz-$(hash_of "$TOP")"
step "building the fuzz targets" "$out/build.log" build
# Each is one thread, so all of them at once: the time limit is on the wall clock.
failed=0 pids=()
for target in $targets; do
	run "$target" &
	pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
exit $failed
