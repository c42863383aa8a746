#!/usr/bin/env bash
# Damage in archives: verify names what it costs, repair brings it back from a copy, killed at any call; see archive_damage.py.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"

build_swzip
install_packages gcc libc6-dev
gcc -std=c17 -O1 -Wall -Wextra -Werror -shared -fPIC -o "$work/faults.so" "$here/faults.c"
timeout -k 5 $((SUITE_SECONDS + 300)) python3 "$here/archive_damage.py" "$swzip" "$work/faults.so" "$work/files"
