#!/usr/bin/env bash
# Containers at URLs, by the command and by Python, as they are shipped: from a real nginx, plain and with TLS, which counts the
# requests, and from peers that misbehave.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
install_packages nginx-light openssl curl
make_venv .venv-http
install_python .venv-http numpy ml_dtypes
python=$root/.venv-http/bin/python
tools/library --scratch-path "$scratch" >"$work/log" 2>&1 || { cat "$work/log"; die "the build failed"; }
"$python" tools/models.py "$work/models" minilm-bf16 minilm-fp32
export MODELS=$work/models/minilm-bf16.safetensors:$work/models/minilm-fp32.safetensors
export SWZIP_LIBRARY=$scratch/release/libswzip_c.so SWZIP=$swzip PYTHONPATH=$root/tools/python:$PYTHONPATH
"$python" -m unittest discover -s Tests/http
