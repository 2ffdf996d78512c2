#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# safety.sh: what clippy does not ask of unsafe code.
# - Each block, and each `unsafe impl`, has a SAFETY comment of its own just before.
# - That, and an INVARIANT comment, says what it stands on: an invariant or a
#   clause of # Safety, by name. "As above" and "By the caller's promise" say nothing.
# - Each unsafe function has # Safety.
# - Only src/bindings, src/dax, src/vfs and the two beside them that wrap C (src/support,
#   src/trace.rs) have any.
. "$(dirname "$0")/../lib.sh"
cd "$TOP"

# Calls of C functions that take bytes. The parts of the module that also
# compile on the host use them, so they can be in none of these.
ALLOWED=(src/crc32c.rs src/siphash.rs)

# check CONTAINED FILE...: 1 for files that may have unsafe code.
check() { local c=$1; shift; awk -v contained="$c" -f scripts/checks/safety.awk "$@"; }

# A checker that lets these through finds nothing.
refuses() {
	local c=$1 text=$2
	if printf '%b' "$text" | check "$c" - >/dev/null; then
		die "scripts/checks/safety.awk lets this through: $text"
	fi
}
good='// SAFETY: The inode is live: clause `inode`.\nunsafe { f() };\n'
printf '%b' "$good" | check 1 - || die "scripts/checks/safety.awk refuses what is right"
refuses 0 "$good"
refuses 1 'unsafe { f() };\n'
refuses 1 '// SAFETY: It is live: clause `a`.\nlet a = 1;\nunsafe { f() };\n'
refuses 1 "${good}unsafe { f() };\n"
refuses 1 '// SAFETY: It is live: clause `a`.\nf(unsafe { a }, unsafe { b });\n'
refuses 1 'unsafe impl Send for A {}\n'
refuses 1 '// SAFETY: As above.\nunsafe { f() };\n'
refuses 1 "// SAFETY: By the caller's\n// promise; it is live.\nunsafe { f() };\n"
refuses 1 "// INVARIANT: By the caller's promise.\nSelf(a)\n"
refuses 1 '// SAFETY: By the type invariant.\nunsafe { f() };\n'
refuses 1 '// SAFETY:\nunsafe { f() };\n'
refuses 1 '/// Does it.\nunsafe fn f() {}\n'

mapfile -t contained < <(find src/bindings src/dax src/support src/trace.rs src/vfs -name '*.rs' | LC_ALL=C sort)
mapfile -t rest < <(find src -name '*.rs' | LC_ALL=C sort |
	grep -vxF "$(printf '%s\n' "${contained[@]}" "${ALLOWED[@]}")")
[ ${#contained[@]} -gt 0 ] && [ ${#rest[@]} -gt 0 ] || die "found no Rust files"
rc=0
check 1 "${contained[@]}" "${ALLOWED[@]}" || rc=1
check 0 "${rest[@]}" || rc=1
exit $rc
