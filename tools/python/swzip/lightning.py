"""Packed checkpoints of Lightning: `Trainer(plugins=[SwzipCheckpointIO()])`."""

from __future__ import annotations

import io
import posixpath
from typing import Any, Dict, Optional

import torch
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from lightning.fabric.plugins.io import TorchCheckpointIO

from ._file import begins_container, unpacked
from ._library import SwzipError
from ._pack import compress, write_file

__all__ = ["SwzipCheckpointIO"]


class SwzipCheckpointIO(TorchCheckpointIO):
    """Saves checkpoints packed, under the names that Lightning gives them (`*.ckpt`), and loads those and others, from
    every file system of fsspec. `options` are those of `swzip.compress`."""

    def __init__(self, **options: Any):
        super().__init__()
        self.options = options

    def save_checkpoint(self, checkpoint: Dict[str, Any], path: Any, storage_options: Optional[Any] = None) -> None:
        if storage_options is not None:
            raise SwzipError("SwzipCheckpointIO takes no storage_options")
        plain = io.BytesIO()
        torch.save(checkpoint, plain)
        container = compress(plain.getbuffer(), **self.options)
        files, name = url_to_fs(str(path))
        files.makedirs(posixpath.dirname(name), exist_ok=True)
        if isinstance(files, LocalFileSystem):
            write_file(name, container)
        else:
            with files.transaction:
                files.pipe(name, container)

    def load_checkpoint(self, path: Any, map_location: Any = lambda storage, location: storage,
                        weights_only: Optional[bool] = None) -> Dict[str, Any]:
        files, name = url_to_fs(str(path))
        if not files.exists(name):
            raise FileNotFoundError(f"Checkpoint file not found: {path}")
        with files.open(name, "rb") as file:
            if begins_container(file):
                return torch.load(unpacked(file), map_location=map_location, weights_only=weights_only)
        return super().load_checkpoint(path, map_location, weights_only)
