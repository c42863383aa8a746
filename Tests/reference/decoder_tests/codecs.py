"""Single codecs: examples of their pages, arithmetic, plans drawn by chance."""

from __future__ import annotations

import random
import struct

import reference_decoder as decoder

from decoder_tests.checks import Checks, run, shared
from handmade.codecs.delta import DeltaPlan, value_bits
from handmade.codecs.delta_samples import moved, quiet_plan
from handmade.codecs.huffman import Code
from handmade.codecs.lattice import BOOKS, integers_book, lattice_plan
from handmade.codecs.nodes import Node, node_list, tree
from handmade.codecs.prediction import Prediction, moment, scaling, weight
from handmade.codecs.prediction_samples import ODD_NUMBERS
from handmade.wire.codes import BF16, E4M3, F16, F32, F64, I16, I32, I64, U8
from handmade.wire.encoding import round_up


class ExampleTests(Checks):
    """The example of codecs/huffman.md."""

    def test_table(self) -> None:
        data = bytes.fromhex("010504120303")
        cursor = decoder.Cursor(data, 0, len(data), "example")
        table = decoder.read_table(cursor)
        self.check("lengths", {s: n for s, n in enumerate(table) if n} == {5: 2, 6: 1, 7: 3, 9: 3}, table)
        codes = {5: "10", 6: "0", 7: "110", 9: "111"}
        self.check("writer", Code({5: 2, 6: 1, 7: 3, 9: 3}).bits == codes)
        stream = int("".join(codes[symbol] for symbol in (6, 5, 7, 9))[::-1], 2).to_bytes(2, "little")
        self.check("reader", decoder.decode_stream(stream, table, 4, cursor) == [9, 7, 5, 6])


class NodesTests(Checks):
    """The examples of codecs/nodes.md; trees and lists of codes drawn by chance."""

    EXAMPLE = Code({5: 2, 6: 1, 7: 3, 9: 3})

    def table(self, code: Code) -> bytes:
        return bytes(code.lengths.get(symbol, 0) for symbol in range(256))

    def read(self, data: bytes, code: Code, count: int) -> list[int] | str:
        """The symbols of a list, or why it is refused."""
        try:
            cursor = decoder.Cursor(data, 0, len(data), "list")
            return decoder.read_lists(cursor, [len(data)], [count], [self.table(code)])
        except decoder.Damaged as refusal:
            return str(refusal)

    def same(self, found: decoder.Node, expected: Node) -> bool:
        children = zip(found.children or (), expected.children or (), strict=True)
        flat = None if expected.children else len(expected.symbols).bit_length() - 1
        below = all(self.same(*pair) for pair in children)
        return found.symbols == expected.symbols and found.flat == flat and below

    def drawn(self, rng: random.Random) -> Code:
        """Leaves are split until there are enough of them."""
        lengths = [1, 1]
        for _ in range(rng.choice((0, 3, 20, 80, 254))):
            at = rng.choice([k for k, length in enumerate(lengths) if length < 11])
            lengths[at] += 1
            lengths.append(lengths[at])
        return Code(dict(zip(rng.sample(range(256), len(lengths)), lengths, strict=True)))

    def test_example(self) -> None:
        found = decoder.code_tree(self.table(self.EXAMPLE))
        leaf, inner = found.children or (found, found)
        left, right = inner.children or (inner, inner)
        self.check("ranks", found.symbols == (6, 5, 7, 9), found)
        self.check("tree", (leaf.flat, left.flat, right.flat) == (0, 0, 1) and left.symbols == (5,), found)
        data, symbols = bytes.fromhex("1A0601"), [6, 5, 6, 9, 7]
        self.check("writer", node_list(self.EXAMPLE, symbols) == data)
        self.check("reader", self.read(data, self.EXAMPLE, 5) == symbols)

    def test_damaged(self) -> None:
        """Each other bit of the example makes other symbols, or is an unused one."""
        data = bytes.fromhex("1A0601")
        for bit in range(24):
            changed = (int.from_bytes(data, "little") ^ 1 << bit).to_bytes(3, "little")
            found = self.read(changed, self.EXAMPLE, 5)
            self.check(f"bit {bit}", found != [6, 5, 6, 9, 7], found)
            if bit not in (*range(5), *range(8, 11), 16, 17):
                self.check(f"unused bit {bit}", "unused bits" in found, found)
        for size in range(3):
            found = self.read(data[:size], self.EXAMPLE, 5)
            self.check(f"cut at {size}", "runs past the end" in found, found)
        found = self.read(data + b"\0", self.EXAMPLE, 5)
        self.check("longer", "do not end" in found, found)

    @shared
    def test_drawn(self) -> None:
        for number in self.mine(range(400)):
            rng = random.Random(number)
            code = self.drawn(rng)
            expected = tree(code)
            self.check(f"tree {number}", self.same(decoder.code_tree(self.table(code)), expected), code.lengths)
            symbols = rng.choices([*code.lengths], k=rng.randrange(600))
            found = self.read(node_list(code, symbols), code, len(symbols))
            self.check(f"list {number}", found == symbols, code.lengths)


class PredictionTests(Checks):
    """The arithmetic of codec delta's predictions is that of handmade, which knows whole numbers only."""

    def predict(self, prediction: Prediction, element: int, words: tuple[int, ...]) -> int:
        """b by the reference decoder."""
        segment = decoder.Segment(0, 0, 4, 1, 0, element, decoder.DELTA, 0, 0, decoder.CODER_RANS)
        segment.prediction = decoder.PREDICTIONS[prediction.p]
        segment.constants = struct.unpack(segment.prediction.constants, prediction.data[1:])
        cursor = decoder.Cursor(b"", 0, 0, "test")
        block = decoder.Block(cursor, segment, 1, lambda number: words[number].to_bytes(4, "little"))
        return decoder.predicted(block)[0]

    def test_same(self) -> None:
        rng = random.Random(2)
        odd = [sign << 31 | number for number in ODD_NUMBERS for sign in (0, 1)]
        for p, widths in {1: (64,), 2: (64, 64), 3: (64, 64, 32, 32, 32)}.items():
            for _ in range(3000):
                usual = (scaling(0.9999), moment(), weight())[p - 1].constants
                any_bits = (rng.getrandbits(width) for width in widths)
                constants = tuple(c if rng.randrange(4) else bits for c, bits in zip(usual, any_bits, strict=True))
                prediction = Prediction(p, constants)
                words = tuple(rng.choice((rng.choice(odd), rng.getrandbits(32))) for _ in range(prediction.sources))
                for element in (F32, BF16)[: 1 + (p == 3)]:
                    expected = prediction.value(element, words)
                    found = self.predict(prediction, element, words)
                    self.check(f"prediction {prediction} {words}", found == expected, (found, expected))


class QuietTests(Checks):
    """Plans of quiet values, drawn by chance, decode to what they are made of."""

    ELEMENTS = (U8, E4M3, BF16, F16, I16, F32, I32, F64, I64)

    def plan(self, rng: random.Random) -> DeltaPlan:
        count, length = rng.randrange(200, 900), rng.choice((0, 1, 7, 25, 150))
        fields = {"contexts": rng.randrange(1, 20), "row_length": length, "row_bits": rng.randrange(5) if length else 0}
        fields["q"] = rng.randrange(1, fields["contexts"] + 1)
        return quiet_plan(rng.choice(self.ELEMENTS), count, rate=rng.choice((0, 0.01, 0.1, 0.3)), **fields)

    @shared
    def test_drawn(self) -> None:
        for number in self.mine(range(300)):
            rng = random.Random(number)
            plan = self.plan(rng)
            container = plan.container()
            container.first.segments[1].per_block = round_up(len(plan.values), plan.row_length or 1)
            same = decoder.decode_file(container.build()) == plan.base + plan.decoded
            self.check(f"plan {number}", same, "other bytes")

    def decoded(self, element: int, base: int, changes: list[tuple[int, int]]) -> bytes:
        """What the reference decoder makes of 600 values of one base with changes at places."""
        values = [base] * 600
        for place, g in changes:
            values[place] = moved(element, base, g)
        plan = DeltaPlan(element, [base] * 600, values, contexts=1, q=1)
        return decoder.decode_file(plan.container().build())[600 * value_bits(element) // 8 :]

    @shared
    def test_places(self) -> None:
        for element, base in ((U8, 7), (BF16, 0x3F80), (I32, 99), (I64, 5)):
            width = value_bits(element) // 8
            for first in self.mine(range(100)):
                found = self.decoded(element, base, [(first, 2), (first + 1, 3)])
                numbers = [int.from_bytes(found[at : at + width], "little") for at in range(0, len(found), width)]
                expected = [base] * first + [base + 2, base + 3] + [base] * (598 - first)
                self.check(f"element type {element}, place {first}", numbers == expected, numbers)

    def test_listed(self) -> None:
        for name, shown in {"good-quiet-base.swz": True, "good-delta-base.swz": False}.items():
            found = b", Q 3" in run("--list", self.folder / name)[1]
            self.check(name, found == shown)


class LatticeTests(Checks):
    """Codec lattice: operations are rounded once, whatever the numbers; books; the line of --list."""

    def bits(self, rng: random.Random) -> int:
        """Of a finite number: near 1, or any."""
        near = rng.getrandbits(1) << 31 | rng.randrange(100, 154) << 23 | rng.getrandbits(23)
        return near if rng.random() < 0.7 else rng.getrandbits(1) << 31 | rng.randrange(0x7F800000)

    @shared
    def test_rounded(self) -> None:
        for number in self.mine(range(200)):
            rng = random.Random(number)
            groups = {"row": 8, "columns": [(1, 8)], "bands": [(1, 8)]}
            scales, offsets = ([self.bits(rng) for _ in range(64)] for _ in range(2))
            fields = {"scales": scales, "constant": self.bits(rng) or 1}
            fields |= {"model": number % 3, "element": (F32, BF16, F16)[number // 3 % 3]}
            fields |= {"offsets": offsets} if number % 3 == 1 else {}
            plan = lattice_plan(integers_book(-8, 16), 1, count=64, **groups, **fields)
            container = plan.container()
            found = decoder.decode_file(container.build())
            self.check(f"plan {number}", found == container.first.decoded, (found, container.first.decoded))

    def test_books(self) -> None:
        for number, book in decoder.BOOKS.items():
            found = [int.from_bytes(struct.pack("<f", code), "little") for code in book]
            self.check(f"book {number}", found == list(BOOKS[number].numbers), found)

    def test_listed(self) -> None:
        line = run("--list", self.folder / "good-lattice-offset-1-f16.swz")[1]
        words = b"model scale and offset, 16 codes of book integers, 2 codes a symbol, rows of 100, groups 4 x 3"
        self.check("list", words in line, line)
