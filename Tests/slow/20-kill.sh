#!/usr/bin/env bash
# Kills every verb that writes, on 60 MB, at random moments, by SIGKILL, SIGTERM, SIGINT and pairs of the latter, each at
# least once; see kill.py.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
timeout -k 5 $((SUITE_SECONDS + 900)) python3 "$here/kill.py" "$swzip" "$work/files"

# As a shell sees it. `timeout` signals the process, then its group: two signals at once.
python3 "$here/models.py" "$work/m" 60000000
for name in TERM INT; do
  for run in $(seq 20); do
    status=0
    timeout --signal=$name --preserve-status "0.0$((10 + run * 4))" "$swzip" pack -q -T1 "$work/m" || status=$?
    [ $status -eq 0 ] || [ $status -eq $((128 + $(kill -l $name))) ] || die "SIG$name ended it with $status"
    [ "$(cd "$work" && echo .*.tmp)" = ".*.tmp" ] || die "SIG$name left a temporary file"
    rm -f "$work/m.swz"
  done
done
