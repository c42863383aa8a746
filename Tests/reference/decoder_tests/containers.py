"""Every hand-made container, against the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from decoder_tests.checks import Checks, run, shared
from handmade.writing import GROUPS, write_group


class FixtureTests(Checks):
    """Every container of the manifest."""

    def manifest(self) -> Iterator[tuple[str, Path, str, int]]:
        """For each line: its name, the container, the member ("" for none) and the exit code."""
        for line in (self.folder / "MANIFEST").read_text(encoding="utf-8").splitlines():
            name, code, _, _ = line.split("\t")
            file, _, member = name.partition(":")
            yield name, self.folder / file, member, int(code)

    def base_of(self, container: Path) -> list[object]:
        base = container.with_suffix(".base")
        return ["--base", base] if base.exists() else []

    @shared
    def test_refused(self) -> None:
        for name, container, member, code in self.mine(self.manifest()):
            if code != 0:
                chosen = ["--member", member] if member else []
                self.check_refused(name, run(*chosen, container), (code,))

    @shared
    def test_good(self) -> None:
        for name, container, _, code in self.mine(self.manifest()):
            if code == 0:
                for chosen, original in self.originals(container):
                    answer = run(*chosen, *self.base_of(container), container)
                    self.check(name, answer == (0, original.read_bytes(), ""), (answer[0], answer[2]))

    def originals(self, container: Path) -> Iterator[tuple[list[object], Path]]:
        """Arguments and expected file of each member that must decode."""
        alone, several = container.with_suffix(".bin"), container.with_suffix("")
        if alone.exists():
            yield [], alone
            return
        for file in sorted(several.rglob("*")):
            if file.is_file():
                yield ["--member", file.relative_to(several)], file

    @shared
    def test_listed(self) -> None:
        for name, container, _, code in self.mine(self.manifest()):
            if code == 0:
                answer = run("--list", container)
                self.check(name, answer[0] == 0 and answer[1].count(b"\n") >= 2 and not answer[2], answer)

    @shared
    def test_deterministic(self) -> None:
        """Some groups, written again, are what they were."""
        lines = set((self.folder / "MANIFEST").read_text(encoding="utf-8").splitlines())
        some = [group for group in GROUPS if hashlib.sha256(group.__name__.encode()).digest()[0] % 4 == 0]
        for group in self.mine(some):
            again = write_group(self.scratch / "again", group).lines
            self.check(group.__name__, set(again) <= lines)
