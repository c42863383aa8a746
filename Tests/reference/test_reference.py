#!/usr/bin/env python3
"""Tests of spec/reference_decoder.py against the hand-made containers of tools/fixtures/hand.py.

    python3 test_reference.py

It works on all cores. The last line counts the checks: one for each container, member, truncation and changed byte, and
a few more; the lines before it tell the seconds of processor that each group of tests took.
"""

from __future__ import annotations

import copy
import hashlib
import io
import os
import random
import struct
import sys
import tempfile
import time
import unittest
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "spec"), str(ROOT / "tools" / "fixtures")]

import examples  # noqa: E402
import hand  # noqa: E402
import reference_decoder as decoder  # noqa: E402

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
        some = [group for group in hand.GROUPS if hashlib.sha256(group.__name__.encode()).digest()[0] % 4 == 0]
        for group in self.mine(some):
            again = hand.write_group(self.scratch / "again", group).lines
            self.check(group.__name__, set(again) <= lines)


def copy_of_base(content: bytes, base: bytes) -> bytes:
    """A container of the beginning of a base."""
    copied = hand.copy_segment(content, hand.reference(1, 0, 0))
    container = hand.single(copied, bases=[hand.base_record(base)])
    container.must_flags = 2
    return container.build()


class CommandTests(Checks):
    """Members, bases and limits on the command line."""

    def test_member(self) -> None:
        several = self.folder / "good-folder.swz"
        self.check_refused("none chosen", run(several), (2,))
        self.check_refused("unknown", run("--member", "nobody", several), (2,))
        self.check_refused("unknown, escaped", run("--member", "a\nb", several), (2,))
        self.check_refused("a link to a folder", run("--member", "a/l", self.folder / "good-link-folder.swz"), (2,))

    def test_base(self) -> None:
        container = self.folder / "good-copy-base.swz"
        wrong = self.scratch / "wrong.base"
        wrong.write_bytes(bytes(len(hand.BASE_CONTENT)))
        self.check_refused("no base", run(container), (4,))
        self.check_refused("wrong base", run("--base", wrong, container), (4,))
        both = run("--base", wrong, "--base", container.with_suffix(".base"), container)
        self.check("both", both[0] == 0, both)

    def test_base_packed(self) -> None:
        container = self.folder / "good-delta-base.swz"
        original, base = container.with_suffix(".bin").read_bytes(), container.with_suffix(".base").read_bytes()
        files = {"whole": base + b"more", "packed": hand.single(hand.bytes_segment(base)).build()}
        files["part"] = copy_of_base(base, base + b"more")
        files["damaged"] = files["packed"][:-1]
        for name, data in files.items():
            (self.scratch / name).write_bytes(data)
        for name, bases in {"packed": ("packed",), "chain": ("whole", "part"), "more": ("damaged", "packed")}.items():
            answer = run(*(word for base in bases for word in ("--base", self.scratch / base)), container)
            self.check(name, answer == (0, original, ""), (answer[0], answer[2]))
        for name, bases in {"damaged": ("damaged",), "without its own": ("part", "whole")}.items():
            answer = run(*(word for base in bases for word in ("--base", self.scratch / base)), container)
            self.check_refused(name, answer, (4,))

    def test_base_depth(self) -> None:
        files = [bytes(100)]
        files += [copy_of_base(bytes(100 - depth), bytes(101 - depth)) for depth in range(1, 66)]
        self.check("64", decoder.decode_file(files[64], None, files[:64]) == bytes(36))
        try:
            self.check("65", decoder.decode_file(files[65], None, files[:65]) == b"", "is not refused")
        except decoder.Damaged as refusal:
            self.check("65", "too deep" in str(refusal), refusal)

    def test_bundle(self) -> None:
        container = self.folder / "good-bundle-sha256.swz"
        self.check_refused("none chosen", run(container), (2,))
        self.check("listed", run("--list", container)[1].decode().splitlines() == self.bundle_lines(), "other lines")

    def bundle_lines(self) -> list[str]:
        sample = hand.bundle_sample()
        lines = [f"folder of version 0.2, 3 members, 7 files, {len(self.bundle_data())} bytes"]
        times = ("1000000000000000005", "", "", "-2000000001", "8589934592000000000")
        for number, member in enumerate(sample.members):
            digest = f"  XXH3-128 {decoder.xxh3_128(member.decoded)[::-1].hex()}"
            lines += [f"member {number}, bundle of 5 files: 120 bytes", digest] if member.files else []
            start = 0
            for (name, content), time_ in zip(member.contents.items(), times, strict=False):
                file = next((file for file in member.files if file.name == name), member)
                words = f'"{name.decode()}": {len(content)} bytes'
                words += "" if file.mode is None else f" mode {file.mode:03o}"
                words += f" time {time_}" if member.files and time_ else ""
                lines += [f"  file {words} at {start}"] if member.files else [f"member {number} {words}", digest]
                lines.append(f"  SHA-256 {hashlib.sha256(content).hexdigest()}")
                start += len(content)
            lines.append(f"  segment {number}: BYTES bytes, {len(member.decoded)} bytes at 0, 1 blocks")
        return lines

    def bundle_data(self) -> bytes:
        return (self.folder / "good-bundle-sha256.swz").read_bytes()

    def test_limit(self) -> None:
        container = self.folder / "good-constant-most.swz"
        self.check_refused("below", run("--limit", 2**18 - 1, container), (1,))
        self.check("equal", run("--limit", 2**18, container)[0] == 0)

    def test_file(self) -> None:
        self.check_refused("missing", run(self.folder / "nothing.swz"), (1,))


class ExampleTests(Checks):
    """The example of codecs/huffman.md."""

    def test_table(self) -> None:
        data = bytes.fromhex("010504120303")
        cursor = decoder.Cursor(data, 0, len(data), "example")
        table = decoder.read_table(cursor)
        self.check("lengths", {s: n for s, n in enumerate(table) if n} == {5: 2, 6: 1, 7: 3, 9: 3}, table)
        codes = {5: "10", 6: "0", 7: "110", 9: "111"}
        self.check("writer", hand.Code({5: 2, 6: 1, 7: 3, 9: 3}).bits == codes)
        stream = int("".join(codes[symbol] for symbol in (6, 5, 7, 9))[::-1], 2).to_bytes(2, "little")
        self.check("reader", decoder.decode_stream(stream, table, 4, cursor) == [9, 7, 5, 6])


class PredictionTests(Checks):
    """The arithmetic of codec delta's predictions is that of hand.py, which knows whole numbers only."""

    def predict(self, prediction: hand.Prediction, element: int, words: tuple[int, ...]) -> int:
        """b by the reference decoder."""
        segment = decoder.Segment(0, 0, 4, 1, 0, element, decoder.DELTA, 0, 0, decoder.CODER_RANS)
        segment.prediction = decoder.PREDICTIONS[prediction.p]
        segment.constants = struct.unpack(segment.prediction.constants, prediction.data[1:])
        cursor = decoder.Cursor(b"", 0, 0, "test")
        block = decoder.Block(cursor, segment, 1, lambda number: words[number].to_bytes(4, "little"))
        return decoder.predicted(block)[0]

    def test_same(self) -> None:
        rng = random.Random(2)
        odd = [sign << 31 | number for number in hand.ODD_NUMBERS for sign in (0, 1)]
        for p, widths in {1: (64,), 2: (64, 64), 3: (64, 64, 32, 32, 32)}.items():
            for _ in range(3000):
                usual = (hand.scaling(0.9999), hand.moment(), hand.weight())[p - 1].constants
                any_bits = (rng.getrandbits(width) for width in widths)
                constants = tuple(c if rng.randrange(4) else bits for c, bits in zip(usual, any_bits, strict=True))
                prediction = hand.Prediction(p, constants)
                words = tuple(rng.choice((rng.choice(odd), rng.getrandbits(32))) for _ in range(prediction.sources))
                for element in (hand.F32, hand.BF16)[: 1 + (p == 3)]:
                    expected = prediction.value(element, words)
                    found = self.predict(prediction, element, words)
                    self.check(f"prediction {prediction} {words}", found == expected, (found, expected))


class QuietTests(Checks):
    """Plans of quiet values, drawn by chance, decode to what they are made of."""

    ELEMENTS = (hand.U8, hand.E4M3, hand.BF16, hand.F16, hand.I16, hand.F32, hand.I32, hand.F64, hand.I64)

    def plan(self, rng: random.Random) -> hand.DeltaPlan:
        count, length = rng.randrange(200, 900), rng.choice((0, 1, 7, 25, 150))
        fields = {"contexts": rng.randrange(1, 20), "row_length": length, "row_bits": rng.randrange(5) if length else 0}
        fields["q"] = rng.randrange(1, fields["contexts"] + 1)
        return hand.quiet_plan(rng.choice(self.ELEMENTS), count, rate=rng.choice((0, 0.01, 0.1, 0.3)), **fields)

    @shared
    def test_drawn(self) -> None:
        for number in self.mine(range(300)):
            rng = random.Random(number)
            plan = self.plan(rng)
            container = plan.container()
            container.first.segments[1].per_block = hand.round_up(len(plan.values), plan.row_length or 1)
            same = decoder.decode_file(container.build()) == plan.base + plan.decoded
            self.check(f"plan {number}", same, "other bytes")

    def decoded(self, element: int, base: int, changes: list[tuple[int, int]]) -> bytes:
        """What the reference decoder makes of 600 values of one base with changes at places."""
        values = [base] * 600
        for place, g in changes:
            values[place] = hand.moved(element, base, g)
        plan = hand.DeltaPlan(element, [base] * 600, values, contexts=1, q=1)
        return decoder.decode_file(plan.container().build())[600 * hand.value_bits(element) // 8 :]

    @shared
    def test_places(self) -> None:
        for element, base in ((hand.U8, 7), (hand.BF16, 0x3F80), (hand.I32, 99), (hand.I64, 5)):
            width = hand.value_bits(element) // 8
            for first in self.mine(range(100)):
                found = self.decoded(element, base, [(first, 2), (first + 1, 3)])
                numbers = [int.from_bytes(found[at : at + width], "little") for at in range(0, len(found), width)]
                expected = [base] * first + [base + 2, base + 3] + [base] * (598 - first)
                self.check(f"element type {element}, place {first}", numbers == expected, numbers)

    def test_listed(self) -> None:
        for name, shown in {"good-quiet-base.swz": True, "good-delta-base.swz": False}.items():
            found = b", Q 3" in run("--list", self.folder / name)[1]
            self.check(name, found == shown)


class PageTests(Checks):
    """spec/EXAMPLES.md is what tools/fixtures/examples.py writes."""

    def test_page(self) -> None:
        page = examples.page_text()
        same = examples.PAGE.read_text(encoding="utf-8") == page
        self.check("page", same, "spec/EXAMPLES.md is stale: run tools/fixtures/examples.py")
        self.check("again", examples.page_text() == page)
        self.check("length", page.count("\n") < 800)


class DamageTests(Checks):
    """Every truncation and every changed byte of the smallest good containers is refused."""

    def smallest(self) -> list[Path]:
        """Those of each sort: of both versions, with a block table, with a bundle."""
        good = [path for path in self.folder.glob("good-*.swz") if path.with_suffix(".bin").exists()]
        good.sort(key=lambda path: (path.stat().st_size, path.name))
        old = [path for path in good if path.name.startswith("good-old-")]
        more = ("good-block-tables-of-three.swz", "good-bundle-of-one.swz")
        return [*(path for path in good if path not in old)][:2] + old[:2] + [self.folder / name for name in more]

    def decode(self, data: bytes) -> tuple[int, bytes, str]:
        damaged = self.scratch / "damaged"
        damaged.write_bytes(data)
        return run(damaged)

    @shared
    def test_cut(self) -> None:
        for path in self.smallest():
            data = path.read_bytes()
            for size in self.mine(range(len(data))):
                self.check_refused(f"{path.name} cut at {size}", self.decode(data[:size]), REFUSALS)

    @shared
    def test_changed(self) -> None:
        for path in self.smallest():
            data = path.read_bytes()
            for offset in self.mine(range(len(data))):
                for mask in (0x01, 0x80):
                    changed = bytearray(data)
                    changed[offset] ^= mask
                    answer = self.decode(bytes(changed))
                    self.check_refused(f"{path.name} byte {offset} ^ {mask:#x}", answer, REFUSALS)


class HostileTests(Checks):
    """Random changes under right hashes: refused or harmless, never an exception, never other bytes."""

    MAKES: tuple[Callable[[], hand.Container], ...] = (
        hand.sample,
        hand.float_sample,
        hand.sorted_sample,
        hand.fixed4_sample,
        lambda: hand.planes_sample((hand.HUFFMAN, hand.ZSTD, hand.CONSTANT, hand.RAW)),
        lambda: hand.float_single(hand.F32_J1, hand.f32_values(17, 600), 60, low_modes=(hand.ZSTD, hand.HUFFMAN)),
        lambda: hand.float_sample(more_patches=(7, 9)),
        lambda: hand.single(hand.Segment([hand.zstd_block(hand.text(300))])),
        lambda: hand.single(hand.Segment([hand.lz4_block(hand.text(300))])),
        hand.copy_sample,
        hand.base_sample,
        hand.delta_base_sample,
        hand.quiet_sample,
        lambda: hand.quiet_sample(q=5),
        lambda: hand.quiet_sample(q=1, rate=0.5),
        hand.predicted_sample,
        lambda: hand.predicted_sample(q=3, kind=hand.deltas_sparse),
        lambda: hand.predicted_sample(hand.F32, prediction=hand.moment()),
        lambda: hand.predicted_sample(hand.F32, prediction=hand.scaling(0.9999)),
        hand.tensors_container,
        hand.rans_sample,
        lambda: hand.rans_sample(more_patches=(7, 9)),
        lambda: hand.single(hand.rans_segment(hand.classed_plan(2, 3, 30, 20))),
        lambda: hand.rans_single(hand.F32_J1, hand.with_zeros(hand.f32_values(74, 900)), 60, skips_zeros=True),
        hand.symbols_sample,
        lambda: hand.symbols_sample(rans=True),
        lambda: hand.sparse_container(hand.HUFFMAN),
        lambda: hand.sparse_container(hand.RANS),
        lambda: hand.float_single(hand.BF16_J2, hand.bf16_values(62, 600), 300),
        lambda: hand.folder(b"one", b"two"),
        lambda: hand.bundle_of(*hand.bundle_files()),
        lambda: hand.zstd_packed(hand.bundle_of(*hand.bundle_files(), sha256=True)),
        hand.full_index,
        lambda: hand.zstd_packed(hand.full_index()),
        hand.two_blocks,
        lambda: hand.old(hand.two_blocks()),
        lambda: hand.old(hand.tensors_container()),
    )
    BASES = (
        hand.BASE_CONTENT,
        hand.delta_plan(hand.BF16).base,
        *(hand.sample_plan(element, prediction).base for _, element, prediction in hand.PREDICTED),
    )
    FRAMES = ("member", "segment", "block", "directory")

    @shared
    def test_mended(self) -> None:
        for number, make in self.mine(enumerate(self.MAKES)):
            fresh, rng = make(), random.Random(number)
            for frame in self.FRAMES:
                for _ in range(60):
                    self.one(f"sample {number}, {frame}", copy.deepcopy(fresh), frame, rng)

    def one(self, name: str, container: hand.Container, frame: str, rng: random.Random) -> None:
        """Change a few bytes of one frame's content before its hash is made."""
        chosen, original = next(iter(container.first.contents.items()))
        edits = hand.FRAMES[frame](container)[0]
        edits += [(rng.randrange(16, 48), rng.randbytes(1)) for _ in range(rng.randrange(2))]
        if frame == "block":
            edits += [(rng.randrange(24, len(container.block.body)), rng.randbytes(1))]
        if frame == "member" and container.first.files:
            edits += [(rng.randrange(46, len(container.first.frame(0))), rng.randbytes(1))]
        if frame == "directory":
            edits += [(rng.randrange(16, len(container.directory(container.body()[2]))), rng.randbytes(1))]
        chosen = chosen.decode() or None
        try:
            self.check(name, decoder.decode_file(container.build(), chosen, self.BASES) == original, "other bytes")
        except decoder.Refusal as refusal:
            self.check(name, refusal.code in (2, *REFUSALS), refusal)


def tests() -> Iterator[tuple[str, int, int]]:
    """Each test, and each share of it: its name, the number of the share and how many there are."""
    for suite in unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]):
        for test in suite:
            shares = getattr(getattr(test, test._testMethodName), "shares", 1)
            yield from ((test.id().partition(".")[2], share, shares) for share in range(shares))


def run_test(task: tuple[str, int, int], folder: Path, scratch: Path) -> tuple[str, float, int, int, str]:
    """One test in this process: its group, seconds of processor, checks that passed and failed, and what failed."""
    name, Checks.share, Checks.shares = task
    Checks.passed = Checks.failed = 0
    Checks.folder, Checks.scratch = folder, scratch / str(os.getpid())
    Checks.scratch.mkdir(exist_ok=True)
    start, said = time.process_time(), io.StringIO()
    suite = unittest.defaultTestLoader.loadTestsFromName(name, sys.modules[__name__])
    result = unittest.TextTestRunner(stream=said, verbosity=0).run(suite)
    spent, failed = time.process_time() - start, Checks.failed + len(result.errors)
    return name.partition(".")[0], spent, Checks.passed, failed, said.getvalue() if failed else ""


def main() -> int:
    start = time.monotonic()
    folder = hand.written()
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
