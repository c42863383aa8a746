"""A publisher and a follower that are killed at random: sync.py SWZIP FOLDER

After each kill the follower's file is a version that was given to the
publisher; in the end both reach the last one. Then copies of the folder grow in random order, and lose versions.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from budget import RANDOM, is_over

SWZIP, FOLDER = sys.argv[1], Path(sys.argv[2])
VALUES = 150_000
FEWEST_KILLS = 40


def first_version():
    header = json.dumps({"w": {"dtype": "BF16", "shape": [VALUES], "data_offsets": [0, 2 * VALUES]}}).encode()
    header += b" " * (-len(header) % 8)
    data = bytearray()
    for _ in range(VALUES):
        data += (RANDOM.getrandbits(1) << 15 | RANDOM.randrange(110, 126) << 7 | RANDOM.getrandbits(7)).to_bytes(2, "little")
    return bytearray(len(header).to_bytes(8, "little") + header + data)


def change(content):
    """A step of training: one value in 50 or so."""
    for place in RANDOM.sample(range(200, len(content) - 1, 2), VALUES // 50):
        content[place] ^= 1 + RANDOM.getrandbits(2)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def start(*arguments):
    return subprocess.Popen(arguments, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def run(*arguments, codes=(0,)):
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        raise SystemExit(f"{arguments}: exit code {done.returncode}: {done.stderr}")
    return done


def follow(source, target, published, codes=(0,)):
    """Follows once; the file is a published version, or was none before and after."""
    done = run(SWZIP, "sync", "follow", source, target, codes=codes)
    assert not target.exists() or digest(target) in published, f"{target} is no version after {done}"
    return int(done.stdout) if done.returncode == 0 else None


def step(container):
    return int(container.name[1:13])


def listed(folder, *options):
    return list(map(json.loads, run(SWZIP, "archive", "list", "--json", folder, *options).stdout.splitlines()))


def needs(folder, number):
    """The steps that a version is differences to, one that is only kept for others too."""
    lines = listed(folder) + listed(folder, "--forgotten")
    return {int(base) for line in lines if line["step"] == number for base in line["bases"]}


def chain(folder, number):
    found, more = set(), {number}
    while more:
        found |= more
        more = set().union(*(needs(folder, one) for one in more)) - found
    return found


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    folder, state, mine = FOLDER / "published", FOLDER / "state", FOLDER / "mine"
    folder.mkdir(parents=True)
    content = first_version()
    published = set()
    kills = {"publisher": 0, "follower": 0}
    options = ("--anchor-every", "5", "--keep", "12")
    while not is_over() or sum(kills.values()) < FEWEST_KILLS:
        change(content)
        state.write_bytes(content)
        published.add(digest(state))
        publisher = start(SWZIP, "sync", "publish", folder, state, *options)
        follower = start(SWZIP, "sync", "follow", folder, mine)
        for name, process in RANDOM.sample([("publisher", publisher), ("follower", follower)], 2):
            time.sleep(RANDOM.random() * 0.06)
            if RANDOM.random() < 0.8:
                kills[name] += process.poll() is None
                kill(process)
            else:
                process.wait()
        assert not mine.exists() or digest(mine) in published, "the follower's file is no version"
    change(content)
    state.write_bytes(content)
    published.add(digest(state))
    last = int(run(SWZIP, "sync", "publish", folder, state, *options).stdout)
    assert follow(folder, mine, published) == last and digest(mine) == digest(state)
    assert follow(folder, mine, published) == last
    # Of a version that a killed publisher left there may be two: it was published, and then again.
    containers = sorted((folder / "ckpt").glob("s*.swz"))
    steps = sorted({step(container) for container in containers})
    assert steps == list(range(steps[0], last + 1)) and 12 <= len(steps) <= 17 and not needs(folder, steps[0]), steps
    run(SWZIP, "archive", "verify", folder)

    # Copies that grow in any order, with followers at any time.
    files = [path for path in folder.rglob("*") if path.is_file()]
    for round_number in range(10):
        mirror, theirs = FOLDER / f"mirror-{round_number}", FOLDER / f"theirs-{round_number}"
        mirror.mkdir()
        for file in RANDOM.sample(files, len(files)):
            target = mirror / file.relative_to(folder)
            target.parent.mkdir(exist_ok=True)
            shutil.copy(file, mirror / ".part")
            (mirror / ".part").rename(target)
            if RANDOM.random() < 0.3:
                follow(mirror, theirs, published, codes=(0, 4))
        assert follow(mirror, theirs, published) == last and digest(theirs) == digest(state)

    # A step is lost: what stands before it can be reached, and what does not need it.
    mirror, theirs = FOLDER / "lossy", FOLDER / "theirs"
    shutil.copytree(folder, mirror)
    lost = next(number for number in steps[2:] if needs(folder, number))
    whole = {line["step"] for line in listed(folder) if not chain(folder, line["step"]) & {lost}}
    for container in (mirror / "ckpt").glob(f"s{lost:012}.*"):
        container.unlink()
    for number in reversed(steps):
        theirs.unlink(missing_ok=True)
        reached = follow(mirror, theirs, published, codes=(0, 4))
        assert reached == max((one for one in whole if one <= number), default=None), (reached, number, lost)
        for container in (mirror / "ckpt").glob(f"s{number:012}.*"):
            container.unlink()
    assert run(SWZIP, "sync", "follow", mirror, FOLDER / "none", codes=(4,)).stdout == ""
    print(f"{kills['publisher']} publishers and {kills['follower']} followers killed, {last + 1} versions")


main()
