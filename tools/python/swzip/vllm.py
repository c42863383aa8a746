"""vLLM's load format "swz", which its plug-ins register: `vllm serve FOLDER --load-format swz`."""

from __future__ import annotations

import functools
import os
import time
from typing import Any, Iterator, List, Optional, Tuple

from ._library import Bases, Path, SwzipError
from ._models import TRANSFORMERS, ModelFiles
from .hub import model_folder

__all__ = ["register", "weight_patches"]


@functools.lru_cache(maxsize=None)
def register() -> None:
    """The entry point: called in each process of vLLM, more than once perhaps."""
    from vllm.model_executor.model_loader import register_model_loader
    from vllm.model_executor.model_loader.default_loader import DefaultModelLoader

    class SwzModelLoader(DefaultModelLoader):
        """vLLM's own loader, but for where files and tensors come from."""

        def _prepare_weights(self, model_name_or_path: str, subfolder: Optional[str], revision: Optional[str],
                             fall_back_to_pt: bool, allow_patterns_overrides: Optional[List[str]]
                             ) -> Tuple[str, List[str], bool, str]:
            folder = model_folder(model_name_or_path, revision=revision, cache_dir=self.load_config.download_dir)
            files = ModelFiles(folder, subfolder=subfolder or "")
            return folder, files.weight_files(), False, ""

        def _get_weights_iterator(self, source: Any) -> Iterator[Tuple[str, Any]]:
            folder, *_ = self._prepare_weights(source.model_or_path, source.subfolder, source.revision,
                                               source.fall_back_to_pt, source.allow_patterns_overrides)
            if self.counter_before_loading_weights == 0.0:
                self.counter_before_loading_weights = time.perf_counter()
            tensors = ModelFiles(folder, subfolder=source.subfolder or "").iterate()
            return ((source.prefix + name, tensor) for name, tensor in tensors)

    register_model_loader("swz")(SwzModelLoader)


def weight_patches(base: Path, model: Path, *, bases: Bases = (), threads: int = 0) -> Iterator[Any]:
    """What `load_checkpoint_weight_patches` takes to bring a model from `base` to `model`, packed folders both: each
    tensor that differs in a bit, as a sparse CheckpointWeightPatch. One tensor of each is in memory at a time. `bases`
    are what a `model` of differences needs."""
    import torch
    from vllm.model_executor.model_loader.checkpoint_weight_patch import CheckpointWeightPatch

    old = ModelFiles(base).weights(TRANSFORMERS, threads=threads)
    integers = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    for name, part in ModelFiles(model, bases=bases).weights(TRANSFORMERS, threads=threads).items():
        tensor = part[...]
        before = old[name][...] if name in old else tensor.new_empty(0)
        if (before.shape, before.dtype) != (tensor.shape, tensor.dtype):
            raise SwzipError(f"has a tensor {name!r} of another type or shape than its base", file=os.fsdecode(model))
        bits = integers[tensor.element_size()]
        changed = (tensor.reshape(-1).view(bits) != before.reshape(-1).view(bits)).nonzero().reshape(-1)
        if changed.numel():
            yield CheckpointWeightPatch(name, tuple(tensor.shape), tensor.dtype, tensor.reshape(-1)[changed], changed)
