"""Tensors of torch in packed safetensors files, under the names of safetensors.torch."""

from __future__ import annotations

import os
import tempfile
from typing import Any, Dict, List, Optional, Tuple

from ._container import Container
from ._frameworks import framework_of
from ._library import Bases, Path, Progress
from ._memory_file import memory_file
from ._pack import compress, pack, write_file
from ._safe_open import read_all, safe_open
from ._shards import load_all

__all__ = ["load", "load_file", "load_model", "safe_open", "save", "save_file", "save_model"]


def load_file(filename: Path, device: Any = "cpu", *, backend: str = "mmap", bases: Bases = (), threads: int = 0,
              progress: Progress = None) -> Dict[str, Any]:
    """All tensors by name, of a container, of a folder of shards or of their index. Those of one file share one buffer,
    which stays as long as any of them. `backend` is taken for compatibility, and changes nothing."""
    return load_all(filename, framework_of("pt", device), bases, threads, progress, read_all)


def load(data: Any, *, bases: Bases = (), threads: int = 0) -> Dict[str, Any]:
    """All tensors by name, of a container in memory."""
    with Container.of_bytes(data, bases=bases) as container:
        return read_all(container, framework_of("pt"), threads)


def load_model(model: Any, filename: Path, strict: bool = True, device: Any = "cpu", *, backend: str = "mmap",
               bases: Bases = ()) -> Tuple[List[str], List[str]]:
    """Loads a packed safetensors file into a module, tied weights too; returns names that are missing, and unexpected
    ones. The whole file is in memory meanwhile. `backend` is taken for compatibility, and changes nothing."""
    from safetensors.torch import load_model as load_plain

    descriptor = memory_file(filename, bases)
    try:
        return load_plain(model, f"/proc/self/fd/{descriptor}", strict, device)
    finally:
        os.close(descriptor)


def save(tensors: Dict[str, Any], metadata: Optional[Dict[str, str]] = None, **options: Any) -> bytes:
    """A container of the safetensors file of contiguous tensors. Options are those of `swzip.compress`."""
    from safetensors.torch import save as serialize

    return compress(serialize(tensors, metadata), **options)


def save_file(tensors: Dict[str, Any], filename: Path, metadata: Optional[Dict[str, str]] = None,
              **options: Any) -> None:
    """The same as a file, which gets its name when all of it is on the disk."""
    write_file(filename, save(tensors, metadata, **options))


def save_model(model: Any, filename: Path, metadata: Optional[Dict[str, str]] = None, force_contiguous: bool = True,
               **options: Any) -> None:
    """Packs the parameters of a module, tied ones once. Options are those of `swzip.pack`."""
    from safetensors.torch import save_model as save_plain

    with tempfile.TemporaryDirectory() as folder:
        plain = os.path.join(folder, "model.safetensors")
        save_plain(model, plain, metadata, force_contiguous)
        pack(plain, filename, **options)
