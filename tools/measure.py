"""What a command costs: processor time and peak memory of it alone."""

import os
import subprocess
from dataclasses import dataclass


@dataclass
class Cost:
    status: int
    seconds: float  # of all its threads, so that other work on the machine does not count
    mebibytes: float


def run(command: list[str], limit: float = 600) -> Cost:
    """Runs a command without output. The memory of this process counts for that of a child: keep it small."""
    child = subprocess.Popen(
        ["timeout", "--foreground", str(limit), *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return Cost(child.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
