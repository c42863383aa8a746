#!/usr/bin/env bash
# What a power cut may leave of an archive, at each moment of each verb; see crash.py, and powercut.py for a file system that
# is cut off for real.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
install_packages gcc libc6-dev strace
strace -qq -o /dev/null true || die "strace cannot trace here"
gcc -std=c17 -O1 -Wall -Wextra -Werror -shared -fPIC -o "$work/faults.so" "$here/faults.c"
timeout -k 5 600 python3 "$here/crash.py" "$swzip" "$work/faults.so" "$work/files"
