"""The command of the reference decoder: members, bases, limits."""

from __future__ import annotations

import hashlib

import reference_decoder as decoder

from decoder_tests.checks import Checks, run
from handmade.codecs.bytes import bytes_segment
from handmade.codecs.copy import BASE_CONTENT, copy_segment
from handmade.samples import bundle_sample
from handmade.wire.container import single
from handmade.wire.encoding import base_record, reference


def copy_of_base(content: bytes, base: bytes) -> bytes:
    """A container of the beginning of a base."""
    copied = copy_segment(content, reference(1, 0, 0))
    container = single(copied, bases=[base_record(base)])
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
        wrong.write_bytes(bytes(len(BASE_CONTENT)))
        self.check_refused("no base", run(container), (4,))
        self.check_refused("wrong base", run("--base", wrong, container), (4,))
        both = run("--base", wrong, "--base", container.with_suffix(".base"), container)
        self.check("both", both[0] == 0, both)

    def test_base_packed(self) -> None:
        container = self.folder / "good-delta-base.swz"
        original, base = container.with_suffix(".bin").read_bytes(), container.with_suffix(".base").read_bytes()
        files = {"whole": base + b"more", "packed": single(bytes_segment(base)).build()}
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
        sample = bundle_sample()
        lines = [f"folder of version 0.4, 3 members, 7 files, {len(self.bundle_data())} bytes"]
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
