# SPDX-License-Identifier: GPL-2.0
# Where the kernels are in the cache. Sourced after lib.sh.

# Holds "VERSION RELEASE": which of those that pin.sh names there was.
KERNEL_CHOICE=$CACHE/kernel-for-$(hash_of "$PIN_KERNEL_SUITE" "${DAXRMAP_KERNEL:-$PIN_KERNELS}")

kernel_paths() {
	[ -e "$KERNEL_CHOICE" ] || die "no kernel has been set up yet: run 'make setup'"
	read -r KERNEL_VERSION KERNEL_RELEASE <"$KERNEL_CHOICE"
	KERNEL_DIR=$CACHE/kernel-$KERNEL_VERSION
	# Another source, and configuration, of the debug kernel: scripts/tests/cxl-upstream.sh.
	KERNEL_SRC=${DAXRMAP_KERNEL_SRC:-$KERNEL_DIR/src}
	# The distribution's own image and modules.
	KERNEL_MODULES=$KERNEL_DIR/pkg/usr/lib/modules/$KERNEL_RELEASE
	KERNEL_IMAGE=$KERNEL_MODULES/vmlinuz
	[ -e "$KERNEL_IMAGE" ] || KERNEL_IMAGE=$KERNEL_DIR/pkg/boot/vmlinuz-$KERNEL_RELEASE
	KERNEL_HEADERS=$KERNEL_DIR/pkg/usr/src/linux-headers-$KERNEL_RELEASE
	# The prepared build tree (KDIR) for it: made by one root tree's rustc.
	KERNEL_STOCK=$KERNEL_DIR/stock-$(hash_of "$(basename "$KERNEL_ROOT")")
	# The debug build of the same source: its key is what it is made of, and how, wherever
	# the scripts are.
	KERNEL_DEBUG_CONFIG=${DAXRMAP_DEBUG_CONFIG:-$TOP/scripts/setup/debug-kernel.config}
	KERNEL_DEBUG=$CACHE/debug-$KERNEL_VERSION-$(hash_of "$KERNEL_DEBUG_CONFIG" \
		"$(sed -n '/^build() {/,/^}/p' "$TOP/scripts/setup/debug-kernel.sh")" "$(basename "$ROOT")" ${DAXRMAP_KERNEL_SRC:+"$DAXRMAP_KERNEL_SRC"})
}

# The compiler that the distribution has built the stock kernel with.
kernel_cc() {
	sed -n 's/^CONFIG_CC_VERSION_TEXT="\([^ "]*\).*/\1/p' "$KERNEL_HEADERS/.config"
}

# copy_source DIR: the module's source, to be changed and built there.
copy_source() {
	rm -rf "$1"
	mkdir -p "$1"
	cp -r "$TOP/Kbuild" "$TOP/include" "$TOP/src" "$1/"
}

# Whether it is one that pin.sh names.
kernel_is_tested() {
	case " $PIN_KERNELS " in *" $KERNEL_VERSION "*) return 0 ;; esac
	return 1
}
