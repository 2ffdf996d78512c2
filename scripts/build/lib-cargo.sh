# SPDX-License-Identifier: GPL-2.0
# The root tree's cargo, with the crates that it fetches in the cache.
# Sourced after lib.sh.

# A mirror that this machine's cargo has been told of.
CARGO=(cargo)
for f in "${CARGO_HOME:-$HOME/.cargo}"/config{.toml,}; do
	if [ -e "$f" ]; then
		CARGO+=(--config "$f")
		export DAXRMAP_BIND="${DAXRMAP_BIND:-} $(dirname "$f")"
		break
	fi
done
export CARGO_HOME=$CACHE/cargo
mkdir -p "$CARGO_HOME"

# Fetches what Cargo.lock of this directory names. What is there already needs
# no network.
cargo_fetch() {
	in_root "${CARGO[@]}" fetch --locked --offline 2>/dev/null ||
		in_root "${CARGO[@]}" fetch --locked
}
