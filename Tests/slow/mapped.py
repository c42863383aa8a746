"""Writers that store through a mapping while `--rm` runs: mapped.py SWZIP NO_LEASES FOLDER RUNS

A writer either has the source mapped, with a page that is dirty already, or opens it at a random moment. It stores one
byte and then looks whether the source still has its name: if so, the byte is in the container or the source is kept.
"""

import mmap
import os
import random
import subprocess
import sys
import time
from pathlib import Path

SWZIP, NO_LEASES, FOLDER, RUNS = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
RANDOM = random.Random(16)
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


def main():
    without = dict(os.environ, LD_PRELOAD=NO_LEASES)
    kinds = [("disk, leases", FOLDER, dict(os.environ)), ("disk, no leases", FOLDER, without)]
    memory = Path("/dev/shm")
    if memory.is_dir():
        kinds.append(("memory, leases", memory, dict(os.environ)))
    for name, parent, environment in kinds:
        folder = parent / f"swzip-mapped-{os.getpid()}"
        folder.mkdir()
        try:
            seconds = duration(folder, environment)
            results = [run(folder, environment, seconds, number % 2 == 0) for number in range(RUNS)]
        finally:
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
        removed, wrong = sum(removed for removed, _ in results), sum(not right for _, right in results)
        print(f"{name}: {removed} of {RUNS} removed, {wrong} wrongly")
        # Without leases, between the last look and the removal, there is a moment that nobody can guard.
        assert wrong <= (0 if environment is not without else RUNS // 100), name


main()
