"""Measures swzip against its rivals on real model files: size, and speed as a ratio to memcpy.

    tools/bench/run [--quick] [--models DIR] [--json OUT.json] [--plot OUT.svg]

One thread on one core, in one process, in memory. Every coder makes one round trip that is compared byte for byte; then
come interleaved rounds (encode A B C ..., decode A B C ..., three memcpy of the same output into a warm destination):
one to warm up, and those whose medians are shown. Freed memory stays in the heap, so no coder pays for page faults.
"""
import argparse
import ctypes
import datetime
import gc
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import struct
import sys
import time

os.environ["NUMPY_MADVISE_HUGEPAGE"] = "0"  # The same kind of page under every buffer.

import numpy as np

import coders
import library
import plot

sys.path.insert(0, str(library.ROOT / "tools"))
import models

# The files, with the element type that the rivals are told.
FILES = {"minilm-bf16": "BF16", "minilm-fp32": "F32", "minilm-fp16": "F16", "minilm-fp8e4m3": "F8_E4M3",
         "wordllama-fp16": "F16"}
QUICK = ["minilm-bf16"]
HEAP = 4  # Free room in the heap before the rounds, in sizes of the file.
BASELINE = "zipnn"
RIVALS = ["zipnn", "openzl", "zstandard", "lz4"]
FOOTNOTE = """\
Size: of the whole file, in % of the original. Times: encode and decode as multiples of the memcpy of the decoded bytes
(lower is better); MB/s counts bytes of the original; "/ ZipNN" is speed over ZipNN's (higher is better).
Every coder gets the whole file's bytes. swzip: container bytes into the caller's buffer, with headers parsed, tables
built and all hashes computed inside the clock (packing does no decode afterwards); strict and loader are its two
checking policies. ZipNN: its C core, one thread, on a copy of the input made outside the clock because it changes its
input; no checksum. OpenZL: the graph of its pytorch profile in 1 MiB pieces, not joined, its default checksums. zstd
and lz4 (block): default settings, no checksum."""


def settle():
    """Pins the process to one core and keeps freed memory in the heap, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if sys.platform == "linux":
        trim_threshold, mmap_max = -1, -4
        libc = ctypes.CDLL(None)
        if not (libc.mallopt(mmap_max, 0) and libc.mallopt(trim_threshold, -1)):
            print("mallopt refused: page faults are in the times", file=sys.stderr)


def first_line(path, key):
    """The value of `key` in a file of "key : value" lines, or ""."""
    try:
        lines = pathlib.Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key) and ":" in line), "")


def machine():
    """What the figures depend on."""
    def version(package):
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return None

    pages = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return {
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "cpu": first_line("/proc/cpuinfo", "model name") or platform.processor(),
        "cpu_family_model": [first_line("/proc/cpuinfo", "cpu family"), first_line("/proc/cpuinfo", "model\t")],
        "cores": os.cpu_count(),
        "memory": first_line("/proc/meminfo", "MemTotal"),
        "load_average": os.getloadavg(),
        "system": platform.platform(),
        "huge_pages": pages.read_text().strip() if pages.exists() else None,
        "python": platform.python_version(),
        "versions": {package: version(package) for package in RIVALS},
    }


def payload_offset(data):
    """Where the tensors of a safetensors file begin; 0 for other files."""
    offset = 8 + struct.unpack("<Q", data[:8])[0]
    return offset if offset <= len(data) and data[8:9] == b"{" else 0


def check(coder):
    """A round trip by every way to decode, compared byte for byte."""
    coder.prepare()
    coder.encode()
    for policy, decode in coder.decoders.items():
        if coder.content(decode()) != coder.data:
            raise library.Failure(f"{coder.name} {policy}: the decoded bytes differ from the file's")


def ready(names, makers, data, dtype):
    """The coders whose round trip of this file holds, and the reasons why others do not."""
    working, failed = [], {}
    for name in names:
        try:
            coder = makers[name](name, data, dtype, payload_offset(data))
            check(coder)
            working.append(coder)
        except Exception as error:  # A rival may fail in any way of its own; swzip may not.
            if name.startswith("swzip"):
                raise
            failed[name] = (str(error) or type(error).__name__).splitlines()[0]
    return working, failed


def measure(working, data, rounds, clock=time.perf_counter):
    """The seconds of each round by `clock`: {(coder, "encode")}, {(coder, "decode", policy)}, {"memcpy"}."""
    source, target = np.frombuffer(data, np.uint8), library.aligned(len(data), payload_offset(data))
    seconds = {}

    def note(key, function, *arguments):
        start = clock()
        result = function(*arguments)
        seconds.setdefault(key, []).append(clock() - start)
        del result  # Outside the clock.

    def copy():
        note("memcpy", ctypes.memmove, target.ctypes.data, source.ctypes.data, len(data))

    np.full(HEAP * len(data), 1, np.uint8)  # Touched and freed at once: room in the heap whose pages are there.
    gc.disable()
    for number in range(rounds + 1):
        if number == 1:
            seconds.clear()  # The first round only warmed up.
        copy()
        for coder in working:
            coder.prepare()
            note((coder.name, "encode"), coder.encode)
        copy()
        for coder in working:
            for policy, decode in coder.decoders.items():
                note((coder.name, "decode", policy), decode)
        copy()
    gc.enable()
    return seconds


def figures(working, seconds, data):
    """One row for each coder and policy, with every ratio."""
    copy = statistics.median(seconds["memcpy"])

    def side(key, baseline):
        middle = statistics.median(seconds[key])
        return {
            "seconds": seconds[key], "median": middle, "x_memcpy": middle / copy, "mb_per_s": len(data) / middle / 1e6,
            "speed_over_zipnn": statistics.median(seconds[baseline]) / middle if baseline in seconds else None,
        }

    return [{
        "coder": coder.name, "policy": policy, "bytes": coder.size(), "size_percent": 100 * coder.size() / len(data),
        "encode": side((coder.name, "encode"), (BASELINE, "encode")),
        "decode": side((coder.name, "decode", policy), (BASELINE, "decode", "")),
    } for coder in working for policy in coder.decoders]


def run_file(name, folder, coder_names, makers, rounds):
    """Everything about one file."""
    path, = models.make(folder, [name])
    data = path.read_bytes()
    working, failed = ready(coder_names, makers, data, FILES[name])
    seconds = measure(working, data, rounds)
    copy = statistics.median(seconds["memcpy"])
    return {
        "file": name, "bytes": len(data), "element": FILES[name], "rounds": rounds,
        "memcpy": {"seconds": seconds["memcpy"], "median": copy, "gb_per_s": len(data) / copy / 1e9},
        "results": figures(working, seconds, data), "not_measured": failed,
    }


def print_table(report):
    """One file's figures, as text."""
    low, _, high = statistics.quantiles(report["memcpy"]["seconds"])
    print(f"\n{report['file']}: {report['bytes'] / 1e6:.1f} MB, {report['rounds']} rounds, memcpy "
          f"{report['memcpy']['gb_per_s']:.1f} GB/s (quartiles {report['bytes'] / high / 1e9:.1f} to "
          f"{report['bytes'] / low / 1e9:.1f})")
    print(f"{'':16}{'size':>8}{'encode':>10}{'decode':>10}{'encode':>9}{'decode':>9}{'encode':>9}{'decode':>9}")
    print(f"{'':16}{'%':>8}{'x memcpy':>10}{'x memcpy':>10}{'MB/s':>9}{'MB/s':>9}{'/ ZipNN':>9}{'/ ZipNN':>9}")
    for row in report["results"]:
        sides = [row["encode"], row["decode"]]
        ratios = [f"{side['speed_over_zipnn']:.2f}" if side["speed_over_zipnn"] else "-" for side in sides]
        print(f"{row['coder'] + ' ' + row['policy']:16}{row['size_percent']:8.2f}"
              + "".join(f"{side['x_memcpy']:10.2f}" for side in sides)
              + "".join(f"{side['mb_per_s']:9.0f}" for side in sides) + "".join(f"{ratio:>9}" for ratio in ratios))
    for name, reason in report["not_measured"].items():
        print(f"{name:16}not measured: {reason}")


def parse_arguments():
    def chosen(known):
        def parse(text):
            names = text.split(",")
            for name in names:
                if name not in known:
                    raise argparse.ArgumentTypeError(f"no {name}: choose from {','.join(known)}")
            return names
        return parse

    parser = argparse.ArgumentParser(prog="tools/bench/run", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="MiniLM bf16 only, 5 rounds")
    parser.add_argument("--files", type=chosen(FILES), help="files to measure, separated by commas")
    parser.add_argument("--coders", type=chosen(coders.makers(None)), help="coders to measure, separated by commas")
    parser.add_argument("--rounds", type=int, help="timed rounds (7; with --quick 5)")
    parser.add_argument("--models", metavar="DIR", default=library.ROOT / ".build-models",
                        help="where the model files are, or are made (.build-models)")
    parser.add_argument("--library", metavar="FILE", type=pathlib.Path,
                        help="the C library to measure (built when missing or older than its sources)")
    parser.add_argument("--json", metavar="OUT.json", type=pathlib.Path, help="write every figure")
    parser.add_argument("--plot", metavar="OUT.svg", type=pathlib.Path, help="draw size against decode speed")
    arguments = parser.parse_args()
    arguments.files = arguments.files or (QUICK if arguments.quick else list(FILES))
    arguments.coders = arguments.coders or list(coders.makers(None))
    arguments.rounds = max(2, arguments.rounds or (5 if arguments.quick else 7))
    return arguments


def main():
    arguments = parse_arguments()
    ours = None
    if any(name.startswith("swzip") for name in arguments.coders):
        ours = library.Library(arguments.library or library.build_library())
    settle()
    report = {"machine": machine(), "files": []}
    print(f"{report['machine']['cpu']}, {report['machine']['cores']} cores, load {os.getloadavg()[0]:.1f}")
    for name in arguments.files:
        result = run_file(name, arguments.models, arguments.coders, coders.makers(ours), arguments.rounds)
        report["files"].append(result)
        print_table(result)
    print("\n" + FOOTNOTE)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    if arguments.plot:
        arguments.plot.write_text(plot.draw(report))


if __name__ == "__main__":
    try:
        main()
    except (library.Failure, models.Failure, OSError) as failure:
        sys.exit(f"bench: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
