#!/usr/bin/env python3
"""Makes the seeds of the fuzz targets:  seeds.py HAND CORPUS

HAND is a folder that tools/fixtures/hand.py has filled; CORPUS gets a folder for each target. The model files of
Fixtures/inputs are seeds too, by their heads: what follows is numbers.
"""

import io
import random
import sys
import zipfile
from pathlib import Path

MOST = 16_384  # -max_len of the targets
TORCH = Path(__file__).resolve().parents[2] / "Fixtures" / "torch"


def frames(container):
    """(kind, frame) of the frames from the first on, as far as they make sense."""
    position = 64
    while position + 32 <= len(container) - 64:
        size = int.from_bytes(container[position : position + 3], "little") * 16
        kind = container[position + 3 : position + 4]
        if kind not in (b"M", b"S", b"B") or size < 32 or position + size > len(container):
            return
        yield kind, container[position : position + size]
        position += size


def blocks(container):
    """Seeds of the target "block": the first block of each segment."""
    segment = None
    for kind, frame in frames(container):
        if kind == b"S":
            segment = frame[16:]
        elif kind == b"B" and segment is not None:
            yield len(segment).to_bytes(2, "little") + segment + frame[16:]
            segment = None


def headers():
    entry = '"dtype":"%s","shape":%s,"data_offsets":[%d,%d]'
    yield "{}"
    yield '{"__metadata__":{"format":"pt","a":"\\u00e9\\n"}}'
    yield "{" + f'"a":{{{entry % ("BF16", "[2,3]", 0, 12)}}}' + "}   "
    yield "{" + f'"a":{{{entry % ("F32", "[]", 0, 4)}}},"b":{{{entry % ("F8_E4M3", "[0]", 4, 4)}}}' + "}"
    yield "{" + f'"x":{{{entry % ("F4", "[3000000]", 0, 1500000)}}},"y":{{{entry % ("I64", "[9]", 1500000, 1500072)}}}' + "}"
    yield "{" + ",".join(f'"t{i}":{{{entry % ("F16", "[40]", 80 * i, 80 * i + 80)}}}' for i in range(20)) + "}"
    yield "{" + f'"a":{{{entry % ("U8", "[1048576,4194304]", 0, 1 << 42)}}}' + "}"


def pickles(files):
    """The pickles of torch's zip files, and those of the older layout in one."""
    for file in files:
        try:
            with zipfile.ZipFile(io.BytesIO(file)) as archive:
                yield from (archive.read(name) for name in archive.namelist() if name.endswith(".pkl"))
        except (zipfile.BadZipFile, ValueError):
            yield file[: file.rfind(b".", 0, 4096) + 1]


def archives():
    """Small npz files: stored, deflated, with a comment."""
    header = b"\x93NUMPY\1\0v\0" + b"{'descr': '<f4', 'fortran_order': False, 'shape': (8, 200), }".ljust(117) + b"\n"
    for method, comment in ((zipfile.ZIP_STORED, b""), (zipfile.ZIP_DEFLATED, b""), (zipfile.ZIP_STORED, b"PK\5\6")):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", method) as archive:
            for name in ("a.npy", "b.npy"):
                with archive.open(name, "w", force_zip64=True) as entry:
                    entry.write(header + bytes(6400))
            archive.comment = comment
        yield data.getvalue()


def write(folder, seeds):
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        if len(seed) <= MOST:
            (folder / f"seed-{number:04}").write_bytes(seed)


def main():
    hand, corpus = Path(sys.argv[1]), Path(sys.argv[2])
    containers = [path.read_bytes() for path in sorted(hand.glob("*.swz"))]
    source = random.Random(1)
    write(corpus / "container", containers)
    write(corpus / "block", (seed for container in containers for seed in blocks(container)))
    inputs = Path(__file__).resolve().parents[2] / "Fixtures" / "inputs"
    for target in ("gguf", "npy", "onnx"):
        write(corpus / target, (path.read_bytes()[:8192] for path in sorted(inputs.glob(f"*.{target}"))))
    write(corpus / "npz", archives())
    write(corpus / "safetensors", (text.encode() for text in headers()))
    files = [path.read_bytes() for path in sorted(TORCH.iterdir()) if path.name not in ("EXPECTED", "MANIFEST")]
    write(corpus / "torch", files)
    write(corpus / "pickle", pickles(files))
    trips = [bytes([given + level, flags, kind, 40]) + source.randbytes(200) + bytes(56)
             for given in (0, 0x80, 0xC0) for level in range(9) for flags, kind in ((0, 0), (0x83, 0), (0xC1, 2), (0x80, 4), (0x82, 13))]
    write(corpus / "roundtrip", trips)
    write(corpus / "huffman", [source.randbytes(2) + bytes([spread, 0]) + source.randbytes(300) for spread in range(8)])


main()
