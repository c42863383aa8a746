#!/usr/bin/env python3
"""Tests of spec/reference_decoder.py against the hand-made containers of tools/fixtures/handmade.

    python3 test_reference.py

runs the tests of the package decoder_tests on all cores. The last line counts the checks: one for each container,
member, truncation and changed byte, and a few more; the lines before it tell the seconds of processor that each group
of tests took.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
import unittest
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "spec"), str(ROOT / "tools" / "fixtures")]

from decoder_tests import codecs, command, containers, damage, page  # noqa: E402
from decoder_tests.checks import Checks  # noqa: E402
from handmade.writing import written  # noqa: E402


def tests() -> Iterator[tuple[str, int, int]]:
    """Each test, and each share of it: its name, the number of the share and how many there are."""
    for module in (codecs, command, containers, damage, page):
        for suite in unittest.defaultTestLoader.loadTestsFromModule(module):
            for test in suite:
                shares = getattr(getattr(test, test._testMethodName), "shares", 1)
                yield from ((test.id(), share, shares) for share in range(shares))


def run_test(task: tuple[str, int, int], folder: Path, scratch: Path) -> tuple[str, float, int, int, str]:
    """One test in this process: its group, seconds of processor, checks that passed and failed, and what failed."""
    name, Checks.share, Checks.shares = task
    Checks.passed = Checks.failed = 0
    Checks.folder, Checks.scratch = folder, scratch / str(os.getpid())
    Checks.scratch.mkdir(exist_ok=True)
    start, said = time.process_time(), io.StringIO()
    suite = unittest.defaultTestLoader.loadTestsFromName(name)
    result = unittest.TextTestRunner(stream=said, verbosity=0).run(suite)
    spent, failed = time.process_time() - start, Checks.failed + len(result.errors)
    return name.split(".")[-2], spent, Checks.passed, failed, said.getvalue() if failed else ""


def main() -> int:
    start = time.monotonic()
    folder = written()
    print(f"containers are written after {time.monotonic() - start:.1f} s")
    seconds: Counter[str] = Counter()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as scratch, ProcessPoolExecutor() as pool:
        work = [pool.submit(run_test, task, folder, Path(scratch)) for task in tests()]
        for group, spent, good, bad, said in (done.result() for done in work):
            seconds[group] += spent
            passed, failed = passed + good, failed + bad
            print(said, end="")
    for group, spent in seconds.most_common():
        print(f"{group}: {spent:.1f} s of processor")
    print(f"{time.monotonic() - start:.1f} s")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
