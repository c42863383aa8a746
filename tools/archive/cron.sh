#!/usr/bin/env bash
# Archives finished checkpoints, and forgets old ones. In a crontab, every ten minutes, a line for each run:
#     */10 * * * * CHECKPOINTS=/scratch/run/out ARCHIVE=/project/run.swza /usr/local/bin/cron.sh
# Says nothing unless something is wrong, so that cron sends mail then alone; what is not complete yet is nothing wrong.
set -u
: "${CHECKPOINTS:?the folder that the job writes checkpoints to}" "${ARCHIVE:?the archive, made if it is not there}"
swzip=${SWZIP:-swzip} status=0
[ -e "$ARCHIVE/SWZARCHIVE" ] || "$swzip" archive init -q "$ARCHIVE" || exit
exec 9<"$ARCHIVE/SWZARCHIVE" && flock -n 9 || exit 0 # The last one is still at it.
said=$("$swzip" archive watch "$ARCHIVE" "$CHECKPOINTS" -q --once --rm --quiet-seconds "${QUIET:-30}" 2>&1) || status=$?
[ $status -eq 0 ] || [ $status -eq 2 ] || { printf '%s\n' "$said" >&2; exit $status; }
"$swzip" archive prune -q "$ARCHIVE" --keep-last "${KEEP_LAST:-5}" --keep-daily "${KEEP_DAILY:-7}" --keep-pointed "$CHECKPOINTS"
