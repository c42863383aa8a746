#!/usr/bin/env bash
# Kills swzip sync publish and follow at random moments, and gives followers folders in which versions are missing or come
# in another order; see sync.py.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
timeout -k 5 $((SUITE_SECONDS + 600)) python3 "$here/sync.py" "$swzip" "$work/files"
