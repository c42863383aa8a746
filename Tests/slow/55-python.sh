#!/usr/bin/env bash
# The Python package (tools/python) with the library as it is shipped, beside the real numpy, safetensors and torch.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
torch_python
tools/library --scratch-path "$scratch" >"$work/log" 2>&1 || { cat "$work/log"; die "the build failed"; }
export SWZIP_LIBRARY=$scratch/release/libswzip_c.so SWZIP=$swzip PYTHONPATH=$root/tools/python:$PYTHONPATH
"$python" -W ignore::FutureWarning -m unittest discover -s Tests/python
