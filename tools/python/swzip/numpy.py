"""Arrays of NumPy in packed safetensors files, under the names of safetensors.numpy."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ._container import Container
from ._frameworks import framework_of
from ._library import Bases, Path, Progress
from ._pack import compress, write_file
from ._safe_open import read_all, safe_open
from ._shards import load_all

__all__ = ["load", "load_file", "safe_open", "save", "save_file"]


def load_file(filename: Path, *, backend: str = "mmap", bases: Bases = (), threads: int = 0,
              progress: Progress = None) -> Dict[str, Any]:
    """All arrays by name, of a container, of a folder of shards or of their index. Those of one file are views of one
    buffer, which stays as long as any of them. `backend` is taken for compatibility, and changes nothing."""
    return load_all(filename, framework_of("np"), bases, threads, progress, read_all)


def load(data: Any, *, bases: Bases = (), threads: int = 0) -> Dict[str, Any]:
    """All arrays by name, of a container in memory."""
    with Container.of_bytes(data, bases=bases) as container:
        return read_all(container, framework_of("np"), threads)


def save(tensor_dict: Dict[str, Any], metadata: Optional[Dict[str, str]] = None, **options: Any) -> bytes:
    """A container of the safetensors file of contiguous arrays. Options are those of `swzip.compress`."""
    from safetensors.numpy import save as serialize

    return compress(serialize(tensor_dict, metadata), **options)


def save_file(tensor_dict: Dict[str, Any], filename: Path, metadata: Optional[Dict[str, str]] = None,
              **options: Any) -> None:
    """The same as a file, which gets its name when all of it is on the disk."""
    write_file(filename, save(tensor_dict, metadata, **options))
