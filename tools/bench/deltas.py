#!/usr/bin/env python3
"""Sizes and speeds of differences between checkpoints: swzip --base beside what others do with the same two files.

    deltas.py --program SWZIP FOLDER        prints DELTAS.md

FOLDER holds the safetensors files that PAIRS names. Rivals get the tensors of the new file xor those of the old one, type
by type, or both, and say what bytes they make of it; swzip packs whole files, whose tensors and index are counted apart,
and unpacks them again for comparison. Sizes are in bits a value (of a whole checkpoint: bits a parameter).

Speeds are from memory to memory on one core, medians of rounds in turns: swzip, memcpy and zstd by `swzip bench --base`, which
plans, hashes and checks all that packing does, ZipNN's core of the xor between them (without the xor itself).
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import coders

NUMBERS = {"BF16": np.uint16, "F32": np.uint32}
# Title, old file, new file, the types that are taken (none: the whole file).
PAIRS = [
    ("bf16, 150 steps apart", "ckpt-750", "ckpt-900", ("BF16",)),
    ("bf16, one step apart", "ckpt-900", "ckpt-901", ("BF16",)),
    ("bf16 fine-tune given its base", "base-bf16", "tuned-bf16", ()),
    ("bf16, a step of reinforcement learning", "rl-before-bf16", "rl-after-bf16", ()),
    ("fp32 fine-tune given its base", "base-fp32", "tuned-fp32", ()),
    ("mixed checkpoint, 150 steps apart", "ckpt-750", "ckpt-900", ()),
    ("mixed checkpoint, one step apart", "ckpt-900", "ckpt-901", ()),
]


def tensors(data):
    """Type and bytes of each tensor, by name."""
    start, entries = coders.safetensors_header(data)
    return {name: (entry["dtype"], entry["shape"], data[start + entry["data_offsets"][0]:start + entry["data_offsets"][1]])
            for name, entry in entries.items()}


def file_of(found):
    """A safetensors file of these tensors."""
    header, offset = {}, 0
    for name, (dtype, shape, data) in found.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(data for _, _, data in found.values())


def numbers(found, dtype):
    return [np.frombuffer(data, NUMBERS[dtype]) for kind, _, data in found.values() if kind == dtype]


def coded(make):
    """Bytes that a coder makes of old xor new."""
    def size(dtype, old, new):
        coder = make((np.concatenate(old) ^ np.concatenate(new)).tobytes(), dtype)
        coder.prepare()
        coder.encode()
        return coder.size()
    return size


def index_and_value(dtype, old, new):
    """int32 positions and new values of what changed, in zstd: what trainers send to inference engines."""
    import zstandard
    old, new = np.concatenate(old), np.concatenate(new)
    places = np.flatnonzero(old != new)
    compressor = zstandard.ZstdCompressor(level=3)
    return sum(len(compressor.compress(part.tobytes())) for part in (places.astype(np.uint32), new[places]))


def bit_lengths(dtype, old, new):
    """FM-Delta's symbols: sign and length of the difference of ordered integers, at their entropy in each tensor, and the
    other bits. No coder, so no framing."""
    bits = 0.0
    for one, other in zip(old, new, strict=True):
        top = 1 << 8 * one.itemsize - 1
        ordered = [np.where(part & top, -(part.astype(np.int64) & top - 1), part.astype(np.int64)) for part in (one, other)]
        difference = ordered[1] - ordered[0]
        lengths = np.frexp(np.abs(difference).astype(np.float64))[1]
        counts = np.unique(lengths * 2 + (difference < 0), return_counts=True)[1]
        bits += float(-(counts * np.log2(counts / counts.sum())).sum() + np.maximum(lengths - 1, 0).sum())
    return bits / 8


RIVALS = {
    "BitX (xor, planes, zstd -3)": coded(lambda data, dtype: coders.Planes("", data, dtype, 3)),
    "the same, zstd -19": coded(lambda data, dtype: coders.Planes("", data, dtype, 19)),
    "xor, zstd -3": coded(lambda data, dtype: coders.Zstd("", data, 3)),
    "xor, ZipNN": coded(lambda data, dtype: coders.ZipNN("", data, dtype)),
    "xor, OpenZL": coded(lambda data, dtype: coders.OpenZL("", data, dtype, "fse")),
    "xor, lmz": coded(lambda data, dtype: coders.Lmz("", data, dtype)),
    "xor, z4ai": coded(lambda data, dtype: coders.Z4ai("", data, dtype)),
    "index and value, zstd -3": index_and_value,
    "FM-Delta's symbols, entropy": bit_lengths,
}


def swzip(program, old, new, level, folder):
    """Bytes of the tensors and of the whole container."""
    packed, again = folder / "packed.swz", folder / "again"
    subprocess.run([program, "pack", f"-{level}", "-q", "-f", "--base", old, new, "-o", packed], check=True)
    subprocess.run([program, "unpack", "-q", "-f", "--base", old, packed, "-o", again], check=True)
    if again.read_bytes() != new.read_bytes():
        raise SystemExit(f"{new}: unpacks to other bytes")
    shown = subprocess.run([program, "inspect", "--json", packed], check=True, capture_output=True)
    return sum(tensor["packed_bytes"] for tensor in json.loads(shown.stdout)["tensors"]), packed.stat().st_size


def measure(program, folder, scratch, old_name, new_name, types):
    """Bits a value by way."""
    files, found = [], []
    for name in (old_name, new_name):
        data = (folder / f"{name}.safetensors").read_bytes()
        mine = {key: tensor for key, tensor in tensors(data).items() if not types or tensor[0] in types}
        path = scratch / name
        path.write_bytes(file_of(mine) if types else data)
        files.append(path)
        found.append(mine)
    kinds = sorted({kind for kind, _, _ in found[1].values()})
    count = min(sum(map(len, numbers(found[1], kind))) for kind in kinds)
    bits = {}
    for level in (3, 7):
        payload, whole = swzip(program, *files, level, scratch)
        bits[f"**swzip -{level}**, tensors"], bits[f"**swzip -{level}**, whole file"] = 8 * payload / count, 8 * whole / count
    for title, size in RIVALS.items():
        try:
            total = sum(size(kind, numbers(found[0], kind), numbers(found[1], kind)) for kind in kinds)
            bits[title] = 8 * total / count
        except Exception as error:
            print(f"{title}: {error}", file=sys.stderr)
    return bits, speeds(program, *files, found)


TURNS = 5


def speeds(program, old, new, found):
    """GB/s of encoding and of decoding, by way."""
    kinds = sorted({kind for kind, _, _ in found[1].values()})
    xors = {kind: (np.concatenate(numbers(found[0], kind)) ^ np.concatenate(numbers(found[1], kind))).tobytes() for kind in kinds}
    rates = {}

    def add(title, byte_count, encode, decode):
        for place, second in enumerate((encode, decode)):
            rates.setdefault(title, ([], []))[place].append(byte_count / second / 1e9)

    for _ in range(TURNS):
        command = [program, "bench", "--json", "--base", old, new, "--levels", "3", "-T", "1", "--rounds", "3"]
        for line in subprocess.run(command, check=True, capture_output=True).stdout.splitlines():
            result = json.loads(line)
            for encode, decode in zip(result["encode_seconds"], result["decode_seconds"], strict=True):
                add(result["coder"], result["in_bytes"], encode, decode)
        for _ in range(3):
            encode = decode = 0.0
            for kind, data in xors.items():
                coder = coders.ZipNN("", data, kind)
                coder.prepare()
                start = time.perf_counter()
                coder.encode()
                middle = time.perf_counter()
                coder.decode()
                encode, decode = encode + middle - start, decode + time.perf_counter() - middle
            add("xor, ZipNN", sum(map(len, xors.values())), encode, decode)
    return {title: tuple(map(statistics.median, pair)) for title, pair in rates.items()}


def table(results, cell):
    print("| |" + "".join(f" {title} |" for title, *_ in PAIRS) + "\n|---|" + "---|" * len(PAIRS))
    for way in results[0]:
        print(f"| {way} |" + "".join(" |" if way not in result else f" {cell(result[way])} |" for result in results))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        results = [measure(arguments.program, arguments.folder, pathlib.Path(scratch), *pair) for _, *pair in PAIRS]
    print("# Differences between checkpoints\n\nBits a value (of a mixed checkpoint: bits a parameter, of 112), smaller is "
          "better. Made by `tools/bench/deltas`; rivals get\nthe tensors alone, without a file around them.\n")
    table([bits for bits, _ in results], "{:.3f}".format)
    print("\nGB/s of encoding and decoding on one core, all ways in turns. swzip plans, hashes (SHA-256 too), encodes, decodes again and "
          "compares\nwhat it packs; in files of a megabyte planning and tables take most of that.\n")
    table([rates for _, rates in results], lambda pair: f"{pair[0]:.2f} / {pair[1]:.2f}")


if __name__ == "__main__":
    main()
