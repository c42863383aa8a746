#!/usr/bin/env python3
"""A few tensors of a model, dequantised by each library: dequantised.py SWZIP FLOATS.safetensors FOLDER

Each file must come back byte for byte, be of codec lattice throughout and be no larger than its bound, half a point above what it was.
"""
import json
import pathlib
import subprocess
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tools/bench"))
import quantisers

TENSORS = ("encoder.layer.0.attention.self.query.weight", "encoder.layer.0.intermediate.dense.weight",
           "encoder.layer.0.output.dense.weight", "encoder.layer.5.output.dense.weight")
# % of the file at level 3.
BOUNDS = {
    "hf-fp8-block-bf16": 42.3, "ct-fp8-channel-bf16": 41.9, "ct-int4-g128-bf16": 22.3, "awq-int4-g128-fp16": 23.3,
    "ao-int4-asym-g128-bf16": 23.1, "ct-nvfp4-bf16": 27.1, "hf-mxfp4-bf16": 26.3, "bnb-nf4-bf16": 25.5, "bnb-nf4-dq-bf16": 25.9,
    "bnb-int8-fp16": 45.2, "ao-int8-channel-bf16": 45.0, "gguf-q8_0-bf16": 50.9, "gguf-q8_0-fp32": 25.7, "gguf-q4_0-bf16": 25.7,
    "gguf-q4_k-bf16": 27.6, "gguf-q4_k-fp16": 27.5, "gguf-q6_k-bf16": 40.7,
}
# Whose few powers of two codec symbols may hold as well.
EITHER = ("hf-mxfp4-bf16",)


def run(*words):
    return subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True).stdout


def check(program, path, bound):
    packed, back = path.with_suffix(".swz"), path.with_suffix(".back")
    size = json.loads(run(program, "pack", "-3", "-q", "--json", "-o", packed, path))["out_bytes"]
    run(program, "unpack", "-q", "-o", back, packed)
    assert back.read_bytes() == path.read_bytes(), f"{path.stem}: other bytes come back"
    for tensor in json.loads(run(program, "inspect", "--json", packed))["tensors"]:
        assert tensor["codec"] == "lattice" or path.stem in EITHER, f"{path.stem}: {tensor['name']} is {tensor['codec']}"
    share = 100 * size / path.stat().st_size
    print(f"{path.stem}: {share:.2f} %, at most {bound}")
    assert share <= bound, f"{path.stem}: {share:.2f} % is more than {bound}"


def main():
    program, model, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    torch.set_num_threads(1)
    weights = quantisers.matrices(model)
    weights = {name: weights[name] for name in TENSORS}
    for name, bound in BOUNDS.items():
        path = folder / f"{name}.safetensors"
        quantisers.write(name, weights, path)
        check(program, path, bound)


main()
