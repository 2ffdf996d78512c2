# SPDX-License-Identifier: GPL-2.0
# What every script shares: where things are, how progress is told, how two
# runs at once keep out of each other's way. Sourced, never run.

set -euo pipefail

# A make that called us has its own jobs and variables; ours are told by hand.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/daxrmap
# shellcheck source=scripts/setup/pin.sh
. "$TOP/scripts/setup/pin.sh"

say() { printf '==> %s\n' "$*" >&2; }
die() { printf 'daxrmap: %s\n' "$*" >&2; exit 1; }

# step WHAT LOG COMMAND...: runs it, its output to LOG; one line when it
# starts, one with the time when it ends, the log's tail if it fails.
step() {
	local what=$1 log=$2 start=$SECONDS rc
	shift 2
	mkdir -p "$(dirname "$log")"
	say "$what"
	# Not as an `if` condition: that would switch errexit off inside.
	set +e
	(set -e; "$@") >"$log" 2>&1
	rc=$?
	set -e
	if [ $rc != 0 ]; then
		tail -n 40 "$log" >&2
		die "$what: failed (exit $rc) after $((SECONDS - start)) s, log: $log"
	fi
	say "$what: done in $((SECONDS - start)) s"
}

# lock NAME: holds the cache's lock of that name until the script ends. What
# it protects is complete when its `.done` stamp exists, and is made anew
# when it does not: an interrupted run costs time, never correctness.
lock() {
	mkdir -p "$CACHE/lock"
	exec {lock_fd}>"$CACHE/lock/$1"
	if ! flock -n "$lock_fd"; then
		say "waiting for another run that makes: $1"
		flock "$lock_fd"
	fi
}

# hash_of FILE-OR-TEXT...: a short key for a cache entry.
hash_of() {
	local x
	for x in "$@"; do
		if [ -f "$x" ]; then cat "$x"; else printf '%s\n' "$x"; fi
	done | sha256sum | cut -c1-12
}

need_root() {
	[ "$(id -u)" = 0 ] || die "$1 needs root; run it with sudo or in a root shell"
}

host_codename() { (. /etc/os-release && echo "${VERSION_CODENAME:-}"); }

# The root tree's packages, and its key.
ROOT_PACKAGES=$(sed 's/#.*//' "$TOP/scripts/setup/packages.txt" | tr -s ' \n' ' ')
if [ "$(host_codename)" = "$PIN_SUITE" ]; then
	ROOT=/
else
	ROOT=$CACHE/root-$(hash_of "$PIN_SUITE" "$ROOT_PACKAGES")
fi

# What builds kernels and modules: the same tree, or another suite's, which has
# no more than that takes.
if [ "$PIN_KERNEL_TOOLS" = "$PIN_SUITE" ]; then
	KERNEL_ROOT=$ROOT
else
	KERNEL_ROOT_PACKAGES=$(sed 's/#.*//' "$TOP/scripts/setup/packages-kernel.txt" | tr -s ' \n' ' ')
	KERNEL_ROOT=$CACHE/root-$(hash_of "$PIN_KERNEL_TOOLS" "$KERNEL_ROOT_PACKAGES")
fi

# in_root COMMAND...: runs it in the trixie root tree, with the clone and the
# cache at the paths they have outside. The mounts live in a mount namespace
# of their own and are gone when the command ends, however it ends.
in_root() { (exec_in "$ROOT" "$@"); }

# The same in the tree that the kernel's toolchain is in.
in_kernel_root() { (exec_in "$KERNEL_ROOT" "$@"); }

# exec_in ROOT COMMAND...: the same in place of this shell: started in the
# background, $! is COMMAND.
exec_in() {
	local root=$1
	shift
	if [ "$root" = / ]; then
		exec "$@"
	else
		need_root "entering the root tree"
		exec unshare --mount --propagation private "$TOP/scripts/setup/enter-root.sh" \
			"$root" "$TOP" "$CACHE" "$PWD" "$@"
	fi
}
