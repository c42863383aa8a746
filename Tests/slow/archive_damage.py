"""Damage in an archive of checkpoints, and its repair from a copy.

    archive_damage.py SWZIP SHIM.so FOLDER

Whatever is damaged, verify names exactly the checkpoints that restoring fails for; repair --from a copy, ended at any call of the
system and run again, brings all back, and every byte that was there is there afterwards. Without a copy it takes nothing away.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from budget import RANDOM, is_over
from models import model

SWZIP, SHIM, FOLDER = sys.argv[1], sys.argv[2], Path(sys.argv[3])
RUN, GOOD, LOG = FOLDER / "run", FOLDER / "good", FOLDER / "calls"
FEWEST_KILLS, FEWEST_ROUNDS = 40, 12
failures: list[str] = []
found: Counter[str] = Counter()


def archive(*words, **environment):
    return subprocess.run(
        [SWZIP, "archive", *map(str, words)], env=os.environ | environment, capture_output=True, text=True, timeout=120
    )


def tree(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def make():
    """Five checkpoints, a tag and a tombstone."""
    FOLDER.mkdir(parents=True)
    weights, files = bytearray(model(150_000, seed=RANDOM.randrange(1 << 30))), {}
    archive("init", GOOD).check_returncode()
    for step in range(1, 6):
        for at in RANDOM.sample(range(2000, len(weights) - 1), 1500):
            weights[at] ^= 1
        folder = FOLDER / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(weights)
        (folder / "noise").write_bytes(RANDOM.randbytes(20_000))
        archive("add", GOOD, folder).check_returncode()
        files[str(step)] = tree(folder)
    archive("tag", GOOD, "2", "best").check_returncode()
    archive("forget", GOOD, "4").check_returncode()
    del files["4"]
    return files


def damage():
    """Some bytes of some files, their ends, or all of them."""
    shutil.rmtree(RUN, ignore_errors=True)
    shutil.copytree(GOOD, RUN)
    names = []
    for name in RANDOM.sample(sorted(tree(RUN)), RANDOM.choice([1, 1, 2])):
        file = RUN / name
        content = bytearray(file.read_bytes())
        how = RANDOM.choice(["flip", "flip", "flip", "burst", "cut", "remove"])
        if how == "remove" and name.startswith("ckpt/"):
            file.unlink()
        elif how == "cut":
            file.write_bytes(content[: RANDOM.randrange(len(content))])
        else:
            place = RANDOM.randrange(len(content))
            for at in range(place, min(len(content), place + (1 if how == "flip" else 3000))):
                content[at] ^= RANDOM.randrange(1, 256)
            file.write_bytes(content)
        names.append(f"{how} {name}")
        found[how] += 1
    return ", ".join(names)


def restorable(files):
    """Checkpoints that are restored as they were."""
    right = set()
    for step, content in files.items():
        out = FOLDER / "out"
        shutil.rmtree(out, ignore_errors=True)
        if archive("restore", RUN, step, "-o", out).returncode == 0:
            if tree(out) == content:
                right.add(step)
            else:
                failures.append(f"{step} is restored wrongly")
        elif out.exists():
            failures.append(f"{step} is restored in part")
    return right


def verify(what, files, right):
    for depth in ("--stored", "--full"):
        done = archive("verify", RUN, depth, "--json")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        affected = next(set(line["affected"]) for line in lines if "affected" in line) & set(files)
        listed = {line["checkpoint"] for line in map(json.loads, archive("list", RUN, "--json").stdout.splitlines()) if "checkpoint" in line}
        # Of a container that is not there nothing tells.
        gone = {step for step in files if step not in listed and step not in affected}
        if affected != set(files) - right - gone:
            failures.append(f"{what}: {depth} names {sorted(affected)}, restored are {sorted(right)}: {done.stderr}")
        if done.returncode == 0 and right != set(files) - gone:
            failures.append(f"{what}: {depth} finds nothing")


def kept(what, before):
    """Every byte that was there is there."""
    lost = Counter(before.values()) - Counter(tree(RUN).values())
    if lost:
        failures.append(f"{what}: repair deleted {[name for name, content in before.items() if content in lost]}")


def settled(what, files):
    """A repair that ends leaves nothing to be done but what a copy by rsync brings."""
    done = archive("repair", RUN, "--from", GOOD, "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    report = next(line for line in lines if "repaired" in line)
    right, elsewhere = restorable(files), set(report["elsewhere"])
    if done.returncode != 0 or right != set(files) - elsewhere:
        failures.append(f"{what}: {done.returncode}, restored are {sorted(right)}: {done.stderr}")
    checked = archive("verify", RUN)
    if checked.returncode != 0:
        failures.append(f"{what}: verify after repair: {checked.stderr}")


def rounds(files):
    number = 0
    while number < FEWEST_ROUNDS or not is_over():
        number += 1
        what = damage()
        before, right = tree(RUN), restorable(files)
        verify(what, files, right)
        if number % 2:
            archive("repair", RUN)
            if not restorable(files) >= right:
                failures.append(f"{what}: repair without a copy costs {sorted(right - restorable(files))}")
            kept(what, before)
        settled(what, files)
        kept(what, before)
        if number >= FEWEST_ROUNDS and is_over():
            break
    print(f"damage: {number} rounds, {dict(found)}")


def kills(files):
    """Each call of a repair is the last, in random order."""
    count = 0
    while count < FEWEST_KILLS:
        what = damage()
        damaged = tree(RUN)
        LOG.unlink(missing_ok=True)
        archive("repair", RUN, "--from", GOOD, LD_PRELOAD=SHIM, FAULT_LOG=str(LOG))
        calls = len(LOG.read_text().split()) if LOG.exists() else 0
        for at in RANDOM.sample(range(1, calls + 1), min(calls, 8)):
            shutil.rmtree(RUN)
            for name, content in damaged.items():
                (RUN / name).parent.mkdir(parents=True, exist_ok=True)
                (RUN / name).write_bytes(content)
            archive("repair", RUN, "--from", GOOD, LD_PRELOAD=SHIM, FAULT_AT=str(at), FAULT_KILL="1")
            kept(f"{what}, killed at call {at}", damaged)
            settled(f"{what}, killed at call {at}", files)
            kept(f"{what}, killed at call {at}, run again", damaged)
            count += 1
    print(f"kills: {count}")


files = make()
kills(files)
rounds(files)
for failure in failures[:40]:
    print("WRONG", failure)
print(f"{len(failures)} wrong")
sys.exit(bool(failures))
