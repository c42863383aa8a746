# shellcheck shell=bash
# What the slow checks share; sourced by each, never run.
#
# SWZIP_SLOW_SCRATCH: where the command is built (.build). SWZIP: a command to test instead of building one.
# SWZIP_TEST_BUDGET: seconds by the clock (900) that all suites which repeat something at random may spend on it; each does
# what its share allows, says how much that was, and never fails because time is over. SWZIP_TEST_SEED (1): of chance.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=tools/lib.sh
. "$root/tools/lib.sh"
cd "$root"
export SWIFT_BACKTRACE=enable=no # The crash handler of Swift trips sanitizers and may never end.
export PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
scratch=${SWZIP_SLOW_SCRATCH:-$root/.build}
# Hundredths of the budget: what a change breaks first has most.
declare -A shares=([10-faults]=22 [20-kill]=16 [25-mapped]=6 [50-fuzz]=36 [80-sync]=6 [85-archive]=10 [87-crash]=2 [88-training]=2)
suite=$(basename "$0" .sh)
export SUITE_SECONDS=$((${SWZIP_TEST_BUDGET:-900} * ${shares[$suite]:-0} / 100)) SUITE_SEED=${SWZIP_TEST_SEED:-1}
work=$(mktemp -d)
start=$EPOCHREALTIME
trap 'finish $?' EXIT

finish() {
  rm -rf "$work"
  if [ "$1" -eq 0 ]; then
    echo "$(basename "$0"): passed in $(seconds_since "$start") s"
  else
    echo "$(basename "$0"): FAILED after $(seconds_since "$start") s"
  fi
}

# Puts a Python that has torch and what its tensors are compared with in $python: TORCH_PYTHON, or one that is made.
torch_python() {
  local pip packages=(torch numpy ml_dtypes safetensors)
  python=${TORCH_PYTHON-}
  [ -z "$python" ] || return 0
  make_venv .venv-torch
  python=$root/.venv-torch/bin/python
  "$python" -c 'import torch, numpy, ml_dtypes, safetensors' 2>/dev/null || {
    pip=("$python" -m pip --disable-pip-version-check install --quiet)
    # Without its drivers where that index can be had: a tenth of the size.
    "${pip[@]}" torch --index-url https://download.pytorch.org/whl/cpu 2>/dev/null || true
    "${pip[@]}" "${packages[@]}"
  }
}

# pinned_python FOLDER LIST [BARE]: puts a Python in $python that has what a list names, in a virtual environment that is
# made once; of a second list without what that depends on.
pinned_python() {
  local pip torch
  make_venv "$1"
  python=$root/$1/bin/python
  ! cat "${@:2}" | cmp -s - "$1/installed" || return 0
  pip=("$python" -m pip --disable-pip-version-check install --quiet)
  torch=$(requirements "$2" torch==)
  # Without its drivers where that can be had: a tenth of the size.
  "${pip[@]}" "$torch+cpu" 2>/dev/null ||
    "${pip[@]}" "$torch" --index-url https://download.pytorch.org/whl/cpu 2>/dev/null || true
  "${pip[@]}" -r "$2"
  [ -z "${3-}" ] || "${pip[@]}" --no-deps -r "$3"
  cat "${@:2}" >"$1/installed"
}

# Builds the command once for all slow checks and puts its path in $swzip.
build_swzip() {
  install_packages "${build_packages[@]}" "${python_packages[@]}"
  # shellcheck disable=SC2034
  swzip=${SWZIP:-$scratch/release/swzip}
  [ -z "${SWZIP-}" ] || return 0
  need_swift
  swift build -c release --product swzip -Xswiftc -static-stdlib --scratch-path "$scratch" >"$work/build.log" 2>&1 ||
    { cat "$work/build.log"; die "the build failed"; }
}
