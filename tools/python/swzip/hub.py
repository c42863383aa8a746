"""Packed models on the hub of Hugging Face."""

from __future__ import annotations

import os
from typing import Any, Optional

from ._library import Bases, Path
from ._pack import unpack as unpack_file

__all__ = ["snapshot_download"]


def snapshot_download(repo_id: str, *, unpack: bool = False, bases: Bases = (), **options: Any) -> str:
    """What `huggingface_hub.snapshot_download(repo_id, **options)` gives: the path of the snapshot. With `unpack` each
    packed file in it that is not there plain is unpacked beside itself, so that whatever reads the cache finds it."""
    from huggingface_hub import snapshot_download as download

    folder = download(repo_id, **options)
    for place, _, names in os.walk(folder) if unpack else ():
        for path in (os.path.join(place, name) for name in sorted(names) if name.endswith(".swz")):
            if not os.path.lexists(path[:-len(".swz")]):
                unpack_file(path, bases=bases)
    return folder


def model_folder(path: Path, *, revision: Optional[str] = None, cache_dir: Optional[str] = None) -> str:
    """The folder or container at a path, or the snapshot of a repository of that name, without plain weights."""
    name = os.fsdecode(path)
    if os.path.exists(name):
        return name
    return snapshot_download(name, revision=revision, cache_dir=cache_dir,
                             ignore_patterns=["*.safetensors", "*.bin", "*.pt", "*.pth", "*.gguf"])
