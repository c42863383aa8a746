#!/usr/bin/env python3
"""Arrays in files that no parser knows, against the same arrays as npy.

    regions.py [LEVEL...]      (3 and 7 when none is given)

Writes one set of weights as NumPy files and in the layouts of flax (msgpack), ggml's old .bin, TensorFlow's variables,
caffe's big-endian blobs and, where h5py is installed, HDF5, packs each, and prints what is left of each. SWZIP is the
command (.build/release/swzip). Needs numpy.
"""

import io
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np

SWZIP = os.environ.get("SWZIP", str(pathlib.Path(__file__).resolve().parents[2] / ".build/release/swzip"))
SHAPES = [(384, 384)] * 6 + [(1536, 384), (384, 1536), (384,), (1536,), (3, 3, 64, 128), (7, 7, 3, 64), (1000, 512)]


def weights() -> list[np.ndarray]:
    rng = np.random.default_rng(7)
    return [rng.normal(0, 10 ** rng.uniform(-2.5, -0.5), shape).astype("<f4") for shape in SHAPES]


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def flax(name: bytes, array: np.ndarray) -> bytes:
    """A msgpack extension of shape, name of the type, bytes."""
    shape = bytes([0x90 + array.ndim]) + b"".join(b"\xce" + struct.pack(">I", size) for size in array.shape)
    value = b"\x93" + shape + b"\xa7float32\xc6" + struct.pack(">I", array.nbytes) + array.tobytes()
    return bytes([0xA0 + len(name)]) + name + b"\xc9" + struct.pack(">I", len(value)) + b"\x01" + value


def ggml(name: bytes, array: np.ndarray) -> bytes:
    head = struct.pack("<3i", array.ndim, len(name), 0) + struct.pack(f"<{array.ndim}i", *array.shape)
    return head + name + array.tobytes()


def files() -> dict[str, bytes]:
    arrays = [(f"layer_{number}/kernel".encode(), array) for number, array in enumerate(weights())]
    made = {
        "flax": b"".join(flax(*each) for each in arrays),
        "ggml": b"lmgg" + b"".join(ggml(*each) for each in arrays),
        "variables": b"".join(array.tobytes() for _, array in arrays),
        "caffe": b"".join(b"\x0a\x05" + name + array.astype(">f4").tobytes() for name, array in arrays),
    }
    try:
        import h5py
    except ImportError:
        return made
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        for name, array in arrays:
            file.create_dataset(name.decode(), data=array)
    return made | {"HDF5": out.getvalue()}


def main() -> None:
    levels = sys.argv[1:] or ["3", "7"]
    with tempfile.TemporaryDirectory() as root:
        folder = pathlib.Path(root) / "npy"
        folder.mkdir()
        size = 0
        for number, array in enumerate(weights()):
            size += (folder / f"{number:02}.npy").write_bytes(npy(array))
        paths = {"npy": (folder, size)}
        for name, data in files().items():
            path = pathlib.Path(root) / f"{name}.bin"
            path.write_bytes(data)
            paths[name] = (path, len(data))
        for name, (path, size) in paths.items():
            packed = [
                len(subprocess.run([SWZIP, "pack", "-q", f"-{level}", "-o", "-", path], stdout=-1, check=True).stdout)
                for level in levels
            ]
            shares = (f"-{level}: {100 * left / size:5.2f} %" for level, left in zip(levels, packed))
            print(f"{name:10} {size:10} bytes", *shares)


if __name__ == "__main__":
    main()
