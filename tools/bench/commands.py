"""Whole commands beside cp, dd, zstd and ZipNN: what each takes, and what limits it.

    tools/bench/commands [--size MB] [--threads MOST] [--rounds N] [--folder FOLDER] [--models DIR]

Packs, verifies and unpacks a bf16 model of real weights, alone and given a base that differs by noise (two_versions.py), by
1, 2, 4 and 8 threads. All in turns: one round that compares what comes back with the original, and those whose medians are
shown. The page is printed; a run with all threads at the usual size writes it to COMMANDS.md, and every figure to
commands.json. FOLDER needs room for seven times the size, and the page cache for as much.
"""
import argparse
import dataclasses
import filecmp
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))
import measure

MEGABYTES = 1080
THREADS = [1, 2, 4, 8]
PAGE, FIGURES = HERE / "COMMANDS.md", HERE / "commands.json"
BUSY = 0.75  # The part of the time, on its own or with the disk's, that is enough to be the reason.


class Failure(Exception):
    """Ends the program with one line."""


def said_by(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


@dataclasses.dataclass(frozen=True)
class Command:
    """What is measured: its words, the files that it reads, and the file that it writes, if any."""

    title: str
    threads: int
    words: list
    reads: list
    writes: pathlib.Path | None = None
    like: pathlib.Path | None = None  # What the written file must equal.
    syncs: bool = False  # Whether it waits until its file is on the disk.


def commands(program, folder, threads):
    """In an order in which each finds what those before it wrote."""
    model, base = folder / "model.safetensors", folder / "base.safetensors"
    packed, delta, general, zipped = (folder / name for name in ("model.swz", "delta.swz", "model.zst", "model.znn"))
    out = folder / "out"
    copying = ["dd", f"if={model}", f"of={out}", "bs=1M", "conv=fsync"]
    yield Command("dd conv=fsync", 1, copying, [model], out, model, True)
    yield Command("cp", 1, ["cp", "--reflink=never", model, out], [model], out, model)
    for count in threads:
        yield Command("zstd -3", count, ["zstd", "-q", "-3", f"-T{count}", model, "-o", general], [model], general)
    yield Command("zstd -d", 1, ["zstd", "-q", "-d", general, "-o", out], [general], out, model)
    if importlib.util.find_spec("zipnn_core"):
        script = [sys.executable, HERE / "zipnn_file.py"]
        for count in threads:
            yield Command("ZipNN", count, [*script, "pack", str(count), model, zipped], [model], zipped)
        for count in threads:
            yield Command("ZipNN, unpacking", count, [*script, "unpack", str(count), zipped, out], [zipped], out, model)
    for title, given, container in (("", [], packed), (" --base", ["--base", base], delta)):
        def swzip(verb, count, source):
            return [program, verb, "-q", f"-T{count}", *given, source]
        bases = given[1:]
        for count in threads:
            yield Command(f"swzip pack{title}", count, [*swzip("pack", count, model), "-o", container], [model, *bases],
                          container, syncs=True)
        for count in threads:
            yield Command(f"swzip unpack{title}", count, [*swzip("unpack", count, container), "-o", out],
                          [container, *bases], out, model, True)
        for count in threads:
            yield Command(f"swzip unpack{title}, to /dev/null", count, [*swzip("unpack", count, container), "-c"],
                          [container, *bases])
        if not given:
            for count in threads:
                yield Command("swzip verify", count, swzip("verify", count, container), [container])


def warm(path):
    """Brings a file into the page cache."""
    buffer = bytearray(1 << 20)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def measured(command):
    """One run, when its inputs are in memory and nothing is left to write."""
    if command.writes:
        command.writes.unlink(missing_ok=True)
    for path in command.reads:
        warm(path)
    os.sync()
    cost = measure.run([str(word) for word in command.words])
    if cost.status:
        raise Failure(f"{command.title} failed: exit code {cost.status}")
    return cost


def run(chosen, rounds):
    """The cost of each round, by command, and what each wrote, in bytes."""
    costs, written = {}, {}
    for number in range(rounds + 1):
        print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
        for place, command in enumerate(chosen):
            cost = measured(command)
            if number:
                costs.setdefault(place, []).append(cost)
            elif command.like and not filecmp.cmp(command.writes, command.like, shallow=False):
                raise Failure(f"{command.title}: the file that came back differs from the original")
            written[place] = command.writes.stat().st_size if command.writes else 0
    return [(command, costs[place], written[place]) for place, command in enumerate(chosen)]


def limit(processor, disk):
    """What takes the larger part of the time, from the parts that processors, and dd of as many bytes, would take alone."""
    if processor + disk < BUSY:
        return "waiting"  # For a thread that works alone, a disk slower than for dd, or other work on the machine.
    return "disk" if disk > processor else "processor"


def figures(results, byte_count, cores):
    """A row for each command. The first is dd."""
    copies = [cost.elapsed for cost in results[0][1]]
    rows = []
    for command, costs, written in results:
        elapsed = statistics.median(cost.elapsed for cost in costs)
        seconds = statistics.median(cost.seconds for cost in costs)
        disk = statistics.median(copies) * written / byte_count if command.syncs else 0
        rows.append({
            "command": command.title, "threads": command.threads, "seconds": elapsed,
            "gb_per_s": byte_count / elapsed / 1e9, "processor_seconds": seconds,
            "peak_mib": max(cost.mebibytes for cost in costs),
            "over_dd": statistics.median(cost.elapsed / copy for cost, copy in zip(costs, copies)),
            "limit": limit(seconds / elapsed / min(command.threads, cores), disk / elapsed),
            "written_bytes": written, "rounds": [dataclasses.asdict(cost) for cost in costs],
        })
    return rows


def measure_all(options):
    """The report: what was measured, and where."""
    threads = [count for count in THREADS if count <= options.threads]
    with tempfile.TemporaryDirectory(prefix="commands-", dir=options.folder) as name:
        folder = pathlib.Path(name)
        kind = said_by("stat", "-f", "-c", "%T", name)
        if kind in ("tmpfs", "ramfs"):
            raise Failure(f"{options.folder} is in memory: name a folder on a disk with --folder")
        maker = [sys.executable, HERE / "two_versions.py", folder, str(options.size * 1_000_000), options.models]
        # Apart: what making takes would count for the commands.
        if subprocess.run(maker, stdout=sys.stderr).returncode:
            raise Failure("cannot make the model")
        byte_count = (folder / "model.safetensors").stat().st_size
        cores = len(os.sched_getaffinity(0))
        results = run(list(commands(options.program, folder, threads)), options.rounds)
    return {"bytes": byte_count, "rounds": options.rounds, "processors": cores, "file_system": kind,
            "program": said_by(options.program, "--version"), "zstd": said_by("zstd", "-qV"),
            "rows": figures(results, byte_count, cores)}


def main():
    parser = argparse.ArgumentParser(prog="tools/bench/commands", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, default=MEGABYTES, metavar="MB")
    parser.add_argument("--threads", type=int, default=THREADS[-1], metavar="MOST")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / ".build", metavar="FOLDER",
                        help="on a disk; where the files go for the time of it (.build)")
    parser.add_argument("--models", default=ROOT / ".build-models", metavar="DIR",
                        help="where minilm-fp32 is, or is made (.build-models)")
    options = parser.parse_args()
    if min(options.size, options.threads, options.rounds) < 1:
        parser.error("--size, --threads and --rounds are 1 or more")
    report = measure_all(options)
    # Only now: what is imported counts for the commands too.
    import benchmark
    import commands_page
    report = {"machine": benchmark.machine(), **report}
    text = commands_page.render(report)
    if (options.size, options.threads) == (MEGABYTES, THREADS[-1]):
        FIGURES.write_text(json.dumps(report, indent=1) + "\n")
        PAGE.write_text(text)
    print(text)


if __name__ == "__main__":
    try:
        main()
    except (Failure, OSError) as failure:
        sys.exit(f"commands: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
