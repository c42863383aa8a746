#!/usr/bin/env bash
# Dequantised weights by the libraries that write them: found by codec lattice, small and the same bytes; see dequantised.py.
# Installs what tools/bench/requirements-dequantised.txt names unless DEQUANTISED_PYTHON names a Python that has it.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
# The libraries are gigabytes: only where there is much time, as in tools/soak, or where they are.
if [ -z "${DEQUANTISED_PYTHON-}" ] && [ "${SWZIP_TEST_BUDGET:-900}" -lt 3600 ]; then
  echo "not run: it installs gigabytes; SWZIP_TEST_BUDGET=3600 runs it"
  exit 0
fi
build_swzip
python=${DEQUANTISED_PYTHON-}
[ -n "$python" ] || pinned_python .venv-dequantised tools/bench/requirements-dequantised.txt
"$python" tools/models.py .build-models minilm-fp32
"$python" -W ignore "$here/dequantised.py" "$swzip" .build-models/minilm-fp32.safetensors "$work"
