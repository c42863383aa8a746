#!/usr/bin/env python3
"""Packs the files of tools/fixtures/torch_files.py and compares every tensor with what torch said:

    torch_files.py PROGRAM FOLDER
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

# From a pipe their tensors are not found: the pickle, or that of a later item, comes behind them.
NEED_THEIR_END = ("script.pt", "dcp.distcp")


def run(*command, stdin=None):
    return subprocess.run([str(part) for part in command], stdin=stdin, check=True, capture_output=True).stdout


def tensors(program, container):
    """(name, type, dimensions, digest) of each tensor, by the command."""
    for tensor in json.loads(run(program, "list", "--json", container))["tensors"]:
        data = run(program, "cat", container, tensor["name"])
        shape = " ".join(map(str, tensor["shape"]))
        yield tensor["name"], tensor["type"], shape, hashlib.sha256(data).hexdigest()[:16]


def main():
    program, folder = Path(sys.argv[1]), Path(sys.argv[2])
    expected = defaultdict(set)
    for line in (folder / "EXPECTED").read_text(encoding="utf-8").splitlines():
        file, *tensor = line.split("\t")
        expected[file].add(tuple(tensor))
    with tempfile.TemporaryDirectory() as scratch:
        container = Path(scratch) / "packed.swz"
        for file in sorted(expected):
            path = folder / file
            run(program, "pack", "-q", "-f", "-o", container, path)
            ways = ["file"]
            found = {"file": set(tensors(program, container))}
            assert run(program, "unpack", "-c", container) == path.read_bytes(), f"{file}: other bytes come back"
            with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
                container.write_bytes(run(program, "pack", "-q", "-c", "-", stdin=cat.stdout))
            assert run(program, "unpack", "-c", container) == path.read_bytes(), f"{file}: other bytes through a pipe"
            if file not in NEED_THEIR_END:
                ways.append("pipe")
                found["pipe"] = set(tensors(program, container))
            for way in ways:
                assert found[way] == expected[file], f"{file}, {way}: {sorted(found[way] ^ expected[file])}"
            print(f"{file}: {len(expected[file])} tensors by {' and '.join(ways)}")


main()
