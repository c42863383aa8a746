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

truncate -s 64M "$work/disk"
mkdir "$work/mount"
if mkfs.ext4 -q "$work/disk" && mount -o loop "$work/disk" "$work/mount" 2>/dev/null; then
  umount "$work/mount"
  timeout -k 5 $((SUITE_SECONDS + 300)) python3 "$here/powercut.py" "$swzip" "$work/disk" "$work/power"
else
  echo "no power is cut: no ext4 can be mounted here"
fi
