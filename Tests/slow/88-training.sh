#!/usr/bin/env bash
# Real training jobs beside swzip archive watch --rm: killed at random moments, and by ckpt-chaos at the file events of a Trainer, they
# resume from restore latest and end with the weights of a job that was never killed; see training.py. With a large budget
# twenty kills of longer jobs, and every file event.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
python=${LOADERS_PYTHON-}
[ -n "$python" ] || pinned_python .venv-loaders Tests/loaders/requirements.txt
export TRANSFORMERS_VERBOSITY=error HF_HUB_DISABLE_PROGRESS_BARS=1 OMP_NUM_THREADS=1
kills=3 plain=300 trainer=100 points=3
[ "$SUITE_SECONDS" -lt 100 ] || kills=20 plain=6000 trainer=2000 points=1000

run() { timeout -k 5 3600 "$python" -W ignore "$@"; }
run "$here/training.py" "$swzip" "$work/plain" plain $plain $kills
run "$here/training.py" "$swzip" "$work/trainer" trainer $trainer $kills

# Two more checkpoints after the first, which is there.
run "$here/training.py" begin "$swzip" "$work/begun"
job() { echo "$python -W ignore $here/training.py $1 $swzip {out} 60 ${*:2}"; }
# shellcheck disable=SC2046
run -m ckpt_chaos run --work "$work/chaos" --max-points $points --result-file "{out}/result" --resume-cmd "$(job resume)" \
  --step-regex "resumed from step (\d+)" -- $(job job "$work/begun") >"$work/log" || { cat "$work/log"; die "a job could not be resumed"; }
tail -n 20 "$work/log"
