#!/usr/bin/env bash
# Moments of optimizers within a bound, as torch and numpy see them before and after; see moments.py. Installs torch unless
# TORCH_PYTHON names a Python that has it.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
torch_python
"$python" "$here/moments.py" "$swzip" "$work/files"
