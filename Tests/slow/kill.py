"""Kills swzip at random moments and looks at what is left.

    kill.py SWZIP FOLDER KILLS
"""

import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from models import model

SWZIP, FOLDER, KILLS = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
FOLDER.mkdir(parents=True)
ORIGINAL = model(60_000_000)
(FOLDER / "m").write_bytes(ORIGINAL)
subprocess.run([SWZIP, "pack", "-q", "-T2", FOLDER / "m"], check=True)
PACKED = (FOLDER / "m.swz").read_bytes()
if subprocess.run([SWZIP, "unpack", "-c", FOLDER / "m.swz"], stdout=subprocess.PIPE, check=True).stdout != ORIGINAL:
    sys.exit("the round trip fails without any kill")
source = random.Random(1)
failures = []


def trial(verb, removes, number, longest):
    """Kills one run; returns what became of it."""
    packs = verb == "pack"
    content, result = (ORIGINAL, PACKED) if packs else (PACKED, ORIGINAL)
    place = FOLDER / "trial"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    names = [place / "a", place / "a.swz"]
    before, after = names if packs else reversed(names)
    before.write_bytes(content)
    command = [SWZIP, verb, "-q", f"-T{source.choice((1, 2))}", *(["--rm"] if removes else []), before]
    process = subprocess.Popen(command)
    time.sleep(source.random() * longest)
    process.send_signal(number)
    status = process.wait(60)
    published = after.exists()
    kept = before.exists()
    if status not in (0, -number):
        failures.append(f"{command[1:]} ended with {status} after signal {number}")
    if published and after.read_bytes() != result:
        failures.append(f"{command[1:]}: wrong bytes under the final name after signal {number}")
    if kept and before.read_bytes() != content:
        failures.append(f"{command[1:]}: the source is changed after signal {number}")
    if not kept and not (removes and published):
        failures.append(f"{command[1:]}: the source is gone after signal {number}")
    rest = [file.name for file in place.iterdir() if file not in (before, after)]
    if rest and number != signal.SIGKILL:
        failures.append(f"{command[1:]}: left behind after signal {number}: {rest}")
    if status != 0 and not published and number == signal.SIGKILL:
        again = subprocess.run(command, capture_output=True)
        if again.returncode != 0 or after.read_bytes() != result:
            failures.append(f"{command[1:]}: the next run fails: {again.stderr.decode()}")
    return ("ended" if status == 0 else "killed") + (", published" if published else "") + (", leftover" if rest else "")


for verb in ("pack", "unpack"):
    for removes in (False, True):
        trial(verb, removes, signal.SIGKILL, 0)
        start = time.monotonic()
        subprocess.run(
            [SWZIP, verb, "-q", "-T1", "-f", "-o", FOLDER / "out", FOLDER / ("m" if verb == "pack" else "m.swz")], check=True
        )
        # A run with --rm reads everything again.
        longest = 1.2 * (time.monotonic() - start) * (2 if removes else 1)
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            # SIGTERM ends it with 143 and SIGINT with 130, as a shell sees it: the default after cleaning.
            found = Counter(trial(verb, removes, number, longest) for _ in range(KILLS))
            print(f"{verb}{' --rm' if removes else ''}, {number.name}: {dict(found)}", flush=True)

def tree(folder):
    """The files below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


FILES = {"a/model-1.safetensors": ORIGINAL[:20_000_000], "a/model-2.safetensors": ORIGINAL[:20_000_000], "b/c/d": ORIGINAL}
FILES |= {f"many/{number}": bytes([number]) * number for number in range(100)}
for name, content in FILES.items():
    (FOLDER / "t" / name).parent.mkdir(parents=True, exist_ok=True)
    (FOLDER / "t" / name).write_bytes(content)


def folder_trial(verb, number, longest):
    """Kills the packing or unpacking of a folder; into a new folder, which appears whole or not at all."""
    place = FOLDER / "trial"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    after = place / "out"
    command = [SWZIP, verb, "-q", f"-T{source.choice((1, 2))}", FOLDER / ("t" if verb == "pack" else "t.swz"), "-o", after]
    process = subprocess.Popen(command)
    time.sleep(source.random() * longest)
    process.send_signal(number)
    status = process.wait(60)
    if status not in (0, -number):
        failures.append(f"{command[1:]} ended with {status} after signal {number}")
    published = after.exists()
    if published and (after.read_bytes() != FOLDER_PACKED if verb == "pack" else tree(after) != FILES):
        failures.append(f"{command[1:]}: wrong content under the final name after signal {number}")
    if status == 0 and not published:
        failures.append(f"{command[1:]}: success without output")
    rest = [file.name for file in place.iterdir() if file != after]
    if rest and number != signal.SIGKILL:
        failures.append(f"{command[1:]}: left behind after signal {number}: {rest}")
    return ("ended" if status == 0 else "killed") + (", published" if published else "") + (", leftover" if rest else "")


subprocess.run([SWZIP, "pack", "-q", "-T2", FOLDER / "t"], check=True)
FOLDER_PACKED = (FOLDER / "t.swz").read_bytes()
for verb in ("pack", "unpack"):
    folder_trial(verb, signal.SIGKILL, 0)
    start = time.monotonic()
    subprocess.run([SWZIP, verb, "-q", "-T1", FOLDER / ("t" if verb == "pack" else "t.swz"), "-o", FOLDER / verb], check=True)
    longest = 1.2 * (time.monotonic() - start)
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        found = Counter(folder_trial(verb, number, longest) for _ in range(KILLS))
        print(f"{verb} of a folder, {number.name}: {dict(found)}", flush=True)
if tree(FOLDER / "t") != FILES or (FOLDER / "t.swz").read_bytes() != FOLDER_PACKED:
    failures.append("a source is changed")

for failure in failures:
    print("WRONG", failure)
print(f"{len(failures)} wrong")
sys.exit(bool(failures))
