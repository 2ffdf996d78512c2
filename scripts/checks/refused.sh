#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# refused.sh: what the documentation says does not compile does not.
#
# rustdoc runs such examples of a library; those of a kernel module it cannot. Here
# each ```compile_fail,CODE block of a comment in src/ becomes a module of the crate,
# and rustc must have just that error in it, and nothing else. Errors of ownership
# (E0382, E0499, E0502, E0505 ...) come when there are no others, so they are built
# apart.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-kernel.sh"
kernel_paths

work=$TOP/build/refused
OWNERSHIP='E0(373|381|382|384|499|50[0-9]|515|521|59[467]|71[2356])'
mkdir -p "$work"

# examples FILE...: "@ FILE:LINE CODE" of each block, and its text.
examples() {
	awk '
	/^ *\/\/[\/!] ```compile_fail/ {
		code = $0
		sub(/.*compile_fail,?/, "", code)
		if (code !~ /^E[0-9]+$/) {
			printf "%s:%d: which error does it have? ```compile_fail,E0000\n", FILENAME, FNR >"/dev/stderr"
			exit 1
		}
		printf "@ %s:%d %s\n", FILENAME, FNR, code
		inside = 1
		next
	}
	inside && /^ *\/\/[\/!] ```/ { inside = 0; next }
	inside { sub(/^ *\/\/[\/!] ?/, ""); print }
	' "$@"
}

# build KIND [not]: the examples of errors of ownership (or all others), in one crate.
build() {
	local kind=$1 not=${2:-} dir=$work/$1
	copy_source "$dir"
	# Line numbers of each example in the crate's root file, for the comparison.
	awk -v ownership="$OWNERSHIP" -v not="$not" -v root="$dir/src/daxrmap.rs" -v list="$dir/list" '
	BEGIN { while ((getline line <root) > 0) n++ }
	/^@ / {
		if (open) { print "}" >>root; n++; open = 0 }
		take = ($3 ~ ownership) != (not == "not")
		if (!take) next
		printf "\n#[allow(dead_code, unused_imports, reason = \"an example\")]\nmod example_%d {\nuse kernel::prelude::*;\n", ++count >>root
		n += 4
		print n, $2, $3 >list
		open = 1
		next
	}
	open { print >>root; n++ }
	END { if (open) print "}" >>root }
	' "$work/examples"
	[ -e "$dir/list" ] || die "no examples of kind $kind"
	(in_root make -C "$KERNEL_STOCK" "CC=$(kernel_cc)" -j"$(nproc)" M="$dir" \
		KRUSTFLAGS=--error-format=short modules) >"$dir/build.log" 2>&1 &&
		die "all examples of kind $kind compile, log: $dir/build.log"
	grep -E 'error(\[E[0-9]+\])?:' "$dir/build.log" | grep -v 'aborting due to' |
		sed -nE 's/^.*src\/([^:]*):([0-9]+):[0-9]+: error\[?(E[0-9]*)?\]?:.*/\1 \2 \3/p' >"$dir/errors"
	awk '
	FNR == NR { start[++n] = $1; place[n] = $2; code[n] = $3; next }
	{
		hit = 0
		if ($1 == "daxrmap.rs")
			for (i = 1; i <= n; i++)
				if ($2 >= start[i]) hit = i
		if (!hit) { printf "an error outside of the examples: %s\n", $0; bad = 1; next }
		if ($3 != code[hit]) { printf "%s: %s, not %s\n", place[hit], $3, code[hit]; bad = 1; next }
		found[hit]++
	}
	END {
		for (i = 1; i <= n; i++)
			if (found[i] != 1) { printf "%s: it has %d errors %s, not one\n", place[i], found[i], code[i]; bad = 1 }
			else ok++
		printf "%d examples are refused as they say\n", ok
		exit bad
	}' "$dir/list" "$dir/errors"
}

cd "$TOP"
mapfile -t files < <(grep -rl 'compile_fail' --include='*.rs' src | LC_ALL=C sort)
[ ${#files[@]} -gt 0 ] || die "src has no example that must not compile"
examples "${files[@]}" >"$work/examples"
rc=0
build types not || rc=1
build ownership || rc=1
exit $rc
