#!/usr/bin/env bash
# Runs each fuzz target of tools/fuzz for an equal part of its time (common.sh), or FUZZ_SECONDS, from seeds made of the
# hand-made containers, on all cores; FUZZ_TARGETS names some only, FUZZ_CORPUS a folder that keeps what is found, FUZZ_SCRATCH
# where they are built.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
install_packages "${build_packages[@]}" "${python_packages[@]}"
need_swift
make_venv .venv-test
install_python .venv-test zstandard lz4 xxhash
built=${FUZZ_SCRATCH:-$root/.build-fuzz}
tools/fuzz/build "$built" >"$work/build.log" 2>&1 || { cat "$work/build.log"; die "the build failed"; }
.venv-test/bin/python tools/fixtures/hand.py "$work/hand" >"$work/hand.log"
corpus=${FUZZ_CORPUS:-$work/corpus}
python3 tools/fuzz/seeds.py "$work/hand" "$corpus"

# fuzz TARGET: finds nothing, or shows it with the input.
fuzz() {
  local log=$work/$1.log program=$built/swzip-fuzz
  [ "$1" != huffman ] || program=$built/huffman-fuzz
  if SWZIP_FUZZ=$1 timeout -k 5 $((time + 120)) "$program" -max_total_time="$time" -seed="$SUITE_SEED" -max_len=16384 \
    -timeout=20 -rss_limit_mb=1500 -malloc_limit_mb=300 -artifact_prefix="$work/$1-" "$corpus/$1" >"$log" 2>&1; then
    printf '%-12s %s\n' "$1" "$(tail -n 1 "$log")"
    return 0
  fi
  touch "$work/found"
  printf '%-12s FAILED\n' "$1"
  grep -vE '^#[0-9]+\s+(NEW|REDUCE|pulse|RELOAD|INITED)' "$log" | tail -n 60
  for found in "$work/$1-"*; do
    echo "the input, $(basename "$found"):"
    base64 "$found"
  done
}

read -ra targets <<<"${FUZZ_TARGETS:-container block safetensors torch pickle gguf npy npz onnx roundtrip huffman}"
cores=$(nproc)
time=${FUZZ_SECONDS:-$((SUITE_SECONDS * cores / ${#targets[@]}))}
[ "$time" -gt 0 ] || time=1 # None would be no end.
echo "$time s for each of ${#targets[@]} targets, seed $SUITE_SEED"
for target in "${targets[@]}"; do
  [ "$(jobs -rp | wc -l)" -lt "$cores" ] || wait -n
  fuzz "$target" &
done
wait
[ ! -e "$work/found" ] || die "there are findings"
