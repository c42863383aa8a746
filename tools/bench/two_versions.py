"""Makes a bf16 model of any size from real weights, and a base of it:  two_versions.py FOLDER BYTES MODELS

FOLDER/model.safetensors has MiniLM's matrices (tools/models.py, in MODELS) again and again, each time with its rows in
another order, so that no two are equal; of FOLDER/base.safetensors every value differs by noise of 1 % of its row's scale.
"""
import itertools
import pathlib
import sys

import numpy as np

import access

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import models

NOISE = np.float32(0.01)


def filling(shapes, byte_count):
    """These shapes again and again, the last one cut, while there are bytes for them."""
    for rows, columns in itertools.cycle(shapes):
        rows = min(rows, byte_count // (2 * columns))
        if rows == 0:
            return
        yield rows, columns
        byte_count -= 2 * rows * columns


def shuffled(rng, matrices, shapes):
    for values, (rows, _) in zip(itertools.cycle(matrices), shapes):
        yield models.to_bf16(values[rng.permutation(len(values))[:rows]])


def noisy(rng, bits):
    values = (bits.astype(np.uint32) << 16).view(np.float32)
    scales = np.sqrt(np.mean(values * values, axis=1, keepdims=True))
    return models.to_bf16(values + NOISE * scales * rng.standard_normal(values.shape, np.float32))


def make(folder, byte_count, models_folder):
    path, = models.make(models_folder, ["minilm-fp32"])
    matrices = [tensor.values for tensor in models.parse(path.read_bytes()).values() if models.is_matrix(tensor)]
    shapes = list(filling([values.shape for values in matrices], byte_count))
    model = access.write_bf16(folder / "model.safetensors", shapes,
                              shuffled(np.random.default_rng(1), matrices, shapes))
    bits = np.memmap(model, np.uint16, "r", model.stat().st_size - sum(2 * rows * columns for rows, columns in shapes))
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    rng = np.random.default_rng(2)
    access.write_bf16(folder / "base.safetensors", shapes,
                      (noisy(rng, part.reshape(shape)) for part, shape in zip(np.split(bits, ends[:-1]), shapes)))


if __name__ == "__main__":
    try:
        make(pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
    except (models.Failure, OSError) as failure:
        sys.exit(f"two_versions: {failure}")
