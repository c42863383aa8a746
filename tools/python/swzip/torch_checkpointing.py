"""Packed checkpoints of torch_checkpointing: `CheckpointManager.Config(storage_config=SwzipStorageConfig())`."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any, Callable, Optional

from torch_checkpointing.storage.base_storage import ReadArgs, Storage, StorageConfig
from torch_checkpointing.storage.filesystem import LocalFileSystemStorageConfig

from ._container import MAGIC, Container
from ._file import MemberFile, PackingFile, begins_container
from ._pack import compress

__all__ = ["SwzipStorage", "SwzipStorageConfig"]


@dataclasses.dataclass
class SwzipStorageConfig(StorageConfig):
    """`beneath` is the storage that has the containers; `level` is that of `swzip.pack`."""

    # Direct writes would need lengths that blocks of the disk divide.
    beneath: StorageConfig = dataclasses.field(
        default_factory=lambda: LocalFileSystemStorageConfig(use_direct_io=False))
    level: int = 3

    def create_storage(self) -> "SwzipStorage":
        return SwzipStorage(self.beneath.create_storage(), self.level)


def _beneath(name: str) -> Callable:
    def call(self: "SwzipStorage", *arguments: Any, **options: Any) -> Any:
        return getattr(self._beneath, name)(*arguments, **options)

    return call


class _Original(MemberFile):
    """The original of a container in a stream, which is closed with it."""

    def __init__(self, stream: Any):
        self._stream = stream
        container = Container.of_file(stream)
        super().__init__(container, container.only_member())

    def close(self) -> None:
        super().close()
        self._stream.close()


class SwzipStorage(Storage):
    """Packs files on their way to another storage, where they keep their names. Any part of a packed file can be read,
    so that shards are cut from them; plain files are read as they are."""

    mmap_fill_workers = 1  # A read is decoded by all processors.

    def __init__(self, beneath: Storage, level: int = 3):
        self._beneath, self._level = beneath, level

    delete, mkdir, rmdir, rename = map(_beneath, ("delete", "mkdir", "rmdir", "rename"))
    ls, exists, glob, isdir, remap_path = map(_beneath, ("ls", "exists", "glob", "isdir", "remap_path"))

    def stream_read(self, path: Path, read_args: Optional[ReadArgs] = None) -> io.RawIOBase:
        # Sizes are those of originals, and what is read directly has to be aligned.
        packed = dataclasses.replace(read_args or ReadArgs(), pre_read_full_file=False, direct_io=False,
                                     known_size_bytes=None)
        stream = self._beneath.stream_read(path, packed)
        if begins_container(stream):
            return _Original(stream)
        stream.close()
        return self._beneath.stream_read(path, read_args)

    def stream_write(self, path: Path) -> PackingFile:
        return PackingFile(self._beneath.stream_write(path), level=self._level)

    def write(self, path: Path, data: Any) -> None:
        """Packs the bytes if that makes them less, or if they are a container, which reading would unpack."""
        plain = memoryview(data).cast("B")
        packed = compress(plain, level=self._level)
        if len(packed) >= len(plain) and plain[:len(MAGIC)] != MAGIC:
            packed = plain
        self._beneath.write(path, packed)

    def getsize(self, path: Path) -> int:
        with self.stream_read(path, ReadArgs(pre_read_full_file=False)) as file:
            return file.seek(0, io.SEEK_END)
