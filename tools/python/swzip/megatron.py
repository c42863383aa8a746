"""Packed checkpoints of Megatron-core, of its backend "swzip", which importing this registers.

    dist_checkpointing.save(state, path, sharded_strategy=("swzip", 1))
    dist_checkpointing.load(state, path)"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator

from megatron.core.dist_checkpointing.strategies import torch as torch_dist
from megatron.core.dist_checkpointing.strategies.base import StrategyAction, register_default_strategy
from torch.distributed.checkpoint.filesystem import _StorageWriterTransforms

from .dcp import SwzipExtension, register

__all__ = ["LoadStrategy", "SaveStrategy"]


class SaveStrategy(torch_dist.TorchDistSaveShardedStrategy):
    """Saves as the backend "torch_dist" does, asynchronously too, but packs; `level` is that of `swzip.pack`."""

    def __init__(self, backend: str = "swzip", version: int = 1, *, level: int = 3, **options: Any):
        super().__init__(backend, version, **options)
        self.level = level

    def _get_save_and_finalize_callbacks(self, writer: Any, save_state_dict_ret: Any) -> Any:
        # The writer is made by async_save, without extensions; here it is given theirs before it says what to run.
        writer.transforms = _StorageWriterTransforms([SwzipExtension(level=self.level)])
        return super()._get_save_and_finalize_callbacks(writer, save_state_dict_ret)


class LoadStrategy(torch_dist.TorchDistLoadShardedStrategy):
    """Loads packed items, and others."""

    def load(self, sharded_state_dict: Any, checkpoint_dir: Any) -> Any:
        with _packed_items_known():
            return super().load(sharded_state_dict, checkpoint_dir)


@contextmanager
def _packed_items_known() -> Iterator[None]:
    """Megatron's strategy takes no reader but makes its own, by a function of its module."""
    plain = torch_dist._get_filesystem_reader
    torch_dist._get_filesystem_reader = lambda *arguments, **options: register(plain(*arguments, **options))
    try:
        yield
    finally:
        torch_dist._get_filesystem_reader = plain


register_default_strategy(StrategyAction.SAVE_SHARDED, "swzip", 1, SaveStrategy())
register_default_strategy(StrategyAction.LOAD_SHARDED, "swzip", 1, LoadStrategy())
