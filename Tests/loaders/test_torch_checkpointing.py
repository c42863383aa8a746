"""Packed checkpoints of torch_checkpointing."""

import json
import shutil
import unittest

import torch
from torch import distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor
from torch_checkpointing import CheckpointManager, ItemSpec
from torch_checkpointing.checkpoint_layout import (JsonSerialization, LayoutInfo, RawSerialization,
                                                   SafetensorsSerialization)
from torch_checkpointing.config import AsyncCheckpointSaverConfig, CheckpointLoaderConfig, SyncCheckpointSaverConfig
from torch_checkpointing.default_resharder import DefaultResharder, ReshardingReadStrategy
from torch_checkpointing.storage.base_storage import ReadArgs
from torch_checkpointing.storage.filesystem import LocalFileSystemStorageConfig

import ranks
import swzip
from checkpoints import FolderTest, byte_count, weights
from swzip.torch_checkpointing import SwzipStorageConfig

PLAIN = LocalFileSystemStorageConfig(use_direct_io=False)


def manager(storage, **options):
    return CheckpointManager.Config(storage_config=storage, **{"save": SyncCheckpointSaverConfig(), **options}).build()


def sharded(seed, strategy=ReshardingReadStrategy.AUTO):
    """A model in shards, and a manager that can cut them otherwise."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    whole = {"a": weights(301, 256, seed=seed), "b": weights(400, 300, seed=seed + 1, dtype=torch.float32)}
    model = {name: distribute_tensor(tensor, mesh, [Shard(0)]) for name, tensor in whole.items()}
    items = {"model": ItemSpec(resharder=DefaultResharder(read_strategy=strategy))}
    return whole, model, manager(SwzipStorageConfig(), items=items)


def save_shards(folder):
    _, model, saver = sharded(1)
    saver.save(f"{folder}/step", {"model": model})
    saver.close()


def load_shards(folder, strategy):
    whole = sharded(1)[0]
    _, model, loader = sharded(5, strategy)
    found = loader.load(f"{folder}/step", into={"model": model})["model"]
    loader.close()
    for name, tensor in found.items():
        assert torch.equal(tensor.full_tensor().view(torch.uint8), whole[name].view(torch.uint8)), name


class TorchCheckpointingTest(FolderTest):
    STATE = {"model": {"a": weights(512, 700), "b": weights(300, 700, dtype=torch.float32), "five": torch.arange(5)},
             "step": {"number": 7, "none": None, "text": "x" * 9000}}

    def save(self, state, storage, **options):
        saver = manager(storage, **options)
        saving = saver.save(str(self.folder / "step"), state)
        if saving is not None:
            saving.result()
        saver.close()

    def load(self, into, storage, **options):
        loader = manager(storage, **options)
        found = loader.load(str(self.folder / "step"), into=into)
        loader.close()
        return dict(found)

    def test_round_trip(self):
        for level in (1, 3):
            storage = SwzipStorageConfig(level=level)
            self.save(self.STATE, storage)
            for use_mmap in (True, False):
                found = self.load(dict.fromkeys(self.STATE), storage, load=CheckpointLoaderConfig(use_mmap=use_mmap))
                self.assert_same(self.STATE, found)
            shutil.copytree(self.folder / "step", self.folder / str(level))
            shutil.rmtree(self.folder / "step")
        plain = sum(tensor.nbytes for tensor in self.STATE["model"].values())
        self.assertLess(byte_count(self.folder / "3"), byte_count(self.folder / "1"))
        self.assertLess(byte_count(self.folder / "3"), 0.78 * plain)
        self.assert_same(self.STATE["model"], torch.load(swzip.open(self.folder / "3" / "model_0.pt")))

    def test_saved_by_another_process(self):
        self.save(self.STATE, SwzipStorageConfig(), save=AsyncCheckpointSaverConfig())
        self.assertTrue((self.folder / "step" / "model_0.pt").read_bytes().startswith(b"\x89SWZ"))
        self.assert_same(self.STATE, self.load(dict.fromkeys(self.STATE), SwzipStorageConfig()))

    def test_plain_checkpoints_load(self):
        self.save(self.STATE, PLAIN)
        self.assert_same(self.STATE, self.load(dict.fromkeys(self.STATE), SwzipStorageConfig()))

    def test_all_layouts(self):
        container = swzip.compress(b"not to be unpacked" * 99)
        state = {"json": {"x": [1, 2]}, "raw": b"abc" * 50_000, "none": b"", "packed": container,
                 "tensors": {"a": weights(400, 300)}}
        layouts = {"json": JsonSerialization(), "tensors": SafetensorsSerialization()}
        items = {name: ItemSpec(layout=LayoutInfo(name, layouts.get(name, RawSerialization()))) for name in state}
        self.save(state, SwzipStorageConfig(), items=items)
        self.assert_same(state, self.load(dict.fromkeys(state), SwzipStorageConfig(), items=items))
        self.assertEqual(json.loads((self.folder / "step" / "json").read_text()), state["json"])
        self.assertLess((self.folder / "step" / "raw").stat().st_size, 1000)

    def test_sizes_are_those_of_originals(self):
        storage = SwzipStorageConfig().create_storage()
        for data in (b"", b"short", b"long" * 100_000, weights(1000, 900).view(torch.uint8).numpy().tobytes()):
            with storage.stream_write(self.folder / "file") as file:
                file.write(data)
            self.assertEqual(storage.getsize(self.folder / "file"), len(data))
            self.assertEqual(storage.read(self.folder / "file"), data)
            with storage.stream_read(self.folder / "file", ReadArgs(pre_read_full_file=False)) as file:
                self.assertEqual(file.seek(len(data) // 2), len(data) // 2)
                self.assertEqual(file.read(10), data[len(data) // 2:][:10])

    def test_other_ranks_load(self):
        ranks.run(1, save_shards, str(self.folder))  # Saving by more gathers on GPUs.
        for count, strategy in ((3, ReshardingReadStrategy.OFFSET), (2, ReshardingReadStrategy.FULL_FILE)):
            with self.subTest(f"{count} ranks, {strategy}"):
                ranks.run(count, load_shards, str(self.folder), strategy)


if __name__ == "__main__":
    unittest.main()
