"""What a command costs: time, processor time and peak memory of it alone."""

import os
import subprocess
import time
from dataclasses import dataclass


@dataclass
class Cost:
    status: int
    seconds: float  # of all its threads, so that other work on the machine does not count
    mebibytes: float
    elapsed: float  # seconds by the clock


def run(command: list[str], limit: float = 600) -> Cost:
    """Runs a command without output. The memory of this process counts for that of a child: keep it small."""
    start = time.perf_counter()
    child = subprocess.Popen(
        ["timeout", "--foreground", str(limit), *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    elapsed = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    return Cost(child.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, elapsed)
