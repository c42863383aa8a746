"""Runs a command and fails if it takes more memory than allowed:  peak.py MEBIBYTES COMMAND..."""

import resource
import subprocess
import sys

status = subprocess.run(sys.argv[2:]).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"  {' '.join(sys.argv[3:])[:60]}: peak {peak:.0f} MiB", file=sys.stderr)
if peak > int(sys.argv[1]):
    sys.exit(f"more than {sys.argv[1]} MiB")
sys.exit(status)
