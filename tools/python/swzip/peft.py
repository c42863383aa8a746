"""Adapters of Hugging Face's PEFT, loaded from packed folders."""

from __future__ import annotations

from typing import Any

from peft import PeftModel

from ._library import Bases, Path
from ._models import ModelFiles

__all__ = ["from_pretrained"]


def from_pretrained(model: Any, folder: Path, adapter_name: str = "default", *, subfolder: str = "",
                    bases: Bases = (), **options: Any) -> Any:
    """What `PeftModel.from_pretrained(model, folder, adapter_name, **options)` gives, of an adapter's folder packed by
    `swzip pack -r`, or of the container of one; a further adapter, if `model` is a PeftModel. PEFT takes paths alone,
    so all files are unpacked to a temporary folder meanwhile."""
    files = ModelFiles(folder, subfolder=subfolder, bases=bases)
    files.open("adapter_config.json").close()
    with files.plain(suffixes=("",), most=1 << 40) as plain:
        if not isinstance(model, PeftModel):
            return PeftModel.from_pretrained(model, plain, adapter_name, **options)
        model.load_adapter(plain, adapter_name, **options)
        return model
