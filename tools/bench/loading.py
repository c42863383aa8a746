#!/usr/bin/env python3
"""How long Python takes to load all tensors of a model, packed and plain.

    tools/bench/loading [--rounds N] [--cold] [FILE...]

For a gigabyte of bf16 that is made here and each safetensors FILE of bf16 (tools/models.py makes minilm-bf16): safetensors'
safe_open with a copy of each tensor, ZipNN's decompress of its file followed by safetensors' load, swzip's safe_open with one
thread and with all, and its load_file; to torch, in turns, medians and their ratios to the first. --cold: nothing is in the
page cache (needs root). Then reading the gigabyte to memory that nobody has touched against such that was, what opening
costs, 1,000 tensors one by one against all at once, and the import.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import access
import numpy as np


def made(folder):
    """A gigabyte of bf16 in eight tensors, and a thousand tensors of 64 KiB to 1 MiB."""
    rng = np.random.default_rng(1)
    large = [122_070 * 512] * 8
    many = (rng.integers(64, 1024, 1000, endpoint=True) * 512).tolist()
    return [access.write_bf16(folder / f"{name}.safetensors", access.in_rows(counts),
                              (access.normal_bf16(rng, count) for count in counts))
            for name, counts in (("gigabyte", large), ("thousand", many))]


def pack_zipnn(path, folder):
    """ZipNN's own file of a safetensors file of bf16."""
    import zipnn
    packed = folder / f"{path.stem}.znn"
    packed.write_bytes(zipnn.ZipNN(bytearray_dtype="bfloat16", threads=1).compress(bytearray(path.read_bytes())))
    return packed


def ways(path, packed, zipped):
    """What loads all tensors of a file, by title."""
    import safetensors
    import safetensors.torch
    import swzip
    import swzip.torch
    import zipnn

    def plain():
        with safetensors.safe_open(path, "pt") as file:
            return {name: file.get_tensor(name).clone() for name in file.keys()}

    def by_zipnn():
        data = zipnn.ZipNN(bytearray_dtype="bfloat16", threads=1).decompress(zipped.read_bytes())
        return safetensors.torch.load(bytes(data))  # It takes nothing else.

    def by_swzip(threads):
        with swzip.safe_open(packed, "pt", threads=threads) as file:
            return {name: file.get_tensor(name) for name in file.keys()}

    return {
        "safetensors, plain, with a copy": plain,
        "ZipNN, then safetensors": by_zipnn,
        "swzip safe_open, one thread": lambda: by_swzip(1),
        "swzip safe_open, all threads": lambda: by_swzip(0),
        "swzip load_file": lambda: swzip.torch.load_file(packed),
    }


def forget_pages():
    subprocess.run(["sync"], check=True)
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("1\n")


def compare(path, packed, zipped, options):
    times = {}
    for _ in range(options.rounds + 1):  # The first warms up.
        for title, load in ways(path, packed, zipped).items():
            if options.cold:
                forget_pages()
            start = time.perf_counter()
            tensors = load()
            times.setdefault(title, []).append(time.perf_counter() - start)
            del tensors
    first = None
    for title, seconds in times.items():
        median = statistics.median(seconds[1:])
        first = first or median
        print(f"{path.stem}: {title}: {median * 1000:.1f} ms, {median / first:.2f}", flush=True)


def touching(path, packed, rounds):
    """All of a file to memory that nobody has touched, and to memory that was, by one thread."""
    import swzip
    import torch
    container = swzip.Container(packed)
    touched = torch.zeros(container.members[0].byte_count, dtype=torch.uint8)
    pairs = []
    for _ in range(rounds + 1):
        pair = []
        for target in (torch.empty_like(touched), touched):
            start = time.perf_counter()
            container.read(0, 0, target, threads=1)
            pair.append(time.perf_counter() - start)
        del target
        pairs.append(pair)
    access.say(f"{path.stem}: read", "to fresh memory", "to touched", pairs[1:])


def opening(path, packed, rounds):
    """What 1,000 tensors cost to open, and one by one against all at once, to buffers that are there."""
    import swzip
    seconds = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        container = swzip.Container(packed)
        seconds.append(time.perf_counter() - start)
    print(f"{path.stem}: opening {len(container.tensors)} tensors: {statistics.median(seconds[1:]) * 1000:.2f} ms")
    tensors = sorted(container.tensors, key=lambda tensor: tensor.offset)
    start_byte, end = tensors[0].offset, max(tensor.offset + tensor.byte_count for tensor in tensors)
    whole = np.empty(end - start_byte, np.uint8)
    pairs = []
    for _ in range(rounds + 1):
        pair = []
        for apart in (True, False):
            container = swzip.Container(packed)
            start = time.perf_counter()
            if apart:
                for tensor in tensors:
                    place = tensor.offset - start_byte
                    container.read(0, tensor.offset, whole[place:place + tensor.byte_count], threads=1)
            else:
                container.read(0, start_byte, whole, threads=1)
            pair.append(time.perf_counter() - start)
        pairs.append(pair)
    access.say(f"{path.stem}: {len(tensors)} tensors", "one by one", "in one go", pairs[1:])


def main():
    parser = argparse.ArgumentParser(prog="tools/bench/loading", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("files", nargs="*", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args()
    start = "import time; start = time.perf_counter(); import swzip; print((time.perf_counter() - start) * 1000)"
    milliseconds = [float(subprocess.run([sys.executable, "-c", start], check=True, stdout=subprocess.PIPE).stdout)
                    for _ in range(options.rounds)]
    print(f"import swzip: {statistics.median(milliseconds):.1f} ms")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        gigabyte, thousand = made(folder)
        for path in [gigabyte, *options.files]:
            packed = access.pack(options.program, path, folder)
            compare(path, packed, pack_zipnn(path, folder), options)
        touching(gigabyte, folder / "gigabyte.swz", options.rounds)
        opening(thousand, access.pack(options.program, thousand, folder), options.rounds)


if __name__ == "__main__":
    main()
