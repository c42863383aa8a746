#!/usr/bin/env bash
# swzip archive under faults of the system, kills, a full disk, and writers at once; see archive.py, and suspended.py for what
# others do while a verb is stopped at one of its calls.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"

# Mounts need root, or a namespace of our own in which we are.
if [ "$(id -u)" -ne 0 ] && [ -z "${SWZIP_SPACE_INSIDE-}" ]; then
  unshare -Urm true 2>/dev/null || die "neither root nor user namespaces: cannot mount a small file system"
  build_swzip
  SWZIP_SPACE_INSIDE=1 SWZIP=$swzip unshare -Urm "$0"
  exit
fi
build_swzip
install_packages gcc libc6-dev libarchive13 tar zstd
gcc -std=c17 -O1 -Wall -Wextra -Werror -shared -fPIC -o "$work/faults.so" "$here/faults.c"

small=$work/small
mkdir "$small"
# A real one, where there are devices for it.
truncate -s 8M "$work/disk"
{ mkfs.ext4 -q -m0 "$work/disk" && mount -o loop "$work/disk" "$small"; } 2>/dev/null ||
  mount -t tmpfs -o size=2000k tmpfs "$small"
trap 'status=$?; umount "$small"; finish $status' EXIT
SUITE_SECONDS=$((SUITE_SECONDS * 2 / 3))
timeout -k 5 $((SUITE_SECONDS + 300)) python3 "$here/archive.py" "$swzip" "$work/faults.so" "$work/files" "$small"
mkdir "$work/suspended"
SUITE_SECONDS=$((SUITE_SECONDS / 2))
timeout -k 5 $((SUITE_SECONDS + 300)) python3 "$here/suspended.py" "$swzip" "$work/faults.so" "$work/suspended"

# What a tar file holds comes back, and the file goes; one that ends early stays, and nothing of it is there.
mkdir -p "$work/tar/checkpoint-7/sub"
head -c 300000 /dev/urandom >"$work/tar/checkpoint-7/state.dat"
echo '{}' >"$work/tar/checkpoint-7/sub/config.json"
tar -C "$work/tar" --zstd -cf "$work/tar/7.tar.zst" checkpoint-7
tar -C "$work/tar" -cf "$work/tar/whole.tar" checkpoint-7
head -c 200000 "$work/tar/whole.tar" >"$work/tar/8.tar"
"$swzip" archive init -q "$work/tar/run"
"$swzip" archive import -q --rm "$work/tar/run" "$work/tar/7.tar.zst"
[ ! -e "$work/tar/7.tar.zst" ] || die "a tar file was not removed"
"$swzip" archive restore -q "$work/tar/run" 7 -o "$work/tar/out"
diff -r "$work/tar/checkpoint-7" "$work/tar/out"
! "$swzip" archive import -q --rm "$work/tar/run" "$work/tar/8.tar" 2>"$work/log" || die "a tar file that ends early was taken"
[ -e "$work/tar/8.tar" ] && [ "$("$swzip" archive list --json "$work/tar/run" | wc -l)" -eq 1 ] || die "$(cat "$work/log")"
