"""Packed checkpoints of Megatron-core."""

import json
import os
import pathlib
import re
import unittest
from unittest import mock

import torch
from megatron.core import dist_checkpointing
from megatron.core.dist_checkpointing import ShardedObject, ShardedTensor

import ranks
import swzip.megatron  # Makes the backend known.
from checkpoints import FolderTest, byte_count, weights

PAGE = pathlib.Path(__file__).resolve().parents[2] / "tools" / "python" / "loaders" / "megatron.md"


def on_processors():
    """Megatron asks for a GPU even where all tensors are in memory."""
    return mock.patch.multiple(torch.cuda, current_device=lambda: "cpu", synchronize=lambda: None)


def state(seed):
    """As a rank of a model in parallel has it."""
    rank, count = torch.distributed.get_rank(), torch.distributed.get_world_size()
    rows = weights(240, 500, seed=seed)
    part = rows.chunk(count)[rank].clone()
    return {
        "rows": ShardedTensor.from_rank_offsets("rows", part, (0, rank, count)),
        "same": ShardedTensor.from_rank_offsets("same", weights(300, 200, seed=seed + 1, dtype=torch.float32),
                                                replica_id=rank),
        "object": ShardedObject("object", {"seed": seed}, (1,), (0,), replica_id=rank),
        "common": {"step": seed, "rate": 0.1}}


def save(folder):
    with on_processors():
        dist_checkpointing.save(state(1), folder, sharded_strategy=("swzip", 1))


def load(folder):
    found, expected = dist_checkpointing.load(state(2), folder), state(1)
    for name in ("rows", "same"):
        if not torch.equal(found[name].view(torch.uint8), expected[name].data.view(torch.uint8)):
            raise ValueError(f"{name} is not what was saved")
    if found["object"] != {"seed": 1} or found["common"] != {"step": 1, "rate": 0.1}:
        raise ValueError(f"not what was saved: {found}")


def run_page(folder):
    os.chdir(folder)
    os.mkdir("step-100")
    found = {}
    with on_processors():
        exec(re.search(r"^```py\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)[1], found)
    if found["loaded"]["step"] != 100:
        raise ValueError(f"not what was saved: {found['loaded']}")


class MegatronTest(FolderTest):
    def test_page(self):
        ranks.run(1, run_page, str(self.folder))

    def test_round_trip(self):
        ranks.run(2, save, str(self.folder))
        self.assertEqual(json.loads((self.folder / "metadata.json").read_text())["sharded_backend"], "swzip")
        self.assertLess(byte_count(self.folder), 0.82 * (240 * 500 * 2 + 300 * 200 * 4))
        for count in (1, 3):
            ranks.run(count, load, str(self.folder))


if __name__ == "__main__":
    unittest.main()
