"""What the tests of the reference decoder share: counting checks, and a test cut into shares."""

from __future__ import annotations

import io
import unittest
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

import reference_decoder as decoder

REFUSALS = (3, 4, 6)
SHARES = 16  # into which a test of many items is cut
Item = TypeVar("Item")


def shared(test: Callable[[Checks], None]) -> Callable[[Checks], None]:
    """Marks a test that takes its items from `mine`: it is run once for each share of them."""
    test.shares = SHARES
    return test


def run(*arguments: object) -> tuple[int, bytes, str]:
    """The decoder's command in this process: exit code, standard output, standard error."""
    out, err = io.BytesIO(), io.StringIO()
    code = decoder.main([str(argument) for argument in arguments], out, err)
    return code, out.getvalue(), err.getvalue()


class Checks(unittest.TestCase):
    """Counts what it checks; a check that fails does not stop the others of its test."""

    passed = failed = 0
    share, shares = 0, 1  # of the run in this process
    folder: Path  # of the containers
    scratch: Path  # where a test may write

    def mine(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items of this share."""
        return islice(items, Checks.share, None, Checks.shares)

    def check(self, name: str, condition: bool, message: object = "") -> None:
        if condition:
            Checks.passed += 1
            return
        Checks.failed += 1
        with self.subTest(name):
            self.fail(str(message))

    def check_refused(self, name: str, answer: tuple[int, bytes, str], codes: tuple[int, ...]) -> None:
        """An exit code of those given, one line that explains, and no output."""
        code, out, err = answer
        one_line = err.startswith("reference_decoder: ") and err.count("\n") == 1 and err.endswith("\n")
        self.check(name, code in codes and out == b"" and one_line, answer)
