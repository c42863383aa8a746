#!/usr/bin/env bash
# Kills swzip sync publish and follow at random moments, KILLS (200) times in all, and gives followers folders in which versions
# are missing or come in another order; see sync.py.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
timeout -k 5 900 python3 "$here/sync.py" "$swzip" "$work/files" "${KILLS:-200}"
