"""Models of Hugging Face's transformers, loaded from packed folders."""

from __future__ import annotations

import os
from typing import Any, Optional

import torch
import transformers
from transformers import AutoConfig, GenerationConfig, PreTrainedModel

from ._library import Bases, Path, SwzipError
from ._models import TRANSFORMERS, ModelFiles
from ._safe_open import TensorSlice

__all__ = ["from_pretrained"]

CONFIG, GENERATION_CONFIG = "config.json", "generation_config.json"
NOT_OF_CONFIG = ("dtype", "torch_dtype", "quantization_config", "trust_remote_code", "generation_config")


class Weight(TensorSlice):
    """A tensor that is decoded when transformers indexes it, which asks for these of a whole tensor too."""

    @property
    def dtype(self) -> Any:
        return self._framework.form(self._tensor)[0]

    def is_floating_point(self) -> bool:
        return self.dtype.is_floating_point


def from_pretrained(folder: Path, cls: Any = None, *, subfolder: str = "", variant: Optional[str] = None,
                    bases: Bases = (), threads: int = 0, **options: Any) -> Any:
    """What `cls.from_pretrained(folder, **options)` gives, of a folder packed by `swzip pack -r`, or of the container
    of one. `cls` is a class of a model or an Auto class, else that which `architectures` in config.json names.

    Each tensor is decoded once, when its turn comes, and goes to its type and device then. What needs files
    (`device_map` with "disk", the code of a model of its own) needs them unpacked."""
    files = ModelFiles(folder, subfolder=subfolder, bases=bases)
    device_map = options.get("device_map")
    if isinstance(device_map, dict) and "disk" in device_map.values():
        raise SwzipError("the device \"disk\" takes plain files: unpack the model first", file=files.folder)
    files.open(CONFIG).close()
    with files.plain() as plain:
        config = options.pop("config", None)
        if config is None:  # It takes those options that are its own, as transformers does it.
            kept = {name: options.pop(name) for name in NOT_OF_CONFIG if name in options}
            config, options = AutoConfig.from_pretrained(plain, return_unused_kwargs=True,
                                                         trust_remote_code=kept.get("trust_remote_code"), **options)
            options.update(kept)
        if GENERATION_CONFIG in files:
            options.setdefault("generation_config", GenerationConfig.from_pretrained(plain))
        cls = _class_of(config, files) if cls is None else cls
        if not issubclass(cls, PreTrainedModel):  # An Auto class: without weights it says which class it stands for.
            with torch.device("meta"):
                cls = type(cls.from_config(config, trust_remote_code=options.get("trust_remote_code")))
            config = config if isinstance(config, cls.config_class) else config.get_text_config()
        threads = threads or max(1, len(os.sched_getaffinity(0)) // 4)  # transformers asks for four tensors at a time.
        weights = files.weights(TRANSFORMERS, variant, Weight, threads)
        found = cls.from_pretrained(None, config=config, state_dict=weights, **options)
    model = found[0] if options.get("output_loading_info") else found
    model.name_or_path = model.config.name_or_path = files.folder
    return found


def _class_of(config: Any, files: ModelFiles) -> Any:
    """The class that `architectures` names."""
    name = (config.architectures or ["PreTrainedModel"])[0]
    found = getattr(transformers, name, None)
    if not isinstance(found, type) or not issubclass(found, PreTrainedModel):
        raise SwzipError(f"is a {name}, no model of this transformers: say which class it is", file=files.folder)
    return found
