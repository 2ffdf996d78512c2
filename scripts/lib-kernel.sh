# SPDX-License-Identifier: GPL-2.0
# Where the kernels are in the cache. Sourced after lib.sh.

# Holds "VERSION RELEASE SERIES": the pin, or what had to stand in for it.
KERNEL_CHOICE=$CACHE/kernel-for-$PIN_KERNEL_VERSION

kernel_paths() {
	[ -e "$KERNEL_CHOICE" ] || die "no kernel has been set up yet: run 'make setup'"
	read -r KERNEL_VERSION KERNEL_RELEASE KERNEL_SERIES <"$KERNEL_CHOICE"
	if [ "$KERNEL_VERSION" != "$PIN_KERNEL_VERSION" ]; then
		cat >&2 <<-END

		********************************************************************
		WARNING: the pinned kernel $PIN_KERNEL_VERSION is gone from the mirror.
		WARNING: using $KERNEL_VERSION, the newest of $PIN_KERNEL_SUITE, which was
		WARNING: not tested. Update scripts/pin.sh when it works.
		********************************************************************

		END
	fi
	KERNEL_DIR=$CACHE/kernel-$KERNEL_VERSION
	KERNEL_SRC=$KERNEL_DIR/src
	# The distribution's own image and modules.
	KERNEL_MODULES=$KERNEL_DIR/pkg/usr/lib/modules/$KERNEL_RELEASE
	KERNEL_IMAGE=$KERNEL_MODULES/vmlinuz
	[ -e "$KERNEL_IMAGE" ] || KERNEL_IMAGE=$KERNEL_DIR/pkg/boot/vmlinuz-$KERNEL_RELEASE
	# The prepared build tree (KDIR) for it: made by one root tree's rustc.
	KERNEL_STOCK=$KERNEL_DIR/stock-$(hash_of "$(basename "$ROOT")")
	# The debug build of the same source.
	KERNEL_DEBUG=$CACHE/debug-$KERNEL_VERSION-$(hash_of "$TOP/scripts/debug-kernel.config" \
		"$TOP/scripts/setup-debug-kernel.sh" "$(basename "$ROOT")")
}
