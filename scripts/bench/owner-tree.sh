#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# owner-tree.sh [RECORDS...]: `make bench-rmap`, a part of `make bench`. Measures the owner tree and its peers,
# with 1 M and 10 M records, or with so many as given; prints a table, and
# writes it, all figures and a plot to tests/bench/out. A run with any setting
# is not one to keep: what it finds goes to build/bench/out. Without one
# scripts/bench/mount.sh measures mounts after that, and aging.sh files after long use.
#
# owner-tree.sh --callgrind [RECORDS]: counts instead, with this machine's valgrind:
# instructions and cache misses of an operation, into callgrind.csv.
#
# Settings, in the environment (`make bench-rmap BENCH_PEERS="kernel btree"`):
#   BENCH_SHAPES  unshared clones fragmented hot-block churn
#   BENCH_PEERS   as in the first lines of the table; ours is always there
#   BENCH_OPS     how many removals, and queries of a kind, at most (200000)
#   BENCH_MS      for how long queries of a kind run at most (1000)
#   BENCH_BATCH   how many owners the tree gives at once (1024; in the module 128)
#   BENCH_OUT     where results go
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-kernel.sh"
. "$TOP/scripts/build/lib-cargo.sh"

callgrind=
[ "${1:-}" != --callgrind ] || { callgrind=1; shift; }
for n; do
	case $n in *[!0-9]* | '') die "not a number of records: $n" ;; esac
done
settings=()
[ $# = 0 ] || settings+=("BENCH_SIZES=$*")
for name in BENCH_SHAPES BENCH_PEERS BENCH_OPS BENCH_MS BENCH_BATCH; do
	[ -z "${!name:-}" ] || settings+=("$name=${!name}")
done
out=$TOP/build/bench
results=$out/out
[ ${#settings[@]} != 0 ] || results=$TOP/tests/bench/out
results=${BENCH_OUT:-$results}
mkdir -p "$out" "$results"
results=$(cd "$results" && pwd -P)
export DAXRMAP_BIND="${DAXRMAP_BIND:-} $results"

# The kernel's own interval tree is compiled from its source package.
kernel_paths
for f in lib/interval_tree.c lib/rbtree.c include/linux/interval_tree_generic.h; do
	[ -e "$KERNEL_SRC/$f" ] || die "$KERNEL_SRC has no $f: run 'make setup'"
done

# build DIR CARGO-ARGUMENT...
build() {
	cd "$TOP/tests/bench"
	cargo_fetch
	in_root env DAXRMAP_KSRC="$KERNEL_SRC" RUSTFLAGS="${flags:-}" "${CARGO[@]}" build --release \
		--offline --locked --target-dir "$@"
}

# count SHAPE RECORDS PEER: a line for each operation, of what callgrind has
# seen below the functions that run.rs has for them. The caches are those of
# a common server core: 48 KiB of its own, 32 MiB at the last level.
count() {
	local file=$out/callgrind.out
	env BENCH_PATIENCE=1000 BENCH_OPS="${BENCH_OPS:-20000}" BENCH_MS="${BENCH_MS:-20000}" \
		BENCH_BATCH="${BENCH_BATCH:-1024}" \
		valgrind -q --tool=callgrind --callgrind-out-file="$file" --cache-sim=yes \
		--I1=32768,8,64 --D1=49152,12,64 --LL=33554432,16,64 \
		--toggle-collect='daxrmap_bench::run::op_*' \
		"$counter" --one "$1" "$2" "$3" >"$out/callgrind.log" 2>&1 || {
		tail -n 20 "$out/callgrind.log" >&2
		die "callgrind failed, log: $out/callgrind.log"
	}
	awk -v key="$1,$2,$3" '
		/^events:/ { for (i = 2; i <= NF; i++) column[$i] = i }
		# A name is written out where it comes first, as caller or as callee.
		/^c?fn=/ {
			id = $1
			sub(/^c?fn=/, "", id)
			if (NF > 1) name[id] = $2
			op = name[id]
		}
		/^calls=/ {
			calls = substr($1, 7)
			getline
			if (sub(/^daxrmap_bench::run::op_/, "", op)) {
				n[op] += calls
				ir[op] += $column["Ir"]
				d1[op] += $column["D1mr"] + $column["D1mw"]
				ll[op] += $column["DLmr"] + $column["DLmw"]
			}
		}
		END {
			split("insert remove point range sharing", ops, " ")
			for (i = 1; op = ops[i]; i++)
				if (n[op])
					printf "%s,%s,%d,%.1f,%.2f,%.2f\n", key, op, n[op],
						ir[op] / n[op], d1[op] / n[op], ll[op] / n[op]
		}' "$file"
}

lock bench
start=$SECONDS
if [ -n "$callgrind" ]; then
	command -v valgrind >/dev/null || die "there is no valgrind on this machine"
	# Static, so that it runs on this machine, whose C library may be older.
	triple=x86_64-unknown-linux-gnu
	counter=$out/static/$triple/release/daxrmap-bench
	flags=-Ctarget-feature=+crt-static step "building the benchmark" "$out/build.log" \
		build "$out/static" --target $triple
	{
		echo shape,size,peer,op,ops,instructions,d1_misses,ll_misses
		for shape in ${BENCH_SHAPES:-unshared clones fragmented hot-block churn}; do
			for peer in owner-tree ${BENCH_PEERS:-kernel btree btree-class}; do
				say "callgrind: $shape ${1:-1000000} $peer"
				count "$shape" "${1:-1000000}" "$peer"
			done
		done
	} | tee "$results/callgrind.csv" | column -t -s,
	say "counted in $((SECONDS - start)) s: $results/callgrind.csv"
	exit
fi

step "building the benchmark" "$out/build.log" build "$out/cargo"
in_root env ${settings[@]+"${settings[@]}"} BENCH_OUT="$results" BENCH_RUSTC="$(in_root rustc --version)" \
	"$out/cargo/release/daxrmap-bench"
# What a mount costs needs a kernel, and so does a filesystem that grows old.
if [ ${#settings[@]} = 0 ]; then
	BENCH_OUT=$results "$TOP/scripts/bench/mount.sh"
	BENCH_OUT=$results "$TOP/scripts/bench/aging.sh"
fi
say "measured in $((SECONDS - start)) s"
