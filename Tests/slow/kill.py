"""Kills swzip at random moments, in every verb that writes, and looks at what is left.

    kill.py SWZIP FOLDER

SIGTERM and SIGINT also come twice at once, as `timeout` (a process, then its group) and service managers send them.
"""

import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from budget import RANDOM, repeated
from models import model

SWZIP, FOLDER = sys.argv[1], Path(sys.argv[2])
ONE_KILL = [(signal.SIGKILL,), (signal.SIGTERM,), (signal.SIGINT,)]
TWO_SIGNALS = [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)]
failures = []


def run(*arguments, check=True):
    subprocess.run([SWZIP, *arguments], check=check, stderr=subprocess.DEVNULL)


def content(path):
    """The bytes of a file, or of each file below a folder."""
    if path.is_dir():
        return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}
    return path.read_bytes()


class Case:
    """A verb with its input, which is copied or not, and its output: `{in}` and `{out}` in the arguments."""

    def __init__(self, name, arguments, source, result, in_place=False, removes=False, codes=(0,)):
        self.name, self.arguments, self.source, self.result = name, arguments, source, content(result)
        self.original = content(source)
        self.in_place, self.removes, self.codes = in_place, removes, codes

    def command(self, place):
        self.before = place / "in.swz" if self.source.suffix == ".swz" else place / "in"
        self.after = self.before if self.in_place else place / "out"
        if "--rm" in self.arguments:  # The names that pack and unpack choose.
            self.after = place / ("in" if self.source.suffix == ".swz" else "in.swz")
        if self.source.is_dir():
            self.before = self.source
        else:
            shutil.copyfile(self.source, self.before)
        names = {"{in}": self.before, "{out}": self.after}
        return [SWZIP, *(names.get(word, word) for word in self.arguments)]

    def fresh(self):
        place = FOLDER / "trial"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        return place

    def longest(self):
        command = self.command(self.fresh())
        start = time.monotonic()
        status = subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode
        took = time.monotonic() - start
        if status not in self.codes or content(self.after) != self.result:
            sys.exit(f"{command[1:]} fails without any kill: {status}")
        return 1.2 * took

    def trial(self, numbers, longest):
        """Kills one run; returns what became of it."""
        place = self.fresh()
        command = self.command(place)
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(RANDOM.random() * longest)
        for number in numbers:
            process.send_signal(number)
        status = process.wait(60)
        what = f"{self.name} ({command[1:]}) after {[number.name for number in numbers]}"
        if status not in self.codes and -status not in numbers:
            failures.append(f"{what}: ended with {status}")
        published = self.after.exists() and (not self.in_place or content(self.after) != self.original)
        if published and content(self.after) != self.result:
            failures.append(f"{what}: wrong bytes under the final name")
        if status in self.codes and not published:
            failures.append(f"{what}: success without output")
        kept = self.before.exists()
        if kept and not self.in_place and content(self.before) != self.original:
            failures.append(f"{what}: the source is changed")
        if not kept and not (self.removes and published):
            failures.append(f"{what}: the source is gone")
        rest = [file.name for file in place.iterdir() if file not in (self.before, self.after)]
        if rest and signal.SIGKILL not in numbers:
            failures.append(f"{what}: left behind {rest}")
        if status not in self.codes and not published and signal.SIGKILL in numbers:
            again = subprocess.run(command, capture_output=True, check=False)
            if again.returncode not in self.codes or content(self.after) != self.result:
                failures.append(f"{what}: the next run fails: {again.stderr.decode()}")
        ended = "ended" if status in self.codes else "killed"
        return ended + (", published" if published else "") + (", leftover" if rest else "")


def prepare():
    """Inputs, and what each verb makes of them."""
    FOLDER.mkdir(parents=True)
    original = model(60_000_000)
    (FOLDER / "m").write_bytes(original)
    changed = bytearray(original)
    for place in range(1_000_000, len(changed), 1001):
        changed[place] ^= 1
    (FOLDER / "n").write_bytes(changed)
    files = {"a/model-1.safetensors": original[:20_000_000], "a/model-2.safetensors": original[:20_000_000]}
    files |= {"b/c/d": original} | {f"many/{number}": bytes([number]) * number for number in range(100)}
    for name, data in files.items():
        (FOLDER / "t" / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / "t" / name).write_bytes(data)
    run("pack", FOLDER / "m")
    run("unpack", FOLDER / "m.swz", "-o", FOLDER / "m.out")
    if (FOLDER / "m.out").read_bytes() != original:
        sys.exit("the round trip fails without any kill")
    run("pack", FOLDER / "t")
    run("pack", FOLDER / "n", "--base", FOLDER / "m", "-o", FOLDER / "n.swz")
    damaged = bytearray((FOLDER / "m.swz").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (FOLDER / "damaged.swz").write_bytes(damaged)
    run("salvage", FOLDER / "damaged.swz", "-o", FOLDER / "damaged.out", check=False)
    (FOLDER / "part").write_bytes(original[1_000_000:50_000_000])


prepare()
CASES = [
    Case("pack", ["pack", "{in}", "-o", "{out}"], FOLDER / "m", FOLDER / "m.swz"),
    Case("pack --rm", ["pack", "--rm", "{in}"], FOLDER / "m", FOLDER / "m.swz", removes=True),
    Case("unpack", ["unpack", "{in}", "-o", "{out}"], FOLDER / "m.swz", FOLDER / "m"),
    Case("unpack --rm", ["unpack", "--rm", "{in}"], FOLDER / "m.swz", FOLDER / "m", removes=True),
    Case("pack a folder", ["pack", "{in}", "-o", "{out}"], FOLDER / "t", FOLDER / "t.swz"),
    Case("unpack a folder", ["unpack", "{in}", "-o", "{out}"], FOLDER / "t.swz", FOLDER / "t"),
    Case("pack --base", ["pack", "{in}", "--base", FOLDER / "m", "-o", "{out}"], FOLDER / "n", FOLDER / "n.swz"),
    Case("delta apply", ["delta", "apply", FOLDER / "m", "{in}", "-o", "{out}"], FOLDER / "n.swz", FOLDER / "n"),
    Case(
        "delta apply --in-place", ["delta", "apply", "--in-place", "{in}", FOLDER / "n.swz"], FOLDER / "m", FOLDER / "n", in_place=True
    ),
    Case("cat", ["cat", "{in}", "--range", "1000000:50000000", "-o", "{out}"], FOLDER / "m.swz", FOLDER / "part"),
    Case(
        "salvage", ["salvage", "{in}", "-o", "{out}"], FOLDER / "damaged.swz", FOLDER / "damaged.out", codes=(3,)
    ),
]
longest = {case: case.longest() for case in CASES}
found = {case: Counter() for case in CASES}
for case, numbers in repeated([(case, numbers) for case in CASES for numbers in ONE_KILL + TWO_SIGNALS]):
    found[case][case.trial(numbers, longest[case])] += 1
for case in CASES:
    print(f"{case.name}: {found[case].total()} kills, {dict(found[case])}")

for failure in failures:
    print("WRONG", failure)
print(f"{len(failures)} wrong")
sys.exit(bool(failures))
