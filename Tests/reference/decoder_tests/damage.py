"""Damaged containers: cut, changed, and changed under right hashes."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path

import reference_decoder as decoder

from decoder_tests.checks import REFUSALS, Checks, run, shared
from handmade.codecs.bytes import lz4_block, zstd_block
from handmade.codecs.copy import BASE_CONTENT, base_sample, copy_sample
from handmade.codecs.delta_samples import delta_base_sample, delta_plan, deltas_sparse, quiet_sample
from handmade.codecs.fixed4 import fixed4_sample
from handmade.codecs.float import BF16_J2, F32_J1, float_sample, float_single, nodes_of, sorted_sample
from handmade.codecs.huffman import Code
from handmade.codecs.planes import planes_sample
from handmade.codecs.prediction import moment, scaling
from handmade.codecs.prediction_samples import PREDICTED, predicted_sample, sample_plan
from handmade.codecs.rans import classed_plan, rans_sample, rans_segment, rans_single
from handmade.codecs.sparse import sparse_container
from handmade.codecs.symbols import symbols_sample
from handmade.samples import bundle_files, bundle_of, folder, full_index, sample, tensors_container, two_blocks
from handmade.values import bf16_values, f32_values, text, with_zeros
from handmade.wire.codes import BF16, CODER_NODES, CODER_RANS, CONSTANT, F32, HUFFMAN, NODES, RANS, RAW, ZSTD
from handmade.wire.container import FRAMES, Container, old, single, zstd_packed
from handmade.wire.segment import Segment


class DamageTests(Checks):
    """Every truncation and every changed byte of the smallest good containers is refused."""

    def smallest(self) -> list[Path]:
        """Those of each sort: of all versions, with a block table, with a bundle."""
        good = [path for path in self.folder.glob("good-*.swz") if path.with_suffix(".bin").exists()]
        good.sort(key=lambda path: (path.stat().st_size, path.name))
        old = [path for path in good if path.name.startswith("good-old-")]
        more = ("good-second-raw.swz", "good-block-tables-of-three.swz", "good-bundle-of-one.swz")
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

    MAKES: tuple[Callable[[], Container], ...] = (
        sample,
        float_sample,
        sorted_sample,
        fixed4_sample,
        lambda: planes_sample((HUFFMAN, ZSTD, CONSTANT, RAW)),
        lambda: float_single(F32_J1, f32_values(17, 600), 60, low_modes=(ZSTD, HUFFMAN)),
        lambda: float_sample(more_patches=(7, 9)),
        lambda: single(Segment([zstd_block(text(300))])),
        lambda: single(Segment([lz4_block(text(300))])),
        copy_sample,
        base_sample,
        delta_base_sample,
        quiet_sample,
        lambda: quiet_sample(q=5),
        lambda: quiet_sample(q=1, rate=0.5),
        predicted_sample,
        lambda: predicted_sample(q=3, kind=deltas_sparse),
        lambda: predicted_sample(F32, prediction=moment()),
        lambda: predicted_sample(F32, prediction=scaling(0.9999)),
        tensors_container,
        rans_sample,
        lambda: rans_sample(more_patches=(7, 9)),
        lambda: single(rans_segment(classed_plan(2, 3, 30, 20))),
        lambda: rans_single(F32_J1, with_zeros(f32_values(74, 900)), 60, skips_zeros=True),
        symbols_sample,
        lambda: symbols_sample(CODER_RANS),
        lambda: symbols_sample(CODER_NODES),
        lambda: float_sample(nodes=True),
        lambda: float_sample(nodes=True, more_patches=(7, 9)),
        lambda: sorted_sample(nodes=True),
        lambda: nodes_of(Code({symbol: min(symbol + 1, 11) for symbol in range(12)}), [*range(12)] * 30),
        lambda: sparse_container(NODES),
        lambda: sparse_container(HUFFMAN),
        lambda: sparse_container(RANS),
        lambda: float_single(BF16_J2, bf16_values(62, 600), 300),
        lambda: folder(b"one", b"two"),
        lambda: bundle_of(*bundle_files()),
        lambda: zstd_packed(bundle_of(*bundle_files(), sha256=True)),
        full_index,
        lambda: zstd_packed(full_index()),
        two_blocks,
        lambda: old(two_blocks()),
        lambda: old(tensors_container()),
    )
    BASES = (
        BASE_CONTENT,
        delta_plan(BF16).base,
        *(sample_plan(element, prediction).base for _, element, prediction in PREDICTED),
    )
    FRAMES = ("member", "segment", "block", "directory")

    @shared
    def test_mended(self) -> None:
        for number, make in self.mine(enumerate(self.MAKES)):
            fresh, rng = make(), random.Random(number)
            for frame in self.FRAMES:
                for _ in range(60):
                    self.one(f"sample {number}, {frame}", copy.deepcopy(fresh), frame, rng)

    def one(self, name: str, container: Container, frame: str, rng: random.Random) -> None:
        """Change a few bytes of one frame's content before its hash is made."""
        chosen, original = next(iter(container.first.contents.items()))
        edits = FRAMES[frame](container)[0]
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
