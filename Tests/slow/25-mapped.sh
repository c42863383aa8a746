#!/usr/bin/env bash
# Stores into a mapped source at a random moment while `--rm` runs: what is removed is what its container holds. On the disk and
# in memory, with and without read leases; see mapped.py.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
install_packages gcc libc6-dev
gcc -std=c17 -O1 -Wall -Wextra -Werror -shared -fPIC -o "$work/no_leases.so" "$here/no_leases.c"
timeout -k 5 $((SUITE_SECONDS + 300)) python3 "$here/mapped.py" "$swzip" "$work/no_leases.so" "$work"
