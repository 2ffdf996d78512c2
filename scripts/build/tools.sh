#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds the user space programs of tools/ into build/tools, linked statically:
# they run in the guest, and on any x86-64 Linux.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/build/lib-cargo.sh"
lock "tools-$(hash_of "$TOP/build/tools")"
cd "$TOP/tools"
cargo_fetch
# By name, so that the flags are not those of procedural macros too.
target=$(in_root rustc -vV | sed -n 's/^host: //p')
in_root "${CARGO[@]}" build --release --workspace --bins --offline --locked \
	--target-dir "$TOP/build/cargo" --target "$target" \
	--config "target.$target.rustflags=['-Ctarget-feature=+crt-static']"
mkdir -p "$TOP/build/tools"
# Cargo takes no dots in names.
for program in daxrmap mkfs-daxrmap fsck-daxrmap; do
	install -m 755 "$TOP/build/cargo/$target/release/$program" \
		"$TOP/build/tools/${program/-/.}"
done
# What shells complete of their arguments.
rm -rf "$TOP/build/tools/completions"
mkdir "$TOP/build/tools/completions"
"$TOP/build/cargo/$target/release/completions" "$TOP/build/tools/completions"
