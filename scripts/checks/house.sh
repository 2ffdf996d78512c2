#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# house.sh: whether src/ has one direction.
# - No circle of files: each takes names only from files below it.
# - No arrow up between folders, at any depth, whatever re-export it goes through.
# - At most 15 files in one folder.
# - Documentation/architecture.rst has the picture of it that is true.
# house.sh --draw [FOLDER]: prints the picture, of src/ or of a folder in it.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/build/lib-cargo.sh"

PROGRAM=build/cargo/debug/daxrmap-house
log=$TOP/build/house.log
mkdir -p "$TOP/build"
build() {
	cd "$TOP/tests/house"
	cargo_fetch
	in_root "${CARGO[@]}" build --offline --locked --target-dir "$TOP/build/cargo"
}
(build) >"$log" 2>&1 || { cat "$log" >&2; die "tests/house does not build"; }
cd "$TOP"
house() { in_root "$TOP/$PROGRAM" "$@"; }

if [ "${1:-}" = --draw ]; then
	house src "$@"
	exit
fi

# Small trees, which the root tree sees too: its /tmp is its own.
trees=$(mktemp -d "$TOP/build/house.XXXXXX")
trap 'rm -rf "$trees"' EXIT
file() { mkdir -p "$(dirname "$trees/$1")"; printf '%b' "$2" >"$trees/$1"; }

good() {
	rm -rf "${trees:?}"/*
	file daxrmap.rs 'mod high; mod low;'
	file high/mod.rs 'mod a; mod b; pub(crate) use a::A;'
	file high/a.rs 'use super::b::B; pub(crate) struct A(B, crate::low::L);'
	file high/b.rs 'pub(crate) struct B;'
	file low/mod.rs 'mod l; pub(crate) use l::L;'
	file low/l.rs 'pub(crate) struct L;'
	file page.rst 'Rooms::\n\n    2  high        low\n    1  daxrmap.rs\n    1  low\n'
}

# A checker that lets these through finds nothing. refuses WHAT FILE TEXT
refuses() {
	local rc=0
	good
	file "$2" "$3"
	house "$trees" --drawing "$trees/page.rst" >"$log" 2>&1 || rc=$?
	[ $rc != 0 ] || die "tests/house lets this through: $2: $3"
	grep -q "$1" "$log" || { cat "$log" >&2; die "tests/house does not say '$1' of $2: $3"; }
}
good
house "$trees" >/dev/null || die "tests/house refuses what is right"
house "$trees" --draw | sed 's/^ *//' >"$log"
sed -n '3,$s/^ *//p' "$trees/page.rst" | cmp -s "$log" - || die "tests/house draws something else"
refuses 'circle of 2 files' high/b.rs 'pub(crate) struct B(super::a::A);'
refuses 'circle of 2 files' high/b.rs 'pub(crate) struct B; fn f() { x!(crate::high::A) }'
refuses 'goes up' low/l.rs 'use crate::high as h; pub(crate) struct L(h::A);'
refuses 'no .mod. declares' low/lost.rs ''
refuses 'has no Gone' high/b.rs 'use crate::low::Gone; pub(crate) struct B;'
refuses 'has not the drawing' page.rst 'Rooms::\n\n    2  high        low\n    1  low\n'
good
for i in {1..14}; do file "low/m$i.rs" ''; done
file low/mod.rs "mod l; pub(crate) use l::L; $(printf 'mod m%d; ' {1..14})"
! house "$trees" >/dev/null 2>&1 || die "tests/house lets 16 files in a folder through"

house src --drawing Documentation/architecture.rst
