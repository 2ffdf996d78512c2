#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kernel-difference.sh RELEASE LOG: after a build has failed: says in one line where
# that kernel's API is another one than the module was written for.
release=$1 log=$2

# modpost misses an export; rustc and cc say what is wrong, then where.
found=$(sed -n 's/^ERROR: modpost: \(.*\)/\1/p' "$log" | head -n 1)
[ -n "$found" ] || found=$(awk '
	/^error(\[E[0-9]+\])?: / { what = $0; next }
	what != "" && /^ *--> / { where = $2; next }
	where != "" && /^ *[0-9]+ \|/ { sub(/^ *[0-9]+ \| */, ""); print where ": " $0 ": " what; exit }
	/^[^ ]+\.[ch]:[0-9]+:[0-9]+: (fatal )?error: / { print; exit }' "$log")
# Another failure, which has been told of.
[ -n "$found" ] || exit 0
echo "daxrmap: kernel $release has another API than those that this was tested with: $found" >&2
