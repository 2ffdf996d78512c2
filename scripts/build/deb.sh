#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds the Debian packages (packaging/) into build/deb. Programs and modules are built as ever, in
# the trees with their toolchains; dpkg-buildpackage then puts them together in a tree of its own.
# Nothing in there needs a network. DEB_KERNELS: modules for these of the pinned kernels only.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-deb.sh"

work=$TOP/build/deb/work/daxrmap
out=$TOP/build/deb

# module VERSION: for that pinned kernel. Prints its release.
module() {
	(
		export DAXRMAP_KERNEL=$1
		"$TOP/scripts/setup/kernel.sh" || exit 1
		. "$TOP/scripts/setup/lib-kernel.sh"
		kernel_paths
		"$TOP/scripts/build/module.sh" stock --to "$out/modules/$KERNEL_RELEASE" modules
		install -D -m 644 "$out/modules/$KERNEL_RELEASE/daxrmap.ko" "$work/modules/$KERNEL_RELEASE/daxrmap.ko"
		# What has lines of the source in it is of use to a debugger only; names of paths go, too.
		in_root strip --strip-debug "$work/modules/$KERNEL_RELEASE/daxrmap.ko"
		sed "s/@RELEASE@/$KERNEL_RELEASE/g; s/@VERSION@/$1/g" \
			"$TOP/packaging/debian/control.modules.in" >>"$work/debian/control"
		for script in postinst postrm; do
			sed "s/@RELEASE@/$KERNEL_RELEASE/g" "$TOP/packaging/debian/modules.$script.in" \
				>"$work/debian/daxrmap-modules-$KERNEL_RELEASE.$script"
		done
	)
}

# What programs say of themselves, if they have been asked: `make tools` with completions.
completions() {
	local f dir=$TOP/build/tools/completions
	[ -d "$dir" ] || return 0
	mkdir -p "$work/completions"
	cp -r "$dir/." "$work/completions/"
	while IFS= read -r f; do
		case $f in
		*.bash) echo "$f usr/share/bash-completion/completions" ;;
		*.fish) echo "$f usr/share/fish/vendor_completions.d" ;;
		*/_*) echo "$f usr/share/zsh/vendor-completions" ;;
		*) die "not a completion of bash, zsh or fish: $f" ;;
		esac >>"$work/debian/daxrmap-tools.install"
	done < <(cd "$work" && find completions -type f | sort)
	# bash looks for a file that is called as the program is.
	for f in "$work"/completions/*.bash; do
		[ ! -e "$f" ] || { mv "$f" "${f%.bash}"; sed -i "s,^completions/$(basename "$f") ,completions/$(basename "${f%.bash}") ," "$work/debian/daxrmap-tools.install"; }
	done
}

stage() {
	local v
	rm -rf "$out/work"
	mkdir -p "$work/programs"
	cp -r "$TOP/Kbuild" "$TOP/include" "$TOP/src" "$TOP/packaging/debian" "$TOP/packaging/dkms" "$TOP/packaging/initramfs" "$work/"
	mkdir "$work/tools"
	cp -r "$TOP/tools/man" "$TOP/tools/systemd" "$TOP/tools/udev" "$TOP/tools/examples" "$work/tools/"
	mv "$work/debian/control.in" "$work/debian/control"
	cp "$work/dkms/dkms.conf" "$work/debian/daxrmap-dkms.dkms"
	"$TOP/scripts/build/tools.sh"
	cp "$TOP"/build/tools/{daxrmap,mkfs.daxrmap,fsck.daxrmap} "$work/programs/"
	completions
	for v in ${DEB_KERNELS:-$PIN_KERNELS}; do module "$v"; done
	rm "$work"/debian/*modules*.in
}

# The umask and the clock show in packages otherwise.
build() {
	umask 022
	chmod -R u=rwX,go=rX "$work"
	rm -f "$out"/*.deb "$out"/*.changes "$out"/*.buildinfo
	cd "$work"
	in_deb_root env SOURCE_DATE_EPOCH="$(in_deb_root dpkg-parsechangelog -S Timestamp)" \
		dpkg-buildpackage -b -uc -us -d
	mv "$out"/work/*.deb "$out"/work/*.changes "$out"/work/*.buildinfo "$out/"
}

"$TOP/scripts/setup/root.sh"
"$TOP/scripts/setup/deb.sh"
lock "deb-$(hash_of "$out")"
mkdir -p "$out"
step "building programs and modules" "$out/stage.log" stage
step "building Debian packages" "$out/build.log" build
for deb in "$out"/*.deb; do say "$deb"; done
