#!/usr/bin/env bash
# A full disk, a folder that may not be written and a limit on file sizes: one line says so, the exit code is 1 and
# nothing is left behind.
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

python3 "$here/models.py" "$work/m" 4000000
"$swzip" pack -q -o "$work/m.swz" "$work/m"

# fails WORDS FOLDER COMMAND...: the command ends with 1, says one line with WORDS, and FOLDER is as it was.
fails() {
  local words=$1 folder=$2 status=0 before
  shift 2
  before=$(ls -A "$folder")
  "$@" >"$work/said" 2>&1 || status=$?
  [ $status -eq 1 ] || die "$*: exit code $status: $(cat "$work/said")"
  [ "$(wc -l <"$work/said")" -eq 1 ] || die "$*: says more or less than one line: $(cat "$work/said")"
  grep -q "$words" "$work/said" || die "$*: does not say '$words': $(cat "$work/said")"
  [ "$(ls -A "$folder")" = "$before" ] || die "$*: left behind: $(ls -A "$folder")"
  echo "ok: $(cat "$work/said")"
}

small=$work/small
mkdir "$small"
mount -t tmpfs -o size=1500k tmpfs "$small"
trap 'status=$?; umount "$small"; finish $status' EXIT
for threads in 1 2; do
  fails 'No space left' "$small" "$swzip" pack -q -T$threads -o "$small/m.swz" "$work/m"
  fails 'No space left' "$small" "$swzip" unpack -q -T$threads -o "$small/m" "$work/m.swz"
done
cp "$work/m.swz" "$work/kept.swz"
fails 'No space left' "$small" "$swzip" unpack -q --rm -o "$small/m" "$work/kept.swz"
cmp "$work/kept.swz" "$work/m.swz"
# The output of a filter.
fails 'No space left' "$small" sh -c "exec '$swzip' -d -c <'$work/m.swz' >/dev/full"

# Full of names, not of bytes.
mount -t tmpfs -o remount,size=64m,nr_inodes=3 tmpfs "$small"
touch "$small/a" "$small/b"
fails 'No space left' "$small" "$swzip" pack -q -o "$small/m.swz" "$work/m"
rm "$small/a" "$small/b"
mount -o remount,ro "$small"
fails 'Read-only file system' "$small" "$swzip" pack -q -o "$small/m.swz" "$work/m"
fails 'Read-only file system' "$small" "$swzip" unpack -q -o "$small/m" "$work/m.swz"

# A folder that may not be written: root may write everywhere, so somebody else tries.
mkdir "$work/closed" && chmod 555 "$work/closed"
chmod 755 "$work"
if [ "$(id -u)" -eq 0 ] && [ -z "${SWZIP_SPACE_INSIDE-}" ]; then
  install_packages util-linux
  cp "$swzip" "$work/swzip"
  other=(setpriv --reuid=65534 --regid=65534 --clear-groups "$work/swzip")
  fails 'Permission denied' "$work/closed" "${other[@]}" pack -q -o "$work/closed/m.swz" "$work/m"
  fails 'Permission denied' "$work/closed" "${other[@]}" unpack -q -o "$work/closed/m" "$work/m.swz"
  # Said before any work is done.
  mkdir -m 777 "$work/open"
  cp "$work/m" "$work/closed/m"
  fails 'rm could not remove it: Permission denied' "$work/open" \
    "${other[@]}" pack -q --rm "$work/closed/m" -o "$work/open/m.swz"
fi

# A limit on file sizes: the signal is ignored, the call fails.
mkdir "$work/limited"
for verb in pack unpack; do
  source=$work/m
  [ $verb = pack ] || source=$work/m.swz
  fails 'File too large' "$work/limited" bash -c "ulimit -f 500; exec '$swzip' $verb -q -o '$work/limited/out' '$source'"
done
