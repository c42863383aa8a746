"""Packed checkpoints of torch.distributed.checkpoint."""

import unittest

import torch
from torch.distributed import checkpoint
from torch.distributed.checkpoint._fsspec_filesystem import FsspecReader, FsspecWriter

import ranks
import swzip
import swzip.dcp
from checkpoints import FolderTest, byte_count, weights

TYPES = [torch.bfloat16, torch.float16, torch.float32, torch.float64, torch.float8_e4m3fn, torch.float8_e5m2,
         torch.int8, torch.int64, torch.bool, torch.complex64]


def sample():
    """Tensors of all types and odd forms, and what is no tensor."""
    state = {str(kind): (weights(130, 257, dtype=torch.float32) * 100).to(kind) for kind in TYPES}
    state.update(scalar=torch.tensor(1.5), empty=torch.empty(0, 3), turned=weights(64, 256).T)
    state.update(part=weights(1000)[7:900:3])
    state.update(step=7, name="x" * 5000, rates={"first": 0.1, "last": None}, numbers=[1, 2.5, weights(9)])
    return state


def blank(value):
    """The same structure with nothing in it, to load into."""
    if isinstance(value, torch.Tensor):
        return torch.zeros_like(value)
    if isinstance(value, dict):
        return {key: blank(each) for key, each in value.items()}
    return [blank(each) for each in value] if isinstance(value, list) else "blank"


class DcpTest(FolderTest):
    def load(self, state, reader=None):
        found = blank(state)
        checkpoint.load(found, storage_reader=reader or swzip.dcp.FileSystemReader(self.folder / "step"), no_dist=True)
        return found

    def save(self, state, **options):
        checkpoint.save(state, storage_writer=swzip.dcp.FileSystemWriter(self.folder / "step", **options), no_dist=True)

    def test_round_trip(self):
        state = sample()
        for options in ({}, {"level": 9, "thread_count": 3}, {"single_file_per_rank": False, "level": 1}):
            with self.subTest(options):
                self.save(state, **options)
                self.assert_same(state, self.load(state))

    def test_parts_are_as_small_as_files(self):
        for kind in (torch.bfloat16, torch.float32):
            state = {f"layer{number}": weights(512, 1024, dtype=kind, seed=number) for number in range(3)}
            self.save(state)
            alone = sum(len(swzip.compress(tensor)) for tensor in state.values())
            self.assertLess(byte_count(self.folder / "step"), alone + 6000)
            self.assertLess(alone, 0.86 * sum(tensor.nbytes for tensor in state.values()))

    def test_ranks(self):
        ranks.run(2, ranks.save, str(self.folder))
        self.assertLess(byte_count(self.folder / "step"), 0.95 * byte_count(self.folder / "plain"))
        saved = torch.load(self.folder / "saved.pt")
        for count, name in ((1, "step"), (4, "step"), (2, "plain")):
            with self.subTest(f"{count} ranks load {name}"):
                ranks.run(count, ranks.load, str(self.folder), name)
                self.assert_same(saved, torch.load(self.folder / "loaded.pt"))

    def test_async_save(self):
        state, kept = sample(), sample()
        writer = swzip.dcp.FileSystemWriter(self.folder / "step")
        saving = checkpoint.async_save(state, storage_writer=writer, no_dist=True)
        for tensor in state.values():
            if isinstance(tensor, torch.Tensor):
                tensor.zero_()
        saving.result()
        self.assert_same(kept, self.load(kept))

    def test_async_save_in_a_process(self):
        state = sample()
        ranks.run(1, ranks.save_in_a_process, str(self.folder), state)
        self.assert_same(state, self.load(state))

    def test_other_writers_and_readers(self):
        state = {"x": weights(100, 300), "step": 3}
        path = f"memory://{self.folder}"
        writer = FsspecWriter(path, _extensions=[swzip.dcp.SwzipExtension(threads=1, sha256=True)])
        checkpoint.save(state, storage_writer=writer, no_dist=True)
        self.assert_same(state, self.load(state, swzip.dcp.register(FsspecReader(path))))

    def test_damage_is_found(self):
        state = {"x": weights(300, 300)}
        self.save(state)
        path = next(self.folder.glob("step/*.distcp"))
        whole = path.read_bytes()
        for place in (9, len(whole) // 2, len(whole) - 9):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
            with self.assertRaisesRegex(checkpoint.CheckpointException, "DamagedError"):
                self.load(state)

    def test_newer_versions_are_named(self):
        with self.assertRaisesRegex(swzip.SwzipError, "needs a newer swzip: .*stream.swzip/2"):
            swzip.dcp.SwzipExtension.from_descriptor("2")

    def test_an_item_that_fails_writes_nothing(self):
        with open(self.folder / "part", "wb") as file:
            stream = swzip.dcp.SwzipExtension().transform_to(file)
            stream.write(b"half of it")
            del stream
        self.assertEqual((self.folder / "part").read_bytes(), b"")


if __name__ == "__main__":
    unittest.main()
