"""What the checks of archives share: the command, which is the first argument, and what it says."""

import json
import os
import subprocess
import sys


def archive(*words, **environment):
    return subprocess.run(
        [sys.argv[1], "archive", *map(str, words)], env=os.environ | environment, capture_output=True, text=True, timeout=120
    )


def listed(path, *words):
    """What the list says of each checkpoint; throws where it says nothing."""
    done = archive("list", path, "--json", *words)
    if done.returncode != 0:
        raise RuntimeError(f"list ends with {done.returncode}: {done.stderr.strip()}")
    return [line for line in map(json.loads, done.stdout.splitlines()) if "checkpoint" in line]


def tree(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
