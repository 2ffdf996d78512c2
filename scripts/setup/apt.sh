# SPDX-License-Identifier: GPL-2.0
# Packages of the suites that pin.sh names, fetched from the mirror that the host's own
# apt uses, with the host's apt options and credentials. Sourced.

APT_DIR=$CACHE/apt-$PIN_KERNEL_SUITE
# The host's configuration applies; only the sources and the state are ours.
APT_OPTS=(
	-o "Dir::Etc::SourceList=$APT_DIR/sources.list"
	-o "Dir::Etc::SourceParts=-"
	-o "Dir::State::Lists=$APT_DIR/lists"
	-o "Dir::Cache=$APT_DIR"
	-o "APT::Sandbox::User=root"
	-o "Acquire::Languages=none"
	-o "Acquire::Retries=3"
)

# Prints the archive's URI. apt itself parses the host's sources, so every
# form of them (one-line, deb822, mirror lists, file:) is understood.
apt_mirror() {
	local uri
	uri=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' |
		awk -F'|' '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
	if [ -z "$uri" ]; then
		# No lists fetched yet: apt knows the URIs, not yet the origins.
		apt-get -q update >&2 || true
		uri=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' |
			awk -F'|' '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
	fi
	[ -n "$uri" ] || die "no Debian archive among the sources of the host's apt"
	printf '%s\n' "$uri"
}

# Prints the sources.list line of one suite.
apt_line() {
	printf 'deb [signed-by=%s] %s %s main\n' \
		/usr/share/keyrings/debian-archive-keyring.gpg "$(apt_mirror)" "$1"
}

apt_update() {
	mkdir -p "$APT_DIR/lists/partial" "$APT_DIR/archives/partial"
	{ apt_line "$PIN_SUITE"; apt_line "$PIN_KERNEL_SUITE"; } | sort -u >"$APT_DIR/sources.list"
	apt-get "${APT_OPTS[@]}" -q update
}

# apt_has PACKAGE VERSION
apt_has() {
	apt-cache "${APT_OPTS[@]}" show "$1=$2" >/dev/null 2>&1
}

# apt_unpack DIR PACKAGE=VERSION...: downloads and unpacks, installs nothing.
apt_unpack() {
	local dir=$1 debs
	shift
	debs=$(mktemp -d "$CACHE/debs.XXXXXX")
	(cd "$debs" && apt-get "${APT_OPTS[@]}" -q download "$@")
	mkdir -p "$dir"
	local deb
	for deb in "$debs"/*.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
	rm -rf "$debs"
}

# install_here [PACKAGE]...: on the host itself.
install_here() {
	[ $# -gt 0 ] || return 0
	need_root "installing $*"
	step "installing on the host: $*" "$CACHE/log/host-packages.log" \
		env DEBIAN_FRONTEND=noninteractive sh -c \
		'apt-get -q update && apt-get -q install -y --no-install-recommends "$@"' sh "$@"
}

# apt_tree SUITE DIR PACKAGE...: a root tree of that suite with these, `.done` in it. Packages
# of the suite APT_TREE_ALSO can be among them.
apt_tree() {
	local suite=$1 dir=$2 conf
	shift 2
	rm -rf "$dir"
	mkdir -p "$dir"
	# How this host reaches its mirror: proxies, certificates, credentials.
	conf=$(mktemp)
	{
		apt-config dump | grep -E '^Acquire::' |
			grep -vE '^Acquire::(IndexTargets|Languages|CompressionTypes|Changelogs)' || true
		apt-config shell netrc Dir::Etc::netrc/f | sed "s/^netrc='\(.*\)'/Dir::Etc::netrc \"\1\";/"
		apt-config shell parts Dir::Etc::netrcparts/d | sed "s/^parts='\(.*\)'/Dir::Etc::netrcparts \"\1\";/"
		printf 'APT::Sandbox::User "root";\nAcquire::Retries "3";\n'
	} >"$conf"
	{ apt_line "$suite"; [ -z "${APT_TREE_ALSO:-}" ] || apt_line "$APT_TREE_ALSO"; } | mmdebstrap --mode=root --variant=essential \
		--include="$(echo "$@" | tr ' ' ',')" \
		--aptopt="$conf" --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$suite" "$dir" -
	rm -f "$conf"
	# mmdebstrap leaves the options behind; they may hold credentials.
	rm -f "$dir"/etc/apt/apt.conf.d/99mmdebstrap
	touch "$dir/.done"
}
