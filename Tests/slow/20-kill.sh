#!/usr/bin/env bash
# Kills packing and unpacking of 60 MB at random moments, with and without --rm, KILLS (20) times for each of SIGKILL,
# SIGTERM and SIGINT; see kill.py.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
timeout -k 5 900 python3 "$here/kill.py" "$swzip" "$work/files" "${KILLS:-20}"

# As a shell sees it.
python3 "$here/models.py" "$work/m" 60000000
for name in TERM INT; do
  status=0
  timeout --signal=$name --preserve-status 0.05 "$swzip" pack -q -T1 "$work/m" || status=$?
  [ $status -eq $((128 + $(kill -l $name))) ] || die "SIG$name ended it with $status"
  [ "$(cd "$work" && echo .*.tmp)" = ".*.tmp" ] || die "SIG$name left a temporary file"
  rm -f "$work/m.swz"
done
