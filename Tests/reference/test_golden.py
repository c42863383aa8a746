#!/usr/bin/env python3
"""Tests of the golden containers (tools/fixtures/golden.py) of every version: both decoders give back what was packed,
and packing the same inputs today makes the same bytes as those of the version that the command writes.

    python3 test_golden.py [PROGRAM]

PROGRAM is the command to test, as for test_swift_agrees.py. It works on all cores, with many containers to a process.
The last line counts the checks.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "spec"), str(ROOT / "tools" / "fixtures")]

import golden  # noqa: E402
import reference_decoder as decoder  # noqa: E402
from golden_inputs.golden import digest, sha256  # noqa: E402
from test_swift_agrees import files, find_program  # noqa: E402

UPDATE = "if that is on purpose, run tools/fixtures/golden.py and look at the difference of Fixtures/SIZES"


@dataclass
class Line:
    """A line of the manifest."""

    name: str
    container_sum: str
    digest: str
    base: str

    @property
    def path(self) -> Path:
        return golden.FIXTURES / self.name


def manifest() -> list[Line]:
    lines = (golden.FIXTURES / "MANIFEST").read_text(encoding="utf-8").splitlines()
    return [Line(name, *more) for name, _, *more in (line.split("\t") for line in lines)]


def reference_digest(line: Line) -> str:
    """Of what the reference decoder makes of a container."""
    try:
        container = decoder.open_container(line.path.read_bytes())
        bases = [(golden.FIXTURES / line.base).read_bytes()] if line.base else []
        store = decoder.store_bases(bases, decoder.DEFAULT_LIMIT)
        contents = {}
        for member, file in container.files:
            content = decoder.Decoder(container, store, decoder.DEFAULT_LIMIT).decode(member.number)
            contents[file.name] = content[file.start : file.end]
    except decoder.Refusal as refusal:
        return str(refusal)
    return digest(contents[""] if container.header.kind == 0 else contents)


class Checks:
    def __init__(self, program: Path) -> None:
        self.program = program
        self.passed = self.failed = 0

    def check(self, what: str, condition: bool, message: object) -> None:
        if condition:
            self.passed += 1
        else:
            self.failed += 1
            print(f"{what}: {message}")

    def manifest(self) -> None:
        """Every container is what it was, and the reference decoder gives what was packed."""
        lines = manifest()
        for line in lines:
            same = sha256(line.path.read_bytes()) == line.container_sum
            self.check(line.name, same, "the file was changed")
        with ProcessPoolExecutor() as pool:
            for line, found in zip(lines, pool.map(reference_digest, lines, chunksize=20), strict=True):
                self.check(f"{line.name}, reference decoder", found == line.digest, found)
        found = {str(path.relative_to(golden.FIXTURES)) for path in golden.FIXTURES.glob("golden/*/*.swz")}
        listed = {line.name for line in lines}
        self.check("MANIFEST", found == listed, sorted(found ^ listed))

    def unpacked(self) -> None:
        """The command gives what was packed: one run for those of each base, with all versions in it."""
        sets: dict[str, list[Line]] = {}
        for line in manifest():
            sets.setdefault(line.base, []).append(line)
        for base, lines in sets.items():
            with tempfile.TemporaryDirectory() as folder:
                bases = ["--base", golden.FIXTURES / base] if base else []
                for version in {line.path.parent for line in lines}:
                    same = [line for line in lines if line.path.parent == version]
                    self.unpacked_set(same, [*bases, "--output-dir", Path(folder) / version.name])

    def unpacked_set(self, lines: Iterable[Line], options: list[object]) -> None:
        command = [self.program, "unpack", "-q", *(line.path for line in lines), *options]
        done = subprocess.run(list(map(str, command)), capture_output=True, timeout=600, check=False)
        errors = done.stderr.decode(errors="replace").strip()
        for line in lines:
            made = Path(str(options[-1])) / line.path.stem
            content = files(made) if made.is_dir() else made.read_bytes() if made.exists() else b"nothing"
            self.check(f"{line.name}, command", digest(content) == line.digest, errors or "other bytes")
        self.check("unpack", done.returncode == 0, errors)

    def packed_today(self) -> None:
        """Packing makes the same bytes; the ledger of sizes is right."""
        version = golden.version_of(self.program)
        ledger = {}
        for line in (golden.FIXTURES / "SIZES").read_text(encoding="utf-8").splitlines():
            name, size, original = line.split("\t")
            ledger[name] = (int(size), int(original))
        made = set()
        for one, container in golden.pack(self.program, golden.goldens(version)):
            path = one.path(version)
            made.add(path)
            sizes = (len(container), one.length)
            self.check(f"{path}, size", ledger.get(path) == sizes, f"{ledger.get(path)} became {sizes}; {UPDATE}")
            kept = golden.FIXTURES / path
            same = kept.exists() and container == kept.read_bytes()
            self.check(f"{path}, bytes", same, f"packing makes other bytes; {UPDATE}")
        listed = {path for path in ledger if path.startswith(f"golden/{version}/")}
        self.check("SIZES", listed == made, f"other containers than golden.py makes; {UPDATE}")


def main() -> int:
    checks = Checks(find_program())
    for part in (checks.manifest, checks.unpacked, checks.packed_today):
        start = time.monotonic()
        part()
        print(f"{part.__name__}: {time.monotonic() - start:.1f} s")
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 0 if checks.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
