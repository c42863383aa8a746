#!/usr/bin/env bash
# Fails, shortens or kills at each call of the system that packing and unpacking make; see faults.py.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
install_packages gcc libc6-dev
gcc -std=c17 -O1 -Wall -Wextra -Werror -shared -fPIC -o "$work/faults.so" "$here/faults.c"
timeout -k 5 $((SUITE_SECONDS + 300)) python3 "$here/faults.py" "$swzip" "$work/faults.so" "$work/files"
