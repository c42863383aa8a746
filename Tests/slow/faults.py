"""Fails calls of the system that swzip makes, one a run and in random order, and looks at what is left.

    faults.py SWZIP SHIM.so FOLDER
"""

import errno
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from budget import RANDOM, is_over
from models import model

SWZIP, SHIM, FOLDER = sys.argv[1], sys.argv[2], Path(sys.argv[3])
ORIGINAL = model(300_000)
OLD = b"an older file"
ERRORS = ["ENOSPC", "EIO", "EDQUOT", "EINTR"]
CASES = {
    # name: arguments, threads, every how many calls, environment
    "pack": (["pack"], 1, 1, {}),
    "pack --rm": (["pack", "--rm"], 1, 1, {}),
    "pack -f": (["pack", "-f"], 1, 1, {}),
    "pack, no links": (["pack"], 1, 1, {"FAULT_NO_LINK": "1"}),
    "unpack": (["unpack"], 1, 1, {}),
    "unpack --rm": (["unpack", "--rm"], 1, 1, {}),
    "pack --rm -T2": (["pack", "--rm"], 2, 3, {}),
    "unpack --rm -T2": (["unpack", "--rm"], 2, 3, {}),
}
place = threading.local()
failures: list[str] = []


def run(arguments, **environment):
    return subprocess.run(
        [SWZIP, *arguments], env=os.environ | environment, capture_output=True, timeout=60, stdin=subprocess.DEVNULL
    )


class Trial:
    """One run of the command in a folder of its own."""

    def __init__(self, case, environment):
        arguments, threads, _, more = CASES[case]
        if not hasattr(place, "folder"):
            place.folder = FOLDER / str(threading.get_ident())
        shutil.rmtree(place.folder, ignore_errors=True)
        place.folder.mkdir(parents=True)
        packs = arguments[0] == "pack"
        self.removes = "--rm" in arguments
        self.content, self.result = (ORIGINAL, PACKED) if packs else (PACKED, ORIGINAL)
        names = ["m.safetensors", "m.safetensors.swz"]
        self.source, self.final = (place.folder / name for name in (names if packs else reversed(names)))
        self.source.write_bytes(self.content)
        self.replaces = "-f" in arguments
        if self.replaces:
            self.final.write_bytes(OLD)
        log = place.folder.with_suffix(".log")
        log.unlink(missing_ok=True)
        self.command = [arguments[0], f"-T{threads}", *arguments[1:], str(self.source)]
        done = run(self.command, LD_PRELOAD=SHIM, FAULT_LOG=str(log), **more, **environment)
        self.status, self.words = done.returncode, done.stderr.decode()
        self.calls = log.read_text().split() if log.exists() else []
        self.failed = [call[:-1] for call in self.calls if call.endswith("!")]

    def problems(self, killed, must_succeed):
        final = self.final.read_bytes() if self.final.exists() else None
        complete = final == self.result
        if final is not None and not complete and not (self.replaces and final == OLD):
            yield f"{len(final)} wrong bytes under the final name"
        if self.source.exists():
            if self.source.read_bytes() != self.content:
                yield "the source is changed"
        elif not (self.removes and complete):
            yield "the source is gone and the output is not complete"
        if killed:
            yield from self.after_kill(complete)
            return
        if self.status < 0 or self.status > 127:
            yield f"it crashed: {self.status}"
        if self.status == 0 and not complete:
            yield "it says success without a complete output"
        if self.status == 0 and self.removes and self.source.exists():
            yield "it says success and the source is not removed"
        if self.status != 0 and len([line for line in self.words.splitlines() if line.startswith("swzip: ")]) != 1:
            yield f"it says {self.words!r}"
        if must_succeed and self.status != 0:
            yield f"it fails ({self.status}): {self.words.strip()}"
        # A temporary file that cannot be removed stays.
        if "unlinkat" not in self.failed and self.temporary():
            yield f"left behind: {self.temporary()}"

    def temporary(self):
        return [file.name for file in place.folder.iterdir() if file not in (self.source, self.final)]

    def after_kill(self, complete):
        if self.status != -9:
            yield f"it ended with {self.status}, not by the kill"
        if self.source.exists():
            again = run([*self.command, "-f"] if self.final.exists() else self.command)
            if again.returncode != 0 or self.final.read_bytes() != self.result:
                yield f"the next run fails: {again.stderr.decode().strip()}"


def check(case, killed=False, must_succeed=False, **environment):
    trial = Trial(case, environment)
    for problem in trial.problems(killed, must_succeed):
        how = " ".join(f"{key}={value}" for key, value in environment.items())
        failures.append(f"{case} [{how}, in {','.join(trial.failed) or 'nothing'}]: {problem}")


def counted(case):
    trial = Trial(case, {})
    for problem in trial.problems(False, True):
        failures.append(f"{case} without a fault: {problem}")
    return len(trial.calls)


FILES = {"a/m": ORIGINAL, "a/twin": ORIGINAL, "b/c/empty": b"", "d": b"text"}
FOLDER_CASES = {
    # name: verb, what is in the target before (None: no target), options
    "pack a folder": ("pack", None, []),
    "unpack a folder": ("unpack", None, []),
    "unpack into a folder": ("unpack", {"other": OLD}, []),
    "unpack into a folder -f": ("unpack", {"other": OLD, "a/m": OLD}, ["-f"]),
}


def write_tree(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def read_tree(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def check_folder(case, killed=False, must_succeed=False, **environment):
    """One run on a folder: a new target is whole or absent; in one that exists each file is whole, new or old."""
    verb, before, options = FOLDER_CASES[case]
    if not hasattr(place, "folder"):
        place.folder = FOLDER / str(threading.get_ident())
    shutil.rmtree(place.folder, ignore_errors=True)
    place.folder.mkdir(parents=True)
    log = place.folder.with_suffix(".log")
    log.unlink(missing_ok=True)
    target = place.folder / "out"
    if before is not None:
        target.mkdir()
        write_tree(target, before)
    source = FOLDER / ("t" if verb == "pack" else "t.swz")
    done = run([verb, "-T1", *options, str(source), "-o", str(target)], LD_PRELOAD=SHIM, FAULT_LOG=str(log), **environment)
    calls = log.read_text().split() if log.exists() else []
    failed = [call[:-1] for call in calls if call.endswith("!")]
    problems = []
    if verb == "pack":
        whole = target.exists() and target.read_bytes() == FOLDER_PACKED
        problems += ["wrong bytes under the final name"] if target.exists() and not whole else []
    else:
        found = {name: data for name, data in read_tree(target).items() if not name.startswith(".swzip-")}
        expected = (before or {}) | FILES
        whole = found == expected
        if before is None and target.exists() and not whole:
            problems.append(f"half a folder: {sorted(found)}")
        if any(data not in (expected.get(name), (before or {}).get(name)) for name, data in found.items()):
            problems.append("a file with wrong bytes")
        if any(name not in found for name in before or {}):
            problems.append("an older file is gone")
    if killed:
        problems += [f"it ended with {done.returncode}, not by the kill"] if done.returncode != -9 else []
    else:
        words = [line for line in done.stderr.decode().splitlines() if line.startswith("swzip: ")]
        if done.returncode not in range(128) or (done.returncode == 0) and not whole:
            problems.append(f"it ended with {done.returncode}, complete: {whole}")
        if done.returncode != 0 and (len(words) != 1 or must_succeed):
            problems.append(f"it says {words}")
        if list(place.folder.rglob(".swzip-*")) and "unlinkat" not in failed:
            problems.append("something is left behind")
    how = " ".join(f"{key}={value}" for key, value in environment.items())
    failures.extend(f"{case} [{how}, in {','.join(failed) or 'nothing'}]: {problem}" for problem in problems)
    return len(calls)


FOLDER.mkdir(parents=True, exist_ok=True)
(FOLDER / "m").write_bytes(ORIGINAL)
PACKED = run(["pack", "-3", "-T1", "-c", str(FOLDER / "m")]).stdout
(FOLDER / "m.swz").write_bytes(PACKED)
if run(["unpack", "-c", str(FOLDER / "m.swz")]).stdout != ORIGINAL:
    sys.exit("the round trip fails without any fault")

write_tree(FOLDER / "t", FILES)
FOLDER_PACKED = run(["pack", "-T1", "-c", str(FOLDER / "t")]).stdout
(FOLDER / "t.swz").write_bytes(FOLDER_PACKED)


def faults(calls, step, calls_vary):
    """Arguments of a check for each fault: at every `step`th of the calls."""
    yield {"must_succeed": True, "FAULT_SHORT": "1"}
    for at in range(1, calls + 1, step):
        for name in ERRORS:
            code = {"FAULT_AT": str(at), "FAULT_ERRNO": str(getattr(errno, name))}
            yield code | {"must_succeed": name == "EINTR"}
            if name in ("ENOSPC", "EIO"):
                yield code | {"FAULT_FROM": "1"}
        # The number of calls varies a little with two threads.
        if not calls_vary or at + 10 < calls:
            yield {"killed": True, "FAULT_AT": str(at), "FAULT_KILL": "1"}


planned = []
for case, (_, threads, step, _) in CASES.items():
    planned += [(check, case, fault) for fault in faults(counted(case), step, threads > 1)]
for case in FOLDER_CASES:
    planned += [(check_folder, case, fault) for fault in faults(check_folder(case, must_succeed=True), 2, False)]
RANDOM.shuffle(planned)


def perform(one):
    """The case, if there was time for it."""
    function, case, fault = one
    if is_over():
        return None
    function(case, **fault)
    return case


with ThreadPoolExecutor(os.cpu_count()) as pool:
    done = Counter(pool.map(perform, planned))
for case, count in Counter(case for _, case, _ in planned).items():
    print(f"{case}: {done[case]} of {count} faults")
for failure in failures[:40]:
    print("WRONG", failure)
print(f"{len(failures)} wrong")
sys.exit(bool(failures))
