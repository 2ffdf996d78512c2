# SPDX-License-Identifier: GPL-2.0
# Where the programs' disk is in the cache. Sourced after lib.sh.

PROGRAMS_PACKAGES=$(sed 's/#.*//' "$TOP/scripts/setup/packages-programs.txt" | tr -s ' \n' ' ')
PROGRAMS=$CACHE/programs-$(hash_of "$PIN_SUITE" "$PROGRAMS_PACKAGES").img
