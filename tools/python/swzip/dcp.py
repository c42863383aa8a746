"""Packed checkpoints of torch.distributed.checkpoint: each item, a shard of a tensor or an object, is a container of
its own within the files of the checkpoint.

    dcp.save(state, storage_writer=swzip.dcp.FileSystemWriter("step-100"))
    dcp.load(state, storage_reader=swzip.dcp.FileSystemReader("step-100"))"""

from __future__ import annotations

from typing import IO, Any, TypeVar

from torch.distributed import checkpoint
from torch.distributed.checkpoint._extension import StreamTransformExtension

from ._file import PackingFile, unpacked
from ._library import SwzipError

__all__ = ["FileSystemReader", "FileSystemWriter", "SwzipExtension", "register"]


class SwzipExtension(StreamTransformExtension):
    """The extension "stream.swzip", for writers that take `_extensions`. An item is in memory while it is packed.
    `options` are those of `swzip.compress`, but for `bases`."""

    def __init__(self, **options: Any):
        if "bases" in options:
            raise SwzipError("an item of a checkpoint has no bases")
        self.options = options

    @staticmethod
    def registry_name() -> str:
        return "stream.swzip"

    def get_descriptor(self) -> str:
        return "stream.swzip/1"

    @staticmethod
    def from_descriptor(version: str) -> "SwzipExtension":
        if version != "1":
            raise SwzipError(f"the checkpoint needs a newer swzip: its items are stream.swzip/{version}")
        return SwzipExtension()

    def transform_to(self, output: IO[bytes]) -> Any:
        return PackingFile(output, **self.options)

    def transform_from(self, input: IO[bytes]) -> Any:
        return unpacked(input)


Reader = TypeVar("Reader", bound=checkpoint.FileSystemReader)


def register(reader: Reader) -> Reader:
    """Lets a reader of checkpoints read packed items too, and returns it."""
    reader.transforms.extension_registry.register(SwzipExtension)
    return reader


class FileSystemWriter(checkpoint.FileSystemWriter):
    """torch's FileSystemWriter, with packed items; `level` is that of `swzip.pack`."""

    def __init__(self, path: Any, *arguments: Any, level: int = 3, **options: Any):
        super().__init__(path, *arguments, _extensions=[SwzipExtension(level=level)], **options)


class FileSystemReader(checkpoint.FileSystemReader):
    """torch's FileSystemReader, for packed and other checkpoints."""

    def __init__(self, path: Any, *arguments: Any, **options: Any):
        super().__init__(path, *arguments, **options)
        register(self)
