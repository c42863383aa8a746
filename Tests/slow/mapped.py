"""Writers that store through a mapping while `--rm` runs: mapped.py SWZIP NO_LEASES FOLDER

A writer either has the source mapped, with a page that is dirty already, or opens it at a random moment. It stores one
byte and then looks whether the source still has its name: if so, the byte is in the container or the source is kept.
"""

import mmap
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from budget import RANDOM, repeated

SWZIP, NO_LEASES, FOLDER = sys.argv[1], sys.argv[2], Path(sys.argv[3])
SIZE = 3_000_000


def duration(folder, environment):
    """Seconds that one run takes when nobody writes."""
    source = folder / "alone"
    source.write_bytes(RANDOM.randbytes(SIZE))
    start = time.monotonic()
    subprocess.run([SWZIP, "pack", "-q", "--rm", source], check=True, env=environment)
    seconds = time.monotonic() - start
    assert not source.exists(), "a source that nobody writes to is kept"
    (folder / "alone.swz").unlink()
    return seconds


def run(folder, environment, seconds, is_open):
    """Returns whether the source was removed, and whether rightly."""
    source, packed = folder / "source", folder / "source.swz"
    content = bytearray(RANDOM.randbytes(SIZE))
    source.write_bytes(content)
    place, value = RANDOM.randrange(SIZE), RANDOM.randrange(256)
    if is_open:
        file = open(source, "r+b")
        mapping = mmap.mmap(file.fileno(), 0)
        mapping[place] = content[place]
    process = subprocess.Popen([SWZIP, "pack", "-q", "--rm", source], env=environment, stderr=subprocess.DEVNULL)
    time.sleep(RANDOM.random() * seconds * 1.2)
    was_in_time = False
    try:
        if not is_open:
            file = open(source, "r+b")
            mapping = mmap.mmap(file.fileno(), 0)
        mapping[place] = value
        was_in_time = os.fstat(file.fileno()).st_nlink > 0
        mapping.close()
        file.close()
    except FileNotFoundError:
        pass
    process.wait()
    if was_in_time:
        content[place] = value
    if source.exists():
        packed.unlink(missing_ok=True)
        return False, True
    found = subprocess.run([SWZIP, "unpack", "-c", packed], capture_output=True, check=True).stdout
    packed.unlink()
    return True, found == content


class Kind:
    """A place, with or without read leases, and what became of the sources there."""

    def __init__(self, name, parent, environment, unguarded=0.0):
        self.name, self.environment, self.unguarded = name, environment, unguarded
        self.kept = tempfile.TemporaryDirectory(prefix="swzip-mapped-", dir=parent)
        self.folder = Path(self.kept.name)
        self.runs = self.removed = self.wrong = 0
        self.seconds = duration(self.folder, environment)

    def run(self, is_open):
        removed, right = run(self.folder, self.environment, self.seconds, is_open)
        self.runs, self.removed, self.wrong = self.runs + 1, self.removed + removed, self.wrong + (not right)


def main():
    # Without leases, between the last look and the removal, there is a moment that nobody can guard.
    kinds = [
        Kind("disk, leases", FOLDER, dict(os.environ)),
        Kind("disk, no leases", FOLDER, dict(os.environ, LD_PRELOAD=NO_LEASES), unguarded=0.01),
    ]
    memory = Path("/dev/shm")
    if memory.is_dir():
        kinds.append(Kind("memory, leases", memory, dict(os.environ)))
    for kind, is_open in repeated([(kind, is_open) for kind in kinds for is_open in (True, False)]):
        kind.run(is_open)
    for kind in kinds:
        print(f"{kind.name}: {kind.removed} of {kind.runs} removed, {kind.wrong} wrongly")
    for kind in kinds:
        assert kind.wrong <= int(kind.runs * kind.unguarded), kind.name


main()
