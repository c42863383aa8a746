"""An archive on an ext4 whose power is cut, again and again, in the middle of a verb.

    powercut.py SWZIP DISK.img FOLDER

What was said to be done before the cut is done after it, and the next verbs need no help.
"""

import fcntl
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

from archives import archive, listed, tree
from budget import SEED, is_over
from models import model

DISK, FOLDER = Path(sys.argv[2]), Path(sys.argv[3])
MOUNT, SOURCES = FOLDER / "mount", FOLDER / "sources"
RUN = MOUNT / "run"
FEWEST, MOST = 3, 300
SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
CHANCE = random.Random(SEED)
failures: list[str] = []


def mount():
    subprocess.run(["mount", "-o", "loop", DISK, MOUNT], check=True)


def cut(flush):
    """From now on nothing reaches the disk; with `flush` the journal does first, and no data."""
    folder = os.open(MOUNT, os.O_RDONLY)
    fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", 1 if flush else 2))
    os.close(folder)


class Run:
    def __init__(self):
        self.kept, self.step, self.cuts = {}, 0, Counter()
        self.weights = bytearray(model(150_000, seed=SEED))

    def source(self):
        self.step += 10
        for at in CHANCE.sample(range(2000, len(self.weights) - 1), 1500):
            self.weights[at] ^= 1
        folder = SOURCES / f"checkpoint-{self.step}"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(self.weights)
        (folder / "state.json").write_text(json.dumps({"step": self.step}))
        return folder

    def verb(self):
        """One verb; what it says is done is remembered. Returns its name and how it ended."""
        steps = sorted(self.kept)
        verb = CHANCE.choice(["add", "add", "add", "forget", "prune"]) if len(steps) > 4 else "add"
        if verb == "add":
            folder = self.source()
            done = archive("add", RUN, folder)
            if done.returncode == 0:
                self.kept[self.step] = tree(folder)
            shutil.rmtree(folder)
        elif verb == "forget":
            step = CHANCE.choice(steps[:-1])
            del self.kept[step]
            done = archive("forget", RUN, step)
        else:
            self.kept = {step: self.kept[step] for step in steps[-3:]}
            done = archive("prune", RUN, "--keep-last", "3", "--grace", "0")
        return verb, done

    def check(self, what):
        lines = listed(RUN)
        for step, files in self.kept.items():
            if step not in [line["step"] for line in lines]:
                failures.append(f"{what}: {step} is lost")
        for words in (["verify", RUN], ["prune", RUN, "--grace", "0"]):
            if (done := archive(*words)).returncode != 0:
                failures.append(f"{what}: {words[0]}: {done.stderr}")
        for step, files in self.kept.items():
            shutil.rmtree(FOLDER / "out", ignore_errors=True)
            done = archive("restore", RUN, step, "-o", FOLDER / "out")
            if done.returncode != 0 or tree(FOLDER / "out") != files:
                failures.append(f"{what}: {step} is not restored as it was: {done.stderr}")
        # What the verb that was cut did all the same.
        for line in lines:
            if line["step"] not in self.kept:
                archive("forget", RUN, line["checkpoint"])

    def cycle(self):
        flush = CHANCE.random() < 0.5
        timer = threading.Timer(CHANCE.random(), cut, [flush])
        timer.start()
        done = None
        while timer.is_alive() and (done is None or done.returncode == 0):
            verb, done = self.verb()
        timer.join()
        subprocess.run(["umount", MOUNT], check=True)
        mount()
        self.cuts[verb] += 1
        self.check(f"power cut in {verb}, which ended with {done.returncode}, {flush=}")


MOUNT.mkdir(parents=True)
mount()
try:
    run = Run()
    archive("init", RUN)
    while run.cuts.total() < FEWEST or not is_over() and run.cuts.total() < MOST and not failures:
        run.cycle()
finally:
    subprocess.run(["umount", MOUNT], check=True)
print(f"{run.cuts.total()} power cuts: {dict(run.cuts)}")
for failure in failures[:40]:
    print("WRONG", failure)
print(f"{len(failures)} wrong")
sys.exit(bool(failures))
