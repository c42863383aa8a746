#!/usr/bin/env python3
"""Runs the built command over the hand-made containers of tools/fixtures/handmade: exit codes and contents must be
those of the manifest.

    python3 test_swift_agrees.py [PROGRAM]

PROGRAM is the command to test; without it the environment's SWZIP, else the newest of the debug and release builds.
All containers go through verify, unpack and list, a few hundred to a process; one in 50, and one of each rule that a
refusal names, through processes of its own too, with all that a user may do. The last line counts the checks.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools" / "fixtures")]

from handmade.writing import written  # noqa: E402

NEEDS_BASE = 4  # exit code where a base is missing
BATCH = 300  # containers to a process
SAMPLE = 50  # one in so many has processes of its own


def find_program() -> Path:
    """The command to test."""
    if len(sys.argv) > 1:
        return Path(sys.argv[1]).resolve()
    if os.environ.get("SWZIP"):
        return Path(os.environ["SWZIP"]).resolve()
    built = [path for kind in ("debug", "release") if (path := ROOT / ".build" / kind / "swzip").exists()]
    if not built:
        sys.exit("no command to test: run swift build, or give its path")
    return max(built, key=lambda path: path.stat().st_mtime)


def files(folder: Path) -> dict[str, bytes]:
    """The files below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


class Run:
    """One run of the command: exit code, standard output, standard error."""

    def __init__(self, program: Path, *arguments: object) -> None:
        command = [str(program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
        self.code, self.out = done.returncode, done.stdout
        self.err = done.stderr.decode(errors="replace")

    @property
    def is_typed(self) -> bool:
        """Not a crash: a documented code, and a line that explains a failure."""
        return self.code in (0, 2, 3, 4, 6) and (self.code == 0 or self.err.strip() != "")


@dataclass
class Case:
    """A line of the manifest."""

    name: str
    code: int
    recipe: str
    path: Path

    @property
    def codes(self) -> set[int]:
        """Exit codes that are right."""
        if self.name.startswith("good-beside-"):
            return {0, 6}  # Something that only a newer version decodes stands beside.
        if "(unused bits)" in self.recipe:
            return {0, self.code}  # A reader may leave unused bits unchecked.
        return {self.code}

    @property
    def needs_base(self) -> bool:
        """Whether its header says so."""
        return self.path.read_bytes()[12:13] in (b"\2", b"\3")

    @property
    def is_sampled(self) -> bool:
        return int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4], "little") % SAMPLE == 0


@dataclass
class Answer:
    """What a verb said of one container in JSON."""

    code: int
    message: str = ""
    rule: str = ""


class Agreement:
    def __init__(self, program: Path, folder: Path, scratch: Path) -> None:
        self.program, self.folder, self.scratch = program, folder, scratch
        self.passed = self.failed = 0
        self.lock = Lock()
        self.bases = list({base.read_bytes(): base for base in sorted(folder.glob("*.base"))}.values())

    def check(self, what: str, condition: bool, message: object = "") -> None:
        with self.lock:
            if condition:
                self.passed += 1
            else:
                self.failed += 1
                print(f"{what}: {message}")

    def cases(self) -> list[Case]:
        lines = (self.folder / "MANIFEST").read_text(encoding="utf-8").splitlines()
        fields = [line.split("\t") for line in lines]
        # NAME:MEMBER stands for decoding that member, which the command does for whole containers only.
        return [Case(f[0], int(f[1]), f[2], self.folder / f[0]) for f in fields if ":" not in f[0]]

    def all(self) -> None:
        cases = self.cases()
        batches = []
        for needs_base in (False, True):
            same = [case for case in cases if case.needs_base == needs_base]
            batches += [same[at : at + BATCH] for at in range(0, len(same), BATCH)]
        sample = [case for case in cases if case.is_sampled]
        rules: set[str] = set()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            start = time.monotonic()
            for case, rule in (found for batch in pool.map(self.batch, batches) for found in batch):
                if rule not in rules and case not in sample:
                    sample.append(case)
                rules.add(rule)
            print(f"{len(cases)} containers in {len(batches)} batches: {time.monotonic() - start:.1f} s")
            start = time.monotonic()
            list(pool.map(lambda case: self.container(case.name, case.code, case.recipe), sample))
            print(f"{len(sample)} containers of {len(rules)} rules on their own: {time.monotonic() - start:.1f} s")

    def answers(self, batch: Sequence[Case], verb: str, *arguments: object) -> list[Answer]:
        """One run of a verb; where it does not answer for each container, one for each, to find the culprit."""
        run = Run(self.program, verb, "--json", *(case.path for case in batch), *arguments)
        found = {}
        for line in run.out.decode(errors="replace").splitlines():
            said = json.loads(line)
            error = said.get("error", {"path": said.get("path")})
            name = Path(error["path"]).name.removesuffix(".swz")  # An error may name the output.
            found[name] = Answer(error.get("code", 0), error.get("message", ""), error.get("rule", ""))
        if set(found) == {case.path.stem for case in batch}:
            self.check(f"{verb} of a batch", run.code == 0 or run.code in {a.code for a in found.values()}, run.code)
            return [found[case.path.stem] for case in batch]
        if len(batch) == 1:
            return [Answer(run.code, run.err)]
        again = ["-f"] if verb == "unpack" and "-f" not in arguments else []
        return [answer for case in batch for answer in self.answers([case], verb, *arguments, *again)]

    def batch(self, batch: Sequence[Case]) -> list[tuple[Case, str]]:
        """All that is checked of many containers at once; for each the rule that refuses it."""
        given = self.given(batch[0].path)
        target = Path(tempfile.mkdtemp(dir=self.scratch))
        unpacked = self.answers(batch, "unpack", "--output-dir", target, *given)
        verified = self.answers(batch, "verify", *given)
        listed = self.answers(batch, "list")
        for case, *answers in zip(batch, unpacked, verified, listed, strict=True):
            if answers[0].code == 1:  # No room for the length that it claims; a pipe has.
                run = Run(self.program, "unpack", "-c", case.path, *given)
                answers[0] = Answer(run.code, run.err)
            for verb, answer in zip(("unpack", "verify"), answers, strict=False):
                explained = answer.code in case.codes and (answer.code == 0 or answer.message != "")
                self.check(f"{case.name}, {verb}", explained, (case.code, answer, case.recipe))
            self.check(f"{case.name}, list", case.code != 0 or answers[2].code == 0, answers[2])
            self.check(f"{case.name}, alike", answers[0].code == answers[1].code, answers[:2])
            self.content(case, target / case.path.stem, answers[0].code)
        expected = {case.path.stem for case, answer in zip(batch, unpacked, strict=True) if answer.code == 0}
        found = {path.name for path in target.iterdir()} if target.exists() else set()
        self.check("what unpacking leaves", found == expected, sorted(found ^ expected))
        with_base = [case for case in batch if case.path.with_suffix(".base").exists()]
        for case, answer in zip(with_base, self.answers(with_base, "verify") if with_base else (), strict=True):
            self.check(f"{case.name}, without its base", answer.code == NEEDS_BASE, answer)
        return [(case, answer.rule) for case, answer in zip(batch, verified, strict=True)]

    def content(self, case: Case, found: Path, code: int) -> None:
        """What unpacking has made of a container, against what was packed where that is known."""
        if code != 0:
            return
        original = case.path.with_suffix(".bin")
        if found.is_dir():
            expected = files(case.path.with_suffix(""))
            self.check(f"{case.name}, content", files(found) == expected, "other files or bytes")
        elif original.exists():
            self.check(f"{case.name}, content", found.read_bytes() == original.read_bytes(), "other bytes")

    def container(self, name: str, code: int, recipe: str) -> None:
        path = self.folder / name
        verified = Run(self.program, "verify", path, *self.given(path))
        unpacked = Run(self.program, "unpack", "-c", path, *self.given(path))
        self.check(f"{name}, typed", verified.is_typed and unpacked.is_typed, (verified.code, verified.err))
        if code == 0:
            self.good(name, path, verified, unpacked)
        elif "(unused bits)" in recipe and verified.code == 0:
            # A reader may leave unused bits unchecked; the content must be right all the same.
            original = self.original(path)
            self.check(f"{name}, content", original is None or unpacked.out == original, "other bytes")
        else:
            self.check(f"{name}, verify", verified.code == code, (code, verified.code, verified.err, recipe))
            refused = unpacked.code == code or self.several(path) and unpacked.code == 2
            self.check(f"{name}, unpack", refused, (code, unpacked.code, unpacked.err, recipe))
            if self.several(path):
                self.no_folder(name, path, code)
            whole = unpacked.out == b"" or self.is_beginning(path, unpacked.out)
            self.check(f"{name}, output", whole, "bytes that were not packed came out")
        if code == 0:
            listed = Run(self.program, "list", path)
            self.check(f"{name}, listed", listed.code == 0, (listed.code, listed.err))

    def good(self, name: str, path: Path, verified: Run, unpacked: Run) -> None:
        allowed = {0}
        if path.with_suffix(".base").exists():
            alone = Run(self.program, "verify", path)
            self.check(f"{name}, without its base", alone.code == NEEDS_BASE, (alone.code, alone.err))
        if name.startswith("good-beside-"):
            allowed = {0, 6}  # Something that only a newer version decodes stands beside.
        self.check(f"{name}, verify", verified.code in allowed, (verified.code, verified.err))
        if self.several(path):
            self.folder_content(name, path, allowed)
            return
        original = self.original(path)
        if verified.code == 0 and original is not None:
            self.check(f"{name}, content", unpacked.code == 0 and unpacked.out == original, (unpacked.code, unpacked.err))

    def unpack_folder(self, path: Path) -> tuple[Path, Run]:
        """Unpacks a folder into a folder of its own."""
        target = self.scratch / "unpacked" / path.stem / "out"
        target.parent.mkdir(parents=True, exist_ok=True)
        return target, Run(self.program, "unpack", path, "-o", target, *self.given(path))

    def folder_content(self, name: str, path: Path, allowed: set[int]) -> None:
        """A good folder: the files that the reference decoder gives, and no others."""
        target, unpacked = self.unpack_folder(path)
        self.check(f"{name}, unpack", unpacked.code in allowed, (unpacked.code, unpacked.err))
        self.check(f"{name}, whole", target.exists() == (unpacked.code == 0), "half a folder")
        if unpacked.code != 0:
            return
        expected = files(path.with_suffix(""))
        self.check(f"{name}, content", files(target) == expected, "other files or bytes")

    def no_folder(self, name: str, path: Path, code: int) -> None:
        """A bad folder gives nothing, there or elsewhere: into a new folder, and into one that exists."""
        target, unpacked = self.unpack_folder(path)
        self.check(f"{name}, unpack", unpacked.code == code, (code, unpacked.code, unpacked.err))
        self.check(f"{name}, nothing", list(target.parent.iterdir()) == [], "something is left behind")
        target.mkdir()
        unpacked = self.unpack_folder(path)[1]
        # What does not even begin as a folder is a file, which no folder is replaced by.
        self.check(f"{name}, into a folder", unpacked.code in (code, 2), (code, unpacked.code, unpacked.err))
        self.check(f"{name}, nothing in it", list(target.parent.rglob("*")) == [target], "something is left behind")

    def given(self, path: Path) -> list[object]:
        """The bases, for a container whose header says that it needs one."""
        needed = int.from_bytes(path.read_bytes()[12:13], "little") & 2
        return [argument for base in self.bases if needed for argument in ("--base", base)]

    def original(self, path: Path) -> bytes | None:
        """The content of a container of one unnamed member, where it is known."""
        file = path.with_suffix(".bin")
        return file.read_bytes() if file.exists() else None

    def several(self, path: Path) -> bool:
        """Whether it is no container of a single file."""
        return path.read_bytes()[20:21] != b"\0"

    def is_beginning(self, path: Path, out: bytes) -> bool:
        """Verified bytes may have been written to a pipe before the damage was met."""
        original = self.original(path)
        return original is None or original.startswith(out)


def main() -> int:
    start = time.monotonic()
    program = find_program()
    folder = written()
    print(f"containers are written after {time.monotonic() - start:.1f} s")
    with tempfile.TemporaryDirectory() as scratch:
        agreement = Agreement(program, folder, Path(scratch))
        agreement.all()
    print(f"{time.monotonic() - start:.1f} s")
    print(f"{agreement.passed} passed, {agreement.failed} failed")
    return 0 if agreement.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
