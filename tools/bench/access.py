#!/usr/bin/env python3
"""What random access costs beside reading forward.

    tools/bench/access [--only tensors|base] [--size MB] [--rounds N] [--folder FOLDER] [FILE...]

tensors: all tensors of a container one by one against the same bytes in one go, with one open container, one thread
and warm pages: 1,000 bf16 tensors of 64 KiB to 1 MiB, 1,000 of 4 KiB, and those of each safetensors FILE.
base: unpacking a delta with its base packed against the same with it plain, to a file and to /dev/null, for a base of
--size megabytes (1,000), whose values the other version changes by a few units in the last place.
What is compared is measured in turns; medians, and the median of the ratios of the rounds.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import measure


def normal_bf16(rng, count):
    """Bits of weights as they are drawn before training."""
    return ((rng.standard_normal(count, np.float32) * np.float32(0.02)).view(np.uint32) >> 16).astype(np.uint16)


def few_ulps_away(rng, bits):
    return bits + np.rint(rng.standard_normal(bits.size, np.float32)).astype(np.int16).view(np.uint16)


def in_rows(counts):
    """The shapes of matrices with so many values each, in rows of 512."""
    return [(count // 512, 512) for count in counts]


def write_bf16(path, shapes, tensors):
    """A safetensors file of matrices, whose values `tensors` gives one after the other."""
    sizes = [2 * rows * columns for rows, columns in shapes]
    ends = np.cumsum(sizes)
    header = json.dumps({
        f"model.layers.{number}.weight": {
            "dtype": "BF16", "shape": shape, "data_offsets": [int(end) - size, int(end)]}
        for number, (shape, size, end) in enumerate(zip(shapes, sizes, ends))}).encode()
    header += b" " * (-len(header) % 8)
    with open(path, "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for tensor in tensors:
            file.write(tensor.tobytes())
    return path


def say(title, first, second, pairs):
    """Medians of pairs of seconds, and of their ratios."""
    ratio = statistics.median(one / other for one, other in pairs)
    medians = [statistics.median(times) for times in zip(*pairs)]
    print(f"{title}: {first} {medians[0]:.4f} s, {second} {medians[1]:.4f} s, ratio {ratio:.3f}", flush=True)


def pack(program, path, folder, *more):
    packed = folder / f"{path.stem}.swz"
    subprocess.run([program, "pack", "-q", "-f", "-o", packed, *more, path], check=True)
    return packed


def tensors(options, folder):
    rng = np.random.default_rng(1)
    made = {
        "large": (rng.integers(64, 1024, 1000, endpoint=True) * 512).tolist(),
        "small": [2048] * 1000,
    }
    paths = [write_bf16(folder / f"{name}.safetensors", in_rows(counts), (normal_bf16(rng, count) for count in counts))
             for name, counts in made.items()]
    for path in [*paths, *options.files]:
        packed = pack(options.program, path, folder)
        command = [options.reader, packed, str(options.rounds + 1)]
        lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
        pairs = [tuple(map(float, line.split())) for line in lines[1:]]  # The first warms up.
        say(f"tensors of {path.name}", "one by one", "in one go", pairs)


def unpack(options, base, packed, threads, out):
    """Seconds on the clock and of processors."""
    out = ["-c"] if out is None else ["-o", out]
    os.sync()
    cost = measure.run([options.program, "unpack", "-q", f"-T{threads}", "--base", base, *out, packed])
    assert cost.status == 0, "unpacking failed"
    return cost.elapsed, cost.seconds


def base(options, folder):
    rng = np.random.default_rng(1)
    counts = [options.size * 1_000_000 // 8 // 1024 * 512] * 8
    old, new = folder / "old.safetensors", folder / "new.safetensors"
    write_bf16(old, in_rows(counts), (normal_bf16(rng, count) for count in counts))
    header = 8 + int.from_bytes(old.open("rb").read(8), "little")
    bits = np.memmap(old, np.uint16, "r", header)
    write_bf16(new, in_rows(counts), (few_ulps_away(rng, part) for part in np.split(bits, len(counts))))
    packed, delta = pack(options.program, old, folder), pack(options.program, new, folder, "--base", old)
    new.unlink()
    times = {}
    for number in range(options.rounds + 1):  # The first warms up.
        for threads in (1, 2):
            for out in (None, folder / "out"):
                # Who writes second finds pages that the first has freed: each is second in turn.
                pair = {}
                for each in (packed, old) if number % 2 else (old, packed):
                    pair[each] = unpack(options, each, delta, threads, out)
                    (folder / "out").unlink(missing_ok=True)
                if number:
                    times.setdefault((threads, out), []).append((pair[packed], pair[old]))
    for (threads, out), pairs in times.items():
        title = f"delta, -T{threads}, to {'a file' if out else '/dev/null'}"
        for place, what in enumerate(("", ", of processors")):
            say(title + what, "base packed", "plain", [(one[place], other[place]) for one, other in pairs])


def main():
    parser = argparse.ArgumentParser(prog="tools/bench/access", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--reader", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=["tensors", "base"])
    parser.add_argument("--size", type=int, default=1000, metavar="MB")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--folder", type=pathlib.Path, metavar="FOLDER", help="where the files go for the time of it")
    parser.add_argument("files", nargs="*", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for part in (tensors, base):
            if options.only in (None, part.__name__):
                part(options, pathlib.Path(folder))


if __name__ == "__main__":
    main()
