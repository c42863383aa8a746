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

for failure in failures:
    print("WRONG", failure)
print(f"{len(failures)} wrong")
sys.exit(bool(failures))
