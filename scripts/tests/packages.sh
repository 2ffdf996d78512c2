#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# packages.sh: the Debian packages of `make deb` (a group of `make test`): they are built, lintian
# and mandoc have nothing to say, what is in them is what ought to be, and DKMS's script says in one
# line what it misses. packages-machine.sh installs them. The last line is "RESULT passed failed skipped".
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-deb.sh"
. "$TOP/scripts/setup/lib-kernel.sh"

out=$TOP/build/deb
passed=0 failed=0
check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@"; then
		echo "ok $name"
		passed=$((passed + 1))
	else
		echo "not ok $name"
		failed=$((failed + 1))
	fi
}

linted() {
	local said
	said=$(in_deb_root lintian --allow-root --tag-display-limit 0 --display-info "$out"/*.changes 2>&1) || true
	[ -z "$said" ] || { printf '%s\n' "$said"; return 1; }
}

# Whether a package has each of these files.
has() { # PACKAGE FILE...
	local deb f missing=0 list
	deb=$(echo "$out/$1"_*.deb)
	shift
	list=$(in_deb_root dpkg-deb -c "$deb" | awk '{ print $6 }')
	for f in "$@"; do
		grep -qxF "./$f" <<<"$list" || { echo "$deb lacks $f"; missing=1; }
	done
	return $missing
}

# AGAIN=1: no clock is in a package, built again in the same place it is the same.
same_again() {
	local before
	before=$(cd "$out" && sha256sum *.deb)
	"$TOP/scripts/build/deb.sh" >/dev/null 2>&1 || return 1
	diff <(echo "$before") <(cd "$out" && sha256sum *.deb)
}

# refuses WORDS HEADERS [PATH]: the script ends, and its last line has these words.
fake=$TOP/build/deb/fake
refuses() {
	local words=$1 said
	said=$(in_deb_root env PATH="$fake/bin:/usr/bin:/bin" sh "$TOP/packaging/dkms/prepare" "$2" "$fake/headers-$2" "$fake/out" 2>&1) &&
		{ echo "no refusal: $said"; return 1; }
	[ "$(wc -l <<<"$said")" = 1 ] && grep -qF -- "$words" <<<"$said" || { echo "says: $said"; return 1; }
}
# program NAME LINE: a program that prints it, in place of one that the tree lacks.
program() { printf '#!/bin/sh\necho "%s"\n' "$2" >"$fake/bin/$1"; chmod +x "$fake/bin/$1"; }
refusals() {
	local r=9.9.1-amd64 h
	rm -rf "$fake"
	mkdir -p "$fake/bin" "$fake/core/lib/rustlib/src/rust/library/core/src"
	h=$fake/headers-$r
	check "refused: no headers" refuses "apt install linux-headers-$r" $r
	mkdir -p "$h"
	touch "$h/Module.symvers"
	printf 'CONFIG_CC_VERSION_TEXT="some-gcc (Debian) 1"\nCONFIG_RUSTC_VERSION_TEXT="rustc 1.2.3 (abc 2025-01-01) (built)"\n' >"$h/.config"
	check "refused: no compiler" refuses "compiled with some-gcc" $r
	program some-gcc x
	check "refused: no rustc" refuses "no rustc" $r
	program rustc "rustc 1.9.9 (abc 2025-01-01)"
	check "refused: no bindgen" refuses "no bindgen" $r
	program bindgen x
	check "refused: no pahole" refuses "no pahole" $r
	program pahole x
	check "refused: another rustc" refuses "compiled with rustc 1.2.3 (abc, here is rustc 1.9.9 (abc" $r
	printf '#!/bin/sh\n[ "$1" = --print ] && echo "%s" || echo "rustc 1.2.3 (abc 2025-01-01)"\n' "$fake/core" >"$fake/bin/rustc"
	check "refused: no rust-src" refuses "apt install rust-src" $r
	touch "$fake/core/lib/rustlib/src/rust/library/core/src/lib.rs"
	check "refused: not Debian's headers" refuses "not of a Debian package" $r
	printf '#!/bin/sh\ncase $* in *linux-headers*) echo "ii 9.9.1-2";; *) [ ! -e %s ] || echo "ii 9.9.1-1";; esac\n' "$fake/has-source" >"$fake/bin/dpkg-query"
	chmod +x "$fake/bin/dpkg-query"
	check "refused: no linux-source" refuses "apt install linux-source-9.9=9.9.1-2" $r
	touch "$fake/has-source"
	check "refused: linux-source of another version" refuses "linux-source-9.9 of 9.9.1-1" $r
	rm -rf "$fake"
}

cd "$TOP"
# The modules of the kernel that all else runs on: another one would have to be prepared first.
kernel_paths
export DEB_KERNELS=$KERNEL_VERSION
check "the packages are built" scripts/build/deb.sh
if [ $failed = 0 ]; then
	check "lintian has nothing to say" linted
	check "contents of daxrmap-tools" has daxrmap-tools usr/sbin/{daxrmap,mkfs.daxrmap,fsck.daxrmap} \
		usr/share/man/man8/{daxrmap,daxrmap-monitor,mkfs.daxrmap,fsck.daxrmap}.8.gz \
		usr/lib/udev/rules.d/{61-daxrmap,62-daxrmap-guard}.rules \
		usr/lib/systemd/system/{daxrmap-guard.service,daxrmap-scrub@.service,daxrmap-scrub@.timer,daxrmap-monitor.service,daxrmap-on-failure.path,daxrmap-on-failure.service} \
		etc/daxrmap/on-failure.d/ usr/share/doc/daxrmap-tools/examples/restore usr/share/bash-completion/completions/daxrmap usr/share/initramfs-tools/hooks/daxrmap
	version=$(dpkg-deb -f "$(echo "$out"/daxrmap-dkms_*.deb)" Version)
	check "contents of daxrmap-dkms" has daxrmap-dkms \
		"usr/src/daxrmap-$version/"{dkms.conf,Kbuild,dkms/build,dkms/prepare,src/daxrmap.rs,include/uapi/daxrmap.h}
	for deb in "$out"/daxrmap-modules-*.deb; do
		p=$(dpkg-deb -f "$deb" Package)
		check "contents of $p" has "$p" "usr/lib/modules/${p#daxrmap-modules-}/extra/daxrmap.ko"
	done
	[ -z "${AGAIN:-}" ] || check "built again they are the same" same_again
fi
check "mandoc has nothing to say of the man pages" scripts/checks/man.sh
refusals
echo "RESULT $passed $failed 0"
[ $failed = 0 ]
