#!/usr/bin/env python3
"""Reference decoder of swzip containers, written from FORMAT.md and codecs/*.md alone.

It reads versions 0.1 to 0.4. It is slow and strict: the whole container is verified (structure, hashes, index) and
then the member of the wanted file is decoded and verified, before its first byte is written. Section numbers in this
file are those of FORMAT.md.

    reference_decoder.py IN.swz                  original bytes of the only file, to standard output
    reference_decoder.py --member NAME IN.swz    the same for one file of several: a member or one of a bundle
    reference_decoder.py --list IN.swz           members, files of bundles, segments and tensors, in words
    reference_decoder.py --base FILE IN.swz      with a base or a container of bases, after --base of those they need

Exit codes: 0 done, 1 a file cannot be read or written or the output is above --limit, 2 usage, 3 damaged, 4 a base is
missing or is not the right one, 6 unsupported (made by a newer version).

Needs Python 3.11 and the packages zstandard, lz4 and xxhash.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import struct
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import accumulate, islice
from math import prod
from typing import BinaryIO, NoReturn, TextIO

import lz4.block
import xxhash
import zstandard

# --- Refusals -------------------------------------------------------------------------------------------------------


class Refusal(Exception):
    """Something that ends the work with one line and an exit code."""

    code = 1


class Usage(Refusal):
    """The command line does not fit the container."""

    code = 2


class Damaged(Refusal):
    """A rule of the specification is violated."""

    code = 3


class BaseProblem(Refusal):
    """A base is missing or its content is not the recorded one."""

    code = 4


class Unsupported(Refusal):
    """Made by a newer version, or with something that its version does not know."""

    code = 6


def require(condition: bool, what: str, where: str) -> None:
    """Refuse as damaged unless the condition holds."""
    if not condition:
        raise Damaged(f"{what}, {where}")


def require_known(condition: bool, what: str, where: str) -> None:
    """Refuse as unsupported unless the condition holds."""
    if not condition:
        raise Unsupported(f"{what}, {where}")


def printable(text: str) -> str:
    """The text with control, bidi and line characters escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


# --- Conventions (section 1) and element types (section 6) ------------------------------------------------------------

MAGIC = bytes.fromhex("8953575A0D0A1A0A")
TRAILER_MAGIC = b"SWZEND\r\n"
VERSIONS = (0, 1), (0, 2), (0, 3), (0, 4)
FIRST, NEWEST = VERSIONS[0], VERSIONS[-1]
ALL_ONES = 2**64 - 1
MAX_LENGTH = 2**63 - 1
MAX_VALUES = 2**18
MAX_PLAIN_BYTES = 2**23  # of a block of codec bytes
MIN_VALUES_OF_MANY = 8192
MAX_BLOCK_BYTES = 2**18  # the same two of a block type
MIN_BLOCK_BYTES_OF_MANY = 2**15
MAX_COUNT = 2**20  # members, files, tensors
MAX_BASE_DEPTH = 64
MAX_GROUPS = 2**18  # of a segment of codec lattice

MUST_EARLIER, MUST_BASE = 1, 2  # header flags
MAY_SHA256 = 1
DATA, LINK, BUNDLE = range(3)  # member types
TYPES = {version: (DATA,) if version == FIRST else (DATA, LINK, BUNDLE) for version in VERSIONS}
HAS_MODE, HAS_TIME, HAS_LENGTH, HAS_SHA256 = 1, 2, 4, 8  # member flags; the first two also of a bundle's file
SECOND = 10**9  # nanoseconds

ELEMENTS: tuple[tuple[str, int], ...] = (
    ("BYTES", 8), ("BF16", 16), ("F16", 16), ("F32", 32), ("F64", 64), ("F8_E4M3", 8), ("F8_E5M2", 8),
    ("F8_E8M0", 8), ("F8_E4M3FNUZ", 8), ("F8_E5M2FNUZ", 8), ("I8", 8), ("U8", 8), ("I16", 16), ("U16", 16),
    ("I32", 32), ("U32", 32), ("I64", 64), ("U64", 64), ("BOOL", 8), ("C64", 64), ("F4", 4), ("F6_E2M3", 6),
    ("F6_E3M2", 6),
)  # fmt: skip
# Block types of ggml: name, elements a block, sizes of the fields that tile it, first fields of scale and minimum.
BLOCK_TYPES: dict[int, tuple[str, int, tuple[int, ...], tuple[int, ...]]] = {
    66: ("Q4_0", 32, (1, 1, 16), (0,)),
    67: ("Q4_1", 32, (1, 1, 1, 1, 16), (0, 2)),
    70: ("Q5_0", 32, (1, 1, 4, 16), (0,)),
    71: ("Q5_1", 32, (1, 1, 1, 1, 4, 16), (0, 2)),
    72: ("Q8_0", 32, (1, 1, 32), (0,)),
    73: ("Q8_1", 32, (1, 1, 1, 1, 32), (0,)),
    74: ("Q2_K", 256, (16, 64, 1, 1, 1, 1), (2, 4)),
    75: ("Q3_K", 256, (32, 64, 12, 1, 1), (3,)),
    76: ("Q4_K", 256, (1, 1, 1, 1, 12, 128), (0, 2)),
    77: ("Q5_K", 256, (1, 1, 1, 1, 12, 32, 128), (0, 2)),
    78: ("Q6_K", 256, (128, 64, 16, 1, 1), (3,)),
    79: ("Q8_K", 256, (1, 1, 1, 1, 256, 32), ()),
    80: ("IQ2_XXS", 256, (1, 1, 64), (0,)),
    81: ("IQ2_XS", 256, (1, 1, 64, 8), (0,)),
    82: ("IQ3_XXS", 256, (1, 1, 64, 32), (0,)),
    83: ("IQ1_S", 256, (1, 1, 32, 16), (0,)),
    84: ("IQ4_NL", 32, (1, 1, 16), (0,)),
    85: ("IQ3_S", 256, (1, 1, 64, 8, 32, 4), (0,)),
    86: ("IQ2_S", 256, (1, 1, 64, 8, 8), (0,)),
    87: ("IQ4_XS", 256, (1, 1, 2, 4, 128), (0,)),
    93: ("IQ1_M", 256, (32, 16, 8), ()),
    98: ("TQ1_0", 256, (48, 4, 1, 1), (2,)),
    99: ("TQ2_0", 256, (64, 1, 1), (1,)),
    103: ("MXFP4", 32, (1, 16), ()),
    104: ("NVFP4", 64, (4, 32), ()),
    105: ("Q1_0", 128, (1, 1, 16), (0,)),
    106: ("Q2_0", 64, (1, 1, 16), (0,)),
}
BIG = 32  # and the code of a type of several bytes: big-endian values of it
T_BYTES, BF16, F16, F32, F64, F8_E4M3, F8_E5M2 = range(7)
F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ, I8, U8 = range(7, 12)
C64 = 19

BYTES, FLOAT, PLANES, COPY, SYMBOLS, CAST, DELTA, LATTICE, REPLAY = range(9)  # codecs
REFERRING = (COPY, CAST, DELTA, REPLAY)  # those that read what they refer to
CODEC_NAMES = ("bytes", "float", "planes", "copy", "symbols", "cast", "delta", "lattice", "replay")
WITH_ROWS = (FLOAT, SYMBOLS, DELTA, LATTICE)  # codecs with tables, rows and a coder
WITH_SYMBOLS = (*WITH_ROWS, REPLAY)
CODER_HUFFMAN, CODER_RANS, CODER_NODES = range(3)
CODER_NAMES = ("Huffman", "rANS", "nodes")
MODE_NAMES = (
    "raw", "constant", "zstd", "lz4", "huffman", "fixed4", "planes", "copy", "rans", "sparse", "cast", "delta",
    "nodes", "replay",
)  # fmt: skip
RAW, CONSTANT, ZSTD, LZ4, HUFFMAN, FIXED4, MODE_PLANES, MODE_COPY, RANS, SPARSE = range(10)
MODE_CAST, MODE_DELTA, NODES, MODE_REPLAY = range(10, 14)
MODES_OF_CODEC = {
    BYTES: {RAW, CONSTANT, ZSTD, LZ4},
    FLOAT: {RAW, CONSTANT, ZSTD, LZ4, HUFFMAN, FIXED4, RANS, SPARSE, NODES},
    PLANES: {RAW, CONSTANT, ZSTD, LZ4, MODE_PLANES},
    COPY: {RAW, CONSTANT, ZSTD, LZ4, MODE_COPY},
    SYMBOLS: {RAW, CONSTANT, ZSTD, LZ4, HUFFMAN, RANS, NODES},
    CAST: {RAW, CONSTANT, ZSTD, LZ4, MODE_CAST},
    DELTA: {RAW, CONSTANT, ZSTD, LZ4, MODE_COPY, MODE_DELTA},
    LATTICE: {RAW, CONSTANT, ZSTD, LZ4, HUFFMAN, RANS, NODES},
    REPLAY: {RAW, CONSTANT, ZSTD, LZ4, MODE_REPLAY},
}
KNOWN_MODES = set().union(*MODES_OF_CODEC.values())


@dataclass(frozen=True)
class FloatForm:
    """How a float type is coded (float.md): bits of the coded part, exponent bits, allowed J."""

    coded_bits: int
    exponent_bits: int
    allowed_j: tuple[int, ...]


UNSIGNED = 128  # bit of J: values without sign

# Lowest and highest bit of the exponent in codec delta, for floats that have a sign (delta.md).
DELTA_EXPONENTS = {
    BF16: (7, 14),
    F32: (23, 30),
    F16: (10, 14),
    F64: (55, 62),
    F8_E4M3: (3, 6),
    F8_E4M3FNUZ: (3, 6),
    F8_E5M2: (2, 6),
    F8_E5M2FNUZ: (2, 6),
}
TOKEN_BITS = {1: 3, 2: 3, 4: 2, 8: 0}  # k of codec delta for each width
NEGATIVE = 128  # bit of a symbol of codec delta: the difference is negative

FLOAT_FORMS = {
    BF16: FloatForm(16, 8, (0, 1, 2, UNSIGNED | 1)),
    F32: FloatForm(16, 8, (0, 1, 2, UNSIGNED | 1)),
    F16: FloatForm(16, 5, (1, 2)),
    F8_E4M3: FloatForm(8, 4, (1,)),
    F8_E5M2: FloatForm(8, 5, (1,)),
}


def element_width(element: int) -> int:
    """Bytes of a value of the element type; 1 for the types of less than a byte (section 6)."""
    return sum(element_fields(element))


def element_known(element: int) -> bool:
    """Whether section 6 has the code."""
    return element < len(ELEMENTS) or element in BLOCK_TYPES or big_endian(element)


def big_endian(element: int) -> bool:
    """Whether values are big-endian: types of 2, 4 and 8 bytes have such a twin."""
    return BIG <= element < BIG + len(ELEMENTS) and ELEMENTS[element - BIG][1] >= 16


def little_twin(element: int) -> int:
    """The type of the same values in little-endian order."""
    return element - BIG if big_endian(element) else element


def element_name(element: int) -> str:
    if big_endian(element):
        return ELEMENTS[little_twin(element)][0] + "_BE"
    return BLOCK_TYPES[element][0] if element in BLOCK_TYPES else ELEMENTS[element][0]


def swap_values(data: bytes, element: int) -> bytes:
    """The bytes of each value of a little-endian type reversed; of C64, of each of its two parts."""
    unit = 4 if element == C64 else element_width(element)
    return b"".join(data[at : at + unit][::-1] for at in range(0, len(data), unit))


def element_fields(element: int) -> tuple[int, ...]:
    """Sizes of the fields of a value: one for each section of mode planes (planes.md)."""
    if element in BLOCK_TYPES:
        return BLOCK_TYPES[element][2]
    return (1,) * max(1, ELEMENTS[little_twin(element)][1] // 8)


def xxh3_64(data: bytes | bytearray, seed: int = 0) -> int:
    """XXH3-64 (section 1)."""
    return xxhash.xxh3_64_intdigest(data, seed)


def xxh3_128(data: bytes | bytearray) -> bytes:
    """XXH3-128 as stored: low 64 bits, then high 64 bits (section 1)."""
    return xxhash.xxh3_128_intdigest(data).to_bytes(16, "little")


def pieces(length: int, size: int) -> Iterator[int]:
    """The sizes of the pieces into which `length` is cut: all of `size` but the last."""
    for start in range(0, length, size):
        yield min(size, length - start)


class Cursor:
    """Reads the fields of one structure in file order and never leaves it. Positions are file offsets."""

    def __init__(self, data: bytes, position: int, end: int, where: str) -> None:
        self.data = data
        self.position = position
        self.end = end
        self.where = where

    def fail(self, what: str) -> NoReturn:
        raise Damaged(f"{what}, {self.where} at offset {self.position}")

    def check(self, condition: bool, what: str) -> None:
        if not condition:
            self.fail(what)

    def take(self, count: int) -> bytes:
        self.check(count <= self.end - self.position, "field runs past the end of its frame")
        start, self.position = self.position, self.position + count
        return self.data[start : self.position]

    def unsigned(self, width: int) -> int:
        return int.from_bytes(self.take(width), "little")

    def take_name(self) -> bytes:
        """A varint length of at most 4096, and as many bytes."""
        count = self.varint()
        self.check(count <= 4096, "name is too long")
        return self.take(count)

    def u8(self) -> int:
        return self.unsigned(1)

    def u16(self) -> int:
        return self.unsigned(2)

    def u32(self) -> int:
        return self.unsigned(4)

    def u64(self) -> int:
        return self.unsigned(8)

    def i64(self) -> int:
        return int.from_bytes(self.take(8), "little", signed=True)

    def varint(self) -> int:
        """Unsigned LEB128 in its shortest form, at most nine bytes."""
        value = 0
        for index in range(9):
            byte = self.u8()
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                self.check(byte != 0 or index == 0, "varint is not in its shortest form")
                return value
        self.fail("varint is longer than nine bytes")

    def zigzag(self) -> int:
        """A varint that stands for a number of either sign (section 4.1)."""
        value = self.varint()
        return -(value + 1) // 2 if value % 2 else value // 2

    def reserved(self, count: int) -> None:
        require_known(not any(self.take(count)), "reserved bytes are set", self.where)

    def pad(self, step: int = 16) -> None:
        self.check(not any(self.take(-self.position % step)), "padding is not zero")

    def finish(self) -> None:
        """Pad to the end of the frame, which must come next."""
        self.pad()
        self.check(self.position == self.end, "frame is longer than its content")


# --- What a container holds -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Header:
    """Section 3."""

    version: tuple[int, int]
    must_flags: int
    may_flags: int
    kind: int
    total_length: int


@dataclass(frozen=True)
class Base:
    """A base record (section 4.1)."""

    sha256: bytes
    length: int
    hint: bytes


@dataclass(frozen=True)
class Tensor:
    """A tensor (section 5)."""

    name: str
    element: int
    shape: tuple[int, ...]
    offset: int
    length: int


@dataclass(frozen=True)
class SegmentRecord:
    """A segment record of the directory (section 5)."""

    length: int
    blocks: int
    frame_units: int
    block_units: int
    element: int
    codec: int
    stored_hash: int
    table_hash: int  # of one block, in version 0.2: its decoded hash


@dataclass(frozen=True)
class File:
    """An original file or link: a member, or a range of a bundle (section 4.1)."""

    name: str
    mode: int | None
    time: int | None  # nanoseconds since 1970
    start: int  # in the member
    length: int
    sha256: bytes | None
    link: str | None = None  # the target, if it is a link

    @property
    def end(self) -> int:
        return self.start + self.length


@dataclass
class MemberRecord:
    """A member record of the directory with its segment records and its tensors (section 5)."""

    type: int
    flags: int
    mode: int
    name: str
    link: str | None
    time: int
    length: int
    frame_size: int
    xxh3: bytes
    stored_hash: int | None  # of the frame of a bundle
    sha256: tuple[bytes, ...]  # of each file, or none
    file_count: int
    bases: tuple[Base, ...]
    segments: tuple[SegmentRecord, ...]
    tensor_count: int
    tensors: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class Reference:
    """A range that a segment refers to (section 4.2): `number` is that of a member (kind 0) or a base (kind 1)."""

    kind: int
    number: int
    offset: int


@dataclass(frozen=True)
class Frame:
    """A frame whose bounds, kind, tag and stored hash have been checked (section 4)."""

    start: int
    end: int
    tag: int
    stored_hash: int


Table = bytes  # a Huffman table that has been checked: the code length of each of the 256 symbols


@dataclass(frozen=True)
class Palette:
    """What a symbol of codec symbols stands for (symbols.md): `digits` values, numbers of `values` (none: itself)."""

    digits: int
    values: tuple[bytes, ...]
    of_rows: bool = False  # each row has a palette, in the block

    @property
    def symbols(self) -> int:
        """The number of symbols that stand for something."""
        return len(self.values) ** self.digits if self.values else 256


@dataclass(frozen=True)
class Contexts:
    """Which rANS table a symbol takes (rans.md, contexts)."""

    row_bits: int
    numbers: tuple[int, ...]  # of the table of each context
    columns: tuple[int, ...]  # class of each column; empty if columns have none
    all_tables: tuple[RansTable, ...]  # of the segment, whether a context names them or not

    @property
    def tables(self) -> tuple[RansTable, ...]:
        """The table of each context."""
        return tuple(self.all_tables[number] for number in self.numbers)


@dataclass(frozen=True)
class Lattice:
    """What makes values of codes (lattice.md)."""

    model: int
    book: int
    numbers: tuple[float, ...]  # of the book: what each code stands for
    t: int
    constant: float  # of model 2
    row: int  # L
    column_ends: tuple[int, ...]  # where each column ends in its row
    band_ends: tuple[int, ...]  # where each band ends, in rows
    scales: tuple[float, ...]  # of each group
    offsets: tuple[float, ...]  # of model 1

    def group(self, value: int) -> int:
        """The number of the group of a value of the segment."""
        row, place = divmod(value, self.row)
        band, column = bisect_right(self.band_ends, row), bisect_right(self.column_ends, place)
        return band * len(self.column_ends) + column


@dataclass
class Segment:
    """A segment frame (section 4.2) and its block frames."""

    number: int
    offset: int
    length: int
    values_per_block: int
    row_length: int
    element: int
    codec: int
    j: int
    window_base: int
    coder: int
    tables: list[Table] = field(default_factory=list)  # those of Huffman
    contexts: Contexts | None = None  # of coder rANS
    palette: Palette | None = None  # of codec symbols
    big_endian: bool = False  # then `element` is the little-endian twin
    referred: int | None = None  # of codecs cast and replay: the element type of the referred range
    t: int | None = None  # of codec delta: T
    prediction: Prediction | None = None  # of codec delta, and its constants
    constants: tuple[float, ...] = ()
    q: int = 0  # of codec delta: Q, contexts below which are quiet
    lattice: Lattice | None = None  # of codec lattice
    references: list[Reference] = field(default_factory=list)
    blocks: list[Frame] = field(default_factory=list)

    @property
    def code(self) -> int:
        """The element type of the segment frame."""
        return self.element + BIG * self.big_endian

    @property
    def width(self) -> int:
        return 1 if self.codec == BYTES else element_width(self.element)

    @property
    def needs_earlier(self) -> bool:
        """Whether it refers to an earlier range of the container."""
        return any(reference.kind == 0 for reference in self.references)

    @property
    def referred_width(self) -> int:
        """Bytes of a value in the ranges that the segment refers to."""
        if self.prediction and self.prediction.rule:
            return element_width(F32)
        if self.referred is None:
            return self.width
        elements = BLOCK_TYPES[self.element][1] if self.codec == REPLAY else 1
        return elements * element_width(self.referred)

    @property
    def field_bits(self) -> int:
        """Bits of the field of codec float."""
        return FLOAT_FORMS[self.element].exponent_bits + (self.j & ~UNSIGNED)

    @property
    def raw_bits(self) -> int:
        """Bits of the raw values of codec float: without a sign one less."""
        return FLOAT_FORMS[self.element].coded_bits - self.field_bits - (self.j // UNSIGNED)

    @property
    def meaningful(self) -> set[int]:
        """The symbols that stand for something: tables have no others."""
        if self.codec == LATTICE:
            return self.codes.meaningful
        if self.codec == DELTA:
            tokens = self.tokens
            return {*range(tokens), *range(NEGATIVE + 1, NEGATIVE + tokens + 1)}
        if self.codec == FLOAT:
            return set(range(min(256, 1 << self.field_bits)))
        return set(range(self.palette.symbols if self.palette else 256))

    @property
    def codes(self) -> Segment:
        """The codes of codec lattice: what a segment of as many values of a byte would hold (lattice.md, blocks)."""
        count, lattice = self.length // self.width, self.lattice
        if lattice is None or lattice.t == 0:
            element = F8_E5M2 if lattice and lattice.book == BOOK_E5M2 else F8_E4M3
            return replace(self, length=count, codec=FLOAT, element=element, lattice=None)
        palette = Palette(lattice.t, tuple(bytes([code]) for code in range(len(lattice.numbers))))
        return replace(self, length=count, codec=SYMBOLS, element=U8, palette=palette, lattice=None)

    @property
    def token_bits(self) -> int:
        """k of codec delta: bits below the highest that a token has."""
        return TOKEN_BITS[self.width]

    @property
    def tokens(self) -> int:
        """(W − k) × 2^k of codec delta: the token of S."""
        return 8 * self.width - self.token_bits << self.token_bits


@dataclass
class Member:
    """A member frame (section 4.1), its directory record, its files and its segments."""

    number: int
    record: MemberRecord
    files: list[File] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    unsupported: str | None = None  # the first thing that keeps this reader from decoding it

    def refuse(self, reason: str) -> None:
        self.unsupported = self.unsupported or reason

    @property
    def label(self) -> str:
        return f"member {self.number}" + (f' "{printable(self.record.name)}"' if self.record.name else "")


@dataclass
class Container:
    """A container that has been verified, blocks only as stored."""

    data: bytes
    header: Header
    members: list[Member]

    @property
    def files(self) -> list[tuple[Member, File]]:
        """All files, each with its member."""
        return [(member, file) for member in self.members for file in member.files]


# --- Header, trailer, frames (sections 3, 4, 5) -----------------------------------------------------------------------


def read_trailer(data: bytes) -> tuple[int, int]:
    """The offsets of the block tables and of the directory, from a verified trailer (section 5)."""
    where = "trailer"
    require(len(data) >= 192, "not a swzip container: shorter than 192 bytes", "file")
    trailer = data[-64:]
    require(trailer[56:] == TRAILER_MAGIC, "container is cut or not a swzip container: no end mark", where)
    require(xxh3_64(trailer[:48]) == int.from_bytes(trailer[48:56], "little"), "hash does not match", where)
    tables, directory = struct.unpack_from("<QQ", trailer)
    require(64 <= tables <= directory <= len(data) - 64, "offsets are out of order", where)
    require(tables % 16 == 0 and directory % 16 == 0, "offsets are not multiples of 16", where)
    return tables, directory


def read_header(data: bytes) -> Header:
    """Section 3."""
    cursor = Cursor(data, 0, 64, "header")
    require(cursor.take(8) == MAGIC, "not a swzip container: wrong magic", "header")
    require(xxh3_64(data[:56]) == int.from_bytes(data[56:64], "little"), "hash does not match", "header")
    version = (cursor.u16(), cursor.u16())
    require_known(version in VERSIONS, f"version {version[0]}.{version[1]}", "header")
    must, may, kind = cursor.u32(), cursor.u32(), cursor.u8()
    require_known(not must & ~(MUST_EARLIER | MUST_BASE), f"must-understand flags {must:#x}", "header")
    require_known(kind <= 2, f"kind {kind}", "header")
    cursor.reserved(1)
    lowest = divmod(cursor.u16(), 256)
    require_known(lowest <= NEWEST, f"needs a reader of version {lowest[0]}.{lowest[1]}", "header")
    cursor.reserved(16)
    total = cursor.u64()
    cursor.reserved(8)
    require(total <= MAX_LENGTH or total == ALL_ONES, "sum of lengths is out of range", "header")
    return Header(version, must, may, kind, total)


def read_frame(
    data: bytes, start: int, limit: int, kind: bytes, tag: int | None, where: str, ordinal: int = 0
) -> Frame:
    """Check bounds, kind, tag (if one is expected) and stored hash of the frame at `start` (section 4)."""
    cursor = Cursor(data, start, limit, where)
    units, found_kind, found_tag, stored = cursor.unsigned(3), cursor.take(1), cursor.u32(), cursor.u64()
    require(found_kind == kind, f"frame kind {found_kind.hex()} where {kind.hex()} belongs", where)
    require(1 <= units <= (limit - start) // 16, "frame size is out of bounds", where)
    require(tag is None or found_tag == tag, f"tag {found_tag} where {tag} belongs", where)
    end = start + 16 * units
    require(xxh3_64(data[start + 16 : end], found_tag << 32 | ordinal) == stored, "stored hash does not match", where)
    return Frame(start, end, found_tag, stored)


INEXACT = 17  # extension record


def check_inexact(cursor: Cursor) -> None:
    """Files that are not what was added (section 7, type 17); what follows the fields is skipped."""
    cursor.take_name()
    count = cursor.varint()
    cursor.check(1 <= count <= MAX_COUNT, "number of files that are not exact is out of range")
    for _ in range(count):
        cursor.take_name()
        cursor.take(32)
        cursor.varint()


def read_extensions(cursor: Cursor) -> str | None:
    """Skip extension records; the answer names one that must be understood, if any (section 7)."""
    unknown = None
    for _ in range(cursor.varint()):
        kind = cursor.u16()
        body = cursor.take(cursor.u32())
        if kind == INEXACT:
            check_inexact(Cursor(body, 0, len(body), cursor.where))
        if kind & 0x8000 and unknown is None:
            unknown = f"must-understand extension {kind:#06x}"
    return unknown


# --- Names (section 8) ------------------------------------------------------------------------------------------------

def decode_utf8(raw: bytes, where: str) -> str:
    """Strict UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Damaged(f"name is not UTF-8, {where}") from None


def as_text(raw: bytes) -> str:
    """Bytes of a name or target: those that are not UTF-8 as surrogates (section 8)."""
    return raw.decode("utf-8", "surrogateescape")


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def member_name(raw: bytes, where: str) -> str:
    """The name of a file or link of a folder or checkpoint."""
    require(len(raw) <= 4096, "name above 4096 bytes", where)
    require(b"\0" not in raw, "name has a zero byte", where)
    parts = raw.split(b"/")
    require(len(parts) <= 32, "name has more than 32 parts", where)
    for part in parts:
        require(part not in (b"", b".", b".."), "name has a part that is empty, . or ..", where)
        require(len(part) <= 255, "name has a part above 255 bytes", where)
    return as_text(raw)


def link_path(name: str, target: str, where: str) -> str:
    """The name that a link leads to (section 4.1)."""
    require(len(as_bytes(target)) <= 4096, "target above 4096 bytes", where)
    folders, parts = name.split("/")[:-1], target.split("/")
    while parts and parts[0] == "..":
        require(bool(folders), "link leads out", where)
        folders.pop()
        parts.pop(0)
    require(bool(parts), "link leads to no name", where)
    return member_name(as_bytes("/".join(folders + parts)), where)


def read_time(cursor: Cursor, header: Header) -> int:
    """Nanoseconds since 1970 (section 4.1)."""
    if header.version == FIRST:
        return cursor.i64()
    seconds, nanoseconds = cursor.i64(), cursor.u32()
    cursor.check(nanoseconds < SECOND, "nanoseconds are out of range")
    return seconds * SECOND + nanoseconds


# --- Directory (section 5) --------------------------------------------------------------------------------------------

PACKED_ZSTD = 1  # coding of a packed list; 0: as it is

def read_bases(cursor: Cursor, count: int) -> tuple[Base, ...]:
    """Base records (section 4.1)."""
    cursor.check(count <= 64, "more than 64 base records")
    bases = []
    for _ in range(count):
        base = Base(cursor.take(32), cursor.u64(), cursor.take(cursor.u16()))
        cursor.check(base.length <= MAX_LENGTH, "length of a base is out of range")
        bases.append(base)
    return tuple(bases)


def read_mode(cursor: Cursor) -> int:
    """The permissions of a file (section 4.1)."""
    mode = cursor.u16()
    cursor.check(mode <= 0o777, "mode is out of range")
    return mode


def read_member_start(cursor: Cursor, header: Header) -> tuple[int, int, int]:
    """Type, flags and mode, which frame and record share (section 4.1)."""
    kind, flags = cursor.u8(), cursor.u8()
    require_known(kind in TYPES[header.version], f"member type {kind}", cursor.where)
    require_known(flags < 16, f"reserved member flags {flags:#x}", cursor.where)
    mode = read_mode(cursor)
    cursor.check(bool(flags & HAS_MODE) or mode == 0, "mode without its flag")
    if kind == BUNDLE:
        cursor.check(header.kind != 0, "bundle in a single file")
    cursor.check(kind == DATA or not flags & (HAS_MODE | HAS_TIME), "link or bundle with mode or time")
    return kind, flags, mode


def read_segment_record(cursor: Cursor) -> SegmentRecord:
    """Section 5."""
    length, blocks, frame_units, block_units = (cursor.varint() for _ in range(4))
    element = read_element(cursor)
    return SegmentRecord(length, blocks, frame_units, block_units, element, cursor.u8(), cursor.u64(), cursor.u64())


def tensor_bits(element: int, shape: tuple[int, ...], cursor: Cursor) -> int:
    """Bits of a tensor: a block type's rows are whole blocks (section 6)."""
    if 0 in shape:
        return 0
    if element not in BLOCK_TYPES:
        return prod(shape) * ELEMENTS[little_twin(element)][1]
    _, elements, fields, _ = BLOCK_TYPES[element]
    cursor.check(bool(shape) and shape[-1] % elements == 0, "rows are not whole blocks")
    return prod(shape) // elements * sum(fields) * 8


def read_tensor_name(cursor: Cursor) -> str:
    raw = cursor.take(cursor.varint())
    cursor.check(len(raw) <= 65535, "tensor name above 65535 bytes")
    return decode_utf8(raw, cursor.where)


def read_element(cursor: Cursor) -> int:
    element = cursor.u8()
    require_known(element_known(element), f"element type {element}", cursor.where)
    return element


def read_rank(cursor: Cursor) -> int:
    rank = cursor.u8()
    cursor.check(rank <= 64, "tensor of more than 64 dimensions")
    return rank


def read_shape(cursor: Cursor, rank: int) -> tuple[int, ...]:
    return tuple(cursor.varint() for _ in range(rank))


def placed_tensor(
    cursor: Cursor, record: MemberRecord, name: str, element: int, shape: tuple[int, ...], offset: int
) -> Tensor:
    """A tensor, whose bytes lie in the member (section 5)."""
    bits = tensor_bits(element, shape, cursor)
    cursor.check(bits % 8 == 0, "tensor is not a whole number of bytes")
    cursor.check(0 <= offset <= record.length - bits // 8, "tensor lies outside its member")
    return Tensor(name, element, shape, offset, bits // 8)


def read_tensor_records(cursor: Cursor, record: MemberRecord) -> tuple[Tensor, ...]:
    """The tensors of a member in version 0.1: one after another (section 10)."""
    tensors = []
    for _ in range(record.tensor_count):
        name, element, rank = read_tensor_name(cursor), read_element(cursor), read_rank(cursor)
        shape = read_shape(cursor, rank)
        tensors.append(placed_tensor(cursor, record, name, element, shape, cursor.varint()))
    return tuple(tensors)


def read_tensor_columns(cursor: Cursor, records: list[MemberRecord]) -> None:
    """The tensors of all members: field after field (section 5)."""
    count = range(sum(record.tensor_count for record in records))
    names = [read_tensor_name(cursor) for _ in count]
    elements = [read_element(cursor) for _ in count]
    ranks = [read_rank(cursor) for _ in count]
    shapes = [read_shape(cursor, rank) for rank in ranks]
    tensors = zip(names, elements, shapes, strict=True)
    for record in records:
        end, found = 0, []
        for name, element, shape in islice(tensors, record.tensor_count):
            found.append(placed_tensor(cursor, record, name, element, shape, end + cursor.zigzag()))
            end = found[-1].offset + found[-1].length
        record.tensors = tuple(found)


def read_member_record(cursor: Cursor, header: Header) -> MemberRecord:
    """One member record with its segment records and, in version 0.1, its tensor records (section 5)."""
    kind, flags, mode = read_member_start(cursor, header)
    cursor.check(bool(flags & HAS_LENGTH), "member record without length flag")
    raw_name = cursor.take(cursor.varint())
    if header.kind == 0:
        cursor.check(kind == DATA and not flags & (HAS_MODE | HAS_TIME), "single file with mode or time, or a link")
    nameless = header.kind == 0 or kind == BUNDLE
    cursor.check(not nameless or raw_name == b"", "single file or bundle with a name")
    name = "" if nameless else member_name(raw_name, cursor.where)
    link = as_text(cursor.take(cursor.varint())) if kind == LINK else None
    time = read_time(cursor, header) if flags & HAS_TIME else 0
    length, frame_size, digest = cursor.varint(), 16 * cursor.varint(), cursor.take(16)
    stored_hash, files = (cursor.u64(), cursor.varint()) if kind == BUNDLE else (None, 1)
    cursor.check(1 <= files <= MAX_COUNT, "number of files is out of range")
    sha256 = tuple(cursor.take(32) for _ in range(files)) if flags & HAS_SHA256 else ()
    base_count = cursor.varint()
    cursor.check(kind != BUNDLE or base_count == 0, "bundle with base records")
    bases = read_bases(cursor, base_count)
    segment_count, tensor_count = cursor.varint(), cursor.varint()
    segments = tuple(read_segment_record(cursor) for _ in range(segment_count))
    cursor.check(sum(record.length for record in segments) == length, "segments do not fill the member")
    cursor.check(link is None or not (length or bases or segments or tensor_count), "link with content")
    record = MemberRecord(kind, flags, mode, name, link, time, length, frame_size, digest, stored_hash, sha256, files,
                          bases, segments, tensor_count)  # fmt: skip
    if header.version == FIRST:
        record.tensors = read_tensor_records(cursor, record)
    return record


def read_packed_list(cursor: Cursor, what: str) -> Cursor:
    """A packed list (section 5); the answer reads what it holds."""
    coding = cursor.u8()
    require_known(coding <= PACKED_ZSTD, f"coding {coding} of a packed list", cursor.where)
    cursor.reserved(3)
    length, stored = cursor.u32(), cursor.u32()
    data = cursor.take(stored)
    if coding == PACKED_ZSTD:
        cursor.check(length <= 64 * stored + 65536, "packed list is too long for what is stored of it")
        data = decode_zstd(data, length, cursor)
    cursor.check(len(data) == length, "packed list of another length than is stored")
    return Cursor(data, 0, length, f"{what} of the {cursor.where}")


def read_records(cursor: Cursor, count: int, header: Header) -> list[MemberRecord]:
    """All members with their segments and tensors (sections 5 and 10)."""
    if header.version == FIRST:
        return [read_member_record(cursor, header) for _ in range(count)]
    packed = read_packed_list(cursor, "list")
    records = [read_member_record(packed, header) for _ in range(count)]
    read_tensor_columns(packed, records)
    packed.check(packed.position == packed.end, "list is longer than its content")
    return records


def read_directory(data: bytes, start: int, header: Header) -> list[MemberRecord]:
    """The directory frame, verified with the root (section 5)."""
    where = "directory"
    size = 16 * int.from_bytes(data[start : start + 3], "little")
    require(start + size == len(data) - 64, "does not end at the trailer", where)
    frame = read_frame(data, start, len(data) - 64, b"D", 0, where)
    root = hashlib.sha256(data[:64] + data[start : frame.end] + data[-64:-48]).digest()
    require(root == data[-48:-16], "root does not match", "trailer")
    cursor = Cursor(data, start + 16, frame.end, where)
    members, segments, tensors = cursor.u32(), cursor.u32(), cursor.u32()
    files = members
    if header.version == FIRST:
        cursor.reserved(4)
    else:
        files = cursor.u32()
    require(max(members, files, tensors) <= MAX_COUNT, "too many members, files or tensors", where)
    records = read_records(cursor, members, header)
    unknown = read_extensions(cursor)
    require_known(unknown is None, str(unknown), where)
    cursor.finish()
    require(sum(len(record.segments) for record in records) == segments, "number of segments is wrong", where)
    require(sum(len(record.tensors) for record in records) == tensors, "number of tensors is wrong", where)
    require(sum(record.file_count for record in records) == files, "number of files is wrong", where)
    check_members(records, header)
    return records


def check_members(records: list[MemberRecord], header: Header) -> None:
    """What header and all members together must fulfil (sections 3 and 9)."""
    where = "directory"
    require(bool(records), "no member", where)
    require(header.kind != 0 or len(records) == 1, "single file without exactly one member", where)
    total = sum(record.length for record in records)
    require(total <= MAX_LENGTH, "sum of lengths is out of range", where)
    require(header.total_length in (total, ALL_ONES), "sum of lengths differs from the header", where)
    if header.may_flags & MAY_SHA256:
        require(all(record.sha256 for record in records), "header promises a SHA-256 that a member lacks", where)


def check_names(members: Iterable[Member]) -> None:
    """No two files or links have one name (section 8), and each link leads to a file or its folder (section 4.1)."""
    files = [file for member in members for file in member.files]
    require(len({file.name for file in files}) == len(files), "two files of one name", "names")
    found = {file.name for file in files if file.link is None}
    found |= {name[:place] for name in found for place, letter in enumerate(name) if letter == "/"}
    for file in files:
        if file.link is not None:
            require(link_path(file.name, file.link, "links") in found, "link leads to no file", "links")


# --- Member and segment frames (sections 4.1, 4.2) --------------------------------------------------------------------


def read_member_frame(data: bytes, frame: Frame, member: Member, header: Header) -> None:
    """Check a member frame and that it agrees with the directory."""
    record = member.record
    require(frame.end - frame.start == record.frame_size, "size differs from the directory", f"frame of {member.label}")
    known = record.stored_hash in (None, frame.stored_hash)
    require(known, "stored hash differs from the directory", f"frame of {member.label}")
    cursor = Cursor(data, frame.start + 16, frame.end, f"frame of {member.label}")
    kind, flags, mode = read_member_start(cursor, header)
    base_count, length, time = cursor.u32(), cursor.u64(), read_time(cursor, header)
    name = cursor.take(cursor.u16())
    link = as_text(cursor.take(cursor.u16())) if kind == LINK else None
    bases = read_bases(cursor, base_count)
    expected_length = record.length if flags & HAS_LENGTH else ALL_ONES
    expected = (record.type, record.flags, record.mode, expected_length, record.time, record.name, record.link)
    agree = (kind, flags | HAS_LENGTH, mode, length, time, as_text(name), link) == expected
    cursor.check(agree and bases == record.bases, "differs from the directory")
    if kind == BUNDLE:
        cursor.check(bool(flags & HAS_LENGTH), "bundle without length")
        member.files = read_file_table(cursor, record)
        check_tensors(member)
    else:
        has_mode, has_time = flags & HAS_MODE or None, flags & HAS_TIME or None
        sha256 = record.sha256[0] if record.sha256 else None
        member.files = [File(record.name, has_mode and mode, has_time and time, 0, record.length, sha256, link)]
    unknown = read_extensions(cursor)
    if unknown:
        member.refuse(unknown)
    cursor.finish()


def read_file_table(cursor: Cursor, record: MemberRecord) -> list[File]:
    """The files of a bundle (section 4.1)."""
    count = cursor.varint()
    cursor.check(count == record.file_count, "number of files differs from the directory")
    packed = read_packed_list(cursor, "file table")
    names = [member_name(packed.take(packed.varint()), packed.where) for _ in range(count)]
    lengths = [packed.varint() for _ in range(count)]
    flags = packed.take(count)
    require_known(max(flags) <= HAS_MODE | HAS_TIME, "reserved flags of a file", packed.where)
    modes = [read_mode(packed) if each & HAS_MODE else None for each in flags]
    times: list[int | None] = []
    seconds = 0
    for each in flags:
        times.append(None)
        if each & HAS_TIME:
            seconds += packed.zigzag()
            packed.check(-(2**63) <= seconds < 2**63, "time is out of range")
            nanoseconds = packed.varint()
            packed.check(nanoseconds < SECOND, "nanoseconds are out of range")
            times[-1] = seconds * SECOND + nanoseconds
    packed.check(packed.position == packed.end, "list is longer than its content")
    packed.check(sum(lengths) == record.length, "files do not fill the member")
    starts = accumulate(lengths, initial=0)
    digests = record.sha256 or (None,) * count
    return [File(*fields) for fields in zip(names, modes, times, starts, lengths, digests, strict=False)]


def check_tensors(member: Member) -> None:
    """Each tensor of a bundle is of the first file, from that of the tensor before on, that holds it (section 5)."""
    files = iter(member.files)
    file = next(files)
    for tensor in member.record.tensors:
        while file.end < tensor.offset + tensor.length:
            file = next(files)  # there is one: tensors lie in the member
        require(file.start <= tensor.offset, "tensor lies outside its file", f"tensors of {member.label}")


def read_segment_frame(data: bytes, frame: Frame, number: int, member: Member) -> Segment:
    """Parse and check a segment frame. A codec that is not known marks the member and ends the checks there."""
    cursor = Cursor(data, frame.start + 16, frame.end, f"frame of segment {number}")
    offset, length, per_block, row_length = cursor.u64(), cursor.u64(), cursor.u32(), cursor.u32()
    element, codec, j, table_count = cursor.u8(), cursor.u8(), cursor.u8(), cursor.u8()
    window_base, reference_count, coder = cursor.u16(), cursor.u8(), cursor.u8()
    require_known(element_known(element), f"element type {element}", cursor.where)
    segment = Segment(number, offset, length, per_block, row_length, element, codec, j, window_base, coder)
    if big_endian(element):
        segment.element, segment.big_endian = little_twin(element), True
    cursor.check(length >= 1, "segment is empty")
    if codec not in MODES_OF_CODEC:
        member.refuse(f"codec {codec} of segment {number}")
        return segment
    require_known(coder <= CODER_NODES, f"coder {coder}", cursor.where)
    check_segment_fields(segment, cursor)
    cursor.check(table_count <= 32, "more than 32 tables")
    if coder == CODER_RANS:
        segment.contexts = read_contexts(cursor, [read_rans_table(cursor) for _ in range(table_count)], segment)
    else:
        segment.tables = [read_table(cursor) for _ in range(table_count)]
    cursor.check(reference_count <= 4, "more than 4 references")
    cursor.check(reference_count == 0 or member.record.type != BUNDLE, "reference in a bundle")
    cursor.check(codec != LATTICE or reference_count == 0, "reference in codec lattice")
    one = codec not in (COPY, CAST, REPLAY) or reference_count == 1
    cursor.check(one, f"codec {CODEC_NAMES[codec]} without exactly one reference")
    for _ in range(reference_count):
        kind = cursor.u8()
        if kind > 1:
            member.refuse(f"reference kind {kind} of segment {number}")
            return segment
        segment.references.append(Reference(kind, cursor.varint(), cursor.varint()))
    if codec == SYMBOLS:
        segment.palette = read_palette(cursor, segment)
        check_symbols_fields(segment, cursor)
    if codec == LATTICE:
        try:
            segment.lattice = read_lattice(cursor, segment, member)
        except Unsupported as refusal:
            member.refuse(str(refusal))
            return segment
        check_segment_fields(segment.codes, cursor)
        check_symbols_fields(segment.codes, cursor)
    if codec == CAST:
        segment.referred = read_referred(cursor, segment)
    if codec == REPLAY:
        segment.referred = read_replayed(cursor, segment)
    if codec == DELTA:
        segment.t = cursor.u8()
        cursor.check(segment.t <= 240, "T is above 240")
        segment.prediction = read_prediction(cursor, segment)
        segment.constants = struct.unpack(segment.prediction.constants, cursor.take(segment.prediction.constant_bytes))
        segment.q = read_quiet(cursor, segment)
    of_values = rans_tables(segment)[1 if segment.q else 0 :]  # not that of gaps
    present = set().union(*map(present_symbols, segment.tables), *(table.symbols for table in of_values))
    cursor.check(present <= segment.meaningful, "table has a symbol that stands for nothing")
    unknown = read_extensions(cursor)
    if unknown:
        member.refuse(f"{unknown} of segment {number}")
    cursor.finish()
    return segment


def check_segment_fields(segment: Segment, cursor: Cursor) -> None:
    """The fields of a segment frame whose codec is known (section 4.2, float.md, delta.md)."""
    cursor.check(segment.length % segment.width == 0, "length is not a multiple of the value width")
    in_bytes = segment.element in BLOCK_TYPES and segment.codec != BYTES
    size = segment.values_per_block * (segment.width if in_bytes else 1)
    most = MAX_BLOCK_BYTES if in_bytes else MAX_PLAIN_BYTES if segment.codec == BYTES else MAX_VALUES
    cursor.check(1 <= size <= most, "values a block out of range")
    one_block = segment.length // segment.width <= segment.values_per_block
    least = MIN_BLOCK_BYTES_OF_MANY if in_bytes else MIN_VALUES_OF_MANY
    cursor.check(one_block or size >= least, "blocks are too small")
    cursor.check(segment.row_length <= segment.values_per_block, "row length is above the values a block")
    if segment.codec not in WITH_ROWS:
        cursor.check(segment.row_length == 0, "row length outside its codecs")
        coder = CODER_RANS if segment.codec == REPLAY else CODER_HUFFMAN
        cursor.check(segment.coder == coder, "coder outside its codecs")
    if segment.codec == LATTICE:  # whose codes tell more
        cursor.check(segment.element in (BF16, F16, F32), "codec lattice for another element type")
        return
    if segment.codec != FLOAT:
        cursor.check(segment.j == 0 and segment.window_base == 0, "J or window base outside codec float")
    elif segment.element not in FLOAT_FORMS:
        cursor.fail("codec float for another element type")
    else:
        cursor.check(segment.j in FLOAT_FORMS[segment.element].allowed_j, "J is not allowed for the element type")
        highest = {9: 256, 10: 768}.get(segment.field_bits, 0)
        cursor.check(segment.window_base <= highest, f"window base is above {highest}")
    referring = segment.codec in (CAST, DELTA)
    cursor.check(not (referring and segment.big_endian), "big-endian values that refer to others")
    if segment.codec == REPLAY:
        cursor.check(segment.element in REPLAYED, "codec replay does not know this type")
        elements = segment.values_per_block * BLOCK_TYPES[segment.element][1]
        cursor.check(elements <= MAX_VALUES, "elements a block out of range")
    if segment.codec == DELTA:
        cursor.check(segment.coder == CODER_RANS, "codec delta with another coder than rANS")
        typed = segment.element != T_BYTES and segment.element not in BLOCK_TYPES
        cursor.check(typed, "codec delta for bytes or a block type")
    if segment.coder != CODER_RANS:
        step_fits = segment.codec != FLOAT or segment.row_length % 32 == 0
        cursor.check(step_fits, "row length is not a multiple of 32")
    elif segment.codec in (FLOAT, DELTA):
        check_rows(segment, segment.values_per_block, cursor)


def check_rows(segment: Segment, symbols_per_block: int, cursor: Cursor) -> None:
    """Blocks of coder rANS are whole rows (rans.md)."""
    whole = segment.row_length == 0 or symbols_per_block % segment.row_length == 0
    cursor.check(whole, "symbols a block are not whole rows")


def check_references(segment: Segment, member: Member, members: list[Member], header: Header) -> None:
    """References lie in a base, or in the container before the segment (section 4.2)."""
    where = f"reference of segment {segment.number}"
    for reference in segment.references:
        end = reference.offset + segment.length // segment.width * segment.referred_width
        if reference.kind == 1:
            require(bool(header.must_flags & MUST_BASE), "header does not tell of a base", where)
            require(reference.number < len(member.record.bases), "no such base record", where)
            require(end <= member.record.bases[reference.number].length, "range lies outside the base", where)
            continue
        require(bool(header.must_flags & MUST_EARLIER), "header does not tell of an earlier range", where)
        require(reference.number <= member.number, "range does not precede", where)
        require(members[reference.number].record.type != BUNDLE, "range of a bundle", where)
        same = reference.number == member.number
        limit = segment.offset if same else members[reference.number].record.length
        require(end <= limit, "range does not precede or lies outside its member", where)
        target = member if same else members[reference.number]
        overlaps = any(
            other.needs_earlier and other.offset < end and reference.offset < other.offset + other.length
            for other in target.segments
            if not same or other.offset < segment.offset
        )
        require(not overlaps, "range holds bytes of a segment that refers to an earlier range itself", where)


# --- The walk over all frames (section 5) -----------------------------------------------------------------------------


class Walk:
    """Meets every frame from offset 64 to the block tables, in order, and compares it with the index."""

    def __init__(self, data: bytes, header: Header, tables: int, directory: int) -> None:
        self.data = data
        self.header = header
        self.position = 64
        self.frames_end = tables
        self.entries = Cursor(data, tables, directory, "block tables")
        self.members: list[Member] = []
        self.segment_count = 0

    def frame(self, kind: bytes, tag: int | None, where: str, ordinal: int = 0) -> Frame:
        frame = read_frame(self.data, self.position, self.frames_end, kind, tag, where, ordinal)
        self.position = frame.end
        return frame

    def run(self, records: Iterable[MemberRecord]) -> list[Member]:
        for record in records:
            self.member(record)
        require(self.position == self.frames_end, "frames do not end at the block tables", "last frame")
        self.entries.pad()
        require(self.entries.position == self.entries.end, "longer than the number of blocks", "block tables")
        check_names(self.members)
        return self.members

    def member(self, record: MemberRecord) -> None:
        member = Member(len(self.members), record)
        frame = self.frame(b"M", member.number, f"frame of {member.label}")
        read_member_frame(self.data, frame, member, self.header)
        self.members.append(member)
        offset = 0
        for segment_record in record.segments:
            segment = self.segment(segment_record, member)
            require(segment.offset == offset, "segments do not tile the member", f"segment {segment.number}")
            offset += segment.length

    def segment(self, record: SegmentRecord, member: Member) -> Segment:
        number = self.segment_count
        self.segment_count += 1
        where = f"segment {number}"
        frame = self.frame(b"S", number, f"frame of {where}")
        require(frame.stored_hash == record.stored_hash, "stored hash differs from the directory", where)
        require(frame.end - frame.start == 16 * record.frame_units, "frame size differs from the directory", where)
        segment = read_segment_frame(self.data, frame, number, member)
        found = (segment.length, segment.code, segment.codec)
        require(found == (record.length, record.element, record.codec), "differs from the directory", where)
        check_references(segment, member, self.members, self.header)
        self.blocks(segment, record)
        member.segments.append(segment)
        return segment

    def blocks(self, segment: Segment, record: SegmentRecord) -> None:
        where = f"segment {segment.number}"
        start, entries = self.position, self.entries.position
        counts: Iterable[int | None] = [None] * min(record.blocks, (self.frames_end - start) // 16)
        if segment.codec < len(CODEC_NAMES):
            values = segment.length // segment.width
            require(record.blocks == -(-values // segment.values_per_block), "number of blocks is wrong", where)
            counts = pieces(values, segment.values_per_block)
        require(record.blocks >= 1, "has no block", where)
        decoded_hash = 0
        for ordinal, count in enumerate(counts):
            decoded_hash = self.block(segment, ordinal, count, record.blocks > 1)
        require(len(segment.blocks) == record.blocks, "number of blocks is wrong", where)
        require(self.position - start == 16 * record.block_units, "size of blocks differs from the directory", where)
        if self.header.version != FIRST and record.blocks == 1:
            require(decoded_hash == record.table_hash, "decoded hash of its block differs from the directory", where)
        else:
            table = self.data[entries : self.entries.position]
            require(xxh3_64(table) == record.table_hash, "hash of the block table does not match", where)

    def block(self, segment: Segment, ordinal: int, count: int | None, several: bool) -> int:
        """One block frame against its line of the block table (sections 4.3, 5, 9 and 10); its decoded hash."""
        where = f"block {ordinal} of segment {segment.number}"
        frame = self.frame(b"B", count, where, ordinal)
        size = frame.end - frame.start
        require(size >= 32, "block frame is too short", where)
        require(count is None or size <= count * segment.width + 128, "block frame is too long", where)
        segment.blocks.append(frame)
        decoded_hash = int.from_bytes(self.data[frame.start + 16 : frame.start + 24], "little")
        if self.header.version == FIRST:
            line = struct.pack("<IIQ", size // 16, frame.stored_hash & 0xFFFFFFFF, decoded_hash)
        else:
            line = struct.pack("<IQ", size // 16, decoded_hash) if several else b""
        require(self.entries.take(len(line)) == line, "differs from the block table", where)
        return decoded_hash


def open_container(data: bytes) -> Container:
    """Verify everything but the decoded content, in the order of section 5."""
    tables, directory = read_trailer(data)
    header = read_header(data)
    records = read_directory(data, directory, header)
    return Container(data, header, Walk(data, header, tables, directory).run(records))


# --- Huffman tables and sub-streams (huffman.md) ----------------------------------------------------------------------

MAX_CODE_LENGTH = 11


def read_table(cursor: Cursor) -> Table:
    """Parse and check a table."""
    lengths = bytearray(256)
    next_symbol = 0
    for _ in range(cursor.u8()):
        first, count = cursor.u8(), cursor.u8() + 1
        cursor.check(first >= next_symbol, "runs of a table do not ascend")
        next_symbol = first + count
        cursor.check(next_symbol <= 256, "run of a table ends above symbol 255")
        nibbles = [nibble for byte in cursor.take((count + 1) // 2) for nibble in (byte & 15, byte >> 4)]
        cursor.check(not any(nibbles[count:]), "unused nibble of a table is not zero")
        lengths[first:next_symbol] = bytes(nibbles[:count])
    check_lengths(lengths, cursor)
    return bytes(lengths)


def present_symbols(table: Table) -> list[int]:
    return [symbol for symbol, length in enumerate(table) if length]


def check_lengths(lengths: bytearray, cursor: Cursor) -> None:
    """A table is complete: every 11-bit window is a valid code."""
    used = [length for length in lengths if length]
    cursor.check(len(used) >= 2, "table of fewer than two symbols")
    cursor.check(max(used) <= MAX_CODE_LENGTH, "code length above 11")
    kraft = sum(1 << (MAX_CODE_LENGTH - length) for length in used)
    cursor.check(kraft == 1 << MAX_CODE_LENGTH, "Kraft sum is not 1")


@lru_cache(maxsize=256)
def code_windows(table: Table) -> list[int]:
    """For each 11-bit window, code length × 256 + symbol: canonical codes, bit-reversed."""
    used = sorted((length, symbol) for symbol, length in enumerate(table) if length)
    windows = [0] * (1 << MAX_CODE_LENGTH)
    code, previous = 0, used[0][0]
    for length, symbol in used:
        code <<= length - previous
        reversed_code = int(f"{code:0{length}b}"[::-1], 2)
        windows[reversed_code :: 1 << length] = [length << 8 | symbol] * (1 << (MAX_CODE_LENGTH - length))
        code, previous = code + 1, length
    return windows


def split_group(symbols: int, stream: int) -> list[int]:
    """Numbers of symbols of the 8 sub-streams of a group."""
    return [min(stream, max(0, symbols - part * stream)) for part in range(8)]


def unsorted_geometry(count: int) -> list[int]:
    """Numbers of symbols of the 32 sub-streams when coded order is natural order."""
    stream = -(-count // (32 * 256)) * 256
    groups = [min(8 * stream, max(0, count - 8 * stream * group)) for group in range(4)]
    return [part for symbols in groups for part in split_group(symbols, stream)]


def sorted_geometry(groups: Iterable[int]) -> list[int]:
    """Numbers of symbols of the 32 sub-streams, given those of the 4 groups of sorted rows."""
    return [part for symbols in groups for part in split_group(symbols, -(-symbols // (8 * 32)) * 32)]


def decode_stream(payload: bytes, table: Table, count: int, cursor: Cursor) -> list[int]:
    """The symbols of one sub-stream in coded order; its last bit and unused bits are checked."""
    windows = code_windows(table)
    symbols = []
    bits = have = loaded = 0
    for _ in range(count):
        if have < MAX_CODE_LENGTH:
            bits |= int.from_bytes(payload[loaded : loaded + 32], "little") << have
            loaded, have = loaded + 32, have + 256
        entry = windows[bits & 2047]
        length = entry >> 8
        bits >>= length
        have -= length
        symbols.append(entry & 255)
    used = 8 * loaded - have
    cursor.check((used + 7) // 8 == len(payload), "sub-stream does not end where its length says")
    cursor.check(bits == 0, "unused bits of a sub-stream are not zero")
    symbols.reverse()
    return symbols


def read_lengths(cursor: Cursor, base_length: int, wide: bool) -> list[int]:
    """Lengths in bytes of the 32 sub-streams."""
    return [base_length + (cursor.u16() if wide else cursor.u8()) for _ in range(32)]


def read_streams(cursor: Cursor, lengths: list[int], geometry: list[int], tables: Sequence[Table]) -> list[int]:
    """All symbols of a block or section in coded order; `tables` holds one for each group."""
    symbols: list[int] = []
    for index, (length, count) in enumerate(zip(lengths, geometry, strict=True)):
        symbols += decode_stream(cursor.take(length), tables[index // 8], count, cursor)
    return symbols


# --- Nodes (nodes.md) -------------------------------------------------------------------------------------------------

MOST_FLAT = 6


@dataclass(frozen=True)
class Node:
    """A node of a code's tree: its symbols from left to right, and k of FLAT(k), or the children of INNER."""

    symbols: tuple[int, ...]
    flat: int | None = None
    children: tuple[Node, Node] | None = None


def flat_size(node: Node) -> int:
    """The order of items: FLAT by k, then INNER."""
    return MOST_FLAT + 1 if node.flat is None else node.flat


@lru_cache(maxsize=256)
def code_tree(table: Table) -> Node:
    """The tree of a code, from its lengths."""
    items: list[Node] = []
    for length in range(MAX_CODE_LENGTH, 0, -1):
        items += [Node((symbol,), 0) for symbol in range(256) if table[symbol] == length]
        items.sort(key=flat_size)
        flats, left_over = [], []
        while items:
            first = items.pop(0)
            if flat_size(first) < MOST_FLAT and items and items[0].flat == first.flat:
                flats.append(Node(first.symbols + items.pop(0).symbols, flat_size(first) + 1))
            else:
                left_over.append(first)
        pairs = [(left_over[i], left_over[-1 - i]) for i in range(len(left_over) // 2)]
        items = flats + [Node(left.symbols + right.symbols, children=(left, right)) for left, right in pairs]
    return items[0]


def read_fields(cursor: Cursor, count: int, bits: int) -> list[int]:
    """Fields of a node; its unused bits are checked."""
    rest = int.from_bytes(cursor.take((count * bits + 7) // 8), "little")
    cursor.check(rest >> count * bits == 0, "unused bits of a node are not zero")
    digits = f"{rest:0{max(1, count * bits)}b}"[::-1]
    return [int(digits[at : at + bits][::-1], 2) for at in range(0, count * bits, bits)]


def read_node(cursor: Cursor, node: Node, count: int) -> list[int]:
    """The symbols of a node."""
    if node.children is None:
        numbers = read_fields(cursor, count, node.flat) if node.flat else [0] * count
        return [node.symbols[number] for number in numbers]
    turns = read_fields(cursor, count, 1)
    right_count = sum(turns)
    left = iter(read_node(cursor, node.children[0], count - right_count))
    right = iter(read_node(cursor, node.children[1], right_count))
    return [next(right if turn else left) for turn in turns]


def read_lists(cursor: Cursor, lengths: Sequence[int], groups: Sequence[int], tables: Sequence[Table]) -> list[int]:
    """All symbols of a block in coded order."""
    symbols: list[int] = []
    for length, count, table in zip(lengths, groups, tables, strict=True):
        end = cursor.position + length
        symbols += read_node(cursor, code_tree(table), count)
        cursor.check(cursor.position == end, "nodes do not end where the length of their list says")
    return symbols


def group_sizes(geometry: Sequence[int]) -> list[int]:
    """Numbers of symbols of the 4 groups, given those of the sub-streams."""
    return [sum(geometry[first : first + 8]) for first in range(0, 32, 8)]


# --- Modes raw, constant, zstd, lz4 (bytes.md) ------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """What a mode needs to know of its block; the cursor stands at byte 25."""

    cursor: Cursor
    segment: Segment
    values: int
    referred: Callable[[int], bytes]  # for modes copy, cast, delta: what belongs to the block in a reference's range
    inner: bool = False  # a block inside one of mode sparse
    first: int = 0  # the number of its first value in the segment

    @property
    def length(self) -> int:
        return self.values * self.segment.width


def reserved_fields(cursor: Cursor) -> None:
    """Flags and bytes 26 to 31 of modes that use neither."""
    cursor.reserved(7)


def payload_length(cursor: Cursor) -> int:
    """Flags, u16 zero and the length of a payload."""
    cursor.reserved(3)
    return cursor.u32()


def decode_zstd(payload: bytes, length: int, cursor: Cursor) -> bytes:
    """One zstd frame with its content size, a window of at most 2^24 and no dictionary."""
    try:
        parameters = zstandard.get_frame_parameters(payload)
        cursor.check(payload[:4] == b"\x28\xb5\x2f\xfd", "not a zstd frame")
        cursor.check(parameters.content_size == length, "content size of the zstd frame is absent or wrong")
        cursor.check(parameters.window_size <= 2**24, "window of the zstd frame is too large")
        cursor.check(parameters.dict_id == 0, "zstd frame needs a dictionary")
        decoder = zstandard.ZstdDecompressor(max_window_size=2**24)
        decoded = decoder.decompress(payload, max_output_size=length, allow_extra_data=False)
    except zstandard.ZstdError:
        cursor.fail("zstd frame cannot be decoded")
    cursor.check(len(decoded) == length, "zstd frame decodes to another length")
    return decoded


def decode_lz4(payload: bytes, length: int, cursor: Cursor) -> bytes:
    """One LZ4 block."""
    try:
        decoded = lz4.block.decompress(payload, uncompressed_size=length)
    except (lz4.block.LZ4BlockError, ValueError):
        cursor.fail("lz4 block cannot be decoded")
    cursor.check(len(decoded) == length, "lz4 block decodes to another length")
    return decoded


def mode_raw(block: Block) -> bytes:
    reserved_fields(block.cursor)
    return block.cursor.take(block.length)


def mode_constant(block: Block) -> bytes:
    reserved_fields(block.cursor)
    return block.cursor.take(block.segment.width) * block.values


def mode_zstd(block: Block) -> bytes:
    payload = block.cursor.take(payload_length(block.cursor))
    return decode_zstd(payload, block.length, block.cursor)


def mode_lz4(block: Block) -> bytes:
    payload = block.cursor.take(payload_length(block.cursor))
    return decode_lz4(payload, block.length, block.cursor)


# --- Mode planes (planes.md) ------------------------------------------------------------------------------------------


def read_section(cursor: Cursor, count: int) -> bytes:
    """One plane section: `count` bytes."""
    mode, byte, base_length, length = cursor.u8(), cursor.u8(), cursor.u16(), cursor.u32()
    cursor.reserved(8)
    end = cursor.position + length
    cursor.check(end <= cursor.end, "plane section runs past the end of its frame")
    payload = Cursor(cursor.data, cursor.position, end, cursor.where)
    require_known(mode in (RAW, CONSTANT, ZSTD, HUFFMAN, NODES), f"mode {mode} of a plane section", cursor.where)
    cursor.check(mode == HUFFMAN or base_length == 0, "base length of a section that has none")
    cursor.check(mode in (CONSTANT, HUFFMAN) or byte == 0, "byte 1 of a section is set")
    plane = decode_section(payload, mode, byte, base_length, count)
    payload.check(payload.position == end, "plane section is longer than its content")
    cursor.take(length)
    cursor.pad()
    return plane


def decode_section(payload: Cursor, mode: int, byte: int, base_length: int, count: int) -> bytes:
    """The payload of a plane section."""
    if mode == RAW:
        return payload.take(count)
    if mode == CONSTANT:
        return bytes([byte]) * count
    if mode == ZSTD:
        return decode_zstd(payload.take(payload.end - payload.position), count, payload)
    if mode == NODES:
        return bytes(read_node(payload, code_tree(read_table(payload)), count))
    require_known(byte < 2, "reserved flags of a plane section", payload.where)
    lengths = read_lengths(payload, base_length, wide=bool(byte & 1))
    table = read_table(payload)
    payload.pad()
    return bytes(read_streams(payload, lengths, unsorted_geometry(count), [table] * 4))


def interleave(planes: Sequence[bytes]) -> bytes:
    """Values from their bytes, in order."""
    values = bytearray(len(planes) * len(planes[0]))
    for index, plane in enumerate(planes):
        values[index :: len(planes)] = plane
    return bytes(values)


def mode_planes(block: Block) -> bytes:
    if block.segment.element in BLOCK_TYPES:
        return mode_fields(block)
    reserved_fields(block.cursor)
    return interleave([read_section(block.cursor, block.values) for _ in range(block.segment.width)])


def mode_fields(block: Block) -> bytes:
    """Mode planes of a block type."""
    cursor, count = block.cursor, block.values
    _, _, sizes, scales = BLOCK_TYPES[block.segment.element]
    flags = cursor.u8()
    require_known(flags < 2, f"reserved flags {flags:#x} of mode planes", cursor.where)
    if not flags:
        cursor.reserved(6)
    bounds = [cursor.u16() for _ in range(3)] if flags else []
    cursor.check(not flags or bool(scales), "groups of a type without scale")
    cursor.check(bounds == sorted(bounds), "bounds of groups do not ascend")
    planes = {index: read_section(cursor, count) for index, size in enumerate(sizes) if size == 1}
    if len(scales) == 2:
        low, high = planes[scales[0] + 1], planes[scales[1] + 1]
        planes[scales[1] + 1] = bytes((a + b) & 255 for a, b in zip(high, low, strict=True))
    keys = [int.from_bytes(pair, "little") for pair in zip(*(planes[scales[0] + at] for at in (0, 1)))] if flags else []
    if flags and len(scales) == 2:
        minima = [int.from_bytes(pair, "little") for pair in zip(*(planes[scales[1] + at] for at in (0, 1)))]
        keys = [(minimum - scale) & 0xFFFF for minimum, scale in zip(minima, keys, strict=True)]
    groups = [sum(bound <= key for bound in bounds) for key in keys] if flags else [0] * count
    for index, size in enumerate(sizes):
        if size > 1:
            planes[index] = read_grouped(cursor, groups, size)
    values = [[planes[index][at * size : (at + 1) * size] for index, size in enumerate(sizes)] for at in range(count)]
    return b"".join(field_bytes for value in values for field_bytes in value)


def read_grouped(cursor: Cursor, groups: list[int], size: int) -> bytes:
    """The plane of a field of `size` bytes, given the group of each value: a section for each group that has values."""
    pieces_of: dict[int, Iterator[bytes]] = {}
    for group in sorted(set(groups)):
        plane = read_section(cursor, groups.count(group) * size)
        pieces_of[group] = iter([plane[at : at + size] for at in range(0, len(plane), size)])
    return b"".join(next(pieces_of[group]) for group in groups)


# --- Codec float (float.md) -------------------------------------------------------------------------------------------


def unpack_r8(unit: bytes) -> list[int]:
    return list(unit)


def unpack_r7(unit: bytes) -> list[int]:
    raw = [byte >> 1 for byte in unit]
    last_row = [sum((unit[32 * row + column] & 1) << row for row in range(7)) for column in range(32)]
    return raw + last_row


def unpack_r6(unit: bytes) -> list[int]:
    raw = []
    for half in (unit[:96], unit[96:]):
        raw += [byte >> 2 for byte in half]
        raw += [sum((half[32 * row + column] & 3) << 2 * row for row in range(3)) for column in range(32)]
    return raw


def unpack_r9(unit: bytes) -> list[int]:
    return [unit[32 + index] | (unit[index % 32] >> index // 32 & 1) << 8 for index in range(256)]


def unpack_r10(unit: bytes) -> list[int]:
    raw = []
    for half in (unit[:160], unit[160:]):
        raw += [half[32 + index] | (half[index % 32] >> 2 * (index // 32) & 3) << 8 for index in range(128)]
    return raw


def unpack_r3(unit: bytes) -> list[int]:
    raw = [byte & 7 for byte in unit] + [byte >> 3 & 7 for byte in unit]
    for bit in (6, 7):
        raw += [sum((unit[32 * row + column] >> bit & 1) << row for row in range(3)) for column in range(32)]
    return raw


def unpack_r2(unit: bytes) -> list[int]:
    return [byte >> 2 * row & 3 for row in range(4) for byte in unit]


RAW_UNITS: dict[int, tuple[int, Callable[[bytes], list[int]]]] = {
    8: (256, unpack_r8),
    7: (224, unpack_r7),
    6: (192, unpack_r6),
    9: (288, unpack_r9),
    10: (320, unpack_r10),
    3: (96, unpack_r3),
    2: (64, unpack_r2),
}


def read_raw_plane(cursor: Cursor, bits: int, count: int) -> list[int]:
    """The raw values of a block; those that fill the last unit are zero."""
    size, unpack = RAW_UNITS[bits]
    units = -(-count // 256)
    plane = cursor.take(size * units)
    raw = [value for start in range(0, len(plane), size) for value in unpack(plane[start : start + size])]
    cursor.check(not any(raw[count:]), "fill of the raw plane is not zero")
    return raw[:count]


def read_raw(cursor: Cursor, segment: Segment, count: int) -> tuple[list[int], list[bytes]]:
    """What a block of codec float holds beside symbols: the raw plane and, for F32, the two byte planes below."""
    raw = read_raw_plane(cursor, segment.raw_bits, count)
    return raw, [read_section(cursor, count) for _ in range(2)] if segment.element == F32 else []


def field_values(segment: Segment, raw_bits: int, coded_bits: int) -> list[int | None]:
    """For each symbol its field, shifted above the raw bits; None where the field does not fit."""
    limit = 1 << (coded_bits - raw_bits)
    fields = [0] + [symbol + segment.window_base for symbol in range(1, 256)]
    return [value << raw_bits if value < limit else None for value in fields]


def coded_parts(symbols: list[int], raw: list[int], segment: Segment, cursor: Cursor) -> list[int]:
    """Join symbols and raw bits and rotate the sign, if there is one, back to the top."""
    form = FLOAT_FORMS[segment.element]
    sign = form.coded_bits - 1
    fields = field_values(segment, segment.raw_bits, form.coded_bits)
    parts = []
    for symbol, low in zip(symbols, raw, strict=True):
        value = fields[symbol]
        if value is None:
            cursor.fail("symbol stands for a field that does not exist")
        rotated = value | low
        parts.append(rotated if segment.j & UNSIGNED else rotated >> 1 | (rotated & 1) << sign)
    return parts


def row_order(cursor: Cursor, segment: Segment, count: int) -> list[list[int]]:
    """The rows of each of the 4 groups of sorted rows, in coded order."""
    length = segment.row_length
    cursor.check(length != 0 and length % 32 == 0, "row length does not allow sorted rows")
    rows, rest = divmod(count, length)
    cursor.check(rest == 0 and rows >= 8, "block is not of at least 8 whole rows")
    packed = int.from_bytes(cursor.take(-(-rows // 4)), "little")
    cursor.check(packed >> 2 * rows == 0, "unused bits of the row groups are not zero")
    groups: list[list[int]] = [[], [], [], []]
    for row in range(rows):
        groups[packed >> 2 * row & 3].append(row)
    share = -(-rows // 4)
    for group, members in enumerate(groups):
        cursor.check(len(members) == max(0, min(share, rows - group * share)), "row group of a wrong size")
    return groups


def unsort(coded: list[int], groups: list[list[int]], length: int) -> list[int]:
    """Symbols in natural order, from those in coded order."""
    natural = [0] * len(coded)
    order = [row for group in groups for row in group]
    for place, row in enumerate(order):
        natural[row * length : (row + 1) * length] = coded[place * length : (place + 1) * length]
    return natural


def apply_patches(cursor: Cursor, parts: list[int], coded_bits: int) -> None:
    """Replace whole coded parts."""
    cursor.pad(2)
    count = cursor.u16()
    cursor.check(16 * count <= len(parts), "too many patches")
    previous = -1
    for _ in range(count):
        unit, place, coded = cursor.u16(), cursor.u16(), cursor.u16()
        position = 256 * unit + place
        cursor.check(place < 256, "place of a patch is out of range")
        cursor.check(previous < position < len(parts), "patches do not ascend or lie outside the block")
        cursor.check(coded < 1 << coded_bits, "patch is wider than a coded part")
        parts[position] = coded
        previous = position


def join_coded(parts: list[int], coded_bits: int, low_planes: list[bytes]) -> bytes:
    """Values from their coded parts and, for F32, the two byte planes below."""
    if coded_bits == 8:
        return bytes(parts)
    packed = struct.pack(f"<{len(parts)}H", *parts)
    return interleave([*low_planes, packed[0::2], packed[1::2]])


def group_tables(cursor: Cursor, numbers: bytes, segment: Segment) -> list[Table]:
    """The tables of the 4 groups; the inline one is read here if a group names it."""
    inline = read_table(cursor) if 255 in numbers else None
    if inline:
        fits = segment.meaningful.issuperset(present_symbols(inline))
        cursor.check(fits, "table has a symbol that stands for nothing")
    tables = []
    for number in numbers:
        table = inline if number == 255 else segment.tables[number] if number < len(segment.tables) else None
        if table is None:
            cursor.fail(f"no table {number}")
        tables.append(table)
    return tables


def mode_huffman(block: Block) -> bytes:
    """Mode huffman of the codecs float and symbols."""
    block.cursor.check(block.segment.coder == CODER_HUFFMAN, "mode huffman in a segment of another coder")
    return coded_float(block) if block.segment.codec == FLOAT else huffman_symbols(block)


def mode_nodes(block: Block) -> bytes:
    """Mode nodes of the codecs float and symbols."""
    block.cursor.check(block.segment.coder == CODER_NODES, "mode nodes in a segment of another coder")
    return coded_float(block) if block.segment.codec == FLOAT else nodes_symbols(block)


def read_nodes_fields(cursor: Cursor) -> tuple[bytes, list[int]]:
    """Table numbers and lengths of the lists of a block of mode nodes."""
    cursor.reserved(2)
    numbers = cursor.take(4)
    cursor.check(255 not in numbers, "inline table in mode nodes")
    return numbers, [cursor.u32() for _ in range(4)]


def coded_float(block: Block) -> bytes:
    """float.md, block of mode huffman or nodes."""
    cursor, segment, count = block.cursor, block.segment, block.values
    form = FLOAT_FORMS[segment.element]
    by_nodes = segment.coder == CODER_NODES
    flags = cursor.u8()
    known = 6 if by_nodes else 7
    require_known(flags & ~known == 0, f"reserved flags {flags:#x} of the mode", cursor.where)
    wide, is_sorted, patched = flags & 1, flags & 2, flags & 4
    cursor.check(not (is_sorted and block.inner), "sorted rows inside mode sparse")
    if by_nodes:
        numbers, lengths = read_nodes_fields(cursor)
    else:
        base_length, numbers = cursor.u16(), cursor.take(4)
        lengths = read_lengths(cursor, base_length, wide=bool(wide))
    groups = row_order(cursor, segment, count) if is_sorted else []
    tables = group_tables(cursor, numbers, segment)
    cursor.pad()
    raw, low_planes = read_raw(cursor, segment, count)
    sizes = [len(group) * segment.row_length for group in groups]
    geometry = sorted_geometry(sizes) if is_sorted else unsorted_geometry(count)
    if by_nodes:
        symbols = read_lists(cursor, lengths, group_sizes(geometry), tables)
    else:
        symbols = read_streams(cursor, lengths, geometry, tables)
    if is_sorted:
        symbols = unsort(symbols, groups, segment.row_length)
    parts = coded_parts(symbols, raw, segment, cursor)
    if patched:
        apply_patches(cursor, parts, form.coded_bits)
    return join_coded(parts, form.coded_bits, low_planes)


def read_codes(cursor: Cursor, count: int) -> list[int]:
    """The four-bit codes of fixed4.md."""
    codes: list[int] = []
    for _ in range(-(-count // 64)):
        unit = cursor.take(32)
        codes += [byte & 15 for byte in unit] + [byte >> 4 for byte in unit]
    cursor.check(not any(codes[count:]), "unused codes are not zero")
    return codes[:count]


def mode_fixed4(block: Block) -> bytes:
    """fixed4.md."""
    cursor, segment = block.cursor, block.segment
    cursor.check(segment.element == BF16 and segment.j == 0, "mode fixed4 outside BF16 with J = 0")
    escape_count = payload_length(cursor)
    codebook = cursor.take(16)
    cursor.check(codebook[15] == 0, "entry 15 of the codebook is not zero")
    codes = read_codes(cursor, block.values)
    cursor.check(codes.count(15) == escape_count, "number of escapes is wrong")
    cursor.pad()
    raw = read_raw_plane(cursor, 8, block.values)
    escapes = iter(cursor.take(escape_count))
    symbols = [next(escapes) if code == 15 else codebook[code] for code in codes]
    return join_coded(coded_parts(symbols, raw, segment, cursor), 16, [])


# --- rANS (rans.md) ---------------------------------------------------------------------------------------------------

SLOTS = 4096
LEVELS = 64
END_STATE = 65536


def weight(level: int) -> int:
    """64 × 2^((level − 1) / 5) rounded to the nearest integer, by integers: its fifth power is 64^5 × 2^(level − 1)."""
    if level == 0:
        return 0
    power = 128**5 << (level - 1)
    low, high = 0, 1 << 20
    while high - low > 1:  # the largest number with (2 number − 1)^5 below twice the weight, to the fifth
        middle = (low + high) // 2
        low, high = (middle, high) if (2 * middle - 1) ** 5 < power else (low, middle)
    return low


WEIGHTS = tuple(map(weight, range(LEVELS)))


@dataclass(frozen=True)
class RansTable:
    """A table that has been checked: frequency and first slot of each symbol, and the symbol of each slot."""

    frequencies: tuple[int, ...]
    first_slots: tuple[int, ...]
    slots: bytes

    @property
    def symbols(self) -> list[int]:
        return [symbol for symbol, frequency in enumerate(self.frequencies) if frequency]


def rans_tables(segment: Segment) -> tuple[RansTable, ...]:
    return segment.contexts.all_tables if segment.contexts else ()


def read_levels(cursor: Cursor, count: int) -> list[int]:
    """The levels of a run: steps and escapes, in nibbles."""
    spare: list[int] = []

    def nibble() -> int:
        if spare:
            return spare.pop()
        byte = cursor.u8()
        spare.append(byte >> 4)
        return byte & 15

    levels, last = [], 32
    for _ in range(count):
        code = nibble()
        level = last + code - 8 if code else nibble() | nibble() << 4
        cursor.check(level < LEVELS and (level > 0 or code == 0), "level of a rANS table is out of range")
        last = level or last
        levels.append(level)
    cursor.check(not any(spare), "unused nibble of a table is not zero")
    return levels


def frequencies_of(levels: Sequence[int]) -> list[int]:
    """Frequencies that sum to 4096."""
    weights = [WEIGHTS[level] for level in levels]
    total, present = sum(weights), sum(level > 0 for level in levels)
    above = [max(0, (w << 28) // total - 65536) for w in weights]
    whole = sum(above)
    frequencies = [
        1 + part * (SLOTS - present) // whole if level else 0 for level, part in zip(levels, above, strict=True)
    ]
    frequencies[levels.index(max(levels))] += SLOTS - sum(frequencies)
    return frequencies


def read_rans_table(cursor: Cursor) -> RansTable:
    """Parse and check a table."""
    levels = [0] * 256
    next_symbol = 0
    for _ in range(cursor.u8()):
        first, count = cursor.u8(), cursor.u8() + 1
        cursor.check(first >= next_symbol, "runs of a table do not ascend")
        next_symbol = first + count
        cursor.check(next_symbol <= 256, "run of a table ends above symbol 255")
        levels[first:next_symbol] = read_levels(cursor, count)
    cursor.check(sum(level > 0 for level in levels) >= 2, "table of fewer than two symbols")
    frequencies = frequencies_of(levels)
    slots = b"".join(bytes([symbol]) * frequency for symbol, frequency in enumerate(frequencies))
    return RansTable(tuple(frequencies), tuple(sum(frequencies[:symbol]) for symbol in range(256)), slots)


def read_contexts(cursor: Cursor, tables: Sequence[RansTable], segment: Segment) -> Contexts:
    """Which table a symbol takes (rans.md, delta.md)."""
    row_length, is_delta = segment.row_length, segment.codec in (DELTA, REPLAY)
    row_bits, count = cursor.u8(), cursor.u8()
    cursor.check(row_bits <= 4, "more than 4 bits of row class")
    cursor.check(1 <= count <= 32, "number of contexts is out of range")
    numbers = cursor.take(count)
    cursor.check(max(numbers) < len(tables), "context names a table that is not there")
    has_columns = cursor.u8()
    require_known(has_columns <= 1, f"reserved flags {has_columns:#x} of contexts", cursor.where)
    cursor.check(not (is_delta and has_columns), "classes of columns in codec delta or replay")
    columns: tuple[int, ...] = ()
    if has_columns:
        nibbles = [nibble for byte in cursor.take(-(-row_length // 2)) for nibble in (byte & 15, byte >> 4)]
        cursor.check(not any(nibbles[row_length:]), "unused nibble of the column classes is not zero")
        columns = tuple(nibbles[:row_length])
    if row_bits or has_columns:
        cursor.check(row_length > 0, "classes of rows or columns without a row length")
    elif not is_delta:
        cursor.check(numbers == b"\0", "several contexts, or one of another table than 0, without classes")
    highest = (1 << row_bits) - 1 + max(columns, default=0)
    cursor.check(is_delta or highest < count, "classes of rows and columns give a context that is not there")
    if segment.codec == REPLAY:
        cursor.check(row_bits == 0 and count == REPLAY_CONTEXTS, "contexts of codec replay are not six")
    return Contexts(row_bits, tuple(numbers), columns, tuple(tables))


def read_row_classes(cursor: Cursor, row_bits: int, rows: int) -> list[int]:
    """The class of each row."""
    packed = int.from_bytes(cursor.take(-(-rows * row_bits // 8)), "little")
    cursor.check(packed >> rows * row_bits == 0, "unused bits of the row classes are not zero")
    return [packed >> row * row_bits & (1 << row_bits) - 1 for row in range(rows)]


@dataclass(frozen=True)
class RansStart:
    """What stands before the words of a block of mode rans or delta: bytes 28 on, to the pad."""

    word_count: int
    states: list[int]
    rows: list[int]  # class of each row; none without rows


def contexts_of(cursor: Cursor, segment: Segment) -> Contexts:
    """The contexts of a segment of coder rANS."""
    if segment.contexts is None:
        cursor.fail("mode rans in a segment of another coder")
    return segment.contexts


def read_rans_start(cursor: Cursor, segment: Segment, count: int) -> RansStart:
    """Number of words, states and row classes of a block whose rows hold `count` symbols or values."""
    contexts, length = contexts_of(cursor, segment), segment.row_length
    word_count, states = cursor.u32(), [cursor.u32() for _ in range(32)]
    rows = read_row_classes(cursor, contexts.row_bits, -(-count // length) if length else 0)
    cursor.pad()
    return RansStart(word_count, states, rows)


def read_words(cursor: Cursor, start: RansStart, tables: Sequence[RansTable]) -> list[int]:
    """The words and the symbols that they hold, of the given tables in turn."""
    cursor.check(start.word_count <= len(tables), "more words than symbols")
    words = iter(struct.unpack(f"<{start.word_count}H", cursor.take(2 * start.word_count)))
    states = list(start.states)
    symbols = bytearray()
    for index, table in enumerate(tables):
        state = states[index % 32]
        slot = state % SLOTS
        symbol = table.slots[slot]
        state = table.frequencies[symbol] * (state // SLOTS) + slot - table.first_slots[symbol]
        if state < 65536:
            word = next(words, None)
            if word is None:
                cursor.fail("symbols need more words than there are")
            state = state << 16 | word
        states[index % 32] = state
        symbols.append(symbol)
    cursor.check(next(words, None) is None, "words that no symbol reads")
    cursor.check(states == [END_STATE] * 32, "a state does not end at 65536")
    return list(symbols)


def read_rans_symbols(cursor: Cursor, segment: Segment, count: int) -> list[int]:
    """Bytes 26 on of a block of mode rans to the end of its words: its symbols."""
    contexts, length = contexts_of(cursor, segment), segment.row_length
    cursor.reserved(2)
    start = read_rans_start(cursor, segment, count)
    tables, columns = contexts.tables, contexts.columns or (0,) * length
    places = [start.rows[index // length] + columns[index % length] if length else 0 for index in range(count)]
    return read_words(cursor, start, [tables[place] for place in places])


def mode_rans(block: Block) -> bytes:
    """Mode rans of the codecs float and symbols."""
    return rans_float(block) if block.segment.codec == FLOAT else rans_symbols(block)


PATCHED, SKIPS_ZEROS = 4, 8


def rans_float(block: Block) -> bytes:
    """rans.md, block of mode rans of codec float."""
    cursor, segment, count = block.cursor, block.segment, block.values
    flags = cursor.u8()
    require_known(not flags & ~(PATCHED | SKIPS_ZEROS), f"reserved flags {flags:#x} of mode rans", cursor.where)
    cursor.check(flags != PATCHED | SKIPS_ZEROS, "patches where zeros are skipped")
    cursor.check(not (block.inner and flags & SKIPS_ZEROS), "zeros are skipped inside mode sparse")
    symbols = read_rans_symbols(cursor, segment, count)
    held = [symbol for symbol in symbols if symbol] if flags & SKIPS_ZEROS else symbols
    cursor.check(len(held) > 0, "zeros are skipped and there is nothing else")
    cursor.pad()
    raw, low_planes = read_raw(cursor, segment, len(held))
    parts = coded_parts(held, raw, segment, cursor)
    coded_bits = FLOAT_FORMS[segment.element].coded_bits
    if flags & PATCHED:
        apply_patches(cursor, parts, coded_bits)
    values = join_coded(parts, coded_bits, low_planes)
    return spread(values, [symbol != 0 for symbol in symbols], segment.width) if flags & SKIPS_ZEROS else values


def spread(values: bytes, present: Sequence[bool], width: int) -> bytes:
    """The values in their places; where none is present, zero."""
    starts = iter(range(0, len(values), width))
    zero = bytes(width)
    return b"".join(values[(start := next(starts)) : start + width] if there else zero for there in present)


# --- Codec symbols (symbols.md) ---------------------------------------------------------------------------------------


def read_palette(cursor: Cursor, segment: Segment) -> Palette:
    """Parse and check the palette, and what depends on it."""
    cursor.check(segment.element not in BLOCK_TYPES, "codec symbols of a block type")
    digits, count = cursor.u8(), cursor.u16()
    cursor.check(1 <= digits <= 8, "number of values a symbol is out of range")
    of_rows = count == 65535
    if of_rows:
        count = 0
        cursor.check(segment.width in (2, 4) and digits == 1, "palettes of rows of another width or of several digits")
        cursor.check(segment.row_length > 0, "palettes of rows without rows")
    cursor.check(count == 0 or 2 <= count <= 256, "number of palette values is out of range")
    if count == 0 and not of_rows:
        cursor.check(segment.width == 1 and digits == 1, "symbols without palette of more than a byte")
    cursor.check(count**digits <= 256, "palette has more than 256 symbols")
    return Palette(digits, tuple(cursor.take(segment.width) for _ in range(count)), of_rows)


def check_symbols_fields(segment: Segment, cursor: Cursor) -> None:
    """What the palette demands of other fields of a segment frame."""
    palette = segment.palette
    if palette is None:
        return
    one_block = segment.length // segment.width <= segment.values_per_block
    whole = one_block or segment.values_per_block % palette.digits == 0
    cursor.check(whole, "values a block are not whole symbols")
    serves = segment.row_length == 0 or segment.coder == CODER_RANS or palette.of_rows
    cursor.check(serves, "row length serves nothing")
    check_rows(segment, -(-segment.values_per_block // palette.digits), cursor)


def symbol_count(block: Block) -> int:
    """The number of symbols of a block of codec symbols."""
    palette = block.segment.palette
    return -(-block.values // palette.digits) if palette else block.values


def symbol_values(symbols: list[int], block: Block) -> bytes:
    """The values for which symbols stand."""
    palette = block.segment.palette
    if palette is not None and palette.of_rows:
        return row_values(symbols, block)
    if palette is None or not palette.values:
        return bytes(symbols)
    base = len(palette.values)
    numbers = [symbol // base**digit % base for symbol in symbols for digit in range(palette.digits)]
    block.cursor.check(not any(numbers[block.values :]), "digits past the last value are not zero")
    return b"".join(palette.values[number] for number in numbers[: block.values])


def row_values(symbols: list[int], block: Block) -> bytes:
    """The values for which symbols stand in rows with palettes, which follow the symbols."""
    cursor, segment = block.cursor, block.segment
    cursor.pad()
    values = []
    for start in range(0, len(symbols), segment.row_length):
        below, above = cursor.u8(), cursor.u8()
        cursor.check(below <= 128 and above <= 128 and below + above > 0, "size of a row's palette is out of range")
        palette = [cursor.take(segment.width) for _ in range(below + above)]
        for symbol in symbols[start : start + segment.row_length]:
            number = symbol - 128 + below
            cursor.check(0 <= number < len(palette), "symbol outside the row's palette")
            values.append(palette[number])
    return b"".join(values)


def huffman_symbols(block: Block) -> bytes:
    """symbols.md, block of mode huffman."""
    cursor, segment = block.cursor, block.segment
    flags, base_length, numbers = cursor.u8(), cursor.u16(), cursor.take(4)
    require_known(flags < 2, f"reserved flags {flags:#x} of mode huffman", cursor.where)
    lengths = read_lengths(cursor, base_length, wide=bool(flags))
    cursor.check(255 not in numbers, "inline table in codec symbols")
    tables = group_tables(cursor, numbers, segment)
    return symbol_values(read_streams(cursor, lengths, unsorted_geometry(symbol_count(block)), tables), block)


def nodes_symbols(block: Block) -> bytes:
    """symbols.md, block of mode nodes."""
    cursor = block.cursor
    cursor.reserved(1)
    numbers, lengths = read_nodes_fields(cursor)
    tables = group_tables(cursor, numbers, block.segment)
    groups = group_sizes(unsorted_geometry(symbol_count(block)))
    return symbol_values(read_lists(cursor, lengths, groups, tables), block)


def rans_symbols(block: Block) -> bytes:
    """symbols.md, block of mode rans."""
    block.cursor.reserved(1)
    return symbol_values(read_rans_symbols(block.cursor, block.segment, symbol_count(block)), block)


# --- Mode sparse (sparse.md) ------------------------------------------------------------------------------------------


def mode_sparse(block: Block) -> bytes:
    """sparse.md."""
    cursor, segment, count = block.cursor, block.segment, block.values
    flags = cursor.u8()
    require_known(flags < 2, f"reserved flags {flags:#x} of mode sparse", cursor.where)
    cursor.reserved(2)
    present = cursor.u32()
    cursor.check(1 <= present <= count, "number of values that are not zero is out of range")
    mask = int.from_bytes(read_section(cursor, -(-count // 8)), "little")
    cursor.check(mask >> count == 0, "bits of the mask past the last value are not zero")
    cursor.check(mask.bit_count() == present, "mask has another number of values that are not zero")
    zeros, signs = count - present, 0
    if flags:
        cursor.check(zeros > 0, "signs of no zeros")
        signs = int.from_bytes(read_section(cursor, -(-zeros // 8)), "little")
        cursor.check(signs >> zeros == 0, "bits past the last sign are not zero")
    cursor.reserved(24)
    mode = cursor.u8()
    require_known(mode in KNOWN_MODES, f"mode {mode} inside mode sparse", cursor.where)
    cursor.check(mode in (RAW, HUFFMAN, RANS, NODES), f"mode {MODE_NAMES[mode]} inside mode sparse")
    values = MODES[mode](Block(cursor, segment, present, block.referred, inner=True))
    out = bytearray(spread(values, [bool(mask >> index & 1) for index in range(count)], segment.width))
    places = (index for index in range(count) if not mask >> index & 1)
    for number, index in enumerate(places):
        out[(index + 1) * segment.width - 1] |= (signs >> number & 1) << 7
    return bytes(out)


# --- Codec cast (cast.md) ---------------------------------------------------------------------------------------------


def bf16_of_f32(s: int) -> int:
    return (s + 32767 + s // 65536 % 2) // 65536 % 65536


def f16_of_f32(s: int) -> int:
    """Rounded to nearest, ties to even."""
    sign, exponent, mantissa = s >> 31 << 15, s >> 23 & 255, s & 0x7FFFFF
    if exponent == 255 and mantissa:
        return sign | 0x7E00 | mantissa >> 13 & 0x1FF
    if exponent >= 143:  # 2^16 and above
        return sign | 0x7C00
    if exponent == 0:  # far below half of the smallest subnormal number
        return sign
    # The value in units of the last place of the result, as significand / 2^shift.
    shift = 13 + max(0, 113 - exponent)
    significand = mantissa | 0x800000
    quotient, rest = divmod(significand, 1 << shift)
    half = 1 << (shift - 1)
    quotient += rest > half or (rest == half and quotient % 2)
    # A normal quotient has its bit 10 set, which counts as one exponent; carries run into the exponent.
    return sign | (quotient + (max(exponent, 113) - 113 << 10))


def f32_of_f16(s: int) -> int:
    sign, exponent, mantissa = s >> 15 << 31, s >> 10 & 31, s & 0x3FF
    if exponent == 31:
        return sign | 0x7F800000 | mantissa << 13
    if exponent:
        return sign | exponent + 112 << 23 | mantissa << 13
    if mantissa == 0:
        return sign
    top = mantissa.bit_length() - 1  # The value is mantissa × 2^-24.
    return sign | top + 103 << 23 | (mantissa << 23 - top & 0x7FFFFF)


CASTS: dict[tuple[int, int], Callable[[int], int]] = {
    (BF16, F32): bf16_of_f32,
    (F16, F32): f16_of_f32,
    (F32, F16): f32_of_f16,
}


def read_referred(cursor: Cursor, segment: Segment) -> int:
    """The element type of the referred range."""
    referred = cursor.u8()
    known = referred < len(ELEMENTS) or big_endian(referred)
    require_known(known, f"element type {referred} of a reference", cursor.where)
    pair = (segment.element, referred)
    cursor.check(pair in CASTS or pair == (F32, BF16), "codec cast does not know these element types")
    return referred


def little_endian(data: bytes | bytearray, width: int) -> list[int]:
    return [int.from_bytes(data[start : start + width], "little") for start in range(0, len(data), width)]


def mode_cast(block: Block) -> bytes:
    """cast.md."""
    cursor, segment, count = block.cursor, block.segment, block.values
    patches = payload_length(cursor)
    cursor.check(16 * patches <= count, "too many patches")
    source = little_endian(block.referred(0), segment.referred_width)
    cast = CASTS.get((segment.element, segment.referred or 0))
    if cast:
        values = list(map(cast, source))
    else:
        lower = little_endian(interleave([read_section(cursor, count) for _ in range(2)]), 2)
        values = [((s - (low > 32768)) % 65536) << 16 | low for s, low in zip(source, lower, strict=True)]
    previous = -1
    for _ in range(patches):
        position, value = cursor.u32(), cursor.unsigned(segment.width)
        cursor.check(previous < position < count, "patches do not ascend or lie outside the block")
        values[position] = value
        previous = position
    return b"".join(value.to_bytes(segment.width, "little") for value in values)


# --- Predictions of codec delta (delta.md) ----------------------------------------------------------------------------
#
# Python's floats and their +, − and × are those of IEEE 754 with 64 bits; the rest is made here.


def f32(x: float) -> float:
    """Rounded to 32 bits."""
    try:
        return float_of(struct.pack("<f", x))
    except OverflowError:
        return math.copysign(math.inf, x)


def float_of(data: bytes) -> float:
    """A number of 32 bits."""
    return float(struct.unpack("<f", data)[0])


def bits_of(x: float) -> int:
    """The bits of a number that 32 bits hold."""
    return int.from_bytes(struct.pack("<f", x), "little")


def quotient(x: float, y: float) -> float:
    """x / y."""
    if y != 0:
        return x / y
    if x == 0 or math.isnan(x):
        return math.nan
    return math.copysign(math.inf, x) * math.copysign(1.0, y)


def square_root(x: float) -> float:
    """Of a zero the zero itself, below it none."""
    return math.sqrt(x) if x >= 0 else math.nan


def scaled(k: float, x: float) -> float:
    """P 1."""
    return f32(k * x)


def second_moment(beta1: float, beta2: float, m: float, old_m: float, old_v: float) -> float:
    """P 2; what the page writes with a prime is old here."""
    h = (m - beta1 * old_m) * quotient(1.0, 1.0 - beta1)
    return f32(f32(f32(beta2) * old_v) + ((1.0 - beta2) * h) * h)


def weight_after(
    beta1: float, beta2: float, decay: float, step: float, epsilon: float,
    m: float, old_m: float, old_v: float, old_w: float,
) -> float:  # fmt: skip
    """P 3."""
    v = second_moment(beta1, beta2, m, old_m, old_v)
    q = quotient(f32(step * m), f32(f32(square_root(v)) + epsilon))
    return f32(f32(decay * old_w) - f32(q))


@dataclass(frozen=True)
class Prediction:
    """A line of the page's table; the rule takes the constants and then a value of each reference."""

    name: str
    references: int
    constants: str = "<"  # as module struct says it
    elements: tuple[int, ...] = ()  # none: any
    rule: Callable[..., float] | None = None  # none: b is the value of the reference

    @property
    def constant_bytes(self) -> int:
        return struct.calcsize(self.constants)


PREDICTIONS = (
    Prediction("same", 1),
    Prediction("scaled", 1, "<d", (F32,), scaled),
    Prediction("second moment", 3, "<dd", (F32,), second_moment),
    Prediction("weight", 4, "<ddfff", (F32, BF16), weight_after),
)


def read_prediction(cursor: Cursor, segment: Segment) -> Prediction:
    """P, which must fit the element type and the number of references."""
    p = cursor.u8()
    require_known(p < len(PREDICTIONS), f"prediction {p}", cursor.where)
    prediction = PREDICTIONS[p]
    cursor.check(not prediction.elements or segment.element in prediction.elements,
                 f"prediction {prediction.name} of another element type")  # fmt: skip
    right = len(segment.references) == prediction.references
    cursor.check(right, f"prediction {prediction.name} of another number of references than {prediction.references}")
    return prediction


def predicted(block: Block) -> list[int]:
    """b of each value of the block."""
    segment, prediction = block.segment, block.segment.prediction
    if prediction is None:
        block.cursor.fail("no prediction")
    ranges = [little_endian(block.referred(number), segment.referred_width) for number in range(prediction.references)]
    if prediction.rule is None:
        return ranges[0]
    found = []
    for words in zip(*ranges, strict=True):
        result = prediction.rule(*segment.constants, *(float_of(word.to_bytes(4, "little")) for word in words))
        found.append(words[-1] if math.isnan(result) else bits_of(result))
    return list(map(bf16_of_f32, found)) if segment.element == BF16 else found


# --- Codec delta (delta.md) -------------------------------------------------------------------------------------------


def exponent(base: int, element: int) -> int:
    """e: the exponent of b."""
    low, high = DELTA_EXPONENTS.get(element, (0, -1))
    return base >> low & (1 << high - low + 1) - 1


def low_bit_count(token: int, k: int) -> int:
    """p − k: how many low bits of a magnitude follow its token."""
    return max(0, (token >> k) - 1)


def magnitude(token: int, low: int, k: int) -> int:
    """a, from its token and its low bits."""
    if token < 1 << k:
        return token
    return ((1 << k) + token % (1 << k)) << low_bit_count(token, k) | low


class LowBits:
    """Low bits of gaps or of values, one after the other, lowest bit first, without holes."""

    def __init__(self, cursor: Cursor, tokens: Iterable[int], k: int) -> None:
        bits = sum(low_bit_count(token, k) for token in tokens)
        self.k = k
        self.packed = cursor.take(-(-bits // 8))
        self.at = 0
        spare = int.from_bytes(self.packed[bits // 8 :], "little") >> bits % 8
        cursor.check(spare == 0, "unused bits of the low bits are not zero")

    def magnitude(self, token: int) -> int:
        """The magnitude of a token, with the low bits that come next."""
        size = low_bit_count(token, self.k)
        start, self.at = self.at, self.at + size
        window = int.from_bytes(self.packed[start // 8 : (self.at + 7) // 8], "little")
        return magnitude(token, window >> start % 8 & (1 << size) - 1, self.k)


def moved(base: int, difference: int, element: int) -> int:
    """The value at a difference g from b: in the order of numbers, seen from the sign of b, for floats."""
    s = 1 << 8 * element_width(element) - 1  # S
    if element not in DELTA_EXPONENTS:
        return (base + difference) % (2 * s)
    place = (base % s + difference) % (2 * s)
    u = place if place < s else 3 * s - 1 - place  # places from S on are those from −S on
    return u ^ (base & s)


GAP_BITS = 3  # k of gaps


def read_quiet(cursor: Cursor, segment: Segment) -> int:
    """Q, which must fit the tables and contexts."""
    q, contexts = cursor.u8(), contexts_of(cursor, segment)
    cursor.check(q <= len(contexts.numbers), "Q is above the number of contexts")
    if q:
        tables = contexts.all_tables
        cursor.check(len(tables) >= 2, "quiet contexts without tables of gaps and changes")
        cursor.check(max(tables[0].symbols) < NEGATIVE, "table of gaps has a symbol above 127")
        cursor.check(not any(contexts.numbers[:q]), "quiet context of another table than 0")
        cursor.check(min(contexts.numbers[q:], default=2) >= 2, "table of gaps or changes for a context from Q on")
    return q


def value_contexts(segment: Segment, bases: Sequence[int], rows: Sequence[int]) -> list[int]:
    """The context of each value of a block, given b and the classes of its rows."""
    last = len(segment.contexts.numbers) - 1 if segment.contexts else 0
    classes = [rows[index // segment.row_length] if rows else 0 for index in range(len(bases))]
    shifts = [(segment.t or 0) - exponent(base, segment.element) for base in bases]
    return [min(max(shift + place, 0), last) for shift, place in zip(shifts, classes, strict=True)]


def change_places(cursor: Cursor, gaps: Iterable[int], quiet: Sequence[bool]) -> Iterator[int]:
    """The place of each change; `quiet` tells it of each value."""
    place = -1
    for gap in gaps:
        place += 1 + gap
        cursor.check(place < len(quiet), "change past the block")
        cursor.check(quiet[place], "change of a value that is not quiet")
        yield place


def mode_delta(block: Block) -> bytes:
    """delta.md."""
    cursor, segment, count = block.cursor, block.segment, block.values
    element, width = segment.element, segment.width
    contexts = contexts_of(cursor, segment)
    tables = contexts.tables
    cursor.reserved(1)
    changes = cursor.u16()
    cursor.check(segment.q > 0 or changes == 0, "changes in a segment without quiet contexts")
    start = read_rans_start(cursor, segment, count)
    bases = predicted(block)
    places = value_contexts(segment, bases, start.rows)
    loud = [index for index, place in enumerate(places) if place >= segment.q]  # the D values that are not quiet
    d, coded = len(loud), len(loud) + 2 * changes
    cursor.check(coded <= count, "more symbols than values")
    quiet_tables = [table for table in contexts.all_tables[:2] for _ in range(changes)]
    found = read_words(cursor, start, [*(tables[places[index]] for index in loud), *quiet_tables])
    tokens = found[d : d + changes]  # of gaps
    low = LowBits(cursor, tokens, GAP_BITS)
    gaps = [low.magnitude(token) for token in tokens]
    changed = list(change_places(cursor, gaps, [place < segment.q for place in places]))
    symbols = [0] * count
    for index, symbol in zip(loud + changed, found[:d] + found[d + changes :], strict=True):
        symbols[index] = symbol
    low = LowBits(cursor, [symbol % NEGATIVE for symbol in symbols], segment.token_bits)
    values = []
    for base, symbol in zip(bases, symbols, strict=True):
        a = low.magnitude(symbol % NEGATIVE)
        values.append(moved(base, -a if symbol & NEGATIVE else a, element))
    return b"".join(value.to_bytes(width, "little") for value in values)


# --- Codec lattice (lattice.md) ---------------------------------------------------------------------------------------
#
# Python's floats have 64 bits: products of two numbers of 32 bits are exact in them, and a difference of two that is
# rounded to 64 bits and then to 32 is the one that is rounded once, because 53 is at least 2 × 24 + 2.

MODEL_SCALE, MODEL_OFFSET, MODEL_CONSTANT = range(3)
MODEL_NAMES = ("scale", "scale and offset", "scale and constant")
BOOK_LIST, BOOK_INTEGERS, BOOK_E4M3, BOOK_E5M2, BOOK_E2M1, BOOK_NF4, BOOK_IQ4_NL = range(7)
BOOK_NAMES = ("list", "integers", "E4M3", "E5M2", "E2M1", "NF4", "IQ4_NL")
PRODUCTS = 1  # form of an array; 0: the numbers as they are
EMBEDDED = (BYTES, FLOAT, PLANES, SYMBOLS)  # codecs of embedded segments
CODES_PATCHED = 128  # flag of a block

NF4 = (
    "BF800000 BF3239B1 BF066B30 BECA32A0 BE91A24D BE3D353F BDBA7871 00000000 "
    "3DA2FAFF 3E24CAE3 3E7C04DD 3EAD033A 3EE1A4B8 3F1007AB 3F3913B3 3F800000"
)
IQ4_NL = (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)


def minifloat(code: int, exponent_bits: int, mantissa_bits: int) -> float:
    """The number of a code of a sign, an exponent and a mantissa."""
    bias = (1 << exponent_bits - 1) - 1
    exponent = code >> mantissa_bits & (1 << exponent_bits) - 1
    significand = code & (1 << mantissa_bits) - 1 | (exponent > 0) << mantissa_bits
    number = math.ldexp(significand, max(exponent, 1) - bias - mantissa_bits)
    return -number if code >> exponent_bits + mantissa_bits else number


def number_of_e4m3(code: int) -> float:
    return 0.0 if code % 128 == 127 else minifloat(code, 4, 3)


def number_of_e5m2(code: int) -> float:
    return 0.0 if code % 128 >= 124 else minifloat(code, 5, 2)


BOOKS: dict[int, tuple[float, ...]] = {
    BOOK_E4M3: tuple(map(number_of_e4m3, range(256))),
    BOOK_E5M2: tuple(map(number_of_e5m2, range(256))),
    BOOK_E2M1: tuple(minifloat(code, 2, 1) for code in range(16)),
    BOOK_NF4: tuple(float_of(bytes.fromhex(word)[::-1]) for word in NF4.split()),
    BOOK_IQ4_NL: tuple(map(float, IQ4_NL)),
}


def finite_f32(cursor: Cursor) -> float:
    number = float_of(cursor.take(4))
    cursor.check(math.isfinite(number), "number of a lattice is not finite")
    return number


def read_book(cursor: Cursor, book: int) -> tuple[float, ...]:
    """What the codes stand for."""
    if book == BOOK_LIST:
        count = cursor.u16()
        cursor.check(2 <= count <= 256, "number of codes is out of range")
        return tuple(finite_f32(cursor) for _ in range(count))
    if book != BOOK_INTEGERS:
        return BOOKS[book]
    first, count, minus_zero = int.from_bytes(cursor.take(2), "little", signed=True), cursor.u16(), cursor.u8()
    cursor.check(2 <= count <= 256, "number of codes is out of range")
    cursor.check(minus_zero <= 1, "byte of minus zero is neither 0 nor 1")
    integers = range(first, first + count - minus_zero)
    cursor.check(integers[0] >= -256 and integers[-1] <= 256, "integers are out of range")
    return (*map(float, integers), *[-0.0] * minus_zero)


def read_runs(cursor: Cursor) -> tuple[int, ...]:
    """Where each column or band ends."""
    lengths: list[int] = []
    runs = cursor.varint()
    cursor.check(runs >= 1, "lattice without columns or bands")
    for _ in range(runs):
        length, count = cursor.varint(), cursor.varint()
        cursor.check(length >= 1 and count >= 1, "run without length or count")
        cursor.check(count <= MAX_GROUPS - len(lengths), "too many groups")
        lengths += [length] * count
    return tuple(accumulate(lengths))


def read_embedded(cursor: Cursor, count: int, elements: Sequence[int], holder: Segment, member: Member) -> list[float]:
    """The numbers of an embedded segment of one of the element types."""
    data, limit, where = cursor.data, cursor.end, f"embedded in segment {holder.number}"
    frame = read_frame(data, cursor.position, limit, b"S", 0, f"segment frame {where}")
    segment = read_segment_frame(data, frame, holder.number, member)
    cursor.check(segment.codec in EMBEDDED, "embedded segment of another codec")
    cursor.check(segment.code in elements, "embedded segment of another element type")
    cursor.check(segment.offset == 0 and not segment.references, "embedded segment with an offset or references")
    cursor.check(segment.length == count * element_width(segment.element), "embedded segment of another length")
    require_known(member.unsupported is None, str(member.unsupported), cursor.where)
    content, position = bytearray(), frame.end
    for ordinal, values in enumerate(pieces(segment.length // segment.width, segment.values_per_block)):
        frame = read_frame(data, position, limit, b"B", values, f"block {ordinal} {where}", ordinal)
        size = frame.end - frame.start
        cursor.check(32 <= size <= values * segment.width + 128, "embedded block is too short or too long")
        inner = Cursor(data, position + 16, frame.end, f"block {ordinal} {where}")
        content += decode_block(inner, segment, values, 0, no_reference)
        position = frame.end
    cursor.position = position
    numbers = [number_of(value, segment.element) for value in little_endian(content, element_width(segment.element))]
    cursor.check(all(map(math.isfinite, numbers)), "number of a lattice is not finite")
    return numbers


def no_reference(number: int) -> bytes:
    raise Damaged(f"reference {number} of an embedded segment")


def number_of(value: int, element: int) -> float:
    """What the bits of a value stand for."""
    if element == F8_E8M0:
        return math.nan if value == 255 else math.ldexp(1.0, value - 127)
    if element in (I8, U8):
        return float(value - 256 if element == I8 and value >= 128 else value)
    return float_of({F32: value, F16: f32_of_f16(value), BF16: value << 16}[element].to_bytes(4, "little"))


def read_array(cursor: Cursor, groups: int, holder: Segment, member: Member) -> tuple[float, ...]:
    """A number for each group."""
    form = cursor.u8()
    require_known(form <= PRODUCTS, f"form {form} of an array", cursor.where)
    numbers = (F32, F16, BF16, F8_E8M0)
    if form != PRODUCTS:
        cursor.pad()
        return tuple(read_embedded(cursor, groups, numbers, holder, member))
    size = cursor.u16()
    cursor.check(size >= 1, "products of no groups")
    cursor.pad()
    integers = read_embedded(cursor, groups, (I8, U8), holder, member)
    factors = read_embedded(cursor, -(-groups // size), numbers, holder, member)
    products = tuple(f32(factors[index // size] * integer) for index, integer in enumerate(integers))
    cursor.check(all(map(math.isfinite, products)), "number of a lattice is not finite")
    return products


def read_lattice(cursor: Cursor, segment: Segment, member: Member) -> Lattice:
    """Parse and check book, grid, scales and offsets."""
    model, book, t = cursor.u8(), cursor.u8(), cursor.u8()
    require_known(model < len(MODEL_NAMES), f"model {model} of a lattice", cursor.where)
    require_known(book < len(BOOK_NAMES), f"book {book} of a lattice", cursor.where)
    cursor.check(t <= 8, "number of codes a symbol is out of range")
    cursor.check(t > 0 or book in (BOOK_E4M3, BOOK_E5M2), "codes of this book are no values")
    numbers = read_book(cursor, book)
    cursor.check(len(numbers) ** t <= 256, "book has more than 256 symbols")
    constant = finite_f32(cursor) if model == MODEL_CONSTANT else 1.0
    cursor.check(constant != 0, "constant of a lattice is zero")
    values, row = segment.length // segment.width, cursor.varint()
    cursor.check(1 <= row <= values and row < 2**32, "row of a lattice is out of range")
    columns, bands = read_runs(cursor), read_runs(cursor)
    cursor.check(columns[-1] == row, "columns do not make a row")
    rows, before_last = -(-values // row), bands[-2] if len(bands) > 1 else 0
    cursor.check(before_last < rows <= bands[-1] < 2**32, "bands do not make the rows")
    groups = len(columns) * len(bands)
    cursor.check(groups <= MAX_GROUPS, "too many groups")
    scales = read_array(cursor, groups, segment, member)
    offsets = read_array(cursor, groups, segment, member) if model == MODEL_OFFSET else ()
    return Lattice(model, book, numbers, t, constant, row, columns, bands, scales, offsets)


@dataclass(frozen=True)
class PatchedBlock:
    """A block of codec lattice without its patches."""

    cursor: Cursor  # of the frame of the codes, at byte 25
    patches: tuple[tuple[int, bytes], ...]  # position and value


def split_patches(block: Block) -> PatchedBlock:
    """The frame of the codes, whose flag of patches is clear, and the patches behind it."""
    cursor, width = block.cursor, block.segment.width
    start = cursor.position - 25
    frame = bytearray(cursor.data[start : cursor.end])
    patched, end, patches = frame[25] & CODES_PATCHED, len(frame), []
    frame[25] &= ~CODES_PATCHED
    if patched:
        count = int.from_bytes(frame[-4:], "little")
        cursor.check(1 <= count and 16 * count <= block.values, "number of patches is out of range")
        end = (end - 4 - count * (4 + width)) // 16 * 16
        cursor.check(end >= 32, "patches run past the start of their frame")
        tail = Cursor(cursor.data, start + end, cursor.end, cursor.where)
        previous = -1
        for _ in range(count):
            position, value = tail.u32(), tail.take(width)
            tail.check(previous < position < block.values, "patches do not ascend or lie outside the block")
            patches.append((position, value))
            previous = position
        tail.check(not any(tail.take(tail.end - 4 - tail.position)), "bytes behind patches are not zero")
    cursor.position = cursor.end
    return PatchedBlock(Cursor(bytes(frame), 25, end, cursor.where), tuple(patches))


def lattice_value(lattice: Lattice, code: int, group: int) -> float:
    """The value of a code before it is rounded to its type."""
    product = f32(lattice.numbers[code] * lattice.scales[group])
    if lattice.model == MODEL_OFFSET:
        return f32(product - lattice.offsets[group])
    return f32(product * lattice.constant) if lattice.model == MODEL_CONSTANT else product


def lattice_values(block: Block, mode: Callable[[Block], bytes]) -> bytes:
    """A block of codes that another codec's mode holds, and its patches."""
    segment, lattice = block.segment, block.segment.lattice
    if lattice is None:
        block.cursor.fail("no lattice")
    patched = split_patches(block)
    codes = mode(Block(patched.cursor, segment.codes, block.values, block.referred))
    patched.cursor.finish()
    rounded: dict[tuple[int, int], bytes] = {}
    values = []
    for index, code in enumerate(codes, block.first):
        key = code, lattice.group(index)
        if key not in rounded:
            bits = CASTS.get((segment.element, F32), int)(bits_of(lattice_value(lattice, *key)))
            rounded[key] = bits.to_bytes(segment.width, "little")
        values.append(rounded[key])
    for position, value in patched.patches:
        values[position] = value
    return b"".join(values)


# --- Codec replay (replay.md) -----------------------------------------------------------------------------------------
#
# A sum, product or quotient of numbers of 32 bits in 64 bits, rounded to 32, is that of 32 bits.

REPLAY_CONTEXTS = 6
MOST_CHANGES = 8192
MOST_LOW_BITS = 24


@dataclass(frozen=True)
class Replayed:
    """A line of the page's tables. Numbers are stored plus their bias."""

    code_bits: int
    groups: int = 0
    scale_bits: int = 0
    minima: bool = False
    code_bias: int = 0
    scale_bias: int = 0
    lowest: int = 0  # number of a group's scale
    divisor: float = 0.0  # of what the values tell of a scale
    block_divisor: float = 0.0  # of those of groups


REPLAYED = {
    66: Replayed(4, divisor=-8.0),
    67: Replayed(4, minima=True, divisor=15.0),
    70: Replayed(5, divisor=-16.0),
    71: Replayed(5, minima=True, divisor=31.0),
    72: Replayed(8, code_bias=128, divisor=127.0),
    74: Replayed(2, 16, 4, minima=True, divisor=3.0, block_divisor=15.0),
    75: Replayed(3, 16, 6, code_bias=4, scale_bias=32, lowest=-32, divisor=-4.0, block_divisor=-32.0),
    76: Replayed(4, 8, 6, minima=True, divisor=15.0, block_divisor=63.0),
    77: Replayed(5, 8, 6, minima=True, divisor=31.0, block_divisor=63.0),
    78: Replayed(6, 16, 8, code_bias=32, scale_bias=0, lowest=-128, divisor=-32.0, block_divisor=-128.0),
    84: Replayed(4, divisor=-127.0),
    98: Replayed(2, code_bias=1, divisor=1.0),
    99: Replayed(2, code_bias=1, divisor=1.0),
}
IQ4_STEPS = (-231, -187, -148, -114, -84, -57, -32, -9, 14, 38, 63, 91, 122, 158, 202)


def read_replayed(cursor: Cursor, segment: Segment) -> int:
    """The element type of the values, and the formula."""
    referred, formula = cursor.u8(), cursor.u8()
    known = (referred < len(ELEMENTS) or big_endian(referred) or referred in BLOCK_TYPES) and formula == 0
    require_known(known, f"element type {referred} or formula {formula} of codec replay", cursor.where)
    cursor.check(referred in (BF16, F16, F32), "codec replay does not know the values' type")
    return referred


def magnitude_of(x: float) -> int:
    """The bits of a number, also of none, without the sign."""
    return bits_of(x) & 0x7FFFFFFF


def order(x: int) -> int:
    """The bits of a number as an integer in the order of numbers."""
    return -1 - (x & 0x7FFFFFFF) if x >> 31 else x


def number(x: float) -> float:
    """num."""
    return 0.0 if math.isnan(x) else x


def clamp(y: float, low: float, high: float) -> float:
    y = y if y > low else low
    return y if y < high else high


def away(y: float) -> int:
    """To the nearest integer, halves away from 0."""
    whole = math.trunc(y)
    rest = y - whole
    return whole + (rest >= 0.5) - (rest <= -0.5)


def as_float(bits: int) -> float:
    return float_of(bits.to_bytes(4, "little"))


def ends_of(x: Sequence[int]) -> tuple[int, int]:
    """The least and the greatest in order."""
    return min(x, key=order), max(x, key=order)


def extreme(x: Sequence[int]) -> float:
    """Of bits."""
    least, greatest = ends_of(x)
    low, high = least & 0x7FFFFFFF, greatest & 0x7FFFFFFF
    if low == high:
        return as_float(next(bits for bits in x if bits & 0x7FFFFFFF == high))
    return as_float(least if low > high else greatest)


def divided(x: float, y: float) -> float:
    return f32(quotient(x, y))


@dataclass
class Guess:
    """d and m of a block, and of its groups."""

    scale: float = 0.0
    minimum: float = 0.0
    scales: list[float] = field(default_factory=list)
    minima: list[float] = field(default_factory=list)


def guess_of(element: int, x: Sequence[int]) -> Guess:
    """What is guessed of a block whose values have these bits of 32."""
    form = REPLAYED[element]
    guess = Guess()
    if not form.groups and form.minima:
        least, greatest = map(as_float, ends_of(x))
        guess.scale = number(divided(f32(greatest - least), form.divisor))
        guess.minimum = number(least)
    elif not form.groups:
        top = extreme(x) if form.divisor < 0 else as_float(max(bits & 0x7FFFFFFF for bits in x))
        guess.scale = number(divided(top, form.divisor))
    else:
        size = len(x) // form.groups
        for group in (x[start : start + size] for start in range(0, len(x), size)):
            if not form.minima:
                guess.scales.append(number(divided(extreme(group), form.divisor)))
                continue
            least, greatest = map(as_float, ends_of(group))
            least = least if least < 0 else 0.0
            guess.minima.append(number(-least))
            guess.scales.append(number(divided(f32(greatest - least), form.divisor)))
        if form.minima:
            guess.scale = divided(max(0.0, *guess.scales), form.block_divisor)
            guess.minimum = divided(max(0.0, *guess.minima), form.block_divisor)
        else:
            guess.scale = number(divided(extreme([bits_of(scale) for scale in guess.scales]), form.block_divisor))
    return guess


def guessed_scales(values: Sequence[float], unit: float, form: Replayed) -> list[int]:
    """Numbers of scales or minima of groups."""
    highest = form.lowest + (1 << form.scale_bits) - 1
    return [round(clamp(divided(value, unit) if unit != 0 else 0.0, form.lowest, highest)) for value in values]


def plain_codes(element: int, x: Sequence[float], scale: float, minimum: float) -> list[int]:
    """Numbers of the codes of a block without groups."""
    form = REPLAYED[element]
    inverse = divided(1.0, scale) if scale != 0 else 0.0
    top = (1 << form.code_bits) - 1
    found = []
    for value in x:
        y = f32((f32(value - minimum) if form.minima else value) * inverse)
        if element == 84:
            twice = math.floor(clamp(f32(2 * y), -256, 255))
            found.append(sum(step <= twice for step in IQ4_STEPS))
        elif form.minima:
            found.append(math.trunc(clamp(f32(y + 0.5), 0, top)))
        elif form.code_bias:
            found.append(away(clamp(y, -128, 127) if element == 72 else clamp(y, -1, 1)))
        else:
            found.append(math.trunc(clamp(f32(y + (0.5 - form.divisor)), 0, top)))
    return found


def group_codes(x: Sequence[float], scale: float, minimum: float, form: Replayed) -> list[int]:
    """Numbers of the codes of a group."""
    highest = (1 << form.code_bits) - 1 - form.code_bias
    return [round(clamp(divided(f32(value + minimum), scale), -form.code_bias, highest)) for value in x]


def halves_joined(codes: Sequence[int]) -> bytes:
    """Nibbles."""
    half = len(codes) // 2
    return bytes(low % 16 + low_16 % 16 * 16 for low, low_16 in zip(codes[:half], codes[half:], strict=True))


def pairs_joined(codes: Sequence[int], shift: int = 0) -> bytes:
    """Pairs: bits `shift` and the next of 256 codes."""
    return bytes(
        sum((codes[128 * h + 32 * k + i] >> shift & 3) << 2 * k for k in range(4)) for h in range(2) for i in range(32)
    )


def bits_joined(codes: Sequence[int], bit: int) -> bytes:
    """One bit of 256 codes: bit k of byte i is of code 32 k + i."""
    return bytes(sum((codes[32 * k + i] >> bit & 1) << k for k in range(8)) for i in range(32))


def digits_joined(codes: Sequence[int], rows: int, count: int) -> bytes:
    out = bytearray()
    for i in range(count):
        q = 0
        for row in range(5):
            q = 3 * q + (codes[row * count + i] if row < rows else 0)
        out.append(-(-256 * q // 243) % 256)
    return bytes(out)


def six_bits(scales: Sequence[int], minima: Sequence[int]) -> bytes:
    """Scales and minima of Q4_K and Q5_K."""
    first = [scales[j] + 64 * (scales[j + 4] // 16) for j in range(4)]
    second = [minima[j] + 64 * (minima[j + 4] // 16) for j in range(4)]
    return bytes(first + second + [scales[j + 4] % 16 + 16 * (minima[j + 4] % 16) for j in range(4)])


def six_bits_of_q3(scales: Sequence[int]) -> bytes:
    low = [scales[j] % 16 + scales[j + 8] % 16 * 16 for j in range(8)]
    return bytes(low + [sum(scales[j + 4 * k] // 16 << 2 * k for k in range(4)) for j in range(4)])


def block_of(
    element: int, scale: int, minimum: int, scales: Sequence[int], minima: Sequence[int], codes: Sequence[int]
) -> bytes:
    """A block as ggml stores it."""
    d, m = scale.to_bytes(2, "little"), minimum.to_bytes(2, "little")
    if element in (66, 84):
        return d + halves_joined(codes)
    if element == 67:
        return d + m + halves_joined(codes)
    if element in (70, 71):
        fifth = sum((code >> 4 & 1) << i for i, code in enumerate(codes)).to_bytes(4, "little")
        return d + (m if element == 71 else b"") + fifth + halves_joined(codes)
    if element == 72:
        return d + bytes((code - 128) % 256 for code in codes)
    if element == 74:
        groups = bytes(s + 16 * least for s, least in zip(scales, minima, strict=True))
        return groups + pairs_joined(codes) + d + m
    if element == 75:
        return bits_joined(codes, 2) + pairs_joined(codes) + six_bits_of_q3(scales) + d
    if element in (76, 77):
        nibbles = b"".join(halves_joined(codes[start : start + 64]) for start in range(0, 256, 64))
        return d + m + six_bits(scales, minima) + (bits_joined(codes, 4) if element == 77 else b"") + nibbles
    if element == 78:
        low = bytes(
            codes[128 * h + 32 * k + i] % 16 + codes[128 * h + 64 + 32 * k + i] % 16 * 16
            for h in range(2) for k in range(2) for i in range(32)
        )  # fmt: skip
        return low + pairs_joined(codes, 4) + bytes(scales) + d
    if element == 98:
        return digits_joined(codes, 5, 32) + digits_joined(codes[160:], 5, 16) + digits_joined(codes[240:], 4, 4) + d
    return pairs_joined(codes) + d


def unfolded(symbol: int) -> int:
    return -(symbol // 2) - 1 if symbol % 2 else symbol // 2


def signed(low: LowBits, symbol: int) -> int:
    """A difference of D or M."""
    a = low.magnitude(symbol % NEGATIVE)
    return -a if symbol & NEGATIVE else a


@dataclass
class Differences:
    """Of a block of mode replay, one after the other; changes by place."""

    scale: list[int]
    minimum: list[int]
    scales: list[int]
    minima: list[int]
    changes: dict[int, int]


def read_differences(block: Block) -> Differences:
    cursor, segment, count = block.cursor, block.segment, block.values
    form, elements = REPLAYED[segment.element], BLOCK_TYPES[segment.element][1]
    grouped = count * form.groups
    flags = cursor.u8()
    require_known(flags <= 1, f"reserved flags {flags:#x}", cursor.where)
    if flags:
        cursor.check(cursor.take(6) == bytes(6), "bytes 26 to 31 of a block that is what is computed")
        return Differences([0] * count, [0] * count, [0] * grouped, [0] * grouped, {})
    n = cursor.u16()
    cursor.check(n <= MOST_CHANGES, "too many changes")
    runs = (count, count * form.minima, grouped, grouped * form.minima, n, n)
    start = read_rans_start(cursor, segment, 0)
    tables = contexts_of(cursor, segment).tables
    symbols = read_words(cursor, start, [table for table, run in zip(tables, runs, strict=True) for _ in range(run)])
    parts = [symbols[end - run : end] for run, end in zip(runs, accumulate(runs), strict=True)]
    tokens = [symbol % NEGATIVE for symbol in parts[0] + parts[1]] + parts[4]
    few = all(low_bit_count(token, GAP_BITS) <= MOST_LOW_BITS for token in tokens)
    cursor.check(few, "a token of more than 24 low bits")
    low = LowBits(cursor, tokens, GAP_BITS)
    scale, minimum = ([signed(low, symbol) for symbol in part] for part in parts[:2])
    place, changes = -1, {}
    for token, change in zip(parts[4], parts[5], strict=True):
        place += 1 + low.magnitude(token)
        cursor.check(place < count * elements, "a change past the block")
        changes[place] = unfolded(change)
    return Differences(scale, minimum or [0] * count, list(map(unfolded, parts[2])), list(map(unfolded, parts[3])), changes)


def mode_replay(block: Block) -> bytes:
    """replay.md."""
    segment = block.segment
    element, form, size = segment.element, REPLAYED[segment.element], BLOCK_TYPES[segment.element][1]
    found = read_differences(block)
    words = little_endian(block.referred(0), element_width(segment.referred or 0))
    widen: Callable[[int], int] = {BF16: lambda s: s << 16, F16: f32_of_f16}.get(segment.referred or 0, lambda s: s)
    out = bytearray()
    for index in range(block.values):
        bits = [widen(word) for word in words[index * size : (index + 1) * size]]
        x = list(map(as_float, bits))
        guess = guess_of(element, bits)
        guessed = f16_of_f32(bits_of(guess.scale)), f16_of_f32(bits_of(guess.minimum))
        scale = (guessed[0] + found.scale[index]) % 65536
        minimum = (guessed[1] + found.minimum[index]) % 65536 if form.minima else 0
        d, m = as_float(f32_of_f16(scale)), as_float(f32_of_f16(minimum))
        scales: list[int] = []
        minima: list[int] = []
        if form.groups:
            of_groups = range(index * form.groups, (index + 1) * form.groups)
            whole = 1 << form.scale_bits
            numbers = guessed_scales(guess.scales, d, form)
            scales = [(s + form.scale_bias + found.scales[j]) % whole for s, j in zip(numbers, of_groups, strict=True)]
            if form.minima:
                numbers = guessed_scales(guess.minima, m, form)
                minima = [(s + found.minima[j]) % whole for s, j in zip(numbers, of_groups, strict=True)]
            codes = []
            width = size // form.groups
            for j, stored in enumerate(scales):
                factor = stored - form.scale_bias
                if element == 78 and factor > 127:
                    factor -= 256
                s, v = f32(d * factor), f32(m * minima[j]) if form.minima else 0.0
                if s == 0:
                    s, v = guess.scales[j], guess.minima[j] if form.minima else 0.0
                codes += group_codes(x[j * width : (j + 1) * width], s, v, form)
        else:
            d = guess.scale if scale == guessed[0] else d
            m = guess.minimum if minimum == guessed[1] else m
            codes = plain_codes(element, x, d, m)
        stored = [
            (code + form.code_bias + found.changes.get(index * size + place, 0)) % (1 << form.code_bits)
            for place, code in enumerate(codes)
        ]
        out += block_of(element, scale, minimum, scales, minima, stored)
    return bytes(out)


# --- Codec copy (copy.md) and the modes of section 4.3 ----------------------------------------------------------------


def mode_copy(block: Block) -> bytes:
    """The same bytes; in codec delta all b."""
    reserved_fields(block.cursor)
    if block.segment.codec == DELTA:
        return b"".join(b.to_bytes(block.segment.width, "little") for b in predicted(block))
    return block.referred(0)


MODES: tuple[Callable[[Block], bytes], ...] = (
    mode_raw,
    mode_constant,
    mode_zstd,
    mode_lz4,
    mode_huffman,
    mode_fixed4,
    mode_planes,
    mode_copy,
    mode_rans,
    mode_sparse,
    mode_cast,
    mode_delta,
    mode_nodes,
    mode_replay,
)



def decode_block(
    cursor: Cursor, segment: Segment, values: int, first: int, referred: Callable[[int], bytes]
) -> bytes:
    """A block from its byte 16 on, with its decoded hash checked (section 4.3)."""
    decoded_hash, mode = cursor.u64(), cursor.u8()
    require_known(mode in KNOWN_MODES, f"mode {mode}", cursor.where)
    cursor.check(mode in MODES_OF_CODEC[segment.codec], f"mode {MODE_NAMES[mode]} outside its codec")
    block = Block(cursor, segment, values, referred, first=first)
    is_lattice = segment.codec == LATTICE and mode in (HUFFMAN, RANS, NODES)
    decoded = lattice_values(block, MODES[mode]) if is_lattice else MODES[mode](block)
    cursor.finish()
    if segment.big_endian and segment.codec not in (BYTES, COPY):
        decoded = swap_values(decoded, segment.element)
    require(xxh3_64(decoded) == decoded_hash, "decoded hash does not match", cursor.where)
    return decoded


# --- Decoding members -------------------------------------------------------------------------------------------------

# By SHA-256 and length: the content, and how deep the chain of bases is that it needs itself.
BaseStore = dict[tuple[bytes, int], tuple[bytes, int]]


class Decoder:
    """Decodes members; `contents` holds the members done so far and the one in work."""

    def __init__(self, container: Container, bases: BaseStore, limit: int) -> None:
        self.container = container
        self.bases = bases
        self.limit = limit
        self.contents: dict[int, bytearray] = {}
        self.depth = 0  # of the chain of bases, as met so far

    def decode(self, number: int) -> bytes:
        """The bytes of a member, after those that it copies from."""
        needed = self.needed(number)
        total = sum(self.container.members[index].record.length for index in needed)
        if total > self.limit:
            raise Refusal(f"{total} bytes to decode are above --limit {self.limit}, member {number}")
        for index in needed:
            self.member(self.container.members[index])
        return bytes(self.contents[number])

    def needed(self, number: int) -> list[int]:
        """The member and all earlier ones that it copies from, directly or not, in order."""
        found, waiting = {number}, [number]
        while waiting:
            for segment in self.container.members[waiting.pop()].segments:
                for reference in segment.references:
                    if segment.codec in REFERRING and reference.kind == 0 and reference.number not in found:
                        found.add(reference.number)
                        waiting.append(reference.number)
        return sorted(found)

    def member(self, member: Member) -> None:
        require_known(member.unsupported is None, str(member.unsupported), member.label)
        content = self.contents[member.number] = bytearray()
        for segment in member.segments:
            first_byte = len(content)
            for ordinal, frame in enumerate(segment.blocks):
                content += self.block(member, segment, ordinal, frame, len(content) - first_byte)
        require(len(content) == member.record.length, "decoded length is wrong", member.label)
        require(xxh3_128(content) == member.record.xxh3, "XXH3-128 does not match", member.label)
        for file in member.files:
            known = file.sha256 in (None, hashlib.sha256(content[file.start : file.end]).digest())
            require(known, "SHA-256 does not match", f"{member.label}, {file_words(file)}")

    def block(self, member: Member, segment: Segment, ordinal: int, frame: Frame, first_byte: int) -> bytes:
        """One block, with its decoded hash checked (section 4.3)."""
        where = f"block {ordinal} of segment {segment.number}"
        cursor = Cursor(self.container.data, frame.start + 16, frame.end, where)
        first = first_byte // segment.width
        referred = partial(self.referred, member, segment, first, frame.tag)
        return decode_block(cursor, segment, frame.tag, first, referred)

    def referred(self, member: Member, segment: Segment, first: int, count: int, number: int) -> bytes:
        """`count` values from value `first` on of the range of the segment's reference `number` (section 4.2)."""
        reference = segment.references[number]
        size = count * segment.referred_width
        start = reference.offset + first * segment.referred_width
        if reference.kind == 0:
            return bytes(self.contents[reference.number][start : start + size])
        base = member.record.bases[reference.number]
        found = self.bases.get((base.sha256, base.length))
        if found is None:
            raise BaseProblem(f"no --base of {base.length} bytes with SHA-256 {base.sha256.hex()}, {member.label}")
        content, depth = found
        self.depth = max(self.depth, depth + 1)
        require(self.depth <= MAX_BASE_DEPTH, "chain of bases is too deep", member.label)
        return content[start : start + size]


# --- Command ----------------------------------------------------------------------------------------------------------


def file_words(file: File) -> str:
    """What --list prints of a file, but its digest."""
    mode = "" if file.mode is None else f" mode {file.mode:03o}"
    time = "" if file.time is None else f" time {file.time}"
    link = "" if file.link is None else f" -> {printable(file.link)}"
    return f'"{printable(file.name)}": {file.length} bytes{mode}{time}{link}'


def member_lines(member: Member) -> Iterator[str]:
    """What --list prints of a member."""
    record = member.record
    if record.type == BUNDLE:
        yield f"{member.label}, bundle of {len(member.files)} files: {record.length} bytes"
    else:
        yield f"member {member.number} {file_words(member.files[0])}"
    yield f"  XXH3-128 {record.xxh3[::-1].hex()}"
    for file in member.files:
        if record.type == BUNDLE:
            yield f"  file {file_words(file)} at {file.start}"
        if file.sha256:
            yield f"  SHA-256 {file.sha256.hex()}"
    if member.unsupported:
        yield f"  unsupported: {member.unsupported}"
    for number, base in enumerate(record.bases):
        hint = printable(base.hint.decode("utf-8", "backslashreplace"))
        yield f'  base {number}: {base.length} bytes, SHA-256 {base.sha256.hex()}, hint "{hint}"'
    for segment in member.segments:
        yield "  " + segment_line(segment)
    for tensor in record.tensors:
        shape = " x ".join(map(str, tensor.shape)) or "scalar"
        kind = element_name(tensor.element)
        yield f'  tensor "{printable(tensor.name)}": {kind} {shape}, {tensor.length} bytes at {tensor.offset}'


def segment_line(segment: Segment) -> str:
    """What --list prints of a segment."""
    codec = CODEC_NAMES[segment.codec] if segment.codec < len(CODEC_NAMES) else f"codec {segment.codec}"
    line = f"segment {segment.number}: {element_name(segment.code)} {codec}"
    line += f", {segment.length} bytes at {segment.offset}, {len(segment.blocks)} blocks"
    if segment.codec == FLOAT:
        line += f", J {segment.j}, base {segment.window_base}"
    if segment.codec in WITH_SYMBOLS:
        coder = CODER_NAMES[segment.coder]
        line += f", {len(segment.tables) + len(rans_tables(segment))} tables of {coder}"
    if segment.contexts:
        line += f", {len(segment.contexts.numbers)} contexts"
    if segment.palette and segment.palette.values:
        line += f", palette of {len(segment.palette.values)}, {segment.palette.digits} values a symbol"
    if segment.lattice:
        line += lattice_words(segment.lattice)
    if segment.referred is not None:
        line += f", from {ELEMENTS[segment.referred][0]}"
    if segment.t is not None:
        line += f", T {segment.t}"
    if segment.prediction:
        line += f", prediction {segment.prediction.name}"
        line += "".join(f" {constant:.9g}" for constant in segment.constants)
    if segment.q:
        line += f", Q {segment.q}"
    for reference in segment.references:
        line += f", {'base' if reference.kind else 'member'} {reference.number} at {reference.offset}"
    return line


def lattice_words(lattice: Lattice) -> str:
    """What --list prints of a lattice."""
    words = f", model {MODEL_NAMES[lattice.model]}, {len(lattice.numbers)} codes of book {BOOK_NAMES[lattice.book]}"
    words += f", {lattice.t} codes a symbol" if lattice.t else ", codes are values"
    words += f", rows of {lattice.row}, groups {len(lattice.band_ends)} x {len(lattice.column_ends)}"
    return words + (f", constant {lattice.constant:.9g}" if lattice.model == MODEL_CONSTANT else "")


def listing(container: Container) -> bytes:
    """The whole of --list."""
    kind = ("single file", "folder", "checkpoint")[container.header.kind]
    version = ".".join(map(str, container.header.version))
    files = f"{len(container.members)} members, {len(container.files)} files"
    lines = [f"{kind} of version {version}, {files}, {len(container.data)} bytes"]
    for member in container.members:
        lines += member_lines(member)
    return ("\n".join(lines) + "\n").encode()


def pick_file(container: Container, name: str | None) -> tuple[Member, File]:
    """The file to decode: of a link the one that it leads to."""
    files = container.files
    if name is None:
        if len(files) != 1:
            raise Usage(f"{len(files)} files, --member is needed")
        return files[0]
    for member, file in files:
        if file.name == name and file.link is not None:
            return pick_file(container, link_path(file.name, file.link, "links"))
        if file.name == name:
            return member, file
    raise Usage(f'no file "{printable(name)}", --member')


def file_content(container: Container, name: str | None, bases: BaseStore, limit: int) -> bytes:
    """The original bytes of one file."""
    member, file = pick_file(container, name)
    return Decoder(container, bases, limit).decode(member.number)[file.start : file.end]


def file_contents(file: bytes, bases: BaseStore, limit: int) -> Iterator[tuple[bytes, int]]:
    """Each file of a container and its depth; what is no container or does not decode is no base."""
    with suppress(Damaged, Unsupported):
        container = open_container(file)
        for member in container.members:
            decoder = Decoder(container, bases, limit)
            with suppress(Damaged, BaseProblem, Unsupported):
                content = decoder.decode(member.number)
                yield from ((content[each.start : each.end], decoder.depth) for each in member.files)


def store_bases(files: Iterable[bytes], limit: int) -> BaseStore:
    """The files given as bases, and what is in those that are containers; these find the bases given before."""
    store: BaseStore = {}
    for file in files:
        for content, depth in [(file, 0), *file_contents(file, store, limit)]:
            store[hashlib.sha256(content).digest(), len(content)] = content, depth
    return store


def read_file(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


DEFAULT_LIMIT = 2**28


def decode_file(data: bytes, name: str | None = None, bases: Iterable[bytes] = ()) -> bytes:
    """The original bytes of a file of a container in memory, given files of bases; raises `Refusal`."""
    container = open_container(data)
    return file_content(container, name, store_bases(bases, DEFAULT_LIMIT), DEFAULT_LIMIT)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="reference_decoder", description="Decode a swzip container.")
    parser.add_argument("container", metavar="IN.swz")
    parser.add_argument("--list", action="store_true", help="print what the container holds")
    parser.add_argument("--member", metavar="NAME", help="the file to decode")
    parser.add_argument("--base", metavar="FILE", action="append", default=[], help="a base or a container of bases")
    parser.add_argument("--limit", metavar="BYTES", type=int, default=DEFAULT_LIMIT, help="most bytes to decode")
    return parser.parse_args(argv)


def result(options: argparse.Namespace) -> bytes:
    """What goes to standard output."""
    container = open_container(read_file(options.container))
    if options.list:
        return listing(container)
    bases = store_bases(map(read_file, options.base), options.limit)
    return file_content(container, options.member, bases, options.limit)


def main(argv: Sequence[str] | None = None, out: BinaryIO | None = None, err: TextIO | None = None) -> int:
    """Run the command; the answer is its exit code."""
    err = err or sys.stderr
    try:
        output = result(arguments(argv))
        stream = out or sys.stdout.buffer
        stream.write(output)
        stream.flush()
    except Refusal as refusal:
        print(f"reference_decoder: {refusal}", file=err)
        return refusal.code
    except OSError as error:
        print(f"reference_decoder: {error.strerror}, {printable(str(error.filename or 'output'))}", file=err)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
