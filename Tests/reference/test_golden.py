#!/usr/bin/env python3
"""Tests of the golden containers (tools/fixtures/golden.py): both decoders give back what was packed, and packing the
same inputs today makes the same bytes.

    python3 test_golden.py [PROGRAM]

PROGRAM is the command to test, as for test_swift_agrees.py. The last line counts the checks.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "spec"), str(ROOT / "tools" / "fixtures")]

import golden  # noqa: E402
import reference_decoder as decoder  # noqa: E402
from test_swift_agrees import Run, find_program  # noqa: E402

UPDATE = "if that is on purpose, run tools/fixtures/golden.py and look at the difference of Fixtures/SIZES"


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
        """Every container is what it was, and decodes to what was packed."""
        lines = (golden.FIXTURES / "MANIFEST").read_text(encoding="utf-8").splitlines()
        listed = set()
        for line in lines:
            name, _, container_sum, original_sum, base = line.split("\t")
            bases = ["--base", str(golden.FIXTURES / base)] if base else []
            listed.add(name)
            path = golden.FIXTURES / name
            self.check(name, golden.sha256(path.read_bytes()) == container_sum, "the file was changed")
            out, err = io.BytesIO(), io.StringIO()
            code = decoder.main([*bases, str(path)], out, err)
            same = code == 0 and golden.sha256(out.getvalue()) == original_sum
            self.check(f"{name}, reference decoder", same, (code, err.getvalue()))
            unpacked = Run(self.program, "unpack", "-c", *bases, path)
            same = unpacked.code == 0 and golden.sha256(unpacked.out) == original_sum
            self.check(f"{name}, command", same, (unpacked.code, unpacked.err))
        found = {str(path.relative_to(golden.FIXTURES)) for path in golden.FIXTURES.glob("golden/*/*.swz")}
        self.check("MANIFEST", found == listed, sorted(found ^ listed))

    def packed_today(self) -> None:
        """Packing makes the same bytes; the ledger of sizes is right."""
        ledger = {}
        for line in (golden.FIXTURES / "SIZES").read_text(encoding="utf-8").splitlines():
            name, size, original = line.split("\t")
            ledger[name] = (int(size), int(original))
        with tempfile.TemporaryDirectory() as folder:
            made = list(golden.goldens())
            for one in made:
                container = golden.pack(self.program, one, Path(folder))
                sizes = (len(container), len(one.original))
                self.check(f"{one.path}, size", ledger.get(one.path) == sizes, f"{ledger.get(one.path)} became {sizes}; {UPDATE}")
                path = golden.FIXTURES / one.path
                same = path.exists() and container == path.read_bytes()
                self.check(f"{one.path}, bytes", same, f"packing makes other bytes; {UPDATE}")
        self.check("SIZES", set(ledger) == {one.path for one in made}, f"other containers than golden.py makes; {UPDATE}")


def main() -> int:
    checks = Checks(find_program())
    checks.manifest()
    checks.packed_today()
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 0 if checks.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
