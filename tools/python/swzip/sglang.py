"""SGLang's load format "swz", which its plug-ins register: `sglang serve --model-path FOLDER --load-format swz`."""

from __future__ import annotations

import time
from typing import Any, Callable, Iterator, List, Optional, Tuple

from ._models import ModelFiles
from .hub import model_folder

__all__ = ["register"]


def register() -> None:
    """The entry point: called in each process of SGLang, before it applies its hooks."""
    from sglang.srt.arg_groups.choices import add_load_format_choices
    from sglang.srt.plugins.hook_registry import HookRegistry, HookType

    add_load_format_choices(["swz"])
    HookRegistry.register("sglang.srt.configs.load_config.LoadConfig._verify_load_format", _accept, HookType.AROUND)


def _accept(verify: Callable[[Any], None], config: Any) -> None:
    """The formats are an enumeration, but SGLang takes a class of a loader for one as well."""
    if config.load_format == "swz":
        config.load_format = loader()
    verify(config)


def loader() -> Any:
    """SGLang's own loader, but for where files and tensors come from."""
    from sglang.srt.model_loader.loader import DefaultModelLoader

    class SwzModelLoader(DefaultModelLoader):
        def _prepare_weights(self, model_name_or_path: str, revision: Optional[str], fall_back_to_pt: bool,
                             allow_patterns_overrides: Optional[List[str]] = None) -> Tuple[str, List[str], bool]:
            folder = model_folder(model_name_or_path, revision=revision, cache_dir=self.load_config.download_dir)
            return folder, ModelFiles(folder).weight_files(), False

        def _get_weights_iterator(self, source: Any, **_: Any) -> Iterator[Tuple[str, Any]]:
            folder, *_files = self._prepare_weights(source.model_or_path, source.revision, source.fall_back_to_pt)
            tensors = ModelFiles(folder).iterate()
            if self.load_config.draft_model_idx is not None:
                return self._filter_mtp_weights(tensors, source.prefix, self.load_config.draft_model_idx)
            if self.counter_before_loading_weights == 0.0:
                self.counter_before_loading_weights = time.perf_counter()
            return ((source.prefix + name, tensor) for name, tensor in tensors)

    return SwzModelLoader
