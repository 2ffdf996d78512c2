# SPDX-License-Identifier: GPL-2.0
# What the tests of this directory share. They source it first, and run in the root tree of public
# programs, with its bash, as root, in the filesystem under test. They print TAP.

tests=/tmp/tests
cd /mnt || exit 1
failed=0 ended=
trap '[ -n "$ended" ] || echo "not ok $0 ended early"' EXIT

# t WHAT COMMAND...: a result. COMMAND, a function mostly, runs with errexit and xtrace; if it
# fails, what it printed is printed.
t() {
	local what=$1 start=$SECONDS rc
	shift
	(set -euxo pipefail; "$@") >/tmp/out 2>&1 </dev/null
	rc=$?
	if [ $rc = 0 ]; then
		echo "ok $what ($((SECONDS - start)) s)"
	else
		tail -n 60 /tmp/out | cut -c1-400 | sed 's/^/# /'
		echo "not ok $what (exit $rc)"
		failed=1
	fi
}

# The end of a test.
finish() {
	ended=1
	exit $failed
}

# fails COMMAND...: errexit does not look at `! COMMAND`.
fails() {
	if "$@"; then return 1; fi
}

# says TEXT COMMAND...: its output has TEXT in it.
says() (
	set +x
	text=$1
	shift
	out=$("$@" 2>&1) || true
	printf '%s\n' "$out"
	[[ $out == *"$text"* ]]
)

# listing DIR: names, kinds, modes, owners, sizes, times, targets, which names are links of one
# file, attributes; in an order that depends on names only.
listing() {
	(
		set +x
		cd "$1"
		find . -printf '%P\t%y %m %U %G %T@ %l\n' | LC_ALL=C sort
		find . ! -type d -printf '%P\t%n\n' | LC_ALL=C sort
		find . -type f -printf '%P\t%s\n' | LC_ALL=C sort
		find . \( -type b -o -type c \) -exec stat -c '%n %t:%T' {} + | LC_ALL=C sort
		# The first name of each inode stands for its number.
		find . ! -type d -links +1 -printf '%P\t%i\n' | LC_ALL=C sort |
			awk -F'\t' '{ if (!($2 in first)) first[$2] = $1; print $1, "is", first[$2] }'
		find . -print0 | LC_ALL=C sort -z | xargs -0 getfattr -h -d -m - -e hex
		find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
	)
}

# same A B: trees that are the same in all of that.
same() {
	listing "$1" >/tmp/listing.a
	listing "$2" >/tmp/listing.b
	diff /tmp/listing.a /tmp/listing.b
}
