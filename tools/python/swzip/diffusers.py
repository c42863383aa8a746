"""Pipelines and models of Hugging Face's diffusers, loaded from packed folders."""

from __future__ import annotations

from typing import Any, Optional

import accelerate
import diffusers
import torch
import transformers

from . import transformers as packed_transformers
from ._library import Bases, Path
from ._models import DIFFUSERS, ModelFiles

__all__ = ["from_pretrained", "load_model"]


def load_model(cls: Any, folder: Path, *, subfolder: str = "", variant: Optional[str] = None, torch_dtype: Any = None,
               bases: Bases = (), threads: int = 0) -> Any:
    """What `cls.from_pretrained(folder, ...)` gives, of the packed folder of a model, or the container of one. Tensors
    are decoded one by one, each to its type."""
    files = ModelFiles(folder, subfolder=subfolder, bases=bases)
    files.open("config.json").close()
    with files.plain() as plain, accelerate.init_empty_weights():
        model = cls.from_config(cls.load_config(plain))
    kinds = {name: tensor.dtype for name, tensor in model.state_dict().items()}
    weights = dict(files.weights(DIFFUSERS, variant, threads=threads))
    model._fix_state_dict_keys_on_load(weights)  # Names that older versions of diffusers wrote.
    for name, weight in weights.items():
        tensor = weight[...]
        if name in kinds and tensor.is_floating_point():
            is_kept = any(part in name.split(".") for part in cls._keep_in_fp32_modules or ())
            tensor = tensor.to(torch.float32 if is_kept else torch_dtype or kinds[name])
        weights[name] = tensor
    model.load_state_dict(weights, assign=True)
    model.register_to_config(_name_or_path=files.folder)
    return model.eval()


def from_pretrained(folder: Path, cls: Any = diffusers.DiffusionPipeline, *, variant: Optional[str] = None,
                    torch_dtype: Any = None, bases: Bases = (), threads: int = 0, **components: Any) -> Any:
    """What `cls.from_pretrained(folder, ...)` gives, of the packed folder of a pipeline, or the container of one: its
    models come by `load_model` and `swzip.transformers`, but for `components` that are given, all else from texts."""
    files = ModelFiles(folder, bases=bases)
    files.open("model_index.json").close()
    common = {"variant": variant, "bases": bases, "threads": threads}
    with files.plain() as plain:
        index = cls.load_config(plain)
        for name, said in index.items():
            if name in components or not isinstance(said, (list, tuple)) or f"{name}/config.json" not in files:
                continue
            kind = _class_of(*said)
            if issubclass(kind, diffusers.ModelMixin):
                components[name] = load_model(kind, folder, subfolder=name, torch_dtype=torch_dtype, **common)
            elif issubclass(kind, transformers.PreTrainedModel):
                dtype = {} if torch_dtype is None else {"dtype": torch_dtype}
                components[name] = packed_transformers.from_pretrained(folder, kind, subfolder=name, **dtype, **common)
        return cls.from_pretrained(plain, torch_dtype=torch_dtype, **components)


def _class_of(library: str, name: str) -> Any:
    """A class that model_index.json names: of diffusers, of transformers or of a pipeline; object for all others."""
    modules = {"diffusers": diffusers, "transformers": transformers}
    found = getattr(modules.get(library) or getattr(diffusers.pipelines, library, None), name, object)
    return found if isinstance(found, type) else object
