#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds the tests that run in the guest into build/selftests, with the root
# tree's compiler and libc.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-kernel.sh"
kernel_paths
lock "build-$(hash_of "$TOP/build/selftests")"
cd "$TOP"
in_root make -C "$TOP/tests/selftests" -j"$(nproc)" --no-print-directory \
	OUT="$TOP/build/selftests" KERNEL_SRC="$KERNEL_SRC" "$@"
