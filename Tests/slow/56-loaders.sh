#!/usr/bin/env bash
# Packed models in the libraries that people load models with: Tests/loaders, and the pages of tools/python/loaders.
# Installs what Tests/loaders/requirements.txt names unless LOADERS_PYTHON names a Python that has it.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
python=${LOADERS_PYTHON-}
[ -n "$python" ] || pinned_python .venv-loaders Tests/loaders/requirements.txt
tools/library --scratch-path "$scratch" >"$work/log" 2>&1 || { cat "$work/log"; die "the build failed"; }
export SWZIP_LIBRARY=$scratch/release/libswzip_c.so SWZIP=$swzip PYTHONPATH=$root/tools/python:$root/Tests/loaders:$PYTHONPATH
export TRANSFORMERS_VERBOSITY=error HF_HUB_DISABLE_PROGRESS_BARS=1 RAY_AUTH_MODE=disabled RAY_USAGE_STATS_ENABLED=0
"$python" -W ignore -m unittest discover -s Tests/loaders
