#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# man.sh: mandoc has nothing to say of the man pages, but that some lines of their source are
# longer than 80 bytes: a sentence a line reads better in a diff.
. "$(dirname "$0")/../lib.sh"
. "$TOP/scripts/setup/lib-deb.sh"
"$TOP/scripts/setup/deb.sh"
cd "$TOP"
said=$(in_deb_root mandoc -T lint tools/man/*.8 | grep -v ': STYLE: input text line longer than 80 bytes' || true)
[ -z "$said" ] || { printf '%s\n' "$said"; exit 1; }
