# SPDX-License-Identifier: GPL-2.0
# The one place that says which distribution and kernel the project was
# tested on. Sourced by the other scripts.

# The suite that the toolchain comes from; the kernel must be of the same
# suite, because the Rust symbols of a module match only if both were
# compiled by the same rustc.
PIN_SUITE=trixie
PIN_KERNEL_SUITE=trixie-backports

# Debian's source version of the kernel, and what goes with it.
PIN_KERNEL_VERSION=7.2.12-1~bpo13+1
PIN_KERNEL_RELEASE=7.2.12+deb13-amd64
PIN_KERNEL_SERIES=7.2
