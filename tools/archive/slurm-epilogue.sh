#!/usr/bin/env bash
# Archives what a Slurm job left in its folder of checkpoints: as the last line of the job's script, of TaskEpilog, or of EpilogSlurmctld.
#     CHECKPOINTS=/scratch/run/out ARCHIVE=/project/run.swza tools/archive/slurm-epilogue.sh
# The originals go, but for the newest, which the next job may resume from. What a killed job had half written is left out and said;
# no exit code of it drains the node.
set -u
: "${CHECKPOINTS:?the folder that the job writes checkpoints to}" "${ARCHIVE:?the archive, made if it is not there}"
swzip=${SWZIP:-swzip}
[ -e "$ARCHIVE/SWZARCHIVE" ] || "$swzip" archive init -q "$ARCHIVE"
"$swzip" archive watch "$ARCHIVE" "$CHECKPOINTS" --once --rm --keep "${KEEP:-1}" --quiet-seconds "${QUIET:-30}" ||
  echo "job ${SLURM_JOB_ID:-?}: not all of $CHECKPOINTS is archived: $?" >&2
exit 0
