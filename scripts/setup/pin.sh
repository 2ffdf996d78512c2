# SPDX-License-Identifier: GPL-2.0
# The one place that says which distribution and kernels the project was
# tested on. Sourced by the other scripts.

# Where the kernel comes from: a suite of Debian. `make test-kernels` tries
# others than the one that everything else runs on.
PIN_KERNEL_SUITE=${DAXRMAP_SUITE:-trixie-backports}

# The suite of the root tree, where everything else comes from.
PIN_SUITE=trixie

# The suite that the kernel's toolchain comes from: the Rust symbols of a
# module match only if both were compiled by the same rustc.
case $PIN_KERNEL_SUITE in
experimental) PIN_KERNEL_TOOLS=sid ;;
*) PIN_KERNEL_TOOLS=${PIN_KERNEL_SUITE%-backports} ;;
esac

# Debian's versions of the kernel, in order of preference: the first that the
# mirror still has is taken, and of a suite without any the newest.
# DAXRMAP_KERNEL=VERSION takes one of them, or another one.
case $PIN_KERNEL_SUITE in
trixie-backports) PIN_KERNELS="7.3.4-1~bpo13+1 7.2.12-1~bpo13+1" ;;
*) PIN_KERNELS="" ;;
esac
